import { describe, expect, it } from 'vitest';
import { policyModel } from './model.ts';
import type { PolicyWorld } from './question.ts';
import { answerOf, type Asked, namespaceOf, networkPolicy, podOf, policyOf } from './testing/builders.ts';
import type { Answer } from './truth.ts';

/** Sources: docs.tigera.io's reference of NetworkPolicy, GlobalNetworkPolicy and Tier, and libcalico-go's entity rules. */

const base: PolicyWorld = {
  namespaces: [namespaceOf('shop', { team: 'shop' }), namespaceOf('mon', { team: 'ops' })],
  pods: [
    podOf('shop/web', { app: 'web' }, { ip: '10.0.1.1', node: 'a', account: 'web' }),
    podOf('shop/db', { app: 'db' }, { ip: '10.0.1.2', node: 'b' }),
    podOf('mon/web', { app: 'web' }, { ip: '10.0.2.1', node: 'b' }),
    podOf('mon/host', { app: 'web' }, { ip: '192.168.0.1', node: 'a', hostNetwork: true }),
  ],
  nodes: [
    { name: 'a', addresses: ['192.168.0.1'] },
    { name: 'b', addresses: ['192.168.0.2'] },
  ],
  policies: [],
};

type Spec = Readonly<Record<string, unknown>>;
const local = (spec: Spec, path = 'shop/c') => policyOf('projectcalico.org/v3', 'NetworkPolicy', path, spec);
const global = (spec: Spec, path = 'g') => policyOf('projectcalico.org/v3', 'GlobalNetworkPolicy', path, spec);
const tier = (name: string, spec: Spec) => policyOf('projectcalico.org/v3', 'Tier', name, spec);
const rule = (action: string, rest: Spec = {}) => ({ action, ...rest });
const allow = rule('Allow');
const deny = rule('Deny');

const webToDb: Asked = { from: 'shop/web', to: 'shop/db' };
const monToDb: Asked = { from: 'mon/web', to: 'shop/db' };
const outside = '203.0.113.7';
const toOutside: Asked = { from: 'shop/web', to: outside };
const fromOutside: Asked = { from: outside, to: 'shop/db' };

