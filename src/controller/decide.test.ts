import { describe, expect, it } from 'vitest';
import { planFor } from '../plan/index.ts';
import type { Probe, Run } from '../runner/index.ts';
import { expectationOf, podOf, testOf, viewOf } from '../testing/cluster-view.ts';
import { decide, type Situation, type Step } from './decide.ts';

const now = Date.UTC(2026, 0, 1);
const test = testOf([expectationOf({ from: { pods: {} }, to: { ip: '10.1.2.3', port: 1 } })]);
const plan = planFor(test, viewOf({ pods: [podOf('web')] }));

function run(parts: { generation?: number; reported?: boolean; deadline?: number; fingerprint?: string } = {}): Run {
  const { generation = 1, reported = false, deadline = now + 9000, fingerprint = 'f' } = parts;
  const probes = plan.assignments.map((assignment): Probe => {
    const report = { checks: assignment.checks, observations: new Map(), resolverAnswered: false };
    const probe = { name: 'p', namespace: 'shop', nonce: 'n', assignment, seen: false };
    return reported ? { ...probe, report } : probe;
  });
  return {
    id: 'r',
    trigger: 'Spec',
    generation,
    fingerprint,
    plan,
    readySince: new Map(),
    startedAt: now,
    begunAt: 0,
    delaySeconds: 0,
    deadline,
    probes,
    apiRequests: 0,
  };
}

function situation(parts: Partial<Situation> = {}): Situation {
  return {
    test,
    fingerprint: 'f',
    noticed: { current: now, first: now },
    run: undefined,
    disturbedRuns: 0,
    repeatInMs: undefined,
    isRevoked: false,
    isRefusalUnsaid: false,
    holdMs: 0,
    proofsWaitMs: 0,
    now,
    monotonic: now,
    ...parts,
  };
}

const suspended = testOf([expectationOf()], { spec: { suspend: true } });
const rested = testOf([expectationOf()], {
  status: {
    lastRun: {
      id: 'x',
      trigger: 'Spec',
      startTime: new Date(now).toISOString(),
      completionTime: new Date(now).toISOString(),
      probePods: 1,
      apiRequests: 1,
      fingerprint: 'f',
    },
    conditions: [
      {
        type: 'Passed',
        status: 'True',
        reason: 'AllPassed',
        message: '',
        observedGeneration: 1,
        lastTransitionTime: new Date(now).toISOString(),
      },
    ],
  },
});

const stale = {
  ...rested,
  status: {
    ...rested.status,
    conditions: (rested.status?.conditions ?? []).map((each) => ({ ...each, reason: 'Stale' })),
  },
};
const strict = testOf([expectationOf()], { spec: { enforcementGraceSeconds: 0 } });

describe('decide', () => {
  it.each<[string, Partial<Situation>, Step]>([
    ['starts what is due', {}, { kind: 'start', trigger: 'Spec' }],
    ['rests until something is due', { test: rested }, { kind: 'rest', waitMs: 300_000 }],
    ['suspends what has no run', { test: suspended }, { kind: 'suspend' }],
    ['ends the run of what is suspended', { test: suspended, run: run() }, { kind: 'discard', why: 'suspended' }],
    [
      'ends even a complete run of what is suspended',
      { test: suspended, run: run({ reported: true }) },
      { kind: 'discard', why: 'suspended' },
    ],
    [
      'ends a run that a newer spec overtook',
      { run: run({ generation: 0 }) },
      { kind: 'discard', why: 'a newer spec overtook the run' },
    ],
    [
      'ends even a complete run that a newer spec overtook',
      { run: run({ generation: 0, reported: true }) },
      { kind: 'discard', why: 'a newer spec overtook the run' },
    ],
    ['awaits a run until its deadline', { run: run() }, { kind: 'await', waitMs: 9000 }],
    ['looks at once at an overdue run', { run: run({ deadline: now - 1 }) }, { kind: 'await', waitMs: 0 }],
    ['concludes a complete run', { run: run({ reported: true }) }, { kind: 'conclude' }],
    [
      'discards a complete run that a change overtook',
      { run: run({ reported: true }), fingerprint: 'new' },
      { kind: 'discard', why: 'the cluster changed during the run' },
    ],
    [
      'concludes the second such run in a row',
      { run: run({ reported: true }), fingerprint: 'new', disturbedRuns: 1 },
      { kind: 'conclude' },
    ],
    [
      'starts no second run while one is under way',
      { run: run(), fingerprint: 'new' },
      { kind: 'await', waitMs: 9000 },
    ],
    [
      'does not throw away in the strict mode what may have connected',
      { test: strict, run: run({ reported: true }), fingerprint: 'new' },
      { kind: 'conclude' },
    ],
    [
      'probes again what connected too close to a change',
      { test: rested, repeatInMs: 0 },
      { kind: 'start', trigger: 'Change' },
    ],
    ['waits until the change is old enough', { test: rested, repeatInMs: 1200 }, { kind: 'rest', waitMs: 1200 }],
    ['says that verdicts are too old', { test: rested, now: now + 660_000 }, { kind: 'expire' }],
    [
      'says so though a run is under way',
      { test: rested, now: now + 660_000, run: run({ deadline: now + 700_000 }) },
      { kind: 'expire' },
    ],
    ['says so once', { test: stale, now: now + 660_000 }, { kind: 'start', trigger: 'Period' }],
    [
      'ends a run that is no longer granted what it uses',
      { run: run(), isRevoked: true, isRefusalUnsaid: true },
      { kind: 'discard', why: 'it is no longer granted what it uses' },
    ],
    [
      'lets a complete run wait for proofs from elsewhere',
      { run: run({ reported: true }), proofsWaitMs: 700 },
      { kind: 'await', waitMs: 700 },
    ],
    [
      'discards what a change overtook without waiting for proofs',
      { run: run({ reported: true }), fingerprint: 'new', proofsWaitMs: 700 },
      { kind: 'discard', why: 'the cluster changed during the run' },
    ],
    [
      'ends even a complete run that is no longer granted what it uses',
      { run: run({ reported: true }), isRevoked: true },
      { kind: 'discard', why: 'it is no longer granted what it uses' },
    ],
    ['says what is refused before it rests', { test: rested, isRefusalUnsaid: true }, { kind: 'refuse' }],
    ['says what is refused though nothing may run yet', { isRefusalUnsaid: true, holdMs: 500 }, { kind: 'refuse' }],
    ['lets a run that may go on end first', { run: run(), isRefusalUnsaid: true }, { kind: 'await', waitMs: 9000 }],
    ['waits for the first calibration', { holdMs: 500 }, { kind: 'rest', waitMs: 500 }],
    ['concludes a run whatever is calibrated', { holdMs: 500, run: run({ reported: true }) }, { kind: 'conclude' }],
  ])('%s', (_, parts, step) => {
    expect(decide(situation(parts))).toEqual(step);
  });
});
