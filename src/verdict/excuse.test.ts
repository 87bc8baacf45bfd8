import { describe, expect, it } from 'vitest';
import type { ExpectationStatus } from '../api/index.ts';
import { expectationOf, testOf } from '../testing/cluster-view.ts';
import { excusedUntil, isExcusable, isExhausted, isFresh } from './excuse.ts';

const row = (parts: Partial<ExpectationStatus> = {}): ExpectationStatus => ({
  name: 'web-not-db',
  expect: 'Deny',
  verdict: 'Passed',
  reason: 'Denied',
  message: '',
  since: '2026-01-01T00:00:00Z',
  ...parts,
});

describe('a connection of a Deny', () => {
  it.each<[string, Partial<ExpectationStatus> | undefined, boolean]>([
    ['may be excused the first time', undefined, true],
    ['may be excused after a pass', {}, true],
    ['may be excused a third time', { verdict: 'Inconclusive', reason: 'EnforcementDelayed', excusedRuns: 2 }, true],
    ['is not excused a fourth time', { verdict: 'Inconclusive', reason: 'EnforcementDelayed', excusedRuns: 3 }, false],
    ['is not excused where it had failed', { verdict: 'Failed', reason: 'UnexpectedlyReachable' }, false],
  ])('%s', (_, previous, isExcused) => {
    const test = testOf([expectationOf()]);

    expect(isExcusable(test, previous && row(previous))).toBe(isExcused);
  });

  it('is never excused in the strict mode', () => {
    const strict = testOf([expectationOf()], { spec: { enforcementGraceSeconds: 0 } });

    expect(isExcusable(strict, undefined)).toBe(false);
    expect(excusedUntil({ begunAt: 1000, delayMs: 0, elapsedMs: 0 }, 1000, 0)).toBeUndefined();
  });

  it('is past all excuses after three runs', () => {
    expect([2, 3].map((excusedRuns) => isExhausted(row({ excusedRuns })))).toEqual([false, true]);
    expect(isExhausted(undefined)).toBe(false);
  });

  it.each<[string, number | undefined, Partial<Parameters<typeof excusedUntil>[0]>, number | undefined]>([
    ['without any change', undefined, {}, undefined],
    ['at the last moment', 5000, {}, 10_000],
    ['a moment too late', 4999, {}, undefined],
    ['of a probe that stood for too long', 5000, { delayMs: 1 }, undefined],
    ['that came too late in the probe', 5000, { elapsedMs: 10 }, undefined],
    ['before the change was observed', 20_000, {}, 25_000],
  ])('is excused for five seconds: %s', (_, changedAt, parts, until) => {
    expect(excusedUntil({ begunAt: 10_000, delayMs: 0, elapsedMs: 0, ...parts }, changedAt, 5000)).toBe(until);
  });

  it.each<[string, number, number, number, boolean]>([
    ['where fresh pods are never open', 0, 0, 0, false],
    ['as early as fresh pods are open', 0, 1200, 1200, true],
    ['later than fresh pods are open', 0, 1210, 1200, false],
    ['after it stood for longer', 3000, 0, 1200, false],
  ])('%s', (_, delayMs, elapsedMs, measuredMs, isExcused) => {
    expect(isFresh({ begunAt: 0, delayMs, elapsedMs }, measuredMs)).toBe(isExcused);
  });
});
