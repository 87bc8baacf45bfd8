import { describe, expect, it } from 'vitest';
import type { Namespace, Pod, Policy } from '../api/index.ts';
import { applyEdit } from '../explanation/index.ts';
import { ownerOf } from '../manifests/index.ts';
import type { ProfileName } from '../policy/index.ts';
import { namespaceOf, networkPolicy, podOf, policyOf } from '../policy/testing/builders.ts';
import { auditOf } from './audit.ts';
import type { AuditCode, AuditFinding } from './finding.ts';

interface World {
  readonly pods?: readonly Pod[];
  readonly namespaces?: readonly Namespace[];
  readonly policies: readonly Policy[];
  readonly profile?: ProfileName;
}

const web = podOf('shop/web', { app: 'web' });
const api = podOf('shop/api', { app: 'api' }, { ports: [{ name: 'http', containerPort: 8080 }] });
const prometheus = podOf('monitoring/prometheus', { app: 'prometheus' });
const shop = namespaceOf('shop');
const monitoring = namespaceOf('monitoring', { team: 'observers' });

function denyAll(namespace: string): Policy {
  return networkPolicy(`${namespace}/default-deny`, { podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
}

const closed = [denyAll('shop'), denyAll('monitoring')];

function findingsIn({ pods = [web, api, prometheus], namespaces = [shop, monitoring], policies, profile }: World) {
  return auditOf({ pods, namespaces, policies, profile, assumed: [], ownerOf }).findings;
}

/** The findings of one code as `code object path directions`. */
function found(world: World, code: AuditCode): readonly string[] {
  return findingsIn(world)
    .filter((finding) => finding.code === code)
    .map(({ object, path, directions }) =>
      [`${object.kind} ${object.namespace === undefined ? '' : `${object.namespace}/`}${object.name}`, path, directions]
        .flat()
        .filter((word) => word !== '')
        .join(' '),
    );
}

function one(world: World, code: AuditCode): AuditFinding {
  const [finding, ...more] = findingsIn(world).filter((each) => each.code === code);
  if (finding === undefined || more.length > 0) throw new Error(`not one ${code}`);
  return finding;
}

describe('a world without a flaw', () => {
  it('has no findings', () => {
    expect(findingsIn({ policies: closed })).toEqual([]);
  });
});

describe('namespaces without default deny', () => {
  it.each<{ name: string; policies: readonly Policy[]; wanted: readonly string[] }>([
    { name: 'no policy at all', policies: [denyAll('monitoring')], wanted: ['Namespace shop ingress egress'] },
    {
      name: 'ingress alone',
      policies: [...closed.slice(1), networkPolicy('shop/p', { podSelector: {} })],
      wanted: ['Namespace shop egress'],
    },
    {
      name: 'egress alone',
      policies: [...closed.slice(1), networkPolicy('shop/p', { podSelector: {}, policyTypes: ['Egress'] })],
      wanted: ['Namespace shop ingress'],
    },
    {
      name: 'policies that name every workload there is, and none to come',
      policies: [
        ...closed.slice(1),
        networkPolicy('shop/p', {
          podSelector: { matchExpressions: [{ key: 'app', operator: 'Exists' }] },
          policyTypes: ['Ingress', 'Egress'],
        }),
      ],
      wanted: ['Namespace shop ingress egress'],
    },
    {
      name: 'all but those that a label exempts',
      policies: [
        ...closed.slice(1),
        networkPolicy('shop/p', {
          podSelector: { matchExpressions: [{ key: 'public', operator: 'DoesNotExist' }] },
          policyTypes: ['Ingress', 'Egress'],
        }),
      ],
      wanted: [],
    },
    {
      name: 'a default deny that another policy takes back',
      policies: [...closed, networkPolicy('shop/p', { podSelector: {}, ingress: [{}] })],
      wanted: ['Namespace shop ingress'],
    },
    {
      name: 'a policy that opens a port, or a block, to everybody',
      policies: [
        denyAll('monitoring'),
        networkPolicy('shop/p', {
          podSelector: {},
          policyTypes: ['Ingress', 'Egress'],
          ingress: [{ ports: [{ port: 443 }] }],
          egress: [{ to: [{ ipBlock: { cidr: '0.0.0.0/0' } }] }],
        }),
      ],
      wanted: [],
    },
    {
      name: 'a baseline of the whole cluster for ingress',
      policies: [
        policyOf('policy.networking.k8s.io/v1alpha2', 'ClusterNetworkPolicy', 'baseline', {
          tier: 'Baseline',
          priority: 1,
          subject: { namespaces: {} },
          ingress: [{ action: 'Deny', from: [{ namespaces: {} }] }],
        }),
      ],
      wanted: ['Namespace monitoring egress', 'Namespace shop egress'],
    },
    {
      name: 'a policy of Cilium for the whole cluster',
      policies: [
        policyOf('cilium.io/v2', 'CiliumClusterwideNetworkPolicy', 'deny', {
          endpointSelector: {},
          ingress: [{}],
          egress: [{}],
        }),
      ],
      wanted: [],
    },
  ])('$name', ({ policies, wanted }) => {
    expect(found({ policies }, 'NoDefaultDeny')).toEqual(wanted);
  });

  it('weigh less where nothing runs', () => {
    const world = { policies: closed, namespaces: [shop, monitoring, namespaceOf('empty')] };

    expect(one(world, 'NoDefaultDeny')).toMatchObject({ severity: 'Low', object: { name: 'empty' } });
  });

  it('are cured by what is suggested, which leaves names resolvable', () => {
    const policies = [denyAll('monitoring'), networkPolicy('shop/default-deny', { podSelector: {} })];
    const { edit, message } = one({ policies }, 'NoDefaultDeny');

    expect(message).toContain('may call any pod');
    expect(edit?.changes.map(({ object }) => object.name)).toEqual(['default-deny-egress', 'allow-dns']);
    if (edit !== undefined) expect(found({ policies: applyEdit(policies, edit) }, 'NoDefaultDeny')).toEqual([]);
  });

  it('are given no policy that would not help', () => {
    const policies = [
      policyOf('policy.networking.k8s.io/v1alpha2', 'ClusterNetworkPolicy', 'open', {
        tier: 'Admin',
        priority: 1,
        subject: { namespaces: {} },
        ingress: [{ action: 'Accept', from: [{ namespaces: {} }] }],
      }),
      ...closed,
    ];

    const finding = findingsIn({ policies }).find(({ object }) => object.name === 'shop');

    expect(finding).toMatchObject({ code: 'NoDefaultDeny', directions: ['ingress'] });
    expect(finding?.edit).toBeUndefined();
    expect(finding?.message).toContain('ClusterNetworkPolicy open, spec.ingress[0] admits it');
  });

  it('are told where it cannot be known', () => {
    const policies = [...closed.slice(1), policyOf('crd.antrea.io/v1beta1', 'NetworkPolicy', 'shop/x', {})];

    expect(one({ policies }, 'NoDefaultDeny').message).toMatch(/^Whether a pod of namespace shop .* is not known: The/);
  });

  it('count a plugin’s reading too', () => {
    // Some plugins take rules of an unlisted direction for a wish to isolate it; the specification does not.
    const policies = [
      ...closed.slice(1),
      networkPolicy('shop/p', { podSelector: {}, policyTypes: ['Ingress'], egress: [{}] }),
    ];

    expect(found({ policies, profile: 'cilium' }, 'NoDefaultDeny')).toEqual(['Namespace shop egress']);
  });
});

describe('workloads', () => {
  const apiOnly = networkPolicy('shop/api', { podSelector: { matchLabels: { app: 'api' } }, policyTypes: ['Ingress'] });

  it('that no policy selects, per direction', () => {
    expect(found({ policies: [denyAll('monitoring'), apiOnly] }, 'NoPolicySelects')).toEqual([
      'Pod shop/web ingress egress',
      'Pod shop/api egress',
    ]);
  });

  it('that a default deny selects are found no more', () => {
    expect(found({ policies: [...closed, apiOnly] }, 'NoPolicySelects')).toEqual([]);
  });

  it('are one finding for all pods of a Deployment, and one for those that differ', () => {
    const replica = (name: string, labels: Record<string, string>): Pod => ({
      ...podOf(`shop/${name}`, { 'pod-template-hash': 'x1', ...labels }),
      metadata: {
        ...podOf(`shop/${name}`, { 'pod-template-hash': 'x1', ...labels }).metadata,
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-x1', uid: 'r', controller: true }],
      },
    });
    const pods = [
      replica('web-1', { app: 'api' }),
      replica('web-2', { app: 'api' }),
      replica('web-3', { app: 'other' }),
    ];
    const messages = (own: readonly Pod[], policies: readonly Policy[]) =>
      findingsIn({ pods: own, namespaces: [shop], policies })
        .filter(({ code }) => code === 'NoPolicySelects')
        .map(({ message }) => message);

    expect(messages(pods.slice(0, 2), [])).toEqual([
      expect.stringContaining('No policy selects Deployment web for ingress or egress'),
    ]);
    expect(messages(pods, [apiOnly])).toEqual([
      expect.stringContaining('Deployment web (pod web-3) for ingress or egress'),
      expect.stringContaining('Deployment web (pod web-1 and pod web-2) for egress'),
    ]);
  });

  it('of the host network are beyond policies, until they are taken off it', () => {
    const agent = (hostNetwork: boolean) => podOf('shop/agent', {}, { hostNetwork });

    expect(found({ pods: [agent(true)], policies: closed }, 'HostNetwork')).toEqual(['Pod shop/agent']);
    expect(found({ pods: [agent(true)], policies: [] }, 'NoPolicySelects')).toEqual([]);
    expect(found({ pods: [agent(false)], policies: closed }, 'HostNetwork')).toEqual([]);
  });

  it('that have finished are left out', () => {
    const job = podOf('shop/job', {}, { phase: 'Succeeded' });

    expect(findingsIn({ pods: [job], policies: closed })).toEqual([]);
  });
});

describe('policies that select nothing', () => {
  const select = (app: string, namespace = 'shop') =>
    networkPolicy(`${namespace}/p`, { podSelector: { matchLabels: { app } } });

  it.each<{ name: string; policies: readonly Policy[]; pods?: readonly Pod[]; wanted: readonly string[] }>([
    {
      name: 'a label that nobody carries',
      policies: [select('wbe')],
      wanted: ['NetworkPolicy shop/p spec.podSelector ingress'],
    },
    { name: 'the same, corrected', policies: [select('web')], wanted: [] },
    { name: 'a policy for whatever comes', policies: [denyAll('empty')], wanted: [] },
    {
      name: 'a finished pod alone',
      policies: [select('job')],
      pods: [podOf('shop/job', { app: 'job' }, { phase: 'Failed' })],
      wanted: ['NetworkPolicy shop/p spec.podSelector ingress'],
    },
    {
      name: 'Postern’s own, whose pods live for seconds',
      policies: [networkPolicy('shop/p', { podSelector: { matchLabels: { 'postern.dev/calibration': 'open' } } })],
      wanted: [],
    },
    {
      name: 'a policy of Cilium',
      policies: [
        policyOf('cilium.io/v2', 'CiliumNetworkPolicy', 'shop/c', {
          endpointSelector: { matchLabels: { app: 'wbe' } },
          ingress: [{}],
        }),
      ],
      wanted: ['CiliumNetworkPolicy shop/c spec.endpointSelector ingress'],
    },
    {
      name: 'a label whose absence nobody knows',
      policies: [
        policyOf('cilium.io/v2', 'CiliumClusterwideNetworkPolicy', 'c', {
          endpointSelector: { matchLabels: { 'io.cilium.k8s.namespace.labels.team': 'x' } },
          ingress: [{}],
        }),
      ],
      pods: [podOf('unread/x', {})],
      wanted: [],
    },
  ])('$name', ({ policies, wanted, ...rest }) => {
    expect(found({ policies: [...closed, ...policies], ...rest }, 'SelectsNothing')).toEqual(wanted);
  });

  it('say what pods there carry, and whom they would select elsewhere', () => {
    const { message, severity } = one({ policies: [...closed, select('prometheus')] }, 'SelectsNothing');

    expect(severity).toBe('Medium');
    expect(message).toContain('it asks for app: prometheus, and pods there carry app: api and app: web.');
    expect(message).toContain('It would select Pod prometheus in namespace monitoring');
  });

  it('weigh less where nothing was read', () => {
    expect(one({ policies: [...closed, select('web', 'elsewhere')] }, 'SelectsNothing').severity).toBe('Low');
  });
});

describe('rules', () => {
  const ingress = (...rules: readonly unknown[]) =>
    networkPolicy('shop/p', { podSelector: { matchLabels: { app: 'api' } }, ingress: rules });
  const from = (...peers: readonly unknown[]) => ({ from: peers, ports: [{ port: 8080 }] });
  const pods = (app: string) => ({ podSelector: { matchLabels: { app } } });
  const team = (name: string) => ({ namespaceSelector: { matchLabels: { team: name } } });
  const named = (name: string) => ({ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } });
  const whole = [shop, monitoring, namespaceOf('default'), namespaceOf('kube-system')];
  const about = [
    'RuleMatchesNothing',
    'PeerMatchesNothing',
    'NamespaceLabelMissing',
    'PeerNotRead',
    'NamedPortMissing',
  ];

  it.each<{ name: string; rules: readonly unknown[]; namespaces?: readonly Namespace[]; wanted: readonly string[] }>([
    { name: 'a peer that is somebody', rules: [from(pods('web'))], wanted: [] },
    { name: 'the only peer is nobody', rules: [from(pods('wbe'))], wanted: ['RuleMatchesNothing spec.ingress[0]'] },
    {
      name: 'one peer of two is nobody',
      rules: [from(pods('wbe'), pods('web'))],
      wanted: ['PeerMatchesNothing spec.ingress[0].from[0]'],
    },
    {
      name: 'a pod of another namespace, without its namespace',
      rules: [from(pods('prometheus'))],
      wanted: ['RuleMatchesNothing spec.ingress[0]'],
    },
    { name: 'the same, cured', rules: [from({ ...pods('prometheus'), ...named('monitoring') })], wanted: [] },
    { name: 'a label that a namespace carries', rules: [from(team('observers'))], wanted: [] },
    {
      name: 'a label that none carries',
      rules: [from(team('observer'))],
      wanted: ['NamespaceLabelMissing spec.ingress[0].from[0]'],
    },
    {
      name: 'a label of a namespace whose labels were not read',
      rules: [from(team('observer'))],
      namespaces: [shop],
      wanted: [],
    },
    {
      name: 'the right namespace and no such pod',
      rules: [from({ ...team('observers'), ...pods('grafana') })],
      wanted: ['RuleMatchesNothing spec.ingress[0]'],
    },
    {
      name: 'a namespace that was not read',
      rules: [from(named('ingress'))],
      wanted: ['PeerNotRead spec.ingress[0].from[0]'],
    },
    {
      name: 'a namespace that the whole cluster does not have',
      rules: [from(named('ingress'))],
      namespaces: whole,
      wanted: ['RuleMatchesNothing spec.ingress[0]'],
    },
    { name: 'a block', rules: [from({ ipBlock: { cidr: '203.0.113.0/24' } })], wanted: [] },
    { name: 'anybody', rules: [{}], wanted: [] },
    {
      name: 'a port by a name that no selected pod has',
      rules: [{ ...from(pods('web')), ports: [{ port: 'metrics' }] }],
      wanted: ['RuleMatchesNothing spec.ingress[0]'],
    },
    {
      name: 'the name with another protocol',
      rules: [{ ...from(pods('web')), ports: [{ port: 'http', protocol: 'UDP' }, { port: 'http' }] }],
      wanted: ['NamedPortMissing spec.ingress[0].ports[0]'],
    },
    { name: 'the name that it has', rules: [{ ...from(pods('web')), ports: [{ port: 'http' }] }], wanted: [] },
  ])('$name', ({ rules, namespaces, wanted }) => {
    const findings = findingsIn({
      policies: [...closed, ingress(...rules)],
      ...(namespaces === undefined ? {} : { namespaces }),
    });

    expect(findings.filter(({ code }) => about.includes(code)).map(({ code, path }) => `${code} ${path}`)).toEqual(
      wanted,
    );
  });

  it('look for named ports at the receiving end', () => {
    const egress = (port: string) =>
      networkPolicy('shop/p', {
        podSelector: { matchLabels: { app: 'web' } },
        policyTypes: ['Egress'],
        egress: [{ to: [pods('api')], ports: [{ port }] }],
      });
    const own = [podOf('shop/web', { app: 'web' }, { ports: [{ name: 'metrics', containerPort: 9090 }] }), api];
    const world = (port: string) => ({ pods: own, policies: [...closed, egress(port)] });

    expect(found(world('metrics'), 'RuleMatchesNothing')).toEqual(['NetworkPolicy shop/p spec.egress[0] egress']);
    expect(found(world('http'), 'RuleMatchesNothing')).toEqual([]);
  });

  it('name kubernetes.io/metadata.name, and the edit where the label is a namespace’s name', () => {
    const policies = [...closed, ingress(from(team('monitoring')))];
    const { message, edit, severity } = one({ policies }, 'NamespaceLabelMissing');

    expect(severity).toBe('High');
    expect(message).toContain('kubernetes.io/metadata.name');
    expect(message).toContain('so the rule admits nothing');
    if (edit === undefined) throw new Error('no edit');
    expect(findingsIn({ policies: applyEdit(policies, edit) })).toEqual([]);
  });

  it('that deny nobody are told as such', () => {
    const policy = policyOf('cilium.io/v2', 'CiliumNetworkPolicy', 'shop/c', {
      endpointSelector: {},
      ingressDeny: [{ fromEndpoints: [{ matchLabels: { app: 'wbe' } }] }],
    });

    expect(one({ policies: [...closed, policy] }, 'RuleMatchesNothing').message).toContain('denies nothing');
  });

  it('of a policy that selects nothing are not spoken of', () => {
    const policy = networkPolicy('shop/p', { podSelector: { matchLabels: { app: 'x' } }, ingress: [from(pods('y'))] });

    expect(findingsIn({ policies: [...closed, policy] }).map(({ code }) => code)).toEqual(['SelectsNothing']);
  });
});

describe('policies that cannot be read wholly', () => {
  it.each<{ name: string; policy: Policy; wanted: readonly string[] }>([
    {
      name: 'one that the API server would refuse',
      policy: networkPolicy('shop/p', { podSelector: {}, ingress: [{ from: [{}] }] }),
      wanted: ['High PolicyInvalid spec.ingress[0].from[0]'],
    },
    {
      name: 'a kind that the model does not know',
      policy: policyOf('crd.antrea.io/v1beta1', 'ClusterNetworkPolicy', 'x', {}),
      wanted: ['Medium PolicyNotModelled kind'],
    },
    {
      name: 'a field that the model does not know',
      policy: policyOf('cilium.io/v2', 'CiliumNetworkPolicy', 'shop/c', {
        endpointSelector: {},
        ingress: [{ fromFuture: [{}] }],
      }),
      wanted: ['Medium PolicyNotModelled spec.ingress[0].fromFuture'],
    },
    {
      name: 'rules of a direction that is not listed',
      policy: networkPolicy('shop/p', { podSelector: {}, policyTypes: ['Ingress'], egress: [{}] }),
      wanted: ['Medium RulesIgnored spec.egress'],
    },
    { name: 'one that is understood', policy: networkPolicy('shop/p', { podSelector: {} }), wanted: [] },
  ])('$name', ({ policy, wanted }) => {
    const findings = findingsIn({ policies: [...closed, policy] });

    expect(findings.map(({ severity, code, path }) => `${severity} ${code} ${path}`)).toEqual(wanted);
  });
});

describe('findings', () => {
  it('come in the same order whatever the order of what was read', () => {
    const policies = [
      networkPolicy('shop/a', { podSelector: { matchLabels: { app: 'x' } } }),
      networkPolicy('shop/b', {
        podSelector: { matchLabels: { app: 'api' } },
        ingress: [{ from: [{ podSelector: { matchLabels: { app: 'y' } } }] }],
      }),
    ];
    const world = { pods: [web, api, prometheus], namespaces: [shop, monitoring], policies };
    const reversed = {
      pods: world.pods.toReversed(),
      namespaces: world.namespaces.toReversed(),
      policies: policies.toReversed(),
    };

    const findings = findingsIn(world);

    expect(findings.map(({ severity, code }) => `${severity} ${code}`)).toEqual([
      'High NoDefaultDeny',
      'High NoDefaultDeny',
      'Medium NoPolicySelects',
      'Medium NoPolicySelects',
      'Medium SelectsNothing',
      'Medium RuleMatchesNothing',
      'Low NoPolicySelects',
    ]);
    expect(findingsIn(reversed)).toEqual(findings);
  });

  it('are about nothing that was only assumed', () => {
    const resolver = podOf('kube-system/kube-dns', { 'k8s-app': 'kube-dns' });
    const { findings } = auditOf({ pods: [], assumed: [resolver], namespaces: [], policies: [], ownerOf });

    expect(findings).toEqual([]);
  });
});
