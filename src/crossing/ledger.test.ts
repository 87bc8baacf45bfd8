import { describe, expect, it } from 'vitest';
import type { Crossing } from '../verdict/index.ts';
import { CrossingLedger } from './ledger.ts';

const way = (from: string, to: string): Crossing => ({ from, to, family: 'IPv4', protocol: 'TCP' });
const there = way('a', 'b');
const back = way('b', 'a');

describe('CrossingLedger', () => {
  it('knows nothing that nobody found out', () => {
    const ledger = new CrossingLedger();

    expect(ledger.stateSince(there, 0)).toBe('Unknown');
    expect(ledger.begin(0)).toEqual([]);
    expect(ledger.want([there], 10, 0)).toBe(true);
    expect(ledger.begin(0)).toEqual([there]);
    expect(ledger.stateSince(there, 10)).toBe('Unknown');
  });

  it('tells what was found out to whoever began before', () => {
    const ledger = new CrossingLedger();
    ledger.want([there, back], 10, 0);
    expect(ledger.begin(0)).toEqual([there, back]);
    ledger.conclude([{ crossing: there, found: 'Crossed' }], 20);

    expect(ledger.stateSince(there, 20)).toBe('Crossed');
    expect(ledger.stateSince(there, 21), 'it may have broken since').toBe('Unknown');
    expect(ledger.stateSince(back, 10), 'the other direction is another way').toBe('Unknown');
    expect(ledger.stateSince({ ...there, family: 'IPv6' }, 10)).toBe('Unknown');
    expect(ledger.stateSince({ ...there, protocol: 'UDP' }, 10)).toBe('Unknown');
    expect(ledger.begin(0), 'what is under way is not begun again').toEqual([]);
    expect(ledger.want([there], 15, 0), 'it is known').toBe(false);
  });

  it('finds out again for whoever began after a round did', () => {
    const ledger = new CrossingLedger();
    ledger.want([there], 10, 0);
    ledger.begin(0);
    ledger.want([there], 25, 0);
    ledger.conclude([{ crossing: there, found: 'NotCrossed' }], 20);

    expect(ledger.stateSince(there, 10)).toBe('NotCrossed');
    expect(ledger.stateSince(there, 25)).toBe('Unknown');
    expect(ledger.begin(0)).toEqual([there]);
    ledger.conclude([{ crossing: there, found: 'Crossed' }], 30);
    expect(ledger.stateSince(there, 25)).toBe('Crossed');
    expect(ledger.begin(0)).toEqual([]);
  });

  it('forgets what no run can ask about any more', () => {
    const ledger = new CrossingLedger();
    ledger.conclude([{ crossing: there, found: 'Crossed' }], 20);
    ledger.conclude([{ crossing: back, found: 'Crossed' }], 900_021);

    expect(ledger.stateSince(there, 0)).toBe('Unknown');
    expect(ledger.stateSince(back, 0)).toBe('Crossed');
  });

  it('gives up what was asked for so long ago that nobody waits for it', () => {
    const ledger = new CrossingLedger();
    ledger.want([there], 0, 1_000);
    ledger.want([back], 0, 60_000);

    expect(ledger.isIdle()).toBe(false);
    expect(ledger.begin(121_001)).toEqual([back]);
    ledger.conclude([{ crossing: back, found: 'Crossed' }], 121_001);
    expect(ledger.isIdle()).toBe(true);
  });

  it('asks of one round no more pods than it may have, and leaves nothing out for ever', () => {
    const ledger = new CrossingLedger();
    const all = Array.from({ length: 60 }, (_, index) => way(`from-${index % 30}`, `to-${index}`));
    ledger.want(all, 0, 0);
    const seen: Crossing[] = [];

    let crossings = ledger.begin(0);
    for (let round = 1; crossings.length > 0; round += 1) {
      const pods = new Set(crossings.flatMap(({ from, to }) => [`dials ${from}`, `listens ${to}`]));
      expect(pods.size).toBeLessThanOrEqual(16);
      seen.push(...crossings);
      ledger.conclude(
        crossings.map((crossing) => ({ crossing, found: 'Crossed' })),
        round,
      );
      crossings = ledger.begin(0);
    }

    expect(new Set(seen)).toEqual(new Set(all));
  });
});
