import { describe, expect, it } from 'vitest';
import { maxPodsPerTarget, sampleOf } from './sample.ts';

/** `a3` is the third pod on node a. */
const on = (node: string, count: number): string[] => Array.from({ length: count }, (_, index) => `${node}${index}`);
const nodeOf = (pod: string): string => pod.slice(0, 1);

describe('sampleOf', () => {
  it('takes all of a few, and says nothing', () => {
    const pods = on('a', maxPodsPerTarget);
    expect(sampleOf(pods, nodeOf, 'ready pods')).toEqual({ members: pods });
  });

  it('takes some from each node, and says how many', () => {
    const { members, note } = sampleOf([...on('a', 20), ...on('b', 1), ...on('c', 2)], nodeOf, 'ready pods');

    expect(members).toEqual([...on('a', 7), ...on('b', 1), ...on('c', 2)]);
    expect(note).toBe('10 of 23 ready pods were dialled, on 3 of 3 nodes.');
  });

  it('says that nodes are left out where there are more than it takes', () => {
    const pods = [...'abcdefghijkl'].flatMap((node) => on(node, 2));

    expect(sampleOf(pods, nodeOf, 'ready pods').note).toBe('10 of 24 ready pods were dialled, on 10 of 12 nodes.');
  });

  it('is the same whatever the order of the nodes', () => {
    const [a, b] = [on('a', 8), on('b', 8)];
    const one = sampleOf([...a, ...b], nodeOf, 'pods').members;
    const other = sampleOf([...b, ...a], nodeOf, 'pods').members;

    expect(one.toSorted()).toEqual(other.toSorted());
  });
});
