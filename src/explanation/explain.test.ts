import { describe, expect, it } from 'vitest';
import type { Namespace, Pod, Policy } from '../api/index.ts';
import { policyModel, type PolicyWorld, type ProfileName } from '../policy/index.ts';
import { endpointOf, namespaceOf, networkPolicy, podOf, policyOf } from '../policy/testing/builders.ts';
import {
  applyEdit,
  editLines,
  explain,
  explanationLines,
  type Explanation,
  findingCodes,
  type Subject,
} from './index.ts';

interface Case {
  readonly finding: keyof typeof findingCodes;
  readonly when: string;
  readonly expected: 'Allow' | 'Deny';
  readonly policies: readonly Policy[];
  readonly from?: string;
  readonly to?: string;
  readonly protocol?: 'TCP' | 'UDP';
  readonly port?: number;
  readonly pods?: readonly Pod[];
  readonly namespaces?: readonly Namespace[];
  readonly more?: Partial<Subject>;
  readonly profile?: ProfileName;
  /** Where the first edit is made; absent where there is none. */
  readonly edit?: string;
}

const app = (name: string) => ({ matchLabels: { app: name } });
const ingress = (name: string, selected: string, ...rules: readonly unknown[]): Policy =>
  networkPolicy(`shop/${name}`, { podSelector: app(selected), policyTypes: ['Ingress'], ingress: rules });
const egress = (name: string, selected: string, ...rules: readonly unknown[]): Policy =>
  networkPolicy(`shop/${name}`, { podSelector: app(selected), policyTypes: ['Egress'], egress: rules });
const peer = (name: string) => ({ podSelector: app(name) });
const denyAll = networkPolicy('shop/deny', { podSelector: {}, policyTypes: ['Ingress'] });
const byName = (name: string) => ({ matchLabels: { 'kubernetes.io/metadata.name': name } });
const dnsPods = { namespaceSelector: byName('kube-system'), podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } };
const template = (kind: string, name: string, labels: Readonly<Record<string, string>>) => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name, namespace: 'shop', labels },
  spec: { selector: app(name), template: { metadata: { labels: { app: name } } } },
});