describe('compileCalico', () => {
  it.each<[string, PolicyWorld['policies'], Asked, Answer]>([
    ['a selected pod is denied what no rule matches', [local({})], webToDb, 'deny'],
    ['in the directions of types alone', [local({ types: ['Egress'] })], monToDb, 'allow'],
    ['types default to Ingress', [local({})], toOutside, 'allow'],
    ['and to Egress alone with egress rules alone', [local({ egress: [deny] })], monToDb, 'allow'],
    ['and to both with both', [local({ ingress: [allow], egress: [deny] })], webToDb, 'deny'],
    ['a namespaced policy selects in its namespace', [local({}, 'mon/c')], webToDb, 'allow'],
    ['the first matching rule decides', [local({ ingress: [allow, deny] })], webToDb, 'allow'],
    ['Log decides nothing', [local({ ingress: [rule('Log'), deny, allow] })], webToDb, 'deny'],
    [
      'lower orders are asked first',
      [local({ order: 2, ingress: [allow] }), local({ order: 1, ingress: [deny] }, 'shop/d')],
      webToDb,
      'deny',
    ],
    [
      'no order comes last',
      [local({ ingress: [deny] }, 'shop/a'), local({ order: 9999, ingress: [allow] }, 'shop/b')],
      webToDb,
      'allow',
    ],
    [
      'equal orders go by name',
      [local({ order: 1, ingress: [deny] }, 'shop/b'), local({ order: 1, ingress: [allow] }, 'shop/a')],
      webToDb,
      'allow',
    ],
    [
      'a denial before NetworkPolicy wins',
      [networkPolicy('shop/n', { podSelector: {}, ingress: [{}] }), local({ order: 10, ingress: [deny] })],
      webToDb,
      'deny',
    ],
    [
      'a denial after it does not',
      [networkPolicy('shop/n', { podSelector: {}, ingress: [{}] }), local({ order: 2000, ingress: [deny] })],
      webToDb,
      'allow',
    ],
    [
      'an admission after a NetworkPolicy that isolates',
      [networkPolicy('shop/n', { podSelector: {} }), local({ order: 2000, ingress: [allow] })],
      webToDb,
      'allow',
    ],
    ['a global policy selects everywhere', [global({ ingress: [deny] })], { from: 'shop/web', to: 'mon/web' }, 'deny'],
    ['or by namespace labels', [global({ namespaceSelector: 'team == "ops"', ingress: [deny] })], webToDb, 'allow'],
    [
      'or by namespace name',
      [global({ selector: 'projectcalico.org/namespace == "shop"', ingress: [deny] })],
      webToDb,
      'deny',
    ],
    [
      'or by service account',
      [global({ serviceAccountSelector: 'projectcalico.org/name == "web"', types: ['Egress'], egress: [deny] })],
      webToDb,
      'deny',
    ],
    [
      'whose labels are not read',
      [global({ serviceAccountSelector: 'role == "x"', types: ['Egress'], egress: [deny] })],
      webToDb,
      'unknown',
    ],
    ['host network pods are no subjects', [global({ ingress: [deny] })], { from: 'shop/web', to: 'mon/host' }, 'allow'],
    [
      'a selector alone looks at the own namespace',
      [local({ ingress: [rule('Allow', { source: { selector: 'app == "web"' } })] })],
      monToDb,
      'deny',
    ],
    [
      'and matches there',
      [local({ ingress: [rule('Allow', { source: { selector: 'app == "web"' } })] })],
      webToDb,
      'allow',
    ],
    [
      'a namespaceSelector looks elsewhere',
      [
        local({
          ingress: [rule('Allow', { source: { selector: 'app == "web"', namespaceSelector: 'team == "ops"' } })],
        }),
      ],
      monToDb,
      'allow',
    ],
    [
      'a selector of a global policy looks everywhere',
      [global({ selector: 'app == "db"', ingress: [rule('Allow', { source: { selector: 'app == "web"' } })] })],
      monToDb,
      'allow',
    ],
    [
      'an address may be in a NetworkSet',
      [global({ ingress: [rule('Allow', { source: { selector: 'app == "web"' } })] })],
      fromOutside,
      'unknown',
    ],
    [
      'notSelector excludes',
      [local({ ingress: [rule('Allow', { source: { notSelector: 'app == "web"' } })] })],
      webToDb,
      'deny',
    ],
    [
      '!= matches a missing label',
      [local({ ingress: [rule('Allow', { source: { selector: 'zone != "a"' } })] })],
      webToDb,
      'allow',
    ],
    [
      'service accounts by name',
      [local({ ingress: [rule('Allow', { source: { serviceAccounts: { names: ['web'] } } })] })],
      webToDb,
      'allow',
    ],
    [
      'and no other',
      [local({ ingress: [rule('Allow', { source: { serviceAccounts: { names: ['x'] } } })] })],
      webToDb,
      'deny',
    ],
    [
      'nets match addresses',
      [local({ egress: [rule('Allow', { destination: { nets: ['203.0.113.0/24'] } })] })],
      toOutside,
      'allow',
    ],
    ['and pods', [local({ egress: [rule('Allow', { destination: { nets: ['10.0.0.0/8'] } })] })], webToDb, 'allow'],
    [
      'notNets exclude',
      [local({ egress: [rule('Allow', { destination: { nets: ['0.0.0.0/0'], notNets: ['203.0.113.0/24'] } })] })],
      toOutside,
      'deny',
    ],
    [
      'nets are ANDed with selectors',
      [local({ egress: [rule('Allow', { destination: { nets: ['10.9.0.0/16'], selector: 'all()' } })] })],
      webToDb,
      'deny',
    ],
    [
      'ports',
      [local({ ingress: [rule('Allow', { protocol: 'TCP', destination: { ports: [80, 8080] } })] })],
      webToDb,
      'allow',
    ],
    [
      'a range of ports',
      [local({ ingress: [rule('Allow', { protocol: 'TCP', destination: { ports: ['8000:8080'] } })] })],
      webToDb,
      'allow',
    ],
    [
      'a named port',
      [local({ ingress: [rule('Allow', { protocol: 'TCP', destination: { ports: ['http'] } })] })],
      webToDb,
      'allow',
    ],
    [
      'notPorts exclude',
      [local({ ingress: [rule('Allow', { protocol: 'TCP', destination: { notPorts: [8080] } })] })],
      webToDb,
      'deny',
    ],
    ['another protocol', [local({ ingress: [rule('Allow', { protocol: 'UDP' })] })], webToDb, 'deny'],
    ['a protocol by number', [local({ ingress: [rule('Allow', { protocol: 6 })] })], webToDb, 'allow'],
    ['notProtocol', [local({ ingress: [rule('Allow', { notProtocol: 'UDP' })] })], webToDb, 'allow'],
    ['ICMP matches no TCP', [local({ ingress: [rule('Deny', { protocol: 'ICMP' }), allow] })], webToDb, 'allow'],
    [
      'a rule may name its own side',
      [local({ ingress: [rule('Allow', { destination: { selector: 'app == "web"' } })] })],
      webToDb,
      'deny',
    ],
    [
      'source ports are not known',
      [local({ ingress: [rule('Allow', { protocol: 'TCP', source: { ports: [1234] } })] })],
      webToDb,
      'unknown',
    ],
    ['IPv6 rules match no IPv4', [local({ egress: [rule('Allow', { ipVersion: 6 })] })], toOutside, 'deny'],
    [
      'requests are not known',
      [local({ ingress: [rule('Allow', { http: { methods: ['GET'] } })] })],
      webToDb,
      'unknown',
    ],
    [
      'Services are not looked up',
      [local({ egress: [rule('Allow', { destination: { services: { name: 's' } } })] })],
      toOutside,
      'unknown',
    ],
    [
      'Pass goes to the next tier',
      [tier('first', { order: 1 }), global({ tier: 'first', ingress: [rule('Pass')] }), local({ ingress: [deny] })],
      webToDb,
      'deny',
    ],
    [
      'a tier ends with a denial',
      [
        tier('first', { order: 1 }),
        global({ tier: 'first', ingress: [rule('Allow', { protocol: 'UDP' })] }),
        local({ ingress: [allow] }),
      ],
      webToDb,
      'deny',
    ],
    [
      'or passes, if it says so',
      [
        tier('first', { order: 1, defaultAction: 'Pass' }),
        global({ tier: 'first', ingress: [rule('Allow', { protocol: 'UDP' })] }),
        local({ ingress: [allow] }),
      ],
      webToDb,
      'allow',
    ],
    [
      'tiers are asked by order',
      [
        tier('late', { order: 2 }),
        tier('early', { order: 1 }),
        global({ tier: 'late', ingress: [deny] }, 'a'),
        global({ tier: 'early', ingress: [allow] }, 'b'),
      ],
      webToDb,
      'allow',
    ],
    ['a tier that is not given has no place', [global({ tier: 'first', ingress: [deny] })], webToDb, 'unknown'],
    [
      'policies before connection tracking are not evaluated',
      [global({ doNotTrack: true, applyOnForward: true, ingress: [allow] })],
      webToDb,
      'unknown',
    ],
    [
      'the CRDs’ own group',
      [policyOf('crd.projectcalico.org/v1', 'GlobalNetworkPolicy', 'g', { ingress: [deny] })],
      webToDb,
      'deny',
    ],
    [
      'a staged policy is not enforced',
      [policyOf('projectcalico.org/v3', 'StagedGlobalNetworkPolicy', 'g', { ingress: [deny] })],
      webToDb,
      'allow',
    ],
    ['egress to the own node is policed', [local({ egress: [deny] })], { from: 'shop/web', to: 'node/a' }, 'deny'],
  ])('%s', (_, policies, asked, answer) => {
    expect(answerOf({ ...base, policies }, asked)).toBe(answer);
  });

  it.each<[string, PolicyWorld['policies'][number], string, string]>([
    ['a staged policy', policyOf('projectcalico.org/v3', 'StagedNetworkPolicy', 'shop/s', {}), 'Ignored', 'kind'],
    ['a selector that is none', local({ selector: 'app = web' }), 'Rejected', 'spec.selector'],
    ['another action', local({ ingress: [rule('Accept')] }), 'Rejected', 'spec.ingress[0].action'],
    ['a type in small letters', local({ types: ['ingress'] }), 'Rejected', 'spec.types[0]'],
    [
      'a net that is none',
      local({ egress: [rule('Allow', { destination: { nets: ['x'] } })] }),
      'Rejected',
      'spec.egress[0].destination.nets[0]',
    ],
    ['a policy for host endpoints', global({ preDNAT: true }), 'NotModelled', 'spec.preDNAT'],
  ])('reports %s', (_, policy, code, path) => {
    const { findings } = policyModel({ ...base, policies: [policy] });

    expect(findings.map((finding) => [finding.code, finding.part.path])).toContainEqual([code, path]);
  });
});
