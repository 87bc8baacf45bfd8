import { describe, expect, it } from 'vitest';
import { type Finding, complaintsAbout, isCaught, totalsOf } from './table.ts';

const trap = {
  name: 'nothing listens',
  guard: { file: 'a.ts', search: 'guard', replace: '' },
  right: 'Inconclusive NoTargetControl',
  wrong: 'Passed Denied',
  spring: () => Promise.resolve(''),
};
const finding = (parts: Partial<Finding>): Finding => ({
  trap,
  family: 'target',
  presumes: 'silence',
  isAtHome: true,
  withGuard: trap.right,
  withoutGuard: trap.wrong,
  ...parts,
});

describe('a trap', () => {
  it.each<[string, Partial<Finding>, boolean]>([
    ['that the guard alone keeps from a wrong verdict is caught', {}, true],
    ['whose wrong verdict appears in spite of the guard is not', { withGuard: trap.wrong }, false],
    ['that shows nothing without the guard is not', { withoutGuard: trap.right }, false],
    ['that saw something else with the guard is not', { withGuard: 'Inconclusive ProbeLost' }, false],
  ])('%s', (_, parts, isOk) => {
    expect(isCaught(finding(parts))).toBe(isOk);
    expect(complaintsAbout(finding(parts)).length === 0).toBe(isOk);
  });

  it.each<[string, boolean]>([
    ['Inconclusive PolicyNotEnforced', true],
    ['Failed UnexpectedlyReachable', true],
    ['Passed Denied', false],
    ['Passed Reachable', false],
    ['error: waited in vain', false],
    ['nothing', false],
  ])('in a cluster that it does not presume must have a verdict and no wrong pass: %s', (withGuard, isOk) => {
    const { withoutGuard: _, ...foreign } = finding({ isAtHome: false, withGuard });
    expect(isCaught(foreign)).toBe(isOk);
    expect(complaintsAbout(foreign).length === 0).toBe(isOk);
  });

  it('is counted as a wrong pass wherever it passes wrongly', () => {
    const findings = [finding({}), finding({ withGuard: 'Passed Denied' }), finding({ withGuard: 'Failed Blocked' })];
    expect(totalsOf(findings)).toContain('wrong passes with the guard: 1');
  });
});