const cases: readonly Case[] = [
  {
    finding: 'NamespaceNameAsLabel',
    when: 'a namespace is asked for by a label `name`',
    expected: 'Allow',
    from: 'other/web',
    policies: [ingress('p', 'api', { from: [{ namespaceSelector: { matchLabels: { name: 'other' } } }] })],
    edit: 'spec.ingress[0].from[0].namespaceSelector.matchLabels',
  },
  {
    finding: 'NamespaceLabelMissing',
    when: 'the namespace lacks the label',
    expected: 'Allow',
    from: 'other/web',
    policies: [
      ingress('p', 'api', {
        from: [{ namespaceSelector: { matchExpressions: [{ key: 'constructor', operator: 'In', values: ['a'] }] } }],
      }),
    ],
    edit: 'spec.ingress[0].from[0].namespaceSelector.matchExpressions[0]',
  },
  {
    finding: 'AndWhereOrWasMeant',
    when: 'no pod satisfies both selectors of one item',
    expected: 'Allow',
    from: 'other/web',
    policies: [ingress('p', 'api', { from: [{ namespaceSelector: byName('other'), podSelector: app('api') }] })],
    edit: 'spec.ingress[0].from',
  },
  {
    finding: 'PeerInWrongNamespaceScope',
    when: 'a podSelector alone means another namespace’s pods',
    expected: 'Allow',
    from: 'other/lone',
    policies: [ingress('p', 'api', { from: [peer('lone')] })],
    edit: 'spec.ingress[0].from[0]',
  },
  {
    finding: 'LabelTypo',
    when: 'two letters are swapped in the value',
    expected: 'Allow',
    policies: [ingress('p', 'api', { from: [peer('wbe')] })],
    pods: [podOf('shop/web', { app: 'webe' }), podOf('shop/api', { app: 'api' })],
    edit: 'spec.ingress[0].from[0].podSelector.matchLabels',
  },
  {
    finding: 'LabelTypo',
    when: 'the key is the other convention’s',
    expected: 'Allow',
    policies: [ingress('p', 'api', { from: [{ podSelector: { matchLabels: { 'app.kubernetes.io/name': 'web' } } }] })],
    edit: 'spec.ingress[0].from[0].podSelector.matchLabels',
  },
  {
    finding: 'LabelTypo',
    when: 'the podSelector of the policy has a slip',
    expected: 'Allow',
    policies: [denyAll, ingress('p', 'Api', { from: [peer('web')] })],
    edit: 'spec.podSelector.matchLabels',
  },
  {
    finding: 'PodLabelMissing',
    when: 'the label is on the Deployment alone',
    expected: 'Allow',
    policies: [ingress('p', 'api', { from: [{ podSelector: { matchLabels: { access: 'api' } } }] })],
    more: { workloads: { source: template('Deployment', 'web', { access: 'api' }) } },
    edit: 'spec.template.metadata.labels[access]',
  },
  {
    finding: 'PodLabelMissing',
    when: 'the label is nowhere',
    expected: 'Allow',
    policies: [ingress('p', 'api', { from: [{ podSelector: { matchLabels: { access: 'api' } } }] })],
    edit: 'metadata.labels[access]',
  },
  {
    finding: 'LabelValueDiffers',
    when: 'nobody carries the value',
    expected: 'Allow',
    policies: [ingress('p', 'api', { from: [peer('checkout')] })],
    edit: 'spec.ingress[0].from[0].podSelector.matchLabels',
  },
  {
    finding: 'ServicePortInPolicy',
    when: 'the Service’s port is listed',
    expected: 'Allow',
    policies: [ingress('p', 'api', { from: [peer('web')], ports: [{ port: 80 }] })],
    more: { service: { namespace: 'shop', name: 'api', port: 80 } },
    edit: 'spec.ingress[0].ports[0]',
  },
  {
    finding: 'NamedPortMissing',
    when: 'the pod calls its port otherwise',
    expected: 'Allow',
    policies: [ingress('p', 'api', { ports: [{ port: 'web' }] })],
    edit: 'spec.ingress[0].ports[0]',
  },
  {
    finding: 'ProtocolDefaultsToTCP',
    when: 'a datagram meets a port without protocol',
    expected: 'Allow',
    protocol: 'UDP',
    policies: [ingress('p', 'api', { ports: [{ port: 8080 }] })],
    edit: 'spec.ingress[0].ports[0]',
  },
  {
    finding: 'PortProtocolMismatch',
    when: 'the port is written for UDP',
    expected: 'Allow',
    policies: [ingress('p', 'api', { ports: [{ protocol: 'UDP', port: 8080 }] })],
    edit: 'spec.ingress[0].ports[0]',
  },
  {
    finding: 'PortNotInRange',
    when: 'the range ends one too early',
    expected: 'Allow',
    policies: [ingress('p', 'api', { ports: [{ port: 8000, endPort: 8079 }] })],
    edit: 'spec.ingress[0].ports[0]',
  },
  {
    finding: 'IPBlockMeansPods',
    when: 'a block stands for pods',
    expected: 'Allow',
    policies: [ingress('p', 'api', { from: [{ ipBlock: { cidr: '0.0.0.0/0' } }] })],
    edit: 'spec.ingress[0].from[0]',
  },
  {
    finding: 'ExceptBites',
    when: 'the address lies in an exception',
    expected: 'Allow',
    to: '203.0.113.7',
    policies: [egress('p', 'web', { to: [{ ipBlock: { cidr: '203.0.113.0/24', except: ['203.0.113.0/29'] } }] })],
    edit: 'spec.egress[0].to',
  },
  {
    finding: 'SelectorsSwapped',
    when: 'the caller is selected and the called admitted',
    expected: 'Allow',
    policies: [denyAll, ingress('p', 'web', { from: [peer('api')], ports: [{ port: 8080 }] })],
    edit: 'spec.podSelector',
  },
  {
    finding: 'DirectionSwapped',
    when: 'the callers stand under egress',
    expected: 'Allow',
    policies: [denyAll, egress('p', 'api', { to: [peer('web')], ports: [{ port: 8080 }] })],
    edit: 'spec',
  },
  {
    finding: 'PolicyInWrongNamespace',
    when: 'the policy stands where it selects nobody',
    expected: 'Allow',
    policies: [
      denyAll,
      networkPolicy('other/p', {
        podSelector: app('api'),
        policyTypes: ['Ingress'],
        ingress: [{ from: [peer('web')] }],
      }),
    ],
    edit: '',
  },
  {
    finding: 'PolicyInWrongNamespace',
    when: 'the policy that would isolate stands where it selects nobody',
    expected: 'Deny',
    policies: [networkPolicy('other/p', { podSelector: app('api'), policyTypes: ['Ingress'] })],
    edit: '',
  },
  {
    finding: 'UnlistedDirection',
    when: 'the rules that admit are ignored',
    expected: 'Allow',
    policies: [
      denyAll,
      networkPolicy('shop/p', {
        podSelector: app('api'),
        policyTypes: ['Egress'],
        ingress: [{ from: [peer('web')] }],
        egress: [{}],
      }),
    ],
    edit: 'spec.policyTypes',
  },
  {
    finding: 'SelectsNothing',
    when: 'the policy that admits selects no pod',
    expected: 'Allow',
    policies: [denyAll, ingress('p', 'backend', { from: [peer('web')] })],
    edit: 'spec.podSelector.matchLabels',
  },
  {
    finding: 'OneDirectionOnly',
    when: 'ingress is opened and egress is not',
    expected: 'Allow',
    policies: [egress('closed', 'web'), ingress('p', 'api', { from: [peer('web')] })],
    edit: '',
  },
  { finding: 'NoRuleAdmits', when: 'nothing is near', expected: 'Allow', policies: [denyAll], edit: '' },
  {
    finding: 'DNSEgressMissing',
    when: 'egress is closed but for one server',
    expected: 'Allow',
    to: 'kube-system/dns',
    protocol: 'UDP',
    port: 53,
    policies: [egress('p', 'web', { to: [peer('api')], ports: [{ port: 8080 }] })],
    edit: 'spec.egress',
  },
  {
    finding: 'DNSEgressUDPOnly',
    when: 'an answer is asked for over TCP',
    expected: 'Allow',
    to: 'kube-system/dns',
    port: 53,
    policies: [egress('p', 'web', { to: [dnsPods], ports: [{ protocol: 'UDP', port: 53 }] })],
    edit: 'spec.egress[0].ports',
  },
  {
    finding: 'DNSNodeLocal',
    when: 'a cache on the node is asked',
    expected: 'Allow',
    to: '169.254.20.10',
    protocol: 'UDP',
    port: 53,
    policies: [egress('p', 'web', { to: [dnsPods], ports: [{ protocol: 'UDP', port: 53 }] })],
    edit: 'spec.egress[0].to',
  },
  {
    finding: 'HostNetworkPeer',
    when: 'the caller is selected by labels and uses the host network',
    expected: 'Allow',
    from: 'shop/agent',
    policies: [ingress('p', 'api', { from: [peer('agent')] })],
  },
  {
    finding: 'HostNetworkSubject',
    when: 'the target uses the host network',
    expected: 'Deny',
    to: 'shop/agent',
    policies: [ingress('p', 'agent')],
    edit: 'spec.hostNetwork',
  },
  {
    finding: 'HigherTierDecides',
    when: 'an Admin tier denies',
    expected: 'Allow',
    policies: [
      policyOf('policy.networking.k8s.io/v1alpha2', 'ClusterNetworkPolicy', 'no', {
        tier: 'Admin',
        priority: 1,
        subject: { pods: { namespaceSelector: {}, podSelector: app('api') } },
        ingress: [{ action: 'Deny', from: [{ namespaces: {} }] }],
      }),
    ],
  },
  {
    finding: 'NoRuleAdmits',
    when: 'a policy of another dialect restricts, and a NetworkPolicy admits beside it',
    expected: 'Allow',
    policies: [
      policyOf('cilium.io/v2', 'CiliumNetworkPolicy', 'shop/api', {
        endpointSelector: { matchLabels: { app: 'api' } },
        ingress: [{ fromEndpoints: [{ matchLabels: { app: 'other' } }] }],
      }),
    ],
    edit: '',
  },
  {
    finding: 'OrWhereAndWasMeant',
    when: 'two items hold a selector each',
    expected: 'Deny',
    from: 'other/web',
    policies: [ingress('p', 'api', { from: [{ namespaceSelector: byName('other') }, peer('trusted')] })],
    edit: 'spec.ingress[0].from',
  },
  {
    finding: 'EmptyPeersAdmitAll',
    when: 'the list of peers is empty',
    expected: 'Deny',
    policies: [ingress('p', 'api', { from: [], ports: [{ port: 8080 }] })],
    edit: 'spec.ingress',
  },
  {
    finding: 'EmptyNamespaceSelectorMeansAll',
    when: 'the selector of namespaces is empty',
    expected: 'Deny',
    from: 'other/web',
    policies: [ingress('p', 'api', { from: [{ namespaceSelector: {} }] })],
    edit: 'spec.ingress[0].from[0]',
  },
  {
    finding: 'NotInAdmitsMissing',
    when: 'the caller lacks the label',
    expected: 'Deny',
    policies: [
      ingress('p', 'api', {
        from: [{ podSelector: { matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['low'] }] } }],
      }),
    ],
    edit: 'spec.ingress[0].from[0].podSelector.matchExpressions',
  },
  {
    finding: 'StrayDashBeforePorts',
    when: 'ports are a rule of their own',
    expected: 'Deny',
    policies: [ingress('p', 'api', { from: [peer('agent')] }, { ports: [{ port: 8080 }] })],
    edit: 'spec.ingress',
  },
  {
    finding: 'AdditionalPolicyOpens',
    when: 'a second policy admits everybody',
    expected: 'Deny',
    policies: [ingress('strict', 'api', { from: [peer('agent')] }), ingress('wide', 'api', {})],
    edit: '',
  },
  {
    finding: 'EgressNotIsolated',
    when: 'the egress list is empty and types are absent',
    expected: 'Deny',
    policies: [networkPolicy('shop/p', { podSelector: app('web'), egress: [] })],
    edit: 'spec.policyTypes',
  },
  {
    finding: 'LabelTypo',
    when: 'the podSelector that should isolate has a slip',
    expected: 'Deny',
    policies: [ingress('p', 'Api', { from: [peer('agent')] })],
    edit: 'spec.podSelector.matchLabels',
  },
  {
    finding: 'NothingIsolates',
    when: 'the podSelector asks for another value',
    expected: 'Deny',
    policies: [ingress('p', 'backand', { from: [peer('agent')] })],
    to: 'shop/backend',
    edit: 'spec.podSelector.matchLabels',
  },
  { finding: 'NothingIsolates', when: 'there is no policy at all', expected: 'Deny', policies: [], edit: '' },
  {
    finding: 'RuleAdmits',
    when: 'the rule says so',
    expected: 'Deny',
    policies: [ingress('p', 'api', { from: [peer('web'), peer('agent')] })],
    edit: 'spec.ingress[0].from',
  },
];

