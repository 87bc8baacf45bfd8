import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

import { ciliumValues } from './cni/cilium.ts';
import { withoutForwarding } from './dns.ts';
import { sealRule } from './network.ts';
import { kindConfiguration } from './nodes.ts';

describe('kindConfiguration', () => {
  it('asks for one control plane and the workers, without a network of kind', () => {
    const configuration: unknown = parse(kindConfiguration(2));
    expect(configuration).toMatchObject({
      networking: { disableDefaultCNI: true, apiServerAddress: '127.0.0.1' },
      nodes: [{ role: 'control-plane' }, { role: 'worker' }, { role: 'worker' }],
    });
  });

  it('gives pods the addresses that Cilium routes', () => {
    const { networking } = parse(kindConfiguration(0));
    expect(parse(ciliumValues())).toMatchObject({ ipv4NativeRoutingCIDR: networking.podSubnet });
  });
});

describe('sealRule', () => {
  it('rejects what leaves the bridge, and only that', () => {
    expect(sealRule('postern-1').join(' ')).toMatch(
      /^DOCKER-USER -i (postern-[0-9a-f]{6}) ! -o \1 -j REJECT --reject-with icmp-net-prohibited$/,
    );
  });
});

describe('withoutForwarding', () => {
  const corefile = (forward: string): string => `.:53 {
    errors
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       fallthrough in-addr.arpa ip6.arpa
    }
${forward}    cache 30
}
`;

  it.each([
    ['with options', '    forward . /etc/resolv.conf {\n       max_concurrent 1000\n    }\n'],
    ['without', '    forward . 8.8.8.8\n'],
    ['already gone', ''],
  ])('removes a forward plugin %s', (_, forward) => {
    expect(withoutForwarding(corefile(forward))).toBe(corefile(''));
  });
});
