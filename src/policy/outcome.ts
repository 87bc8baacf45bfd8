import type { Caveat, OpenPoint } from './open-point.ts';
import type { PolicyPart } from './part.ts';
import type { BasisReason, DirectionDecision } from './question.ts';
import { type Answer, choose, type Truth } from './truth.ts';

/** What an evaluation comes to, with the parts of policies that it rests on. */
export interface Outcome {
  readonly answer: Answer;
  readonly reason: BasisReason;
  readonly decidedBy: readonly PolicyPart[];
  readonly open: readonly OpenPoint[];
}

export function settled(answer: 'allow' | 'deny', reason: BasisReason, decidedBy: readonly PolicyPart[] = []): Outcome {
  return { answer, reason, decidedBy, open: [] };
}

/** The outcome if a statement decides between two. Where they agree, what is open does not matter. */
export function chooseOutcome(
  statement: Truth,
  points: readonly OpenPoint[],
  ifTrue: () => Outcome,
  ifFalse: () => Outcome,
): Outcome {
  if (statement === 'yes') return ifTrue();
  const otherwise = ifFalse();
  if (statement === 'no') return otherwise;
  const then = ifTrue();
  const answer = choose(statement, then.answer, otherwise.answer);
  if (then.answer === otherwise.answer && (answer === 'allow' || answer === 'deny')) return otherwise;
  return {
    answer,
    reason: 'Open',
    decidedBy: [...then.decidedBy, ...otherwise.decidedBy],
    open: distinct([...points, ...then.open, ...otherwise.open]),
  };
}

/** A direction's decision from its outcome. */
export function directionDecision(
  { answer, reason, decidedBy, open }: Outcome,
  isolatedBy: readonly PolicyPart[] = [],
  caveats: readonly Caveat[] = [],
): DirectionDecision {
  return { answer, isolatedBy, decidedBy, basis: { reason, open }, caveats };
}

function distinct(points: readonly OpenPoint[]): readonly OpenPoint[] {
  const seen = new Set<string>();
  return points.filter(({ code, message, part }) => {
    const key = `${code} ${part?.path ?? ''} ${message}`;
    return seen.size < seen.add(key).size;
  });
}
