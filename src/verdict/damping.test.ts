import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ExpectationStatus, type Expected, type Verdict, verdicts } from '../api/index.ts';
import type { Row } from './conclude.ts';
import { damped, observedVerdict } from './damping.ts';

const since = '2026-01-01T00:00:00Z';

function row(expect: Expected, verdict: Verdict): Row {
  return { name: 'a', expect, verdict, reason: 'Blocked', message: `it ${verdict}` };
}

/** The rows that are shown after each of these verdicts, as `shown` or `shown (observed runs/needed)`. */
function shown(expect: Expected, seen: readonly Verdict[], thresholds = { failures: 3, passes: 2 }): readonly string[] {
  let before: ExpectationStatus | undefined;
  return seen.map((verdict) => {
    const { observed, ...now } = damped(row(expect, verdict), before, thresholds);
    before = { ...now, since, ...(observed === undefined ? {} : { observed }) };
    return observed === undefined
      ? now.verdict
      : `${now.verdict} (${observed.verdict} ${observed.runs}/${observed.needed})`;
  });
}

describe('thresholds', () => {
  it('keep a flapping Allow quiet, and show what they keep', () => {
    expect(
      shown('Allow', ['Passed', 'Failed', 'Passed', 'Failed', 'Inconclusive', 'Failed', 'Passed', 'Passed']),
    ).toEqual([
      'Passed',
      'Passed (Failed 1/3)',
      'Passed',
      'Passed (Failed 1/3)',
      'Passed (Inconclusive 2/3)',
      'Failed',
      'Failed (Passed 1/2)',
      'Passed',
    ]);
  });

  it('show a hole at once, and its end when it has lasted', () => {
    expect(shown('Deny', ['Passed', 'Failed', 'Passed', 'Failed', 'Passed', 'Passed', 'Inconclusive'])).toEqual([
      'Passed',
      'Failed',
      'Failed (Passed 1/2)',
      'Failed',
      'Failed (Passed 1/2)',
      'Passed',
      'Inconclusive',
    ]);
  });

  it.each<[string, Partial<Row>]>([
    ['connected', { verdict: 'Failed', reason: 'UnexpectedlyReachable' }],
    ['reached a closed port', { verdict: 'Failed', reason: 'ReachedClosedPort' }],
    ['was reset after it had reached its target', { verdict: 'Failed', reason: 'ReachedThenReset' }],
    ['is excused for now', { verdict: 'Inconclusive', reason: 'EnforcementDelayed', excusedRuns: 1 }],
  ])('show at once that what an Allow of a block excepts %s', (_, hole) => {
    const open: Row = { ...row('Allow', 'Failed'), ...hole };

    expect(damped(open, { ...row('Allow', 'Passed'), since }, { failures: 3, passes: 1 })).toEqual(open);
  });

  it('let nothing stand that the test may no longer look at', () => {
    const before = { ...row('Allow', 'Passed'), since };
    const refused: Row = { ...row('Allow', 'Inconclusive'), reason: 'NotGranted' };

    expect(damped(refused, before, { failures: 3, passes: 3 })).toEqual(refused);
  });

  it('say nothing about a first verdict, and nothing without being written', () => {
    expect(shown('Allow', ['Failed'])).toEqual(['Failed']);
    expect(shown('Allow', ['Skipped', 'Failed', 'Inconclusive'])).toEqual(['Skipped', 'Failed', 'Inconclusive']);
    expect(damped(row('Allow', 'Failed'), { ...row('Allow', 'Passed'), since }, undefined)).toEqual(
      row('Allow', 'Failed'),
    );
  });

  it('leave the row as it was shown, with what was seen beside it', () => {
    const before = { ...row('Allow', 'Passed'), since, command: 'nc' };

    const after = damped(row('Allow', 'Failed'), before, { failures: 2 });

    expect(after).toEqual({
      ...row('Allow', 'Passed'),
      command: 'nc',
      observed: { verdict: 'Failed', reason: 'Blocked', message: 'it Failed', runs: 1, needed: 2 },
    });
    expect(observedVerdict(after)).toBe('Failed');
    expect(observedVerdict(before)).toBe('Passed');
  });

  it('whatever they are, never let a Deny look better than it was seen, nor hide anything for longer than they say', () => {
    const threshold = fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined });
    const history = fc.array(fc.constantFrom(...verdicts), { maxLength: 20 });
    fc.assert(
      fc.property(
        fc.constantFrom('Allow', 'Deny'),
        threshold,
        threshold,
        history,
        (expected, failures, passes, seen) => {
          const thresholds = { ...(failures && { failures }), ...(passes && { passes }) };
          let before: ExpectationStatus | undefined;
          let hidden = 0;
          for (const verdict of seen) {
            const after = damped(row(expected, verdict), before, thresholds);
            hidden = after.verdict === verdict ? 0 : hidden + 1;

            expect(observedVerdict(after)).toBe(verdict);
            expect(hidden).toBeLessThan(Math.max(failures ?? 1, passes ?? 1));
            if (expected === 'Deny' && after.verdict === 'Passed') expect(verdict).toBe('Passed');
            before = { ...after, since };
          }
        },
      ),
    );
  });
});
