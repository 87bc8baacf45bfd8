import { describe, expect, it } from 'vitest';
import { clusterOf, inventoryOf, readManifests } from '../manifests/index.ts';
import { planFor } from '../plan/index.ts';
import { policyModel, type ProfileName } from '../policy/index.ts';
import { predict, type Prediction, worldOf } from './index.ts';

interface Options {
  readonly profile?: ProfileName;
  readonly addresses?: Readonly<Record<string, string>>;
}

/** Predictions of the expectations in namespace shop, by name. */
function predicted(
  expectations: string,
  manifests: string,
  { profile, addresses = {} }: Options = {},
): Map<string, Prediction> {
  const test = `apiVersion: postern.dev/v1alpha1\nkind: ConnectivityTest\nmetadata: {name: t, namespace: shop}\nspec:\n  expectations:\n${expectations}`;
  const { objects, problems } = readManifests({ file: 'a.yaml', text: `${test}\n---\n${manifests}` });
  const inventory = inventoryOf(objects, 'shop');
  expect([...problems, ...inventory.problems]).toEqual([]);
  const { view, services, pods, namespaces, policies } = clusterOf(inventory);
  const [declared] = inventory.tests;
  if (declared === undefined) throw new Error('no test');
  const plan = planFor(declared, view);
  const model = policyModel(
    worldOf({ pods, namespaces, policies }, [plan], view),
    profile === undefined ? {} : { profile },
  );
  const rows = predict(declared, plan, { view, pods, services, model, addressOf: (host) => addresses[host] });
  return new Map(rows.map((row) => [row.name, row]));
}

function only(expectation: string, manifests: string, options?: Options): Prediction | undefined {
  return predicted(
    `    - { name: e, from: { workload: { kind: Deployment, name: web } }, ${expectation} }`,
    manifests,
    options,
  ).get('e');
}

const deployment = (name: string, more = '', replicas = 1, namespace = 'shop'): string =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: {replicas: ${replicas}, selector: {matchLabels: {app: ${name}}}, template: {metadata: {labels: {app: ${name}}}, spec: {${more}containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}}}\n---\n`;
const service = (name: string, spec: string): string =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}, namespace: shop}\nspec: ${spec}\n---\n`;
const policy = (name: string, spec: string, namespace = 'shop'): string =>
  `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: ${spec}\n---\n`;

const pair = deployment('web') + deployment('api');
const toApi = 'to: { workload: { kind: Deployment, name: api }, port: 8080 }';
const denyIngress = policy('deny', '{podSelector: {matchLabels: {app: api}}}');
const denyEgress = policy('closed', '{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress]}');
const allowWeb = policy(
  'allow',
  '{podSelector: {matchLabels: {app: api}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 8080}]}]}',
);

