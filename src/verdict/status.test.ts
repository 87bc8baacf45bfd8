import { describe, expect, it } from 'vitest';
import type { LastRun, Status, Verdict } from '../api/index.ts';
import { expectationOf, testOf } from '../testing/cluster-view.ts';
import { type Row, skippedRows } from './conclude.ts';
import { statusAfterRun, statusPending, statusStale, statusSuspended } from './status.ts';

const now = '2026-01-02T00:00:00.000Z';
const before = '2026-01-01T00:00:00.000Z';
const lastRun: LastRun = {
  id: 'abcd',
  trigger: 'Change',
  startTime: before,
  completionTime: now,
  probePods: 2,
  apiRequests: 6,
  fingerprint: 'f1',
};

function row(name: string, verdict: Verdict): Row {
  return { name, expect: 'Allow', verdict, reason: 'Reachable', message: `About ${name}.` };
}

it('puts what explains a failure behind what was seen, in the conditions', () => {
  const explanation = { agreement: 'Agrees', message: 'The policies deny it.' } as const;
  const failed = { ...row('a', 'Failed'), explanation };

  const status = statusAfterRun(testWith(), [failed, row('b', 'Passed')], lastRun, now, undefined);

  expect(status.conditions?.filter(({ type }) => type !== 'Accepted').map(({ message }) => message)).toEqual([
    'a: About a. The policies deny it.',
    'a: About a. The policies deny it.',
  ]);
  expect(status.expectations?.[0]).toMatchObject({ message: 'About a.', explanation });
});

function testWith(status?: Status) {
  return testOf([expectationOf({ name: 'a' }), expectationOf({ name: 'b' })], { generation: 3, status });
}

describe('statusAfterRun', () => {
  it('has everything that a finished run tells', () => {
    const status = statusAfterRun(testWith(), [row('a', 'Passed'), row('b', 'Passed')], lastRun, now, 'please');

    expect(status).toEqual({
      observedGeneration: 3,
      verdict: 'Passed',
      summary: { display: '2/2', total: 2, passed: 2, failed: 0, inconclusive: 0, skipped: 0 },
      lastRun,
      lastSuccessTime: now,
      lastHandledRunRequest: 'please',
      expectations: [
        { ...row('a', 'Passed'), since: now },
        { ...row('b', 'Passed'), since: now },
      ],
      conditions: [
        {
          type: 'Accepted',
          status: 'True',
          reason: 'Accepted',
          message: 'The test is valid and runs.',
          observedGeneration: 3,
          lastTransitionTime: now,
        },
        {
          type: 'Passed',
          status: 'True',
          reason: 'AllPassed',
          message: 'Every expectation passed.',
          observedGeneration: 3,
          lastTransitionTime: now,
        },
        {
          type: 'Ready',
          status: 'True',
          reason: 'AllPassed',
          message: 'Every expectation passed.',
          observedGeneration: 3,
          lastTransitionTime: now,
        },
      ],
      probeReplicas: 0,
    });
  });

  it.each<[readonly Verdict[], Verdict, string, string, string, string, string]>([
    [['Passed', 'Skipped'], 'Passed', '1/1', 'True', 'True', 'AllPassed', 'Every expectation passed.'],
    [['Passed', 'Failed'], 'Failed', '1/2', 'False', 'False', 'ExpectationsViolated', 'e1: About e1.'],
    [
      ['Inconclusive', 'Failed'],
      'Failed',
      '0/2',
      'False',
      'False',
      'ExpectationsViolated',
      'e1: About e1. Beside that, 1 proved nothing either way.',
    ],
    [['Passed', 'Inconclusive'], 'Inconclusive', '1/2', 'Unknown', 'False', 'Inconclusive', 'e1: About e1.'],
    [
      ['Failed', 'Failed'],
      'Failed',
      '0/2',
      'False',
      'False',
      'ExpectationsViolated',
      'e0: About e0. Also: e1 (see status.expectations).',
    ],
    [
      ['Skipped'],
      'Skipped',
      '0/0',
      'Unknown',
      'Unknown',
      'NothingCounts',
      'Every expectation is a dry run, so nothing counts. Set dryRun to false on those that should.',
    ],
    [
      Array.from({ length: 7 }, () => 'Failed' as const),
      'Failed',
      '0/7',
      'False',
      'False',
      'ExpectationsViolated',
      'e0: About e0. Also: e1, e2, e3, e4 and 2 more (see status.expectations).',
    ],
  ])('for %j is %s, %s, Passed %s, Ready %s', (verdicts, verdict, display, passed, ready, reason, message) => {
    const rows = verdicts.map((each, index) => row(`e${index}`, each));

    const status = statusAfterRun(testWith(), rows, lastRun, now, undefined);

    expect(status).toMatchObject({ verdict, summary: { display } });
    expect(status.conditions?.slice(1)).toMatchObject([
      { type: 'Passed', status: passed, reason, message },
      { type: 'Ready', status: ready, reason, message },
    ]);
    expect(status.lastSuccessTime).toBe(verdict === 'Passed' ? now : undefined);
    expect(status).not.toHaveProperty('lastHandledRunRequest');
  });

  it('remembers when it last passed and since when each verdict stands', () => {
    const previous = statusAfterRun(testWith(), [row('a', 'Passed'), row('b', 'Passed')], lastRun, before, undefined);

    const rows = [row('b', 'Passed'), row('a', 'Failed')];
    const status = statusAfterRun(testWith(previous), rows, lastRun, now, undefined);

    expect(status.lastSuccessTime).toBe(before);
    expect(status.expectations?.map(({ name, since }) => [name, since])).toEqual([
      ['b', before],
      ['a', now],
    ]);
  });

  it('forgets expectations that the spec no longer has', () => {
    const previous = statusAfterRun(testWith(), [row('gone', 'Failed')], lastRun, before, undefined);

    const status = statusAfterRun(testWith(previous), [row('a', 'Passed')], lastRun, now, undefined);

    expect(status.expectations?.map(({ name }) => name)).toEqual(['a']);
  });
});

