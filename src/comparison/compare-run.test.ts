import { describe, expect, it } from 'vitest';
import type { ConnectivityTest, Expectation, ExplanationStatus, Policy, Reason, Verdict } from '../api/index.ts';
import { planFor } from '../plan/index.ts';
import { CompiledPolicies, type ProfileName } from '../policy/index.ts';
import type { Observation } from '../probe/index.ts';
import {
  type Cluster,
  clusterTestOf,
  expectationOf,
  grantOf,
  namespaceOf,
  podOf,
  podOfDeployment,
  policyOf,
  serviceOf,
  sliceOf,
  testOf,
  viewOf,
  workloadOf,
} from '../testing/cluster-view.ts';
import type { DenialPair, JudgedCheck, Wire } from '../verdict/index.ts';
import type { Comparison } from './compare.ts';
import { compareRun, isAdmitted } from './compare-run.ts';
import { type PoliciesInForce, policiesOfRun } from './policies-of-run.ts';

const drop: DenialPair = { ingress: 'TimedOut', egress: 'TimedOut' };
const connected: Observation = {
  outcome: 'Connected',
  stage: 'connect',
  firstOutcome: 'Connected',
  attempts: 2,
  elapsedMs: 5,
};
const silent: Observation = { ...connected, outcome: 'TimedOut', firstOutcome: 'TimedOut' };

/** What every check of an expectation came to. */
interface Seen {
  readonly verdict: Verdict;
  readonly reason: Reason;
  readonly wire?: Wire;
  readonly observation?: Observation;
}
const opened: Seen = { verdict: 'Failed', reason: 'UnexpectedlyReachable', wire: 'Connected' };
const reached: Seen = { verdict: 'Passed', reason: 'Reachable', wire: 'Connected' };
const denied: Seen = { verdict: 'Passed', reason: 'Denied', wire: 'Denied', observation: silent };
const blocked: Seen = { verdict: 'Failed', reason: 'Blocked', wire: 'Denied', observation: silent };
const unproved: Seen = { verdict: 'Failed', reason: 'Blocked', observation: silent };

const web = podOfDeployment('web', 'x', { ip: '10.0.0.1' });
const api = podOfDeployment('api', 'x', { ip: '10.0.0.2' });
const shop: Cluster = {
  pods: [web, api],
  workloads: [workloadOf('Deployment', 'web'), workloadOf('Deployment', 'api')],
  services: [serviceOf('api')],
  slices: [sliceOf('api', [api])],
  namespaces: [namespaceOf('shop')],
};
const spec = (podSelector: object, rest: object): Pick<Policy, 'spec'> => ({ spec: { podSelector, ...rest } });
const ofApi = { matchLabels: { app: 'api' } };
const locked = policyOf('locked', ofApi);
const onlyFor = (name: string, app: string): Policy =>
  policyOf(name, ofApi, spec(ofApi, { ingress: [{ from: [{ podSelector: { matchLabels: { app } } }] }] }));

interface Given extends Partial<Pick<PoliciesInForce, 'unreadKinds'>> {
  readonly test?: ConnectivityTest;
  readonly cluster?: Cluster;
  readonly policies?: readonly Policy[];
  readonly plugin?: ProfileName;
  readonly denials?: DenialPair;
  readonly isRecent?: boolean;
}

interface Result {
  readonly comparisons: readonly Comparison[];
  readonly explanation: ExplanationStatus | undefined;
}

