import { describe, expect, it } from 'vitest';
import { type ClusterView, planFor } from '../plan/index.ts';
import { CompiledPolicies } from '../policy/index.ts';
import type { Observation } from '../probe/index.ts';
import { expectationOf, podOf, policyOf, testOf, viewOf } from '../testing/cluster-view.ts';
import { cachesOf, circumstances, pods, runOf, silence, test } from '../testing/finished-run.ts';
import { concludedStatus } from './conclusion.ts';
import type { Circumstances } from './evidence.ts';

describe('concludedStatus', () => {
  it('judges the run and says what it cost, its own write included', () => {
    const { status } = concludedStatus(test, runOf(), circumstances());

    expect(status).toMatchObject({
      verdict: 'Passed',
      expectations: [{ name: 'web-not-db', verdict: 'Passed', reason: 'Denied' }],
      lastRun: {
        id: 'r',
        trigger: 'Change',
        startTime: '2025-12-31T23:59:54.000Z',
        completionTime: '2026-01-01T00:00:00.000Z',
        probePods: 1,
        apiRequests: 4,
        fingerprint: 'f',
      },
    });
    expect(status).not.toHaveProperty('lastHandledRunRequest');
  });

  it.each<[string, readonly ReturnType<typeof podOf>[]]>([
    ['is gone', pods.slice(0, 1)],
    ['lost readiness', [...pods.slice(0, 1), podOf('db-0', { ready: false })]],
    ['is being deleted', [...pods.slice(0, 1), podOf('db-0', { deleting: true })]],
    ['was replaced', [...pods.slice(0, 1), podOf('db-0-again')]],
  ])('does not believe silence of a target that %s', (_, left) => {
    const { status } = concludedStatus(test, runOf(), circumstances({ caches: cachesOf(viewOf({ pods: left })) }));

    expect(status.expectations).toMatchObject([{ verdict: 'Inconclusive', reason: 'TargetChanged' }]);
  });

  describe('beside the policies', () => {
    const lock = policyOf('lock', { matchLabels: { app: 'db' } });
    const connected = runOf({}, { ...silence, outcome: 'Connected', firstOutcome: 'Connected', elapsedMs: 20 });
    const inForce = (view: ClusterView) => ({
      policies: { view, compiled: new CompiledPolicies(), unreadKinds: [] },
    });
    const locked = inForce(viewOf({ pods, policies: [lock] }));

    it('says whether they are about what was seen', () => {
      const { comparisons, status } = concludedStatus(test, connected, circumstances(locked));

      expect(comparisons).toEqual([{ agreement: 'ModelDenies', cause: 'OutsideTheModel' }]);
      expect(status.expectations?.[0]?.explanation).toMatchObject({ policy: 'NetworkPolicy shop/lock' });
    });

    it.each<[string, Partial<Circumstances>, number | undefined, string]>([
      ['a change that excuses', { changes: { latest: () => 47_000 } }, undefined, 'NotYetProgrammed'],
      ['a change that the strict mode does not excuse', { changes: { latest: () => 47_000 } }, 0, 'NotYetProgrammed'],
      ['an old change', { changes: { latest: () => 45_000 } }, 0, 'OutsideTheModel'],
      ['a disturbed run', { isDisturbed: true, disturbedRuns: 9 }, undefined, 'NotYetProgrammed'],
      ['fresh pods that are open', { freshPodDelayMs: 500 }, undefined, 'NotYetProgrammed'],
    ])('blames %s before anything outside of the model', (_, parts, enforcementGraceSeconds, cause) => {
      const spec = { ...test.spec, ...(enforcementGraceSeconds === undefined ? {} : { enforcementGraceSeconds }) };

      const { comparisons } = concludedStatus({ ...test, spec }, connected, circumstances({ ...locked, ...parts }));

      expect(comparisons).toEqual([{ agreement: 'ModelDenies', cause }]);
    });

    it('gives the verdict without them where they cannot be asked', () => {
      const broken = inForce({
        ...viewOf({ pods }),
        nodes: () => {
          throw new Error('a defect');
        },
      });

      const { comparisons, status, defect } = concludedStatus(test, connected, circumstances(broken));

      expect({ comparisons, defect }).toEqual({ comparisons: [], defect: new Error('a defect') });
      expect(status.expectations).toMatchObject([{ verdict: 'Failed', reason: 'UnexpectedlyReachable' }]);
      expect(status.expectations?.[0]).not.toHaveProperty('explanation');
    });

    it.each<[string, ClusterView, string]>([
      ['let it pass', viewOf({ pods }), 'Failed ReachedClosedPort'],
      ['deny it', viewOf({ pods, policies: [lock] }), 'Inconclusive RefusedOrClosed'],
    ])('takes a refusal for an arrival only where they %s', (_, view, expected) => {
      const refused = runOf({}, { ...silence, outcome: 'Refused', firstOutcome: 'Refused' });

      const { comparisons, status } = concludedStatus(test, refused, circumstances(inForce(view)));

      expect(status.expectations?.map(({ verdict, reason }) => `${verdict} ${reason}`)).toEqual([expected]);
      // What the model itself decided, it is not counted as right about.
      expect(comparisons).toEqual([]);
    });
  });

  it('believes no target that was not ready in between', () => {
    const run = runOf();
    const unready = new Map([...run.readySince].map(([uid]) => [uid, '2025-12-31T00:00:00Z']));

    const { status } = concludedStatus(test, { ...run, readySince: unready }, circumstances());

    expect(status.expectations).toMatchObject([{ verdict: 'Inconclusive', reason: 'TargetChanged' }]);
  });

  it.each<[number, string]>([
    [1, 'EnforcementDelayed'],
    [2, 'EnforcementDelayed'],
    [3, 'UnexpectedlyReachable'],
  ])('excuses a connection during a change, but not for ever: run %i', (disturbedRuns, reason) => {
    const connected = runOf({}, { ...silence, outcome: 'Connected' });

    const { status } = concludedStatus(test, connected, circumstances({ isDisturbed: true, disturbedRuns }));

    expect(status.expectations).toMatchObject([{ reason }]);
  });

  describe('a connection close to a change', () => {
    const connected = runOf({}, { ...silence, outcome: 'Connected', elapsedMs: 20 });
    const changedAt = (time: number | undefined) => ({ changes: { latest: () => time } });

    it.each<[string, number | undefined, string, number | undefined]>([
      ['is probed again when the change is five seconds old', 47_000, 'EnforcementDelayed', 52_001],
      ['is excused at the last moment', 45_020, 'EnforcementDelayed', 50_021],
      ['fails a moment later', 45_019, 'UnexpectedlyReachable', 50_020],
      ['fails where nothing changed', undefined, 'UnexpectedlyReachable', undefined],
    ])('%s', (_, time, reason, repeatAt) => {
      const conclusion = concludedStatus(test, connected, circumstances(changedAt(time)));

      expect(conclusion.status.expectations).toMatchObject([{ reason }]);
      expect(conclusion.repeatAt).toBe(repeatAt);
    });

    it('stays Failed where it had failed, but does not wait for the period to be seen closed', () => {
      const { status } = concludedStatus(test, connected, circumstances());

      const conclusion = concludedStatus({ ...test, status }, connected, circumstances(changedAt(49_000)));

      expect(conclusion.status.expectations).toMatchObject([{ verdict: 'Failed', reason: 'UnexpectedlyReachable' }]);
      expect(conclusion.repeatAt).toBe(54_001);
    });

    it('is probed again at once by pods that stand, where fresh pods are open for a while', () => {
      const fresh = concludedStatus(test, connected, circumstances({ freshPodDelayMs: 1000 }));
      expect(fresh.status.expectations).toMatchObject([{ reason: 'EnforcementDelayed' }]);
      expect(fresh.repeatAt).toBe(50_001);

      const stood = concludedStatus(test, { ...connected, delaySeconds: 2 }, circumstances({ freshPodDelayMs: 1000 }));
      expect(stood.status.expectations).toMatchObject([{ reason: 'UnexpectedlyReachable' }]);
      expect(stood.repeatAt).toBeUndefined();
    });

    it('is looked for at what the check depends on', () => {
      const asked: string[] = [];
      const latest = (subjects: readonly string[]): undefined => void asked.push(...subjects);

      concludedStatus(test, connected, circumstances({ changes: { latest } }));

      expect(new Set(asked)).toEqual(new Set(['policies/', 'policies/shop', 'namespaces/shop', 'pods/uid-db-0']));
    });

    it('is nothing to a Deny that was denied', () => {
      const conclusion = concludedStatus(test, runOf(), circumstances(changedAt(49_000)));

      expect(conclusion.status.verdict).toBe('Passed');
      expect(conclusion.repeatAt).toBeUndefined();
    });
  });

  it.each<[string, string | undefined, string | undefined, string | undefined]>([
    ['echoes a request', 'now', undefined, 'now'],
    ['echoes a newer request', 'now', 'before', 'now'],
    ['keeps the echo of an older request', undefined, 'before', 'before'],
  ])('%s', (_, runRequest, handled, echo) => {
    const { status } = concludedStatus(
      { ...test, status: handled === undefined ? {} : { lastHandledRunRequest: handled } },
      runOf(runRequest === undefined ? {} : { runRequest }),
      circumstances(),
    );

    expect(status.lastHandledRunRequest).toBe(echo);
  });

  it('decides nothing for probes that have not reported', () => {
    const run = runOf();
    for (const probe of run.probes) delete probe.report;

    expect(concludedStatus(test, run, circumstances()).status.expectations).toMatchObject([
      { verdict: 'Inconclusive', reason: 'ProbeLost' },
    ]);
  });
});

