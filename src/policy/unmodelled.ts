import type { Condition, Section } from './normal-form.ts';
import type { OpenPoint } from './open-point.ts';
import type { PolicyReference } from './part.ts';
import type { Direction } from './question.ts';

/**
 * A section that makes every answer about the pods it selects unknown: for policies that are in force but cannot be
 * evaluated, since anything else would be a guess.
 */
export function unknownSection(
  policy: PolicyReference,
  direction: Direction,
  subject: readonly Condition[],
  point: OpenPoint,
): Section {
  const path = point.part?.path ?? 'spec';
  const rule = (action: 'allow' | 'deny') => ({ path, action, subject: [], open: point });
  return {
    policy,
    direction,
    path,
    stage: { name: 'Unmodelled', rank: Number.NEGATIVE_INFINITY, evaluation: 'ordered', ties: 'byName' },
    order: 0,
    subject,
    subjectPath: path,
    isolates: false,
    rules: [rule('allow'), rule('deny')],
    caveats: [],
  };
}

/** Unknown sections for both directions. */
export function unknownSections(
  policy: PolicyReference,
  subject: readonly Condition[],
  point: OpenPoint,
): readonly Section[] {
  return (['ingress', 'egress'] as const).map((direction) => unknownSection(policy, direction, subject, point));
}