/** What is said of the first expectation of a test, from web to api unless told otherwise. */
function saidOf(expectation: Partial<Expectation>, seen: Seen | readonly Seen[], given: Given = {}): Result {
  const { cluster = shop, policies = [], plugin, unreadKinds = [], denials = drop, isRecent = false } = given;
  const view = viewOf({ ...cluster, policies });
  const test = given.test ?? testOf([expectationOf(expectation)]);
  const plan = planFor(test, view);
  const each = 'verdict' in seen ? [seen] : seen;
  const inForce: PoliciesInForce = {
    view,
    compiled: new CompiledPolicies(),
    unreadKinds,
    ...(plugin === undefined ? {} : { plugin: { name: plugin, basis: 'Recognised' } }),
  };
  const lines = plan.lines.map((line) => {
    const judged = line.checks.map((check, index): JudgedCheck => {
      const own = each[index] ?? each[0];
      if (own === undefined) throw new Error('nothing was seen');
      return { observation: connected, ...own, message: 'seen', check, denials };
    });
    const [first] = judged;
    if (first === undefined) throw new Error(`no check: ${JSON.stringify(line.findings)}`);
    return { line, judged, decisive: judged.find(({ verdict }) => verdict === 'Failed') ?? first };
  });
  const addresses = each.flatMap(({ observation }) => observation?.address ?? []);
  const { comparisons, explanations } = compareRun(
    test,
    lines,
    policiesOfRun(test, plan, addresses, inForce),
    () => isRecent,
  );
  return { comparisons, explanation: explanations.get(plan.lines[0]?.expectation.name ?? '') };
}

describe('what failed as the policies have it', () => {
  it('names the policy that admits what must be denied', () => {
    const policies = [onlyFor('api-only-for-admin', 'admin'), policyOf('allow-all', {}, spec({}, { ingress: [{}] }))];

    const { comparisons, explanation } = saidOf({ expect: 'Deny' }, opened, { policies });

    expect(comparisons).toEqual([{ agreement: 'Agrees' }]);
    expect(explanation).toEqual({
      agreement: 'Agrees',
      finding: 'AdditionalPolicyOpens',
      policy: 'NetworkPolicy shop/allow-all',
      direction: 'ingress',
      message: expect.stringContaining(
        `The policies admit it: no policy restricts egress from the source; ingress to pod shop/${api.metadata.name} is admitted by NetworkPolicy shop/allow-all (spec.ingress[0]). Policies add up: NetworkPolicy api-only-for-admin does not admit Deployment shop/web`,
      ) as unknown,
    });
  });

  it('names the nearest miss of what must be allowed', () => {
    const { explanation } = saidOf({}, blocked, { policies: [onlyFor('web-to-api', 'wbe')] });

    expect(explanation).toMatchObject({
      agreement: 'Agrees',
      finding: 'LabelTypo',
      policy: 'NetworkPolicy shop/web-to-api',
      direction: 'ingress',
    });
    expect(explanation?.message).toContain('is restricted by NetworkPolicy shop/web-to-api, and no rule admits this.');
    expect(explanation?.message).toContain('Write app: web.');
  });

  it('says so where silence proved nothing, and claims no agreement', () => {
    const { comparisons, explanation } = saidOf({}, unproved, { policies: [locked] });

    expect(comparisons).toEqual([]);
    expect(explanation).not.toHaveProperty('agreement');
    expect(explanation).toMatchObject({ finding: 'NoRuleAdmits', policy: 'NetworkPolicy shop/locked' });
  });

  it('sends on to the rest of the world where the policies admit what nothing answered', () => {
    const { explanation } = saidOf({}, unproved);

    expect(explanation).not.toHaveProperty('finding');
    expect(explanation?.message).toMatch(
      /^The policies admit it: .* Look beyond the policies: at the target, the nodes and firewalls\.$/,
    );
  });

  it('explains the look-up of a name that did not resolve', () => {
    const egress = policyOf(
      'web-out',
      { matchLabels: { app: 'web' } },
      {
        spec: {
          podSelector: { matchLabels: { app: 'web' } },
          policyTypes: ['Egress'],
          egress: [{ to: [{ podSelector: {} }] }],
        },
      },
    );
    const unresolved: Observation = {
      ...silent,
      outcome: 'NameNotResolved',
      firstOutcome: 'NameNotResolved',
      stage: 'dns',
    };
    const seen: Seen = { verdict: 'Failed', reason: 'NameNotResolved', observation: unresolved };

    const { comparisons, explanation } = saidOf({ to: { host: 'api.example.com', port: 443 } }, seen, {
      policies: [egress],
    });

    expect(comparisons).toEqual([]);
    expect(explanation).toMatchObject({
      finding: 'DNSEgressMissing',
      policy: 'NetworkPolicy shop/web-out',
      direction: 'egress',
    });
  });
});