describe('a connection between workloads', () => {
  it.each<{ scenario: string; expect: string; policies: string; verdict: string; reason: string; says: RegExp }>([
    {
      scenario: 'nothing isolates, Allow',
      expect: 'Allow',
      policies: '',
      verdict: 'Passed',
      reason: 'Reachable',
      says: /no policy restricts egress.*no policy restricts ingress/,
    },
    {
      scenario: 'nothing isolates, Deny',
      expect: 'Deny',
      policies: '',
      verdict: 'Failed',
      reason: 'UnexpectedlyReachable',
      says: /must be denied/,
    },
    {
      scenario: 'ingress denied, Deny',
      expect: 'Deny',
      policies: denyIngress,
      verdict: 'Passed',
      reason: 'Denied',
      says: /NetworkPolicy shop\/deny, and no rule admits this/,
    },
    {
      scenario: 'ingress denied, Allow',
      expect: 'Allow',
      policies: denyIngress,
      verdict: 'Failed',
      reason: 'Blocked',
      says: /ingress to pod shop\/api-\S+ is restricted by NetworkPolicy shop\/deny/,
    },
    {
      scenario: 'egress denied, Allow',
      expect: 'Allow',
      policies: denyEgress + allowWeb,
      verdict: 'Failed',
      reason: 'Blocked',
      says: /egress from the source is restricted by NetworkPolicy shop\/closed/,
    },
    {
      scenario: 'admitted by a rule, Allow',
      expect: 'Allow',
      policies: denyIngress + allowWeb,
      verdict: 'Passed',
      reason: 'Reachable',
      says: /admitted by NetworkPolicy shop\/allow/,
    },
    {
      scenario: 'admitted by a rule, Deny',
      expect: 'Deny',
      policies: denyIngress + allowWeb,
      verdict: 'Failed',
      reason: 'UnexpectedlyReachable',
      says: /admitted by NetworkPolicy shop\/allow/,
    },
  ])('$scenario: $verdict', ({ expect: expected, policies, verdict, reason, says }) => {
    const prediction = only(`${toApi}, expect: ${expected}`, pair + policies);

    expect(prediction).toMatchObject({ verdict, reason });
    expect(prediction?.message).toMatch(says);
  });

  it('names the rule that decided', () => {
    const prediction = only(`${toApi}, expect: Allow`, pair + allowWeb);

    expect(prediction?.parts.map(({ policy: { name }, path, direction }) => [name, path, direction])).toEqual([
      ['allow', 'spec.ingress[0]', 'ingress'],
      ['allow', 'spec.ingress[0].from[0]', 'ingress'],
      ['allow', 'spec.ingress[0].ports[0]', 'ingress'],
    ]);
  });

  it('of a workload to its own replicas is one to other pods', () => {
    const self = 'to: { workload: { kind: Deployment, name: web }, port: 8080 }, expect: Deny';

    expect(only(self, deployment('web', '', 2) + policy('deny', '{podSelector: {}}'))?.verdict).toBe('Passed');
    expect(only(self, deployment('web', '', 2))?.verdict).toBe('Failed');
  });

  it('from a workload that is scaled to nothing is judged by its template', () => {
    expect(only(`${toApi}, expect: Deny`, deployment('web', '', 0) + deployment('api') + denyIngress)?.verdict).toBe(
      'Passed',
    );
  });

  it('to a workload that is scaled to nothing is as inconclusive as on the wire', () => {
    expect(only(`${toApi}, expect: Deny`, deployment('web') + deployment('api', '', 0) + denyIngress)).toMatchObject({
      verdict: 'Inconclusive',
      reason: 'TargetNotReady',
    });
  });

  it('is no Deny where the host network leaves policies no say', () => {
    expect(
      only(`${toApi}, expect: Deny`, deployment('web') + deployment('api', 'hostNetwork: true, ') + denyIngress),
    ).toMatchObject({
      verdict: 'Inconclusive',
      reason: 'TargetNotSupported',
    });
  });
});

describe('what is open is Inconclusive and named', () => {
  const block = policy(
    'block',
    '{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}',
  );

  it('an ipBlock that may mean pods, with its policy; to select the pod is no advice for a Deny', () => {
    const [allow, deny] = ['Allow', 'Deny'].map((expected) => only(`${toApi}, expect: ${expected}`, pair + block));

    for (const prediction of [allow, deny]) {
      expect(prediction).toMatchObject({ verdict: 'Inconclusive', reason: 'LeftOpen' });
      expect(prediction?.message).toMatch(/is left open: NetworkPolicy shop\/block admits a block of addresses/);
    }
    expect(allow?.message).toContain('Select the pod by its labels');
    expect(deny?.message).not.toContain('Select the pod');
  });

  it('an ipBlock that a network plugin is known not to match with pods, which makes no Deny', () => {
    const prediction = only(`${toApi}, expect: Deny`, pair + block, { profile: 'cilium' });

    expect(prediction).toMatchObject({ verdict: 'Inconclusive', reason: 'LeftOpen' });
    expect(prediction?.message).toContain('cilium denies it, which the API does not promise');
  });

  it('labels of a namespace of which only the name is known', () => {
    const byLabel = policy(
      'label',
      '{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: a}}}]}]}',
    );

    const prediction = only(`${toApi}, expect: Deny`, pair + byLabel);

    expect(prediction).toMatchObject({ verdict: 'Inconclusive', reason: 'NotKnown' });
    expect(prediction?.message).toMatch(/labels of namespace shop are not known/);
  });

  it('but the name of a namespace is always known', () => {
    const byName = policy(
      'name',
      '{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: other}}}]}]}',
    );

    expect(only(`${toApi}, expect: Deny`, pair + byName)?.verdict).toBe('Passed');
  });

  it('a dialect that the model does not know', () => {
    const foreign =
      'apiVersion: crd.antrea.io/v1beta1\nkind: ClusterNetworkPolicy\nmetadata: {name: a}\nspec: {}\n---\n';

    expect(only(`${toApi}, expect: Deny`, pair + denyIngress + foreign)?.verdict).not.toBe('Failed');
    expect(only(`${toApi}, expect: Allow`, pair + foreign)).toMatchObject({
      verdict: 'Inconclusive',
      reason: 'NotKnown',
    });
  });
});

