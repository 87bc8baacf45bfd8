import { describe, expect, it } from 'vitest';

import { addressesOf, nodeScript } from './ptp.ts';

const nodes = [
  { name: 'one', families: [{ address: '172.18.0.2', podCidr: '10.244.0.0/24' }] },
  { name: 'two', families: [{ address: '172.18.0.3', podCidr: '10.244.1.0/24' }] },
  { name: 'three', families: [{ address: '172.18.0.4', podCidr: '10.244.2.0/24' }] },
];

describe('the network that enforces nothing', () => {
  it("routes to every other node's pods, hides pods from the outside alone, and gives addresses last", () => {
    const lines = nodeScript('two', nodes).trimEnd().split('\n');

    expect(lines.slice(0, 3)).toEqual([
      'ip route replace 10.244.0.0/24 via 172.18.0.2',
      'ip route replace 10.244.2.0/24 via 172.18.0.4',
      'iptables -w -t nat -A POSTROUTING -s 10.244.1.0/24 ! -d 10.244.0.0/16 -j MASQUERADE',
    ]);
    expect(lines.slice(3)).toEqual([
      expect.stringMatching(/^echo '\{.*"subnet":"10\.244\.1\.0\/24".*\}' >\/etc\/cni\//),
    ]);
  });

  it('does the same over IPv6 where nodes have it', () => {
    const both = nodes.map(({ name, families }, index) => ({
      name,
      families: [...families, { address: `fd01::${index}`, podCidr: `fd00:10:244:${index}::/64` }],
    }));
    const lines = nodeScript('two', both).trimEnd().split('\n');

    expect(lines).toContain('ip route replace fd00:10:244:2::/64 via fd01::2');
    expect(lines).toContain(
      'ip6tables -w -t nat -A POSTROUTING -s fd00:10:244:1::/64 ! -d fd00:10:244::/56 -j MASQUERADE',
    );
    expect(lines.at(-1)).toContain('"ranges":[[{"subnet":"10.244.1.0/24"}],[{"subnet":"fd00:10:244:1::/64"}]]');
    expect(lines.at(-1)).toContain('"routes":[{"dst":"0.0.0.0/0"},{"dst":"::/0"}]');
  });

  it('needs to know where the pods of each node are', () => {
    const node = (spec: object) =>
      JSON.stringify({
        items: [
          {
            metadata: { name: 'one' },
            spec,
            status: {
              addresses: [
                { type: 'Hostname', address: 'one' },
                { type: 'InternalIP', address: '172.18.0.2' },
                { type: 'InternalIP', address: 'fd01::2' },
              ],
            },
          },
        ],
      });

    expect(addressesOf(node({ podCIDRs: ['10.244.0.0/24'] }))).toEqual(nodes.slice(0, 1));
    expect(() => addressesOf(node({}))).toThrow('node one has no addresses for pods');
  });
});