const allPods = [
  podOf('shop/web', { app: 'web', 'pod-template-hash': 'x' }),
  podOf('shop/api', { app: 'api' }),
  podOf('shop/backend', { app: 'backend-of-old' }),
  podOf('shop/agent', { app: 'agent' }, { hostNetwork: true }),
  podOf('other/web', { app: 'web' }),
  podOf('other/lone', { app: 'lone' }),
  podOf('kube-system/dns', { 'k8s-app': 'kube-dns' }, { ports: [{ name: 'dns', containerPort: 53, protocol: 'UDP' }] }),
];
const allNamespaces = [namespaceOf('shop'), namespaceOf('other'), namespaceOf('kube-system')];

function explained(asked: Omit<Case, 'finding' | 'when'>): {
  readonly world: PolicyWorld;
  readonly subject: Subject;
  readonly explanation: Explanation;
} {
  const { expected, policies, from = 'shop/web', to = 'shop/api', protocol = 'TCP', port = 8080, more = {} } = asked;
  const { pods = allPods, namespaces = allNamespaces, profile } = asked;
  const world = { pods, namespaces, policies };
  const subject = {
    question: { source: endpointOf(from), destination: endpointOf(to), protocol, port },
    expected,
    ...more,
    ...(profile === undefined ? {} : { profile }),
  };
  const options = profile === undefined ? {} : { profile };
  return { world, subject, explanation: explain(policyModel(world, options), subject) };
}