describe('what model and wire do not agree on', () => {
  it('shows behind a pass, too', () => {
    expect(saidOf({ expect: 'Deny' }, denied)).toMatchObject({
      comparisons: [{ agreement: 'ModelAllows', cause: 'OutsideTheModel' }],
      explanation: {
        agreement: 'ModelAllows',
        cause: 'OutsideTheModel',
        message: expect.stringContaining('look for what else denies here') as unknown,
      },
    });
    expect(saidOf({}, reached, { policies: [locked] })).toMatchObject({
      comparisons: [{ agreement: 'ModelDenies', cause: 'OutsideTheModel' }],
      explanation: { policy: 'NetworkPolicy shop/locked', direction: 'ingress' },
    });
  });

  it('says nothing of a pass that they agree on', () => {
    expect(saidOf({ expect: 'Deny' }, denied, { policies: [locked] })).toEqual({
      comparisons: [{ agreement: 'Agrees' }],
      explanation: undefined,
    });
  });

  it('shows in a check that does not decide', () => {
    const two = { ...shop, pods: [web, api, podOfDeployment('api', 'y', { ip: '10.0.0.3' })] };
    const to = { workload: { kind: 'Deployment', name: 'api' }, port: 8080 } as const;

    const { comparisons, explanation } = saidOf({ to, expect: 'Deny' }, [{ ...denied }, { ...reached }], {
      cluster: two,
      policies: [locked],
    });

    expect(comparisons.map(({ agreement }) => agreement)).toEqual(['Agrees', 'ModelDenies']);
    expect(explanation?.agreement).toBe('ModelDenies');
  });

  it('is told from what is not enforced, and from what just changed', () => {
    const policies = [locked];
    const open: DenialPair = { ingress: 'Connected', egress: 'TimedOut' };

    const unenforced = saidOf({ expect: 'Deny' }, opened, { policies, denials: open }).explanation;
    const recent = saidOf({ expect: 'Deny' }, opened, { policies, isRecent: true }).explanation;

    expect(unenforced).toMatchObject({ agreement: 'ModelDenies', cause: 'NotEnforced' });
    expect(unenforced?.message).toContain('this cluster enforces no policies for ingress over TCP');
    expect(recent).toMatchObject({ agreement: 'ModelDenies', cause: 'NotYetProgrammed' });
    // What the policies deny is nothing to find a mistake in.
    expect(unenforced).not.toHaveProperty('finding');
  });

  it('is told from what the network plugin is known to do', () => {
    const egress = policyOf(
      'web',
      { matchLabels: { app: 'web' } },
      {
        spec: {
          podSelector: { matchLabels: { app: 'web' } },
          policyTypes: ['Ingress'],
          egress: [{ ports: [{ port: 53 }] }],
          ingress: [{}],
        },
      },
    );

    const known = saidOf({}, blocked, { policies: [egress], plugin: 'cilium' }).explanation;
    const unknown = saidOf({}, blocked, { policies: [egress] }).explanation;

    expect(known).toMatchObject({ agreement: 'ModelAllows', cause: 'PluginAgrees' });
    expect(known?.message).toContain(
      'What was seen agrees with what Cilium (recognised by its kinds of policies) is known to do: egress from the source is restricted by NetworkPolicy shop/web',
    );
    expect(unknown).toMatchObject({ agreement: 'ModelAllows', cause: 'OutsideTheModel' });
  });

  it('is no disagreement where the API leaves it open', () => {
    const block = policyOf('block', ofApi, spec(ofApi, { ingress: [{ from: [{ ipBlock: { cidr: '0.0.0.0/0' } }] }] }));

    const { comparisons, explanation } = saidOf({}, blocked, { policies: [block], plugin: 'cilium' });

    expect(comparisons).toEqual([{ agreement: 'NoAnswer', cause: 'PluginAgrees' }]);
    expect(explanation).toMatchObject({ finding: 'IPBlockMeansPods', policy: 'NetworkPolicy shop/block' });
    expect(explanation?.message).toMatch(/^The policies leave it open: .*Deployment web/);
    expect(saidOf({}, reached, { policies: [block] })).toEqual({
      comparisons: [{ agreement: 'NoAnswer', cause: 'LeftOpen' }],
      explanation: undefined,
    });
    // Not even the plugin's profile says so: that is worth a word behind a pass, too.
    expect(saidOf({}, reached, { policies: [block], plugin: 'cilium' }).explanation?.cause).toBe('PluginDiffers');
  });

  it('is not claimed of endpoints that the policies treat differently', () => {
    const other = podOf('other', { labels: { app: 'api', track: 'canary' }, ip: '10.0.0.9' });
    const cluster = { ...shop, pods: [web, api, other], slices: [sliceOf('api', [api, other])] };
    const canary = { matchLabels: { track: 'canary' } };

    const { comparisons } = saidOf({}, reached, { cluster, policies: [policyOf('canary', canary)] });

    expect(comparisons).toEqual([{ agreement: 'NoAnswer', cause: 'NotKnown' }]);
  });

  it('is not claimed where policies may not be listed', () => {
    const { comparisons, explanation } = saidOf({}, blocked, {
      unreadKinds: ['clusternetworkpolicies.policy.networking.k8s.io'],
    });

    expect(comparisons).toEqual([{ agreement: 'NoAnswer', cause: 'NotKnown' }]);
    expect(explanation?.message).toBe(
      'The policies do not tell: Postern may not list clusternetworkpolicies.policy.networking.k8s.io. Let its ClusterRole list and watch them.',
    );
  });

  it('counts a check once that several expectations share', () => {
    const test = testOf([expectationOf(), expectationOf({ name: 'again' })]);

    expect(saidOf({}, reached, { test }).comparisons).toHaveLength(1);
  });
});

