import { describe, expect, it } from 'vitest';
import { policyModel } from './model.ts';
import type { PolicyWorld } from './question.ts';
import { answerOf, type Asked, decisionOf, namespaceOf, networkPolicy, podOf, policyOf } from './testing/builders.ts';
import type { Answer } from './truth.ts';

/** Sources: the field documentation and validation markers of policy.networking.k8s.io/v1alpha2. */

const apiVersion = 'policy.networking.k8s.io/v1alpha2';
const base: PolicyWorld = {
  namespaces: [namespaceOf('shop', { team: 'shop' }), namespaceOf('mon', { team: 'ops' })],
  pods: [
    podOf('shop/web', { app: 'web' }, { ip: '10.0.1.1', node: 'a' }),
    podOf('shop/db', { app: 'db' }, { ip: '10.0.1.2', node: 'b' }),
    podOf('mon/host', { app: 'host' }, { ip: '192.168.0.1', node: 'a', hostNetwork: true }),
    podOf('unseen/web', { app: 'web' }, { ip: '10.0.3.1', node: 'b' }),
  ],
  nodes: [
    { name: 'a', addresses: ['192.168.0.1'] },
    { name: 'b', addresses: ['192.168.0.2'] },
  ],
  policies: [],
};

const everyPod = { namespaces: {} };
const appPods = (app: string) => ({ pods: { namespaceSelector: {}, podSelector: { matchLabels: { app } } } });
const rule = (action: string, peer: unknown, extra: object = {}) => ({ action, from: [peer], ...extra });
const out = (action: string, peer: unknown, extra: object = {}) => ({ action, to: [peer], ...extra });

interface Parts {
  readonly tier?: string;
  readonly priority?: number;
  readonly subject?: unknown;
  readonly ingress?: readonly unknown[];
  readonly egress?: readonly unknown[];
}

const clusterPolicy = (name: string, { tier = 'Admin', priority = 10, subject = everyPod, ...rules }: Parts) =>
  policyOf(apiVersion, 'ClusterNetworkPolicy', name, { tier, priority, subject, ...rules });

const denyShop = networkPolicy('shop/deny', { podSelector: {} });
const admitShop = networkPolicy('shop/admit', { podSelector: {}, ingress: [{}] });
const webToDb: Asked = { from: 'shop/web', to: 'shop/db' };
const outside = '203.0.113.7';