describe('a network plugin by its profile', () => {
  const block = policy(
    'block',
    '{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}',
  );
  // Cilium was seen to enforce a direction that policyTypes does not list.
  const unlisted = policy(
    'unlisted',
    '{podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress], egress: [{ports: [{port: 1}]}]}',
  );

  // As in a dump of a cluster: in manifests no pod has an address, and then whether a block contains it is not known either.
  const live =
    deployment('web') +
    'apiVersion: v1\nkind: Pod\nmetadata: {name: api, namespace: shop, labels: {app: api}}\nspec: {containers: []}\nstatus: {phase: Running, podIP: 10.0.0.9, conditions: [{type: Ready, status: "True"}]}\n---\n';
  const toPod = 'to: { pods: { matchLabels: { app: api } }, port: 8080 }';

  it.each<{ expect: string; profile: ProfileName; verdict: string }>([
    { expect: 'Allow', profile: 'calico', verdict: 'Passed' },
    { expect: 'Allow', profile: 'cilium', verdict: 'Failed' },
    { expect: 'Deny', profile: 'calico', verdict: 'Failed' },
    // A Deny that holds on one plugin alone is no boundary.
    { expect: 'Deny', profile: 'cilium', verdict: 'Inconclusive' },
  ])('settles what the API leaves open for $expect on $profile: $verdict', ({ expect: expected, profile, verdict }) => {
    expect(only(`${toPod}, expect: ${expected}`, live + block)?.verdict).toBe('Inconclusive');
    expect(only(`${toPod}, expect: ${expected}`, live + block, { profile })?.verdict).toBe(verdict);
  });

  it('says so where it differs from the documentation', () => {
    expect(only(`${toApi}, expect: Allow`, pair + unlisted)?.verdict).toBe('Passed');
    const prediction = only(`${toApi}, expect: Allow`, pair + unlisted, { profile: 'cilium' });
    expect(prediction?.verdict).toBe('Failed');
    expect(prediction?.message).toMatch(/API documentation says allow, but cilium does otherwise/);
  });
});

