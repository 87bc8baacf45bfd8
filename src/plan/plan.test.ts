import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Expectation } from '../api/index.ts';
import { checkWeight, maxWeightPerPod, planText } from '../probe/index.ts';
import {
  type Cluster,
  expectationOf,
  podOf,
  podOfDeployment,
  policyOf,
  serviceOf,
  sliceOf,
  testOf,
  viewOf,
  workloadOf,
} from '../testing/cluster-view.ts';
import { maxChecksPerRun, type Plan, planFor } from './plan.ts';

const apiPod = podOf('api-1', { labels: { app: 'api' }, ip: '10.0.0.7' });
const shop: Cluster = {
  pods: [podOfDeployment('web', 'a'), apiPod],
  workloads: [workloadOf('Deployment', 'web')],
  services: [serviceOf('api')],
  slices: [sliceOf('api', [apiPod])],
};

function planOf(cluster: Cluster, ...expectations: readonly Expectation[]): Plan {
  return planFor(testOf(expectations), viewOf(cluster));
}

describe('planFor', () => {
  it('expands an Allow into a check that settles, and a Deny into one that guards', () => {
    const plan = planOf(
      shop,
      expectationOf(),
      expectationOf({ name: 'deny', expect: 'Deny', to: { ip: '10.1.2.3', port: 443 } }),
    );

    expect(planText(plan.assignments[0]?.checks ?? [])).toBe(
      '0 converge tcp 10.96.0.1 80 - - -\n1 guard tcp 10.1.2.3 443 - - -',
    );
    expect(plan.lines.map(({ checks }) => checks.map(({ id }) => id))).toEqual([[0], [1]]);
  });

  it('sends the name of a Service with an HTTP request to it', () => {
    const plan = planOf(
      shop,
      expectationOf({ http: {} }),
      expectationOf({
        to: { pods: { matchLabels: { app: 'api' } }, port: 'http' },
        http: { path: '/a', status: [204] },
      }),
      expectationOf({ to: { host: 'web.example', port: 80 }, http: { path: '/' } }),
    );

    expect(planText(plan.assignments[0]?.checks ?? [])).toBe(
      [
        '0 converge http 10.96.0.1 80 api.shop.svc - /',
        '1 converge http 10.0.0.7 8080 - 204 /a',
        '2 converge http - 80 web.example - /',
      ].join('\n'),
    );
  });

  it('asks once what two expectations ask alike', () => {
    const plan = planOf(shop, expectationOf({ name: 'a' }), expectationOf({ name: 'b' }));

    expect(plan.lines[0]?.checks).toEqual(plan.lines[1]?.checks);
    expect(plan.assignments[0]?.checks).toHaveLength(1);
  });

  it.each<[string, Expectation, Expectation]>([
    ['an Allow and a Deny', expectationOf(), expectationOf({ expect: 'Deny' })],
    ['a connection and an HTTP answer', expectationOf(), expectationOf({ http: {} })],
    ['two paths', expectationOf({ http: { path: '/a' } }), expectationOf({ http: { path: '/b' } })],
    [
      'a pod and its address',
      expectationOf({ to: { ip: '10.0.0.7', port: 8080 }, expect: 'Deny' }),
      expectationOf({ to: { pods: { matchLabels: { app: 'api' } }, port: 8080 }, expect: 'Deny' }),
    ],
  ])('asks separately for %s', (_, one, other) => {
    expect(planOf(shop, one, other).assignments[0]?.checks).toHaveLength(2);
  });

  it('asks every identity of a source for every target but itself, and says so', () => {
    const pods = [podOf('a', { labels: { app: 'a' } }), podOf('b', { labels: { app: 'b' }, ip: '10.0.0.2' })];

    const plan = planOf({ pods }, expectationOf({ from: { pods: {} }, to: { pods: {}, port: 8080 } }));

    expect(plan.lines[0]?.checks.map(({ identity, address }) => [identity.labels['app'], address])).toEqual([
      ['a', '10.0.0.2'],
      ['b', '10.0.0.1'],
    ]);
    expect(plan.lines[0]?.notes).toEqual([
      'The path of a pod to itself is left out: network policies do not define it.',
    ]);
  });

  it.each<[string, Cluster, string, string]>([
    [
      'a policy selects on a label that the probe pod does not wear',
      { ...shop, policies: [policyOf('p', { matchLabels: { 'pod-template-hash': 'abc12' } })] },
      'IdentityNotReproducible',
      'A network policy selects on the label pod-template-hash of Deployment web, which a probe pod must not wear. Select on a label of the application instead.',
    ],
    [
      'a cluster-wide policy does so in its own notation',
      {
        ...shop,
        policies: [
          policyOf(
            'p',
            {},
            {
              metadata: { name: 'p' },
              spec: undefined,
              specs: [{ endpointSelector: { matchLabels: { 'k8s:pod-template-hash': 'abc12' } } }],
            },
          ),
        ],
      },
      'IdentityNotReproducible',
      'A network policy selects on the label pod-template-hash of Deployment web, which a probe pod must not wear. Select on a label of the application instead.',
    ],
    [
      'a policy selects on the label of probe pods',
      {
        ...shop,
        policies: [policyOf('p', { matchExpressions: [{ key: 'postern.dev/component', operator: 'DoesNotExist' }] })],
      },
      'IdentityNotReproducible',
      'A network policy selects on the label postern.dev/component, so it treats probe pods unlike Deployment web. Select on a label of the application instead.',
    ],
    [
      'a Service would send its traffic to the probe pod',
      { ...shop, services: [serviceOf('api'), serviceOf('web', { publishNotReadyAddresses: true })] },
      'ServicePublishesNotReady',
      'Service web selects Deployment web and publishes not-ready addresses (publishNotReadyAddresses), so a probe pod would get its traffic. Test from pods that this Service does not select.',
    ],
    [
      'the target is missing',
      { ...shop, services: [] },
      'TargetNotFound',
      'There is no Service api. Correct the name or namespace under to.service, or create it.',
    ],
    [
      'the source is missing',
      { ...shop, workloads: [] },
      'SourceNotFound',
      'There is no Deployment web in namespace shop. Correct the name under from.workload or create it.',
    ],
  ])('starts no probe pod if %s', (_, cluster, reason, message) => {
    const plan = planOf(cluster, expectationOf());

    expect(plan.assignments).toEqual([]);
    expect(plan.lines).toMatchObject([{ checks: [], findings: [{ reason, message }] }]);
  });

  it.each<[string, Cluster]>([
    [
      'a policy of another namespace selects on a dropped label',
      {
        ...shop,
        policies: [
          policyOf('p', { matchLabels: { 'pod-template-hash': 'x' } }, { metadata: { name: 'p', namespace: 'other' } }),
        ],
      },
    ],
    [
      'a policy selects on a dropped label that this source does not have',
      { ...shop, policies: [policyOf('p', { matchLabels: { 'controller-revision-hash': 'x' } })] },
    ],
    [
      'a Service publishes pods that are not ready, but not these',
      { ...shop, services: [serviceOf('api', { publishNotReadyAddresses: true })] },
    ],
    [
      'a Service selects the source, but only when it is ready',
      { ...shop, services: [serviceOf('api'), serviceOf('web')] },
    ],
    [
      'a Service without a selector publishes what is not ready',
      {
        ...shop,
        services: [
          serviceOf('api'),
          serviceOf('x', { selector: {}, publishNotReadyAddresses: true }),
          serviceOf('y', { selector: undefined, publishNotReadyAddresses: true }),
        ],
      },
    ],
    [
      'a Service publishes pods with a label that the probe pod does not wear',
      {
        ...shop,
        services: [
          serviceOf('api'),
          serviceOf('web', { publishNotReadyAddresses: true, selector: { 'pod-template-hash': 'abc12' } }),
        ],
      },
    ],
  ])('starts a probe pod although %s', (_, cluster) => {
    const plan = planOf(cluster, expectationOf());

    expect(plan.lines).toMatchObject([{ checks: [{ id: 0 }], findings: [] }]);
    expect(plan.assignments).toHaveLength(1);
  });

  it('probes the identities that it can, and says what keeps it from the others', () => {
    const pods = [podOf('a', { labels: { app: 'a' } }), podOf('b', { labels: { app: 'b', 'job-name': 'b' } })];
    const policies = [policyOf('p', { matchLabels: { 'job-name': 'b' } })];

    const plan = planOf({ pods, policies }, expectationOf({ from: { pods: {} }, to: { ip: '10.1.2.3', port: 1 } }));

    expect(plan.lines[0]?.checks.map(({ identity }) => identity.labels)).toEqual([{ app: 'a' }]);
    expect(plan.lines[0]?.findings).toMatchObject([{ reason: 'IdentityNotReproducible' }]);
  });

  it('passes on what a verdict must add', () => {
    const many = Array.from({ length: 12 }, (_, index) => podOf(`api-${index}`, { labels: { app: 'api' } }));
    const pods = [...many, podOf('node', { spec: { hostNetwork: true } })];

    const plan = planOf(
      { pods },
      expectationOf({ from: { pods: {} }, to: { pods: { matchLabels: { app: 'api' } }, port: 8080 } }),
    );

    expect(plan.lines[0]?.notes).toEqual([
      'Source pods on the host network were left out: network policies have no say there.',
      '10 of 12 ready pods were dialled.',
    ]);
  });

  it('stops at the limit of a run and says so', () => {
    const pods = Array.from({ length: 110 }, (_, index) => podOf(`p-${index}`, { labels: { own: String(index) } }));
    const all = expectationOf({ from: { pods: {} }, to: { pods: {}, port: 8080 } });

    const plan = planOf({ pods }, all, expectationOf({ from: { pods: {} }, to: { ip: '10.1.2.3', port: 1 } }));

    expect(plan.assignments.flatMap(({ checks }) => checks)).toHaveLength(maxChecksPerRun);
    const finding = {
      reason: 'LimitExceeded',
      message: `The test expands to more than ${maxChecksPerRun} checks. Narrow the selectors or split it into several tests.`,
    };
    expect(plan.lines.map(({ findings }) => findings)).toEqual([[finding], [finding]]);
  });

  it('gives every check to exactly one pod of its identity, and no pod more than it can carry', () => {
    const target = fc.oneof(
      fc.record({ ip: fc.constantFrom('10.1.2.3', '10.1.2.4', 'fd00::9'), port: fc.integer({ min: 1, max: 200 }) }),
      fc.record({ host: fc.constantFrom('a.example', 'b.example'), port: fc.integer({ min: 1, max: 200 }) }),
    );
    const expectation = fc.record({
      to: target,
      expect: fc.constantFrom('Allow', 'Deny'),
      http: fc.option(fc.constant({ path: '/' }), { nil: undefined }),
      from: fc.constantFrom<Expectation['from']>({ pods: {} }, { pods: { matchLabels: { own: '0' } } }),
    });
    fc.assert(
      fc.property(
        fc.array(expectation, { minLength: 1, maxLength: 128 }),
        fc.integer({ min: 1, max: 5 }),
        (parts, n) => {
          const pods = Array.from({ length: n }, (_, index) => podOf(`p-${index}`, { labels: { own: String(index) } }));

          const { lines, assignments } = planOf({ pods }, ...parts.map((part) => expectationOf(part)));

          const assigned = assignments.flatMap(({ checks }) => checks);
          expect(new Set(assigned).size).toBe(assigned.length);
          expect(new Set(assigned.map(({ id }) => id)).size).toBe(assigned.length);
          expect(new Set(assigned)).toEqual(new Set(lines.flatMap(({ checks }) => checks)));
          for (const { identity, checks } of assignments) {
            expect(checks.every((check) => check.identity.key === identity.key)).toBe(true);
            expect(weightOf(checks)).toBeLessThanOrEqual(maxWeightPerPod);
          }
          for (const own of Map.groupBy(assignments, ({ identity }) => identity.key).values()) {
            const fits = weightOf(own.flatMap(({ checks }) => checks)) <= maxWeightPerPod;
            expect(own.length === 1).toBe(fits);
            // No two pods of an identity could have been one.
            for (const [index, { checks }] of own.entries()) {
              const next = own[index + 1]?.checks[0];
              if (next !== undefined) expect(weightOf([...checks, next])).toBeGreaterThan(maxWeightPerPod);
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

function weightOf(checks: Plan['assignments'][number]['checks']): number {
  return checks.reduce((sum, check) => sum + checkWeight(check), 0);
}

describe('the namespaces of a plan', () => {
  it('are those of the test and of its Services, once each', () => {
    const inBank = { service: { name: 'api', namespace: 'bank' }, port: 80 };

    const plan = planOf({}, expectationOf({ to: inBank }), expectationOf(), expectationOf({ to: inBank }));

    expect(plan.namespaces).toEqual(['bank', 'shop']);
  });
});

describe('a test that needs more probe pods than one may have', () => {
  const pods = ['a', 'b', 'c'].map((name) => podOf(name, { labels: { app: name } }));
  const test = testOf([expectationOf({ from: { pods: {} }, to: { ip: '10.1.2.3', port: 1 } })]);

  it('is not run in part', () => {
    const { lines, assignments } = planFor(test, viewOf({ pods }), { maxPods: 2 });

    expect(assignments).toEqual([]);
    expect(lines).toMatchObject([{ checks: [], findings: [{ reason: 'LimitExceeded' }], refusals: [{}] }]);
    expect(lines[0]?.findings[0]?.message).toBe(
      'The test needs 3 probe pods at once, and one test may have 2. Narrow the selectors or split it into several tests.',
    );
  });

  it('is run if it just may', () => {
    expect(planFor(test, viewOf({ pods }), { maxPods: 3 }).assignments).toHaveLength(3);
  });
});
