import type { Condition } from '../api/index.ts';

/** A condition to be: without the times that depend on what it was. */
export type DesiredCondition = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

/** Conditions with their transition times: a time moves only when its status flips (Kubernetes API conventions). */
export function mergeConditions(
  previous: readonly Condition[],
  desired: readonly DesiredCondition[],
  observedGeneration: number,
  now: string,
): Condition[] {
  return desired.map((condition) => {
    const before = previous.find(({ type }) => type === condition.type);
    const lastTransitionTime = before?.status === condition.status ? before.lastTransitionTime : now;
    return { ...condition, observedGeneration, lastTransitionTime };
  });
}
