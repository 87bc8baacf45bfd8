import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

import { ciliumDualValues, ciliumValues } from './cni/cilium.ts';
import { withoutForwarding } from './dns.ts';
import { obstacleFrom } from './ipv6.ts';
import { ipv6SealRule, ipv6SubnetFor, sealRule } from './network.ts';
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

describe('a cluster with both families', () => {
  it('gives pods the addresses that Cilium routes, of IPv4 first', () => {
    const { networking } = parse(kindConfiguration(1, true));

    expect(networking).toMatchObject({ ipFamily: 'dual', disableDefaultCNI: true });
    expect(networking.podSubnet.split(',')).toEqual([
      parse(ciliumValues()).ipv4NativeRoutingCIDR,
      parse(ciliumDualValues()).ipv6NativeRoutingCIDR,
    ]);
    expect(networking.serviceSubnet).toMatch(/^10\.[\d./]+,fd00:/);
  });

  it('has its own part of the unique local addresses, and is sealed over IPv6 as over IPv4', () => {
    expect(ipv6SubnetFor('postern-1')).toMatch(/^fd[0-9a-f]{2}:[0-9a-f]{1,4}:[0-9a-f]{1,4}::\/64$/);
    expect(ipv6SubnetFor('postern-1')).not.toBe(ipv6SubnetFor('postern-2'));
    expect(ipv6SealRule('postern-1', 'FORWARD').join(' ')).toMatch(
      /^FORWARD -i (postern-[0-9a-f]{6}) ! -o \1 -j REJECT --reject-with icmp6-adm-prohibited$/,
    );
  });

  it.each([
    [undefined, /its kernel lacks it.*choose another POSTERN_CNI/],
    ['1\n', /turned off.*sysctl -w net\.ipv6\.conf\.all\.disable_ipv6=0/],
  ])('says what keeps a machine with the switch %j from having it', (text, words) => {
    expect(obstacleFrom(text)).toMatch(words);
  });

  it('finds nothing against a machine that has IPv6', () => {
    expect(obstacleFrom('0\n')).toBeUndefined();
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