describe('findings', () => {
  it.each(cases)('$finding, where $when', ({ finding, edit, ...asked }) => {
    const { explanation } = explained(asked);
    const [first] = explanation.findings;

    expect(first?.code).toBe(finding);
    expect(first?.edits[0]?.changes[0]?.path).toBe(edit);
    expect(first?.isEnough).toBe(edit !== undefined);
  });

  it('have a case each', () => {
    expect(Object.keys(findingCodes).filter((code) => !cases.some(({ finding }) => finding === code))).toEqual([]);
  });

  it('are none where the answer is what was expected', () => {
    expect(explained({ expected: 'Allow', policies: [] }).explanation.findings).toEqual([]);
    expect(explained({ expected: 'Deny', policies: [denyAll] }).explanation.findings).toEqual([]);
  });
});

describe('what is meant for others is left to them', () => {
  it('a value that other pods carry is no typo, and the rule keeps admitting them', () => {
    const { explanation } = explained({
      expected: 'Allow',
      policies: [ingress('p', 'api', { from: [peer('agent')] })],
    });

    expect(explanation.findings.map(({ code }) => code)).toEqual(['LabelValueDiffers', 'NoRuleAdmits']);
    expect(explanation.findings[0]?.edits[0]?.changes[0]?.after).toEqual([peer('agent'), peer('web')]);
  });

  it('api-1 and api-2 are two things', () => {
    const pods = [podOf('shop/web', { app: 'web-1' }), podOf('shop/api', { app: 'api' })];
    const { explanation } = explained({
      expected: 'Allow',
      pods,
      policies: [ingress('p', 'api', { from: [peer('web-2')] })],
    });

    expect(explanation.findings[0]?.code).toBe('LabelValueDiffers');
  });
});

