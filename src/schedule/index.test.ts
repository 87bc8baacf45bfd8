import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConnectivityTest, Status, Trigger } from '../api/index.ts';
import { expectationOf, type TestParts, testOf } from '../testing/cluster-view.ts';
import { harmful, hostileText } from '../testing/hostile-text.ts';
import { dueFor, isStale, type Occasion, runRequestOf } from './index.ts';

const completed = Date.UTC(2026, 0, 1);
const at = (seconds: number): number => completed + 1000 * seconds;

interface StatusParts {
  readonly generation?: number;
  readonly reason?: string;
  readonly handled?: string;
  readonly trigger?: Trigger;
  readonly brokenRuns?: number;
}

function statusOf(parts: StatusParts = {}): Status {
  return {
    ...(parts.handled === undefined ? {} : { lastHandledRunRequest: parts.handled }),
    lastRun: {
      id: 'x',
      trigger: parts.trigger ?? 'Period',
      ...(parts.brokenRuns === undefined ? {} : { brokenRuns: parts.brokenRuns }),
      startTime: new Date(at(-5)).toISOString(),
      completionTime: new Date(completed).toISOString(),
      probePods: 1,
      apiRequests: 4,
      fingerprint: 'same',
    },
    conditions: [
      {
        type: 'Passed',
        status: 'True',
        reason: parts.reason ?? 'AllPassed',
        message: 'x',
        observedGeneration: parts.generation ?? 1,
        lastTransitionTime: new Date(completed).toISOString(),
      },
    ],
  };
}

function test(parts: TestParts = {}): ConnectivityTest {
  return testOf([expectationOf()], { status: statusOf(), ...parts });
}

function requested(value: string): Readonly<Record<string, string>> {
  return { 'postern.dev/run-requested-at': value };
}

function occasion(parts: Partial<Occasion> = {}): Occasion {
  const { now = at(10) } = parts;
  return {
    test: test(),
    fingerprint: 'same',
    noticed: { current: completed, first: completed },
    now,
    monotonic: now,
    ...parts,
  };
}

describe('a test', () => {
  it.each<[string, Partial<Occasion>, ReturnType<typeof dueFor>]>([
    ['that never ran is due', { test: test({ status: undefined }) }, { trigger: 'Spec' }],
    ['that was accepted but never ran is due', { test: test({ status: {} }) }, { trigger: 'Spec' }],
    ['with a new spec is due', { test: test({ generation: 2 }) }, { trigger: 'Spec' }],
    [
      'whose first run was cut short is due',
      { test: test({ status: statusOf({ reason: 'NoResultYet' }) }) },
      { trigger: 'Spec' },
    ],
    ['that was suspended is due', { test: test({ status: statusOf({ reason: 'Suspended' }) }) }, { trigger: 'Spec' }],
    ['is due after its period', { now: at(300) }, { trigger: 'Period' }],
    ['is due after a period of its own', { test: test({ spec: { periodSeconds: 10 } }) }, { trigger: 'Period' }],
    ['waits out its period', { now: at(299) }, { waitMs: 1000 }],
    ['is due on request', { test: test({ annotations: requested('now') }) }, { trigger: 'Request' }],
    ['is due on an empty request', { test: test({ annotations: requested('') }) }, { trigger: 'Request' }],
    [
      'is not due on a request that was handled',
      { test: test({ annotations: requested('now'), status: statusOf({ handled: 'now' }) }) },
      { waitMs: 290_000 },
    ],
    [
      'is due on a newer request',
      { test: test({ annotations: requested('again'), status: statusOf({ handled: 'now' }) }) },
      { trigger: 'Request' },
    ],
    [
      'is not due on a handled request that the status could not echo in full',
      { test: test({ annotations: requested('x'.repeat(99)), status: statusOf({ handled: 'x'.repeat(64) }) }) },
      { waitMs: 290_000 },
    ],
    [
      'with a new spec and a request is due for its spec, so that old results are not shown for the new one',
      { test: test({ generation: 2, annotations: requested('now') }) },
      { trigger: 'Spec' },
    ],
    [
      'waits until a change has stood for a second',
      { fingerprint: 'new', noticed: { current: at(9.5), first: at(9.5) } },
      { waitMs: 500 },
    ],
    [
      'is due when a change has stood for a second',
      { fingerprint: 'new', noticed: { current: at(9), first: at(9) } },
      { trigger: 'Change' },
    ],
    [
      'is due when changes have not ceased for five seconds',
      { fingerprint: 'new', noticed: { current: at(10), first: at(5) } },
      { trigger: 'Change' },
    ],
    [
      'waits no longer for changes to cease than five seconds',
      { fingerprint: 'new', noticed: { current: at(10), first: at(5.2) } },
      { waitMs: 200 },
    ],
    [
      'is due by its period even while changes go on',
      { fingerprint: 'new', noticed: { current: at(300), first: at(300) }, now: at(300) },
      { trigger: 'Period' },
    ],
    [
      'is due when its last run ended in the future: somebody set the clock back, and its age is unknown',
      { now: at(-1) },
      { trigger: 'Period' },
    ],
    [
      'waits for a change to have stood by the time that passed, whatever the clock was set to',
      { fingerprint: 'new', now: at(100), monotonic: 5000, noticed: { current: 4600, first: 4600 } },
      { waitMs: 600 },
    ],
    [
      'is looked at again some time after a change made it run: that may not have taken effect',
      { test: test({ status: statusOf({ trigger: 'Change' }) }), now: at(15) },
      { trigger: 'Confirmation' },
    ],
    [
      'waits until a change must have taken effect',
      { test: test({ status: statusOf({ trigger: 'Change' }) }), now: at(14) },
      { waitMs: 1000 },
    ],
    [
      'needs no second look where its period is as short',
      { test: test({ spec: { periodSeconds: 15 }, status: statusOf({ trigger: 'Change' }) }), now: at(15) },
      { trigger: 'Period' },
    ],
    [
      'waits out its period after the second look',
      { test: test({ status: statusOf({ trigger: 'Confirmation' }) }), now: at(15) },
      { waitMs: 285_000 },
    ],
    ...(
      [
        [1, 15],
        [2, 30],
        [3, 60],
        [5, 240],
      ] as const
    ).flatMap(([brokenRuns, seconds]): [string, Partial<Occasion>, ReturnType<typeof dueFor>][] => [
      [
        `is tried again ${seconds} s after ${brokenRuns} runs whose probe pods said nothing`,
        { test: test({ status: statusOf({ brokenRuns }) }), now: at(seconds) },
        { trigger: 'Retry' },
      ],
      [
        `is not tried again any sooner after ${brokenRuns} such runs`,
        { test: test({ status: statusOf({ brokenRuns }) }), now: at(seconds - 1) },
        { waitMs: 1000 },
      ],
    ]),
    [
      'waits out its period where another try would come later than that',
      { test: test({ status: statusOf({ brokenRuns: 6 }) }), now: at(299) },
      { waitMs: 1000 },
    ],
    [
      'is tried again, which is as good as a second look, where a change made a run whose probe pods said nothing',
      { test: test({ status: statusOf({ brokenRuns: 1, trigger: 'Change' }) }), now: at(15) },
      { trigger: 'Retry' },
    ],
    [
      'is still looked at again after a change where another try would come later than its period',
      {
        test: test({ spec: { periodSeconds: 20 }, status: statusOf({ brokenRuns: 2, trigger: 'Change' }) }),
        now: at(15),
      },
      { trigger: 'Confirmation' },
    ],
    ['is not due when a change was taken back', { noticed: { current: at(9), first: at(5) } }, { waitMs: 290_000 }],
  ])('%s', (_, parts, due) => {
    expect(dueFor(occasion(parts))).toEqual(due);
  });

  it('is due when it was told to wait and has waited, and not before', () => {
    const time = fc.integer({ min: 0, max: 400_000 });
    fc.assert(
      fc.property(time, time, time, fc.boolean(), (passed, first, current, isChanged) => {
        const parts = {
          fingerprint: isChanged ? 'new' : 'same',
          noticed: { first: completed + Math.min(first, current), current: completed + current },
        };
        const due = dueFor(occasion({ ...parts, now: completed + passed }));
        fc.pre('waitMs' in due);

        expect(due.waitMs).toBeGreaterThan(0);
        expect(dueFor(occasion({ ...parts, now: completed + passed + due.waitMs - 1 }))).toEqual({ waitMs: 1 });
        expect(dueFor(occasion({ ...parts, now: completed + passed + due.waitMs }))).toHaveProperty('trigger');
      }),
    );
  });
});