describe('compileClusterNetworkPolicy', () => {
  it.each<[string, PolicyWorld['policies'], Asked, Answer]>([
    [
      'Admin Accept wins over NetworkPolicy',
      [denyShop, clusterPolicy('a', { ingress: [rule('Accept', everyPod)] })],
      webToDb,
      'allow',
    ],
    [
      'Admin Deny wins over NetworkPolicy',
      [admitShop, clusterPolicy('a', { ingress: [rule('Deny', everyPod)] })],
      webToDb,
      'deny',
    ],
    [
      'Admin Pass leaves it to NetworkPolicy',
      [denyShop, clusterPolicy('a', { ingress: [rule('Pass', everyPod), rule('Accept', everyPod)] })],
      webToDb,
      'deny',
    ],
    [
      'nothing is isolated by being selected',
      [clusterPolicy('a', { ingress: [rule('Accept', appPods('x'))] })],
      webToDb,
      'allow',
    ],
    [
      'the first matching rule decides',
      [clusterPolicy('a', { ingress: [rule('Accept', appPods('web')), rule('Deny', everyPod)] })],
      webToDb,
      'allow',
    ],
    [
      'lower priorities are asked first',
      [
        clusterPolicy('a', { priority: 2, ingress: [rule('Accept', everyPod)] }),
        clusterPolicy('b', { priority: 1, ingress: [rule('Deny', everyPod)] }),
      ],
      webToDb,
      'deny',
    ],
    [
      'equal priorities that disagree are undefined',
      [
        clusterPolicy('a', { ingress: [rule('Accept', everyPod)] }),
        clusterPolicy('b', { ingress: [rule('Deny', everyPod)] }),
      ],
      webToDb,
      'undefined',
    ],
    [
      'equal priorities that agree are not',
      [
        clusterPolicy('a', { ingress: [rule('Deny', everyPod)] }),
        clusterPolicy('b', { ingress: [rule('Deny', appPods('web'))] }),
      ],
      webToDb,
      'deny',
    ],
    [
      'equal priorities of which one matches are not',
      [
        clusterPolicy('a', { ingress: [rule('Accept', appPods('x'))] }),
        clusterPolicy('b', { ingress: [rule('Deny', everyPod)] }),
      ],
      webToDb,
      'deny',
    ],
    [
      'equal priorities of different tiers are ordered',
      [
        clusterPolicy('a', { ingress: [rule('Accept', everyPod)] }),
        clusterPolicy('b', { tier: 'Baseline', ingress: [rule('Deny', everyPod)] }),
      ],
      webToDb,
      'allow',
    ],
    [
      'Pass and Accept of equal priority that come to the same',
      [
        clusterPolicy('a', { ingress: [rule('Accept', everyPod)] }),
        clusterPolicy('b', { ingress: [rule('Pass', everyPod)] }),
      ],
      webToDb,
      'allow',
    ],
    [
      'Baseline decides where no NetworkPolicy isolates',
      [clusterPolicy('a', { tier: 'Baseline', ingress: [rule('Deny', everyPod)] })],
      webToDb,
      'deny',
    ],
    [
      'Baseline is not asked where one does',
      [admitShop, clusterPolicy('a', { tier: 'Baseline', ingress: [rule('Deny', everyPod)] })],
      webToDb,
      'allow',
    ],
    [
      'Baseline egress is asked where only ingress is isolated',
      [admitShop, clusterPolicy('a', { tier: 'Baseline', egress: [out('Deny', everyPod)] })],
      webToDb,
      'deny',
    ],
    [
      'subjects by namespace',
      [
        clusterPolicy('a', {
          subject: { namespaces: { matchLabels: { team: 'ops' } } },
          ingress: [rule('Deny', everyPod)],
        }),
      ],
      webToDb,
      'allow',
    ],
    [
      'host network pods are no peers',
      [clusterPolicy('a', { ingress: [rule('Deny', everyPod)] })],
      { from: 'mon/host', to: 'shop/db' },
      'allow',
    ],
    [
      'host network pods are no subjects',
      [clusterPolicy('a', { ingress: [rule('Deny', everyPod)] })],
      { from: 'shop/web', to: 'mon/host' },
      'allow',
    ],
    [
      'networks match pods',
      [clusterPolicy('a', { egress: [out('Deny', { networks: ['10.0.0.0/8'] })] })],
      webToDb,
      'deny',
    ],
    [
      'networks match nodes',
      [clusterPolicy('a', { egress: [out('Deny', { networks: ['192.168.0.0/16'] })] })],
      { from: 'shop/web', to: 'node/b' },
      'deny',
    ],
    [
      'networks match addresses',
      [clusterPolicy('a', { egress: [out('Deny', { networks: ['203.0.113.0/24', '::/0'] })] })],
      { from: 'shop/web', to: outside },
      'deny',
    ],
    [
      'all nodes',
      [clusterPolicy('a', { egress: [out('Deny', { nodes: {} })] })],
      { from: 'shop/web', to: 'node/b' },
      'deny',
    ],
    [
      'nodes by labels are unknown',
      [clusterPolicy('a', { egress: [out('Deny', { nodes: { matchLabels: { x: 'y' } } })] })],
      { from: 'shop/web', to: 'node/b' },
      'unknown',
    ],
    [
      'but are no pods',
      [clusterPolicy('a', { egress: [out('Deny', { nodes: { matchLabels: { x: 'y' } } })] })],
      webToDb,
      'allow',
    ],
    [
      'names depend on what they stand for',
      [
        clusterPolicy('a', {
          egress: [out('Accept', { domainNames: ['example.com'] }), out('Deny', { networks: ['0.0.0.0/0'] })],
        }),
      ],
      { from: 'shop/web', to: outside },
      'unknown',
    ],
    [
      'no protocols are any',
      [clusterPolicy('a', { ingress: [rule('Deny', everyPod)] })],
      { ...webToDb, protocol: 'SCTP' },
      'deny',
    ],
    [
      'a port',
      [
        clusterPolicy('a', {
          ingress: [rule('Deny', everyPod, { protocols: [{ tcp: { destinationPort: { number: 8080 } } }] })],
        }),
      ],
      webToDb,
      'deny',
    ],
    [
      'a port of another protocol',
      [
        clusterPolicy('a', {
          ingress: [rule('Deny', everyPod, { protocols: [{ udp: { destinationPort: { number: 8080 } } }] })],
        }),
      ],
      webToDb,
      'allow',
    ],
    [
      'a range',
      [
        clusterPolicy('a', {
          ingress: [
            rule('Deny', everyPod, {
              protocols: [{ tcp: { destinationPort: { range: { start: 8000, end: 8080 } } } }],
            }),
          ],
        }),
      ],
      webToDb,
      'deny',
    ],
    [
      'a named port',
      [clusterPolicy('a', { ingress: [rule('Deny', everyPod, { protocols: [{ destinationNamedPort: 'http' }] })] })],
      webToDb,
      'deny',
    ],
    [
      'a peer of a kind that is not known',
      [clusterPolicy('a', { egress: [out('Deny', { galaxies: {} })] })],
      webToDb,
      'unknown',
    ],
    [
      'labels of a namespace that is not known',
      [clusterPolicy('a', { ingress: [rule('Deny', { namespaces: { matchLabels: { team: 'x' } } })] })],
      { from: 'unseen/web', to: 'shop/db' },
      'unknown',
    ],
    [
      'a subject that is not known decides nothing that both ways agree on',
      [
        clusterPolicy('a', {
          subject: { namespaces: { matchLabels: { team: 'x' } } },
          ingress: [rule('Accept', everyPod)],
        }),
      ],
      { from: 'shop/web', to: 'unseen/web' },
      'allow',
    ],
  ])('%s', (_, policies, asked, answer) => {
    expect(answerOf({ ...base, policies }, asked)).toBe(answer);
  });

  it.each<[string, Parts & { readonly extra?: unknown }, string]>([
    ['another tier', { tier: 'Application' }, 'spec.tier'],
    ['a priority above 1000', { priority: 1001 }, 'spec.priority'],
    ['an empty subject', { subject: {} }, 'spec.subject'],
    ['a subject of two kinds', { subject: { ...everyPod, ...appPods('x') } }, 'spec.subject'],
    ['another action', { ingress: [rule('Allow', everyPod)] }, 'spec.ingress[0].action'],
    ['a rule without peers', { ingress: [{ action: 'Deny' }] }, 'spec.ingress[0].from'],
    [
      'networks on ingress',
      { ingress: [rule('Deny', { networks: ['10.0.0.0/8'], ...everyPod })] },
      'spec.ingress[0].from[0]',
    ],
    ['26 rules', { ingress: Array.from({ length: 26 }, () => rule('Deny', everyPod)) }, 'spec.ingress'],
    [
      'a range that ends where it starts',
      {
        ingress: [
          rule('Deny', everyPod, { protocols: [{ tcp: { destinationPort: { range: { start: 8, end: 8 } } } }] }),
        ],
      },
      'spec.ingress[0].protocols[0].tcp.destinationPort.range',
    ],
  ])('reports %s and leaves the policy out', (_, parts, path) => {
    const { findings, policies } = policyModel({ ...base, policies: [clusterPolicy('a', parts)] });

    expect(findings.filter(({ code }) => code === 'Rejected').map(({ part }) => part.path)).toContain(path);
    expect(policies.flatMap(({ sections }) => sections)).toEqual([]);
  });

  it('names both policies whose order is not defined', () => {
    const policies = [
      clusterPolicy('first', { ingress: [rule('Accept', everyPod)] }),
      clusterPolicy('second', { ingress: [rule('Deny', everyPod)] }),
    ];

    const { ingress } = decisionOf({ ...base, policies }, webToDb);

    expect(ingress.basis.open).toMatchObject([{ code: 'EqualPriority' }]);
    expect(ingress.basis.open[0]?.message).toContain('first, second');
  });

  it('is told from the kind of the same name in another group', () => {
    const policies = [policyOf('networking.k8s.aws/v1alpha1', 'ClusterNetworkPolicy', 'a', {})];

    expect(answerOf({ ...base, policies }, webToDb)).toBe('unknown');
  });
});