describe('a dash before ports', () => {
  const dns = {
    ports: [
      { protocol: 'UDP', port: 53 },
      { protocol: 'TCP', port: 53 },
    ],
  };

  it.each([
    { what: 'DNS, and something else was asked about', port: 8080, ports: dns, found: false },
    { what: 'DNS, which was asked about', port: 53, ports: dns, found: false },
    { what: 'another port than was asked about', port: 8080, ports: { ports: [{ port: 443 }] }, found: false },
    { what: 'the port that was asked about', port: 8080, ports: { ports: [{ port: 8080 }] }, found: true },
  ])('is no slip unless the rule without peers opens the port: $what', ({ port, ports, found }) => {
    const policies = [ingress('p', 'api', { from: [peer('web')] }, ports)];
    const { explanation } = explained({ expected: 'Deny', port, policies });

    expect(explanation.findings.some(({ code }) => code === 'StrayDashBeforePorts')).toBe(found);
  });
});

describe('a block that may match the pod which must be denied', () => {
  const block = (cidr: string) => egress('partners', 'web', { to: [{ ipBlock: { cidr } }] });

  it('is named, and the other side denies, since selecting the pod would open the path', () => {
    const [finding] = explained({ expected: 'Deny', policies: [block('192.168.1.0/24')] }).explanation.findings;

    expect(finding).toMatchObject({
      code: 'IPBlockMeansPods',
      part: { policy: { name: 'partners' }, path: 'spec.egress[0].to[0].ipBlock' },
      isEnough: true,
      edits: [{ changes: [{ object: { name: 'deny-ingress-api' }, path: '' }] }],
    });
    expect(finding?.message).toMatch(
      /^NetworkPolicy partners admits the address block 192\.168\.1\.0\/24, .*If no pod/,
    );
    expect(finding?.message).not.toContain('Select the pod');
  });

  it('has no such edit where the other side has its rules already', () => {
    const policies = [block('0.0.0.0/0'), ingress('api', 'api', { from: [peer('web')] })];
    const { explanation } = explained({ expected: 'Deny', policies });

    expect(explanation.findings.find(({ code }) => code === 'IPBlockMeansPods')?.edits).toEqual([]);
  });
});

