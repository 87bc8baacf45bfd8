import { describe, expect, it } from 'vitest';
import { type Finding, complaintsAbout, isCaught, tableOf, totalsOf } from './table.ts';

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
  showing: { right: trap.right, wrong: trap.wrong },
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
  ])('whose right verdict is not known must have one, and no wrong pass: %s', (withGuard, isOk) => {
    const { withoutGuard: _, ...foreign } = finding({ showing: {}, withGuard });
    expect(isCaught(foreign)).toBe(isOk);
    expect(complaintsAbout(foreign).length === 0).toBe(isOk);
  });

  it.each<[string, boolean]>([
    ['Inconclusive PolicyNotEnforced', true],
    ['Inconclusive NoTargetControl', false],
    ['Failed PolicyNotEnforced', false],
  ])('that its guard alone does not hold must have the right verdict all the same: %s', (withGuard, isOk) => {
    const { withoutGuard: _, ...held } = finding({ showing: { right: 'Inconclusive PolicyNotEnforced' }, withGuard });
    expect(isCaught(held)).toBe(isOk);
    expect(complaintsAbout(held).length === 0).toBe(isOk);
    expect(totalsOf([held])).toContain('wrong verdict without it: 0');
  });

  it('that is skipped is a row with its reason, and counted apart', () => {
    const { withGuard: _, withoutGuard: __, ...parts } = finding({ showing: { skipped: 'there is no agent' } });
    expect(isCaught(parts)).toBe(true);
    expect(complaintsAbout(parts)).toEqual([]);
    expect(tableOf([parts])).toMatch(/^skipped .* there is no agent$/m);
    expect(totalsOf([parts, finding({})])).toContain('2 traps: 1 shown, 0 not shown, 1 skipped');
  });

  it('that was not reached is not shown', () => {
    const { withGuard: _, withoutGuard: __, ...parts } = finding({});
    expect(isCaught(parts)).toBe(false);
  });

  it('is counted as a wrong pass wherever it passes wrongly', () => {
    const findings = [finding({}), finding({ withGuard: 'Passed Denied' }), finding({ withGuard: 'Failed Blocked' })];
    expect(totalsOf(findings)).toContain('wrong passes with the guard: 1');
  });
});
