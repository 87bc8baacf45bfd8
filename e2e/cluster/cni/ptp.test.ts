import { describe, expect, it } from 'vitest';

import { addressesOf, nodeScript } from './ptp.ts';

const nodes = [
  { name: 'one', address: '172.18.0.2', podCidr: '10.244.0.0/24' },
  { name: 'two', address: '172.18.0.3', podCidr: '10.244.1.0/24' },
  { name: 'three', address: '172.18.0.4', podCidr: '10.244.2.0/24' },
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
              ],
            },
          },
        ],
      });

    expect(addressesOf(node({ podCIDR: '10.244.0.0/24' }))).toEqual(nodes.slice(0, 1));
    expect(() => addressesOf(node({}))).toThrow('node one has no addresses for pods');
  });
});