describe('a Service', () => {
  const api = service('api', '{selector: {app: api}, ports: [{name: http, port: 80, targetPort: http}]}');
  const toService = 'to: { service: { name: api }, port: 80 }';

  it('leads to the port of its pods, not to its own', () => {
    const bySevicePort = policy('wrong', '{podSelector: {matchLabels: {app: api}}, ingress: [{ports: [{port: 80}]}]}');

    expect(only(`${toService}, expect: Allow`, pair + api + allowWeb)?.verdict).toBe('Passed');
    const prediction = only(`${toService}, expect: Allow`, pair + api + bySevicePort);
    expect(prediction?.verdict).toBe('Failed');
    expect(prediction?.message).toMatch(/Service api on TCP port 80 \(pod shop\/api-\S+ port 8080\)/);
  });

  it('is judged by every pod behind it: one that differs is named', () => {
    const canary =
      'apiVersion: v1\nkind: Pod\nmetadata: {name: canary, namespace: shop, labels: {app: api, track: canary}}\nspec: {containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}\n---\n';
    const closed = policy('canary', '{podSelector: {matchLabels: {track: canary}}}');

    const allow = only(`${toService}, expect: Allow`, pair + api + canary + closed);
    const deny = only(`${toService}, expect: Deny`, pair + api + canary + closed);

    expect(allow).toMatchObject({ verdict: 'Failed', reason: 'Blocked' });
    expect(allow?.message).toMatch(
      /\(pod shop\/canary port 8080\).*The other connection of this expectation would be as expected/,
    );
    expect(deny).toMatchObject({ verdict: 'Failed', reason: 'UnexpectedlyReachable' });
    expect(deny?.message).toMatch(/\(pod shop\/api-template-0 port 8080\)/);
  });

  it.each([
    { scenario: 'by number uses that number at the pods', port: '80', verdict: 'Failed' },
    { scenario: 'by name uses the port of the pods', port: 'http', verdict: 'Passed' },
  ])('without an address, $scenario', ({ port, verdict }) => {
    const headless = service(
      'api',
      '{clusterIP: None, selector: {app: api}, ports: [{name: http, port: 80, targetPort: http}]}',
    );

    expect(
      only(`to: { service: { name: api }, port: ${port} }, expect: Allow`, pair + headless + allowWeb)?.verdict,
    ).toBe(verdict);
  });

  it.each(['service: { name: api }', 'service: { name: headless }', 'workload: { kind: Deployment, name: api }'])(
    'is of any family that is asked for, as long as it has no address: %s',
    (target) => {
      const services =
        service('api', '{selector: {app: api}, ports: [{port: 80}]}') +
        service('headless', '{clusterIP: None, selector: {app: api}, ports: [{port: 80}]}');
      const asked = `to: { ${target}, port: 80 }, ipFamilies: [IPv6], expect:`;

      expect(only(`${asked} Deny`, pair + services + denyIngress)?.verdict).toBe('Passed');
      expect(only(`${asked} Deny`, pair + services)?.verdict).toBe('Failed');
    },
  );

  it('is known by its cluster address', () => {
    const fixed = service('api', '{clusterIP: 10.96.0.7, selector: {app: api}, ports: [{port: 80, targetPort: http}]}');

    const prediction = only('to: { ip: 10.96.0.7, port: 80 }, expect: Deny', pair + fixed + denyIngress);

    expect(prediction?.verdict).toBe('Passed');
    expect(prediction?.message).toMatch(/ingress to pod shop\/api/);
  });
});

