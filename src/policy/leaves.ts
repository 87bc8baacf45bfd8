import type { LabelExpression, Requirement } from './labels.ts';
import type { Condition } from './normal-form.ts';

/** A condition that consists of no others. */
export type LeafCondition = Exclude<Condition, { readonly kind: 'Not' | 'Some' | 'All' }>;

/** What a condition consists of in the end, wherever it stands. */
export function leavesOf(condition: Condition): readonly LeafCondition[] {
  switch (condition.kind) {
    case 'Not':
      return leavesOf(condition.condition);
    case 'Some':
    case 'All':
      return condition.conditions.flatMap(leavesOf);
    default:
      return [condition];
  }
}

/** Every term of a selector, wherever it stands. */
export function requirementsOf(expression: LabelExpression): readonly Requirement[] {
  switch (expression.kind) {
    case 'Requirement':
      return [expression];
    case 'Not':
      return requirementsOf(expression.of);
    case 'All':
    case 'Some':
      return expression.of.flatMap(requirementsOf);
  }
}