describe('statusPending', () => {
  const waiting = { status: 'Unknown', reason: 'NoResultYet', observedGeneration: 3 };

  it('of a new test says that there is no result yet', () => {
    const status = statusPending(testWith(), now);

    expect(status).toMatchObject({
      observedGeneration: 3,
      conditions: [
        { type: 'Accepted', status: 'True' },
        { type: 'Passed', ...waiting },
        { type: 'Ready', ...waiting },
      ],
    });
    expect(status).not.toHaveProperty('verdict');
  });

  it('of a changed test leaves the old verdicts to the old spec', () => {
    const old = statusAfterRun(testWith(), [row('a', 'Passed')], lastRun, before, 'please');

    const status = statusPending(testWith({ ...old, observedGeneration: 2 }), now);

    expect(status).toMatchObject({
      observedGeneration: 2,
      verdict: 'Passed',
      lastHandledRunRequest: 'please',
      conditions: [
        { type: 'Accepted', lastTransitionTime: before },
        { type: 'Passed', ...waiting, lastTransitionTime: now },
        { type: 'Ready', ...waiting, lastTransitionTime: now },
      ],
    });
  });
});

describe('statusSuspended', () => {
  it('shows no old verdict as if it held', () => {
    const old = statusAfterRun(testWith(), [row('a', 'Passed'), row('b', 'Passed')], lastRun, before, undefined);
    const test = testWith(old);

    const status = statusSuspended(test, skippedRows(test, 'Suspended', 'x'), now);

    expect(status).toMatchObject({
      observedGeneration: 3,
      verdict: 'Skipped',
      summary: { display: '0/0', skipped: 2 },
      lastRun,
      lastSuccessTime: before,
      expectations: [
        { name: 'a', verdict: 'Skipped', since: now },
        { name: 'b', verdict: 'Skipped', since: now },
      ],
      conditions: [
        { type: 'Accepted', status: 'True' },
        { type: 'Passed', status: 'Unknown', reason: 'Suspended' },
        { type: 'Ready', status: 'Unknown', reason: 'Suspended' },
      ],
    });
  });
});

describe('statusStale', () => {
  it('shows that the verdicts are old, and keeps them', () => {
    const test = testWith();
    const passed = statusAfterRun(test, [row('a', 'Passed'), row('b', 'Passed')], lastRun, before, undefined);

    const status = statusStale({ ...test, status: passed }, now);

    expect(status).toMatchObject({ observedGeneration: 3, verdict: 'Inconclusive', lastRun });
    expect(status.expectations).toEqual(passed.expectations);
    expect(status.conditions?.slice(1)).toMatchObject([
      { type: 'Passed', status: 'Unknown', reason: 'Stale', lastTransitionTime: now },
      { type: 'Ready', status: 'Unknown', reason: 'Stale' },
    ]);
    expect(status.conditions?.[1]?.message).toContain('2026-01-02T00:00:00.000Z');
  });
});

describe('thresholds', () => {
  const damping = (status: Status | undefined, generation = 3) =>
    testOf([expectationOf({ name: 'a' }), expectationOf({ name: 'b' })], {
      generation,
      status,
      spec: { thresholds: { failures: 2 } },
    });
  const passed = statusAfterRun(
    damping(undefined),
    [row('a', 'Passed'), row('b', 'Passed')],
    lastRun,
    before,
    undefined,
  );
  const seen = [row('a', 'Passed'), row('b', 'Failed')];

  it('keep the verdict, name what they damp, and call nothing a success that was not seen', () => {
    const status = statusAfterRun(damping(passed), seen, lastRun, now, undefined);

    expect(status).toMatchObject({ verdict: 'Passed', summary: { display: '2/2' }, lastSuccessTime: before });
    expect(status.expectations?.[1]).toMatchObject({
      verdict: 'Passed',
      since: before,
      observed: { verdict: 'Failed' },
    });
    expect(status.conditions?.[1]?.message).toBe(
      'Every expectation passed. The newest runs saw something else, which spec.thresholds damps: b (see status.expectations.observed).',
    );
    expect(statusAfterRun(damping(status), seen, lastRun, now, undefined).verdict).toBe('Failed');
  });

  it('damp nothing that an older spec asked', () => {
    expect(statusAfterRun(damping(passed, 4), seen, lastRun, now, undefined).verdict).toBe('Failed');
  });
});
