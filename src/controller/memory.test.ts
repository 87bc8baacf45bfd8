import { describe, expect, it } from 'vitest';
import { expectationOf, testOf } from '../testing/cluster-view.ts';
import { Memory, notice, type Remembered } from './memory.ts';

const test = testOf([expectationOf()]);

describe('a memory', () => {
  it('is the same for the same test', () => {
    const memory = new Memory();
    const first = memory.of('shop/boundaries', test, 1);
    first.disturbedRuns = 2;

    expect(memory.of('shop/boundaries', test, 9)).toBe(first);
    expect(memory.peek('shop/boundaries')).toBe(first);
  });

  it.each([
    ['EnforcementDelayed', true],
    ['TargetChanged', false],
  ] as const)('knows from the status alone what waits to be probed again: %s', (reason, isDue) => {
    const row = { name: 'a', expect: 'Deny', verdict: 'Inconclusive', reason, message: '', since: '' } as const;

    const { repeatAt } = new Memory().of('shop/boundaries', { ...test, status: { expectations: [row] } }, 1);

    expect(repeatAt !== undefined && repeatAt < 0).toBe(isDue);
  });

  it('is fresh for a test that was made anew under the name of another', () => {
    const memory = new Memory();
    memory.of('shop/boundaries', test, 1).disturbedRuns = 2;

    const anew = { ...test, metadata: { ...test.metadata, uid: 'uid-new' } };

    expect(memory.of('shop/boundaries', anew, 9)).toEqual({
      uid: 'uid-new',
      noticed: { fingerprint: '', current: 9, first: 9 },
      disturbedRuns: 0,
    });
  });

  it('ends when it is told to', () => {
    const memory = new Memory();
    memory.of('shop/boundaries', test, 1);

    memory.forget('shop/boundaries');

    expect(memory.peek('shop/boundaries')).toBeUndefined();
    expect(memory.runs()).toEqual([]);
  });
});

describe('notice', () => {
  interface Step {
    readonly fingerprint: string;
    readonly judged?: string;
    readonly now: number;
  }

  it.each<[string, readonly Step[], Remembered['noticed']]>([
    ['the first look', [{ fingerprint: 'a', now: 1 }], { fingerprint: 'a', current: 1, first: 1 }],
    [
      'nothing new',
      [
        { fingerprint: 'a', judged: 'a', now: 1 },
        { fingerprint: 'a', judged: 'a', now: 5 },
      ],
      { fingerprint: 'a', current: 1, first: 1 },
    ],
    [
      'a change of the judged world',
      [
        { fingerprint: 'a', judged: 'a', now: 1 },
        { fingerprint: 'b', judged: 'a', now: 5 },
      ],
      { fingerprint: 'b', current: 5, first: 5 },
    ],
    [
      'a further change, since the first one',
      [
        { fingerprint: 'a', judged: 'a', now: 1 },
        { fingerprint: 'b', judged: 'a', now: 5 },
        { fingerprint: 'c', judged: 'a', now: 6 },
      ],
      { fingerprint: 'c', current: 6, first: 5 },
    ],
    [
      'a change after new verdicts, afresh',
      [
        { fingerprint: 'b', judged: 'a', now: 5 },
        { fingerprint: 'b', judged: 'b', now: 8 },
        { fingerprint: 'c', judged: 'b', now: 9 },
      ],
      { fingerprint: 'c', current: 9, first: 9 },
    ],
    [
      'a change after one that was taken back, afresh',
      [
        { fingerprint: 'b', judged: 'a', now: 5 },
        { fingerprint: 'a', judged: 'a', now: 6 },
        { fingerprint: 'c', judged: 'a', now: 90 },
      ],
      { fingerprint: 'c', current: 90, first: 90 },
    ],
  ])('sees %s', (_, steps, noticed) => {
    const remembered = new Memory().of('shop/boundaries', test, 0);

    for (const { fingerprint, judged, now } of steps) notice(remembered, fingerprint, judged, now);

    expect(remembered.noticed).toEqual(noticed);
  });
});