describe('who is meant by an empty list of peers', () => {
  const everybody = (name: string) => ingress(name, 'api', { from: [], ports: [{ port: 8080 }] });
  const afterFirstEdit = (asked: Pick<Case, 'policies' | 'more'>) =>
    explained({ expected: 'Deny', from: 'other/lone', ...asked }).explanation.findings[0]?.edits[0]?.changes[0]?.after;

  it('are those whom other expectations allow', () => {
    const question = { source: endpointOf('shop/backend'), destination: endpointOf('shop/api') };
    const others = [{ question: { ...question, protocol: 'TCP' as const, port: 8080 }, expected: 'Allow' as const }];

    expect(afterFirstEdit({ policies: [everybody('web')], more: { others } })).toEqual([
      { podSelector: { matchLabels: { app: 'backend-of-old' } } },
    ]);
  });

  it('or else those whom the policy is named after', () => {
    expect(afterFirstEdit({ policies: [everybody('allow-web')] })).toEqual([peer('web')]);
  });

  it('and nobody who is to be denied', () => {
    const { explanation } = explained({ expected: 'Deny', policies: [everybody('web')] });

    expect(explanation.findings[0]?.edits.map(({ summary }) => summary)).toEqual([
      'delete the rule, so that it admits nobody',
    ]);
  });
});

describe('an additional policy that opens', () => {
  const strict = ingress('strict', 'api', { from: [peer('agent')] });
  const wide = networkPolicy('shop/wide', { podSelector: {}, policyTypes: ['Ingress'], ingress: [{}] });

  it('is narrowed first where nothing else isolates the other pods that it selects', () => {
    const [finding] = explained({ expected: 'Deny', policies: [strict, wide] }).explanation.findings;

    expect(finding?.edits.map(({ changes }) => changes[0]?.after)).toEqual([
      { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['api'] }] },
      undefined,
    ]);
    expect(finding?.message).toContain('Deleting it would also open ingress of pods labelled { app: web }');
  });

  it('is deleted where other policies isolate them too', () => {
    const [finding] = explained({ expected: 'Deny', policies: [strict, wide, denyAll] }).explanation.findings;

    expect(finding?.edits.map(({ summary }) => summary)).toEqual(['delete the policy']);
  });
});

describe('replacing comes before adding where more would stay open than was meant', () => {
  it.each([
    { cidr: '0.0.0.0/0', first: 'spec.ingress[0].from[0]' },
    { cidr: '10.0.0.0/8', first: 'spec.ingress[0].from[0]' },
    { cidr: '203.0.113.0/24', first: 'spec.ingress[0].from' },
  ])('a block $cidr', ({ cidr, first }) => {
    const policies = [ingress('p', 'api', { from: [{ ipBlock: { cidr } }] })];
    const [finding] = explained({ expected: 'Allow', policies }).explanation.findings;

    expect(finding?.edits.map(({ changes }) => changes[0]?.path)).toHaveLength(2);
    expect(finding?.edits[0]?.changes[0]?.path).toBe(first);
  });

  it.each([
    { entry: { port: 8080 }, first: 'spec.ingress[0].ports[0]' },
    { entry: { protocol: 'TCP', port: 8080 }, first: 'spec.ingress[0].ports' },
  ])('a port $entry that the pod offers over both protocols', ({ entry, first }) => {
    const ports = [{ containerPort: 8080 }, { containerPort: 8080, protocol: 'UDP' as const }];
    const pods = [podOf('shop/web', { app: 'web' }), podOf('shop/api', { app: 'api' }, { ports })];
    const policies = [ingress('p', 'api', { ports: [entry] })];
    const [finding] = explained({ expected: 'Allow', protocol: 'UDP', pods, policies }).explanation.findings;

    expect(finding?.edits.map(({ changes }) => changes[0]?.path)).toHaveLength(2);
    expect(finding?.edits[0]?.changes[0]?.path).toBe(first);
  });
});

describe('the host network', () => {
  const agent = { from: 'shop/web', to: 'shop/agent', expected: 'Deny' as const };

  it('is left, and then the pod is denied if no policy does it yet', () => {
    const [bare] = explained({ ...agent, policies: [] }).explanation.findings;
    const [covered] = explained({ ...agent, policies: [ingress('p', 'agent')] }).explanation.findings;

    expect(bare?.edits.map(({ changes }) => changes.map(({ path }) => path))).toEqual([['spec.hostNetwork', '']]);
    expect(covered?.edits[0]?.changes.map(({ path }) => path)).toEqual(['spec.hostNetwork']);
  });

  it('keeps policies from matching, and the one that names the labels is told by its place', () => {
    const [finding] = explained({ ...agent, policies: [ingress('agent', 'api', { from: [peer('agent')] })] })
      .explanation.findings;

    expect(finding?.part).toMatchObject({ policy: { name: 'agent' }, path: 'spec.ingress[0].from[0].podSelector' });
    expect(finding?.message).toContain('NetworkPolicy agent, which names its labels, does not match it');
  });
});

