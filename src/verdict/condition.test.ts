import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Condition } from '../api/index.ts';
import { type DesiredCondition, mergeConditions } from './condition.ts';

const before = '2026-01-01T00:00:00.000Z';
const now = '2026-01-02T00:00:00.000Z';

function previous(parts: Partial<Condition> = {}): Condition {
  return {
    type: 'Ready',
    status: 'True',
    reason: 'AllPassed',
    message: 'Every expectation passed.',
    observedGeneration: 1,
    lastTransitionTime: before,
    ...parts,
  };
}

describe('mergeConditions', () => {
  it.each<[string, readonly Condition[], Partial<DesiredCondition>, string]>([
    ['a new condition began now', [], {}, now],
    ['another condition does not count', [previous({ type: 'Passed' })], {}, now],
    ['the same condition began before', [previous()], {}, before],
    ['another reason does not restart it', [previous()], { reason: 'Other', message: 'Other.' }, before],
    ['another status restarts it', [previous()], { status: 'Unknown' }, now],
  ])('%s', (_, conditions, parts, lastTransitionTime) => {
    const desired = { type: 'Ready', status: 'True', reason: 'AllPassed', message: 'x', ...parts } as const;

    expect(mergeConditions(conditions, [desired], 2, now)).toEqual([
      { ...desired, observedGeneration: 2, lastTransitionTime },
    ]);
  });

  it('moves a transition time when the status flips, and only then', () => {
    const status = fc.constantFrom<Condition['status']>('True', 'False', 'Unknown');
    const step = fc.record({ status, reason: fc.constantFrom('A', 'B'), generation: fc.nat() });
    fc.assert(
      fc.property(fc.array(step, { minLength: 2 }), (steps) => {
        let conditions: Condition[] = [];
        let flippedAt = '';
        for (const [index, { generation, ...parts }] of steps.entries()) {
          if (conditions[0]?.status !== parts.status) flippedAt = String(index);

          conditions = mergeConditions(
            conditions,
            [{ type: 'Ready', message: '', ...parts }],
            generation,
            String(index),
          );

          expect(conditions).toEqual([
            { type: 'Ready', message: '', ...parts, observedGeneration: generation, lastTransitionTime: flippedAt },
          ]);
        }
      }),
    );
  });
});
