import { describe, expect, it } from 'vitest';
import { cniNames } from '../cluster/index.ts';
import { families } from './families/index.ts';
import { showingOn, type Presumption } from './presumption.ts';

const clusters = ['cilium', 'cilium-rejecting', 'ptp', 'ptp-refusing'] as const;
const verdicts = { right: 'Inconclusive NoTargetControl', wrong: 'Passed Denied' };

describe('showingOn', () => {
  it.each<[Presumption | undefined, readonly string[]]>([
    ['nothing', ['shown', 'shown', 'shown', 'shown']],
    ['silence', ['shown', 'shown', 'sprung', 'sprung']],
    [undefined, ['shown', 'shown', 'sprung', 'sprung']],
    ['rejection', ['skipped', 'shown', 'skipped', 'skipped']],
    ['no policies', ['skipped', 'skipped', 'shown', 'skipped']],
    ['refusal', ['skipped', 'skipped', 'skipped', 'shown']],
  ])('of a trap that presumes %s', (presumes, expected) => {
    const trap = { ...verdicts, ...(presumes === undefined ? {} : { presumes }) };
    const seen = clusters.map((cni) => {
      const { right, wrong, skipped } = showingOn(cni, trap, {});
      if (skipped !== undefined) return 'skipped';
      return right === undefined || wrong === undefined ? 'sprung' : 'shown';
    });
    expect(seen).toEqual(expected);
  });

  it("takes a trap's own word before its family's, and its family's before what it presumes", () => {
    const family = { presumes: 'nothing', elsewhere: { ptp: { right: 'Failed PolicyNotEnforced' } } } as const;
    expect(showingOn('ptp', verdicts, family)).toEqual({ right: 'Failed PolicyNotEnforced' });
    expect(showingOn('ptp', { ...verdicts, elsewhere: {} }, family)).toEqual(verdicts);
    expect(showingOn('ptp', { ...verdicts, elsewhere: { ptp: { skipped: 'no agent' } } }, family)).toEqual({
      skipped: 'no agent',
    });
  });
});

describe('traps', () => {
  const all = families.flatMap((family) =>
    family.traps.map((trap) => [`${family.name}: ${trap.name}`, trap, family] as const),
  );

  it.each(all)('%s is shown with its guard and without on some cluster', (_, trap, family) => {
    expect(cniNames.some((cni) => showingOn(cni, trap, family).wrong !== undefined)).toBe(true);
  });

  it.each(all)('%s passes no Deny where nothing is enforced', (_, trap, family) => {
    expect(showingOn('ptp', trap, family).right).not.toBe('Passed Denied');
  });
});