describe('runRequestOf', () => {
  it.each<[string, string | undefined, string | undefined]>([
    ['nothing of an object without one', undefined, undefined],
    ['a time as it is', '2026-01-01T00:00:00+01:00', '2026-01-01T00:00:00+01:00'],
    ['as much as the status may hold', 'x'.repeat(99), 'x'.repeat(64)],
    ['whole characters only', `${'x'.repeat(63)}🙂🙂`, `${'x'.repeat(63)}🙂`],
    ['no control characters', '\u001b[2Jnow\u202e\n', 'now'],
  ])('says %s', (_, value, want) => {
    expect(runRequestOf(test({ annotations: value === undefined ? {} : requested(value) }))).toBe(want);
  });

  it('knows its own echo, whatever was asked', () => {
    fc.assert(
      fc.property(hostileText, (value) => {
        const request = runRequestOf(test({ annotations: requested(value) })) ?? '';
        // As the API server keeps what it is sent.
        const echo: unknown = JSON.parse(Buffer.from(JSON.stringify(request).toWellFormed()).toString());

        expect(runRequestOf(test({ annotations: requested(String(echo)) }))).toBe(request);
        expect([...request].length).toBeLessThanOrEqual(64);
        expect(request).not.toMatch(harmful);
      }),
    );
  });
});

describe('verdicts', () => {
  it.each<[string, number, TestParts, boolean]>([
    ['hold while a second run may still come', 659, {}, false],
    ['are stale when it has not', 660, {}, true],
    ['of a short period are stale sooner', 80, { spec: { periodSeconds: 10 } }, true],
    ['of an older spec are awaited anew', 9999, { generation: 2 }, false],
    ['of a suspended test are not shown at all', 9999, { status: statusOf({ reason: 'Suspended' }) }, false],
    ['that never were cannot grow old', 9999, { status: {} }, false],
  ])('%s', (_, seconds, parts, isOld) => {
    expect(isStale({ test: test(parts), now: at(seconds) })).toBe(isOld);
  });
});

describe('what connected too close to a change', () => {
  it.each<[string, Partial<Occasion>, ReturnType<typeof dueFor>]>([
    ['is due when the change is old enough', { repeatInMs: 0 }, { trigger: 'Change' }],
    ['waits until then', { repeatInMs: 2500 }, { waitMs: 2500 }],
    ['does not wait longer than for the period', { repeatInMs: 900_000 }, { waitMs: 290_000 }],
    [
      'does not put off a run on a change',
      { repeatInMs: 4000, fingerprint: 'new', noticed: { current: at(10), first: at(10) } },
      { waitMs: 1000 },
    ],
  ])('%s', (_, parts, due) => {
    expect(dueFor(occasion(parts))).toEqual(due);
  });
});
