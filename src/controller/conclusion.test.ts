import { describe, expect, it } from 'vitest';
import { type Plan, planFor } from '../plan/index.ts';
import type { Observation } from '../probe/index.ts';
import type { Run } from '../runner/index.ts';
import { expectationOf, podOf, testOf, viewOf } from '../testing/cluster-view.ts';
import type { Denials } from '../verdict/index.ts';
import { type Circumstances, concludedStatus, readySince } from './conclusion.ts';

const now = Date.UTC(2026, 0, 1);
const db = podOf('db-0', {
  labels: { app: 'db' },
  spec: { containers: [{ name: 'db', readinessProbe: { tcpSocket: { port: 5432 } } }] },
});
const pods = [podOf('web', { labels: { app: 'web' } }), db];
const test = testOf([
  expectationOf({
    name: 'web-not-db',
    from: { pods: { matchLabels: { app: 'web' } } },
    to: { pods: { matchLabels: { app: 'db' } }, port: 5432 },
    expect: 'Deny',
  }),
]);
const plan: Plan = planFor(test, viewOf({ pods }));

const silence: Observation = {
  outcome: 'TimedOut',
  stage: 'connect',
  firstOutcome: 'TimedOut',
  attempts: 2,
  elapsedMs: 4010,
};

function runOf(parts: Partial<Run> = {}, observation: Observation = silence): Run {
  return {
    id: 'r',
    trigger: 'Change',
    generation: 1,
    fingerprint: 'f',
    plan,
    readySince: readySince(plan, viewOf({ pods })),
    startedAt: now - 6000,
    deadline: now,
    probes: plan.assignments.map((assignment) => ({
      name: 'p',
      namespace: 'shop',
      nonce: 'n',
      assignment,
      seen: true,
      report: {
        checks: assignment.checks,
        observations: new Map(assignment.checks.map(({ id }) => [id, observation])),
        resolverAnswered: true,
      },
    })),
    apiRequests: 3,
    ...parts,
  };
}

const drop: Denials = { TCP: { ingress: 'TimedOut', egress: 'TimedOut' } };

function circumstances(parts: Partial<Circumstances> = {}): Circumstances {
  return { isDisturbed: false, disturbedRuns: 0, caches: viewOf({ pods }), denials: drop, now, ...parts };
}

describe('concludedStatus', () => {
  it('judges the run and says what it cost, its own write included', () => {
    const status = concludedStatus(test, runOf(), circumstances());

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
    const status = concludedStatus(test, runOf(), circumstances({ caches: viewOf({ pods: left }) }));

    expect(status.expectations).toMatchObject([{ verdict: 'Inconclusive', reason: 'TargetChanged' }]);
  });

  it('believes no target that was not ready in between', () => {
    const run = runOf();
    const unready = new Map([...run.readySince].map(([uid]) => [uid, '2025-12-31T00:00:00Z']));

    const status = concludedStatus(test, { ...run, readySince: unready }, circumstances());

    expect(status.expectations).toMatchObject([{ verdict: 'Inconclusive', reason: 'TargetChanged' }]);
  });

  it.each<[number, string]>([
    [1, 'EnforcementDelayed'],
    [2, 'EnforcementDelayed'],
    [3, 'UnexpectedlyReachable'],
  ])('excuses a connection during a change, but not for ever: run %i', (disturbedRuns, reason) => {
    const connected = runOf({}, { ...silence, outcome: 'Connected' });

    const status = concludedStatus(test, connected, circumstances({ isDisturbed: true, disturbedRuns }));

    expect(status.expectations).toMatchObject([{ reason }]);
  });

  it.each<[string, string | undefined, string | undefined, string | undefined]>([
    ['echoes a request', 'now', undefined, 'now'],
    ['echoes a newer request', 'now', 'before', 'now'],
    ['keeps the echo of an older request', undefined, 'before', 'before'],
    ['echoes no more than the status may hold', 'x'.repeat(99), undefined, 'x'.repeat(64)],
  ])('%s', (_, runRequest, handled, echo) => {
    const status = concludedStatus(
      { ...test, status: handled === undefined ? {} : { lastHandledRunRequest: handled } },
      runOf(runRequest === undefined ? {} : { runRequest }),
      circumstances(),
    );

    expect(status.lastHandledRunRequest).toBe(echo);
  });

  it('decides nothing for probes that have not reported', () => {
    const run = runOf();
    for (const probe of run.probes) delete probe.report;

    expect(concludedStatus(test, run, circumstances()).expectations).toMatchObject([
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
  const outsidePlan = planFor(outside, viewOf({ pods }), { namespace: 'postern' });
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
    const [row] =
      concludedStatus(outside, run, {
        isDisturbed: false,
        disturbedRuns: 0,
        caches: viewOf({ pods }),
        denials: drop,
        now,
      }).expectations ?? [];

    expect(row).toMatchObject({ verdict, reason });
    if (verdict === 'Passed') {
      expect(row?.control).toBe("a probe pod in Postern's own namespace connected to it in the same run");
    }
  });
});