describe('names', () => {
  const api = service('api', '{selector: {app: api}, ports: [{port: 8080}]}');
  const toHost = 'to: { host: api.shop.svc.cluster.local, port: 8080 }';
  const allowApi = policy(
    'api',
    '{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {app: api}}}]}]}',
  );
  const allowDns = (protocol: string): string =>
    policy(
      'dns',
      `{podSelector: {}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}, podSelector: {matchLabels: {k8s-app: kube-dns}}}], ports: [{port: 53, protocol: ${protocol}}]}]}`,
    );

  it('must resolve before anything connects: a forgotten DNS rule fails an Allow', () => {
    expect(only(`${toHost}, expect: Allow`, pair + api + allowApi)).toMatchObject({
      verdict: 'Failed',
      reason: 'NameNotResolved',
    });
    expect(only(`${toHost}, expect: Allow`, pair + api + allowApi + allowDns('UDP'))).toMatchObject({
      verdict: 'Passed',
      reason: 'Reachable',
    });
    expect(only(`${toHost}, expect: Allow`, pair + api + allowApi + allowDns('TCP'))?.verdict).toBe('Failed');
  });

  it('are told apart from the connection, which may be as expected', () => {
    const prediction = only(`${toHost}, expect: Allow`, pair + api + allowApi);

    expect(prediction?.message).toContain('The connection itself would be as expected; only the look-up of the name');
  });

  it('that do not resolve are no Deny', () => {
    expect(only(`${toHost}, expect: Deny`, pair + api + denyEgress)).toMatchObject({
      verdict: 'Inconclusive',
      reason: 'NameNotResolved',
    });
    expect(only(`${toHost}, expect: Deny`, pair + api + denyEgress + allowDns('UDP'))?.verdict).toBe('Passed');
  });

  it.each(['UDP', 'TCP'])('are asked over %s of the resolver that is assumed, and that is said', (protocol) => {
    const ask = `to: { dns: { name: example.com } }, protocol: ${protocol}, expect: Allow`;

    const prediction = only(ask, pair + denyEgress + allowDns(protocol));

    expect(prediction?.verdict).toBe('Passed');
    expect(prediction?.message).toMatch(/assumed to be pods labelled k8s-app=kube-dns/);
    expect(only(ask, pair + denyEgress + allowDns(protocol === 'UDP' ? 'TCP' : 'UDP'))?.verdict).toBe('Failed');
  });

  it('are asked of the resolver that the manifests declare', () => {
    const coredns = deployment('coredns', '', 1, 'kube-system').replace(
      'labels: {app: coredns}}, spec',
      'labels: {app: coredns, k8s-app: kube-dns}}, spec',
    );
    const closed = policy('closed', '{podSelector: {}}', 'kube-system');

    const prediction = only('to: { dns: { name: example.com } }, expect: Allow', pair + coredns + closed);

    expect(prediction?.verdict).toBe('Failed');
    expect(prediction?.message).not.toMatch(/assumed/);
  });

  it.each([
    { scenario: "its node's resolver", spec: 'dnsPolicy: Default, ', verdict: 'Inconclusive' },
    {
      scenario: 'a resolver of its own',
      spec: 'dnsPolicy: None, dnsConfig: {nameservers: [192.0.2.53]}, ',
      verdict: 'Passed',
    },
  ])('of a source with $scenario: $verdict', ({ spec, verdict }) => {
    expect(only('to: { dns: { name: example.com } }, expect: Allow', deployment('web', spec))?.verdict).toBe(verdict);
  });
});

describe('targets outside of the cluster', () => {
  const toOutside = policy(
    'out',
    '{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 192.0.2.0/24, except: [192.0.2.7/32]}}]}, {ports: [{port: 53, protocol: UDP}]}]}',
  );

  it.each([
    { ip: '192.0.2.1', verdict: 'Failed' },
    { ip: '192.0.2.7', verdict: 'Passed' },
    { ip: '198.51.100.1', verdict: 'Passed' },
  ])('Deny to $ip: $verdict', ({ ip, verdict }) => {
    const prediction = only(`to: { ip: ${ip}, port: 443 }, expect: Deny`, pair + toOutside);

    expect(prediction?.verdict).toBe(verdict);
    expect(prediction?.message).toMatch(/taken to be outside of the cluster/);
  });

  it('by a name whose address nobody said are not known, unless any address is open', () => {
    const toName = 'to: { host: db.example.com, port: 443 }';

    expect(only(`${toName}, expect: Allow`, pair + toOutside)).toMatchObject({
      verdict: 'Inconclusive',
      reason: 'NotKnown',
    });
    expect(only(`${toName}, expect: Deny`, pair + denyEgress + toOutside)).toMatchObject({
      verdict: 'Inconclusive',
      reason: 'NotKnown',
    });
    expect(only(`${toName}, expect: Allow`, pair)?.verdict).toBe('Passed');
    expect(
      only(`${toName}, expect: Allow`, pair + toOutside, { addresses: { 'db.example.com': '192.0.2.1' } })?.verdict,
    ).toBe('Passed');
  });
});

describe('what does not count', () => {
  it('is skipped, and a dry run still says what it would be', () => {
    const prediction = only(`${toApi}, expect: Deny, dryRun: true`, pair);

    expect(prediction).toMatchObject({ verdict: 'Skipped', reason: 'DryRun' });
    expect(prediction?.message).toMatch(/Would be Failed \(UnexpectedlyReachable\)/);
  });
});