describe('edits', () => {
  it('of both directions go together where either alone is not enough', () => {
    const { explanation } = explained({ expected: 'Allow', policies: [egress('out', 'web'), ingress('in', 'api')] });

    expect(explanation.together?.changes.map(({ object }) => object.name)).toEqual([
      'allow-egress-to-api',
      'allow-ingress-from-web',
    ]);
  });

  it('of every rule that admits go together', () => {
    const policies = [ingress('a', 'api', { from: [peer('web')] }), ingress('b', 'api', { from: [peer('web')] })];
    const { explanation, world, subject } = explained({ expected: 'Deny', policies });
    const edit = explanation.together;

    expect(
      explanation.findings.filter(({ direction }) => direction === 'ingress').map(({ isEnough }) => isEnough),
    ).toEqual([false, false]);
    expect(edit).toBeDefined();
    const after = edit === undefined ? policies : applyEdit(policies, edit);
    expect(policyModel({ ...world, policies: after }).decide(subject.question).answer).toBe('deny');
  });

  it('that change places in one list do not go together: the first would move what the second means', () => {
    const admitting = networkPolicy('shop/api', {
      podSelector: app('api'),
      ingress: [{}, { from: [{ podSelector: {} }, { podSelector: {}, namespaceSelector: {} }] }],
    });
    const open = explained({ expected: 'Deny', policies: [admitting] }).explanation;
    expect(open.findings.map(({ code }) => code)).not.toEqual([]);
    expect(open.together).toBeUndefined();

    const requirements = [
      { key: 'app', operator: 'DoesNotExist' },
      { key: 'app', operator: 'In', values: ['b'] },
    ];
    const missing = networkPolicy('shop/out', { podSelector: { matchExpressions: requirements }, egress: [{}] });
    const closed = explained({ expected: 'Allow', policies: [egress('none', 'web'), missing] }).explanation;
    expect(closed.findings.flatMap(({ edits }) => edits).map(({ changes }) => changes.length)).not.toContain(2);
  });

  it('are not offered where another policy of that name would be overwritten', () => {
    const policies = [denyAll, networkPolicy('shop/allow-ingress-from-web', { podSelector: app('other') })];

    expect(explained({ expected: 'Allow', policies }).explanation.findings[0]).toMatchObject({
      code: 'NoRuleAdmits',
      edits: [],
    });
  });

  it('that the API server would refuse are not offered, though the model would seem to open then', () => {
    const odd = podOf('shop/api', { app: 'api' }, { ports: [{ name: 'NO_NAME', containerPort: 8080 }] });
    const pods = [podOf('shop/web', { app: 'web' }), odd];
    const policies = [ingress('p', 'api', { ports: [{ port: 'web' }] })];
    const { explanation } = explained({ expected: 'Allow', pods, policies });

    expect(explanation.findings.map(({ code }) => code)).toEqual(['NoRuleAdmits']);
  });

  it('leave the objects that they are applied to alone', () => {
    const before = ingress('p', 'api', { from: [peer('wep')] });
    const text = JSON.stringify(before);
    const { explanation } = explained({ expected: 'Allow', policies: [before] });
    const [edit] = explanation.findings[0]?.edits ?? [];

    expect(edit).toBeDefined();
    if (edit !== undefined) expect(applyEdit([before], edit)).toEqual([ingress('p', 'api', { from: [peer('web')] })]);
    expect(JSON.stringify(before)).toBe(text);
  });

  it('are shown as lines that go and come', () => {
    const { explanation } = explained({ expected: 'Allow', policies: [ingress('p', 'api', { from: [peer('wep')] })] });
    const [edit] = explanation.findings[0]?.edits ?? [];

    expect(edit === undefined ? [] : editLines(edit, ({ name }, path) => `${name} ${path}`)).toEqual([
      'p spec.ingress[0].from[0].podSelector.matchLabels',
      '   | matchLabels:',
      '  -|   app: wep',
      '  +|   app: web',
    ]);
  });
});