it('looks for mistakes in the first rows that failed alone, and names the policy in all', () => {
  const names = Array.from({ length: 12 }, (_, index) => `e${index}`);
  const test = testOf(names.map((name) => expectationOf({ name })));
  const view = viewOf({ ...shop, policies: [locked] });
  const plan = planFor(test, view);
  const lines = plan.lines.map((line) => {
    const judged = line.checks.map((check): JudgedCheck => ({ observation: silent, ...blocked, message: '', check }));
    const [decisive] = judged;
    if (decisive === undefined) throw new Error('no check');
    return { line, judged, decisive };
  });
  const inForce = { view, compiled: new CompiledPolicies(), unreadKinds: [] };

  const explanations = [
    ...compareRun(test, lines, policiesOfRun(test, plan, [], inForce), () => false).explanations.values(),
  ];

  expect(explanations.map(({ finding }) => finding !== undefined)).toEqual(names.map((_, index) => index < 8));
  expect(new Set(explanations.map(({ policy }) => policy))).toEqual(new Set(['NetworkPolicy shop/locked']));
});

describe('what the author of a test may see', () => {
  const secret = podOf('vault-0', { namespace: 'bank', labels: { app: 'vault' }, ip: '10.9.0.1' });
  const lock = policyOf('secret-lock', {}, { metadata: { name: 'secret-lock', namespace: 'bank', uid: 'l' } });
  const cluster: Cluster = {
    ...shop,
    pods: [...(shop.pods ?? []), secret],
    services: [serviceOf('vault', {}, 'bank')],
    slices: [sliceOf('vault', [secret])],
    namespaces: [namespaceOf('shop'), namespaceOf('bank')],
    grants: [grantOf('bank')],
  };
  const targets: readonly (readonly [string, Expectation['to']])[] = [
    ['a Service', { service: { name: 'vault', namespace: 'bank' }, port: 80 }],
    ['an address', { ip: '10.9.0.1', port: 8080 }],
    ['granted pods', { pods: { matchLabels: { app: 'vault' } }, namespace: 'bank', port: 8080 }],
  ];

  it.each(targets)('says of %s elsewhere that its policies decide, and not which', (_, to) => {
    const { comparisons, explanation } = saidOf({ to }, blocked, { cluster, policies: [lock] });

    expect(comparisons).toEqual([{ agreement: 'Agrees' }]);
    expect(explanation).toEqual({
      agreement: 'Agrees',
      direction: 'ingress',
      message:
        'The policies deny it: ingress to the target is restricted by a policy of another namespace, and no rule admits this.',
    });
  });

  it.each(targets)('names it to a test of the cluster: %s', (_, to) => {
    const from = { workload: { kind: 'Deployment', name: 'web' }, namespace: 'shop' } as const;
    const test = clusterTestOf([expectationOf({ from, to })]);

    const { explanation } = saidOf({}, blocked, { cluster, policies: [lock], test });

    expect(explanation).toMatchObject({ finding: 'NoRuleAdmits', policy: 'NetworkPolicy bank/secret-lock' });
  });

  it.each(targets)('names its own policy, and not the labels that this one misses: %s', (_, to) => {
    const ofWeb = { matchLabels: { app: 'web' } };
    const peer = { namespaceSelector: {}, podSelector: { matchLabels: { app: 'valt' } } };
    const out = policyOf('web-out', ofWeb, {
      spec: { podSelector: ofWeb, policyTypes: ['Egress'], egress: [{ to: [peer] }] },
    });

    const { explanation } = saidOf({ to }, blocked, { cluster, policies: [out] });

    expect(explanation).toMatchObject({ policy: 'NetworkPolicy shop/web-out', direction: 'egress' });
    expect(explanation).not.toHaveProperty('finding');
    expect(JSON.stringify(explanation)).not.toMatch(/bank|vault/);
  });

  it.each(targets)('keeps to itself what of %s elsewhere is left open', (_, to) => {
    const block = { ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8' } }] }] };
    const open = { ...lock, ...spec({}, block) };

    const { explanation } = saidOf({ to }, blocked, { cluster, policies: [open] });

    expect(explanation?.message).toBe(
      `The policies ${explanation?.cause === 'LeftOpen' ? 'leave it open' : 'do not tell'}: it depends on policies or labels of another namespace, which are not shown here.`,
    );
    expect(JSON.stringify(explanation)).not.toMatch(/bank|vault|secret/);
  });
});

describe('isAdmitted', () => {
  const admitted = (policies: readonly Policy[], plugin?: ProfileName): boolean | undefined => {
    const view = viewOf({ ...shop, policies });
    const test = testOf([expectationOf({ expect: 'Deny' })]);
    const plan = planFor(test, view);
    const inForce: PoliciesInForce = {
      view,
      compiled: new CompiledPolicies(),
      unreadKinds: [],
      plugin: plugin === undefined ? undefined : { name: plugin, basis: 'Configured' },
    };
    const [line] = plan.lines;
    const [check] = line?.checks ?? [];
    return line && check && isAdmitted(line, check, policiesOfRun(test, plan, [], inForce));
  };
  const ignored = policyOf(
    'web',
    { matchLabels: { app: 'web' } },
    {
      spec: {
        podSelector: { matchLabels: { app: 'web' } },
        policyTypes: ['Ingress'],
        egress: [{ ports: [{ port: 53 }] }],
        ingress: [{}],
      },
    },
  );
  const block = policyOf('block', ofApi, spec(ofApi, { ingress: [{ from: [{ ipBlock: { cidr: '0.0.0.0/0' } }] }] }));

  it.each<[string, readonly Policy[], ProfileName | undefined, boolean]>([
    ['nothing is in the way', [], undefined, true],
    ['a rule admits it', [onlyFor('only-web', 'web')], 'cilium', true],
    ['a policy denies it', [locked], undefined, false],
    ['the API leaves it open', [block], undefined, false],
    ['the network plugin is known to deny it', [ignored], 'cilium', false],
  ])('%s', (_, policies, plugin, expected) => {
    expect(admitted(policies, plugin)).toBe(expected);
  });
});
