import { describe, expect, it } from 'vitest';
import { FairLine } from './fair-line.ts';

/** A line of keys such as `a/1`, whose group is before the slash. */
function lineOf(...claims: readonly (readonly [key: string, size: number])[]): FairLine {
  const line = new FairLine();
  for (const [key, size] of claims) line.enter(key, groupOf(key), size);
  return line;
}
const groupOf = (key: string): string => key.split('/')[0] ?? '';
const flood = Array.from({ length: 50 }, (_, index) => [`a/${index}`, 1] as const);
const supply = (total: number, used: Readonly<Record<string, number>> = {}, perGroup = total) => ({
  total,
  perGroup,
  used: new Map(Object.entries(used)),
});

describe('FairLine', () => {
  it.each([
    ['lets everybody in while there is room', lineOf(['a/1', 2], ['b/1', 2]), supply(4), ['a/1', 'b/1']],
    ['takes turns between groups', lineOf(...flood, ['b/1', 1], ['b/2', 1]), supply(4), ['a/0', 'b/1', 'a/1', 'b/2']],
    ['lets nobody overtake who waits for more', lineOf(['a/1', 3], ['b/1', 1]), supply(4, { c: 2 }), []],
    ['lets others pass a group at its own limit', lineOf(['a/1', 1], ['b/1', 1]), supply(4, { a: 2 }, 2), ['b/1']],
    ['hands out what is too much for all when nothing is in use', lineOf(['a/1', 9]), supply(4), ['a/1']],
    ['keeps it back while something is', lineOf(['a/1', 9]), supply(4, { b: 1 }), []],
    ['hands out what is too much for a group when it uses nothing', lineOf(['a/1', 3]), supply(4, {}, 2), ['a/1']],
    ['keeps that back while the group uses something', lineOf(['a/1', 3]), supply(8, { a: 1 }, 2), []],
    ['counts what it has just handed out', lineOf(['a/1', 2], ['a/2', 2]), supply(8, {}, 3), ['a/1']],
    ['has nothing for an empty line', lineOf(), supply(4), []],
  ])('%s', (_, line, available, served) => {
    expect(line.next(available)).toEqual(served);
  });

  it('gives the next turn to another group', () => {
    const line = lineOf(...flood, ['b/1', 1]);

    line.serve('a/0', 'a');

    expect(line.next(supply(1))).toEqual(['b/1']);
  });

  it('delays one that comes late by no more than a turn of each group, however many wait', () => {
    const line = lineOf(...flood, ...flood.map(([key]) => [key.replace('a', 'b'), 1] as const));
    const order: string[] = [];
    line.enter('c/1', 'c', 1);
    while (!order.includes('c/1')) {
      for (const key of line.next(supply(1))) {
        order.push(key);
        line.serve(key, groupOf(key));
      }
    }

    expect(order).toEqual(['a/0', 'b/0', 'c/1']);
  });

  it('forgets whoever leaves, and says whether it stood there', () => {
    const line = lineOf(['a/1', 1]);

    expect([line.leave('a/1', 'a'), line.leave('a/1', 'a')]).toEqual([true, false]);
    expect(line.next(supply(4))).toEqual([]);
  });

  it('keeps the place of one that asks for something else', () => {
    const line = lineOf(['a/1', 9], ['a/2', 1]);

    line.enter('a/1', 'a', 1);

    expect(line.next(supply(1))).toEqual(['a/1']);
  });
});