describe('what Postern saw from its own namespace', () => {
  const outside = testOf([
    expectationOf({
      name: 'web-not-out',
      from: { pods: { matchLabels: { app: 'web' } } },
      to: { host: 'db.example', port: 5432 },
      expect: 'Deny',
    }),
  ]);
  const outsidePlan = planFor(outside, viewOf({ pods }), { place: { namespace: 'postern' } });
  const connection: Observation = { ...silence, outcome: 'Connected', firstOutcome: 'Connected' };

  it.each([
    ['is a control outside the cluster', '203.0.113.7', 'Passed', 'Denied'],
    // The name led to the database's own address.
    ['is told to nobody inside', '10.0.0.1', 'Inconclusive', 'NoTargetControl'],
  ])('%s', (_, address, verdict, reason) => {
    const run = runOf({
      plan: outsidePlan,
      probes: outsidePlan.assignments.map((assignment) => ({
        name: 'p',
        namespace: assignment.identity.namespace,
        nonce: 'n',
        assignment,
        seen: true,
        report: {
          checks: assignment.checks,
          observations: new Map(
            assignment.checks.map(({ id, mode }) => [id, { ...(mode === 'converge' ? connection : silence), address }]),
          ),
          resolverAnswered: true,
        },
      })),
    });
    const [row] = concludedStatus(outside, run, circumstances()).status.expectations ?? [];

    expect(row).toMatchObject({ verdict, reason });
    if (verdict === 'Passed') {
      expect(row?.control).toBe("a probe pod in Postern's own namespace connected to it in the same run");
    }
  });
});