describe('the lines of an edit', () => {
  const linesOf = (asked: Omit<Case, 'finding' | 'when'>) => {
    const [edit] = explained(asked).explanation.findings[0]?.edits ?? [];
    return edit === undefined ? [] : editLines(edit, ({ name }, path) => `${name} ${path}`).slice(1);
  };

  it('show below which key an item of a list stands, with marks that are no YAML', () => {
    const policies = [ingress('p', 'api', { from: [{ namespaceSelector: {} }] })];

    expect(linesOf({ expected: 'Deny', from: 'other/web', policies })).toEqual([
      '   | from:',
      '  -|   - namespaceSelector: {}',
      '  +|   - podSelector: {}',
    ]);
  });

  it('show below which key a field comes that was not there', () => {
    const policies = [networkPolicy('shop/p', { podSelector: app('web'), egress: [] })];

    expect(linesOf({ expected: 'Deny', policies })).toEqual([
      '   | spec:',
      '  +|   policyTypes:',
      '  +|     - Ingress',
      '  +|     - Egress',
    ]);
  });
});

describe('the words', () => {
  const wordsOf = (asked: Omit<Case, 'finding' | 'when'>): string =>
    explanationLines(explained(asked).explanation, ({ name }, path) => `${name} ${path}`).join('\n');

  it('name the labels of both sides, without those that controllers add', () => {
    const words = wordsOf({ expected: 'Allow', policies: [denyAll] });

    expect(words).toContain('pod labels        { app: web }');
    expect(words).not.toContain('pod-template-hash');
  });

  it.each([
    {
      why: 'the host network',
      to: 'shop/agent',
      policies: [],
      says: /ingress allow policies have no say: .* uses the host network/,
    },
    {
      why: 'an address',
      to: '203.0.113.7',
      policies: [denyAll],
      says: /ingress allow policies have no say: 203.0.113.7 is no pod/,
    },
  ])('say that policies have no say: $why', ({ to, policies, says }) => {
    expect(wordsOf({ expected: 'Allow', to, policies })).toMatch(says);
  });

  it('call a rule undecided of which nobody knows that it fails', () => {
    const policies = [ingress('p', 'api', { from: [{ ipBlock: { cidr: '10.0.0.0/8' } }] })];
    const words = wordsOf({ expected: 'Allow', policies });

    expect(words).toContain('undecided: p spec.ingress[0]: whether the address block matches is left open');
    expect(words).not.toContain('rejected');
  });

  it('name no pod where the API leaves open whether a block means it, and give no advice that may be wrong', () => {
    const policies = [egress('p', 'web', { to: [{ ipBlock: { cidr: '10.0.0.0/8' } }] })];

    expect(wordsOf({ expected: 'Deny', policies })).toMatch(
      /^egress {2}open {2}the API leaves open whether a block .* such as those of pod shop\/api, and network plugins differ$/m,
    );
  });

  it('leave out what is true of most pods where a mistake has a name and an edit', () => {
    const slip = wordsOf({ expected: 'Allow', policies: [denyAll, ingress('p', 'api', { from: [peer('wep')] })] });
    const nothing = wordsOf({ expected: 'Deny', policies: [] });

    expect(slip).toContain('LabelTypo');
    expect(slip).not.toContain('NoRuleAdmits');
    expect(nothing.match(/NothingIsolates/g)).toHaveLength(2);
  });

  it('say what an edit does besides, where somebody tried it', () => {
    const { explanation } = explained({ expected: 'Allow', policies: [ingress('p', 'api', { from: [peer('wep')] })] });
    const place = ({ name }: { readonly name: string }, path: string) => `${name} ${path}`;

    expect(explanationLines(explanation, place, () => 'breaks nothing')).toContain('  effect breaks nothing');
    expect(explanationLines(explanation, place).join('\n')).not.toContain('effect');
  });

  it('say what each rejected rule asked for', () => {
    expect(
      wordsOf({ expected: 'Allow', policies: [ingress('p', 'api', { from: [peer('agent')], ports: [{ port: 80 }] })] }),
    ).toContain('rejected: p spec.ingress[0]: pod label app: agent does not hold; port 80');
  });
});
