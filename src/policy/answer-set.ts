import { type Bitset, difference, emptyBitset, fullBitset, has, intersection, union } from './bitset.ts';
import type { TruthSet } from './truth-set.ts';
import type { Answer } from './truth.ts';

/** Answers for every pod at once. Whoever is in none of the sets: undefined. */
export interface AnswerSet {
  readonly allow: Bitset;
  readonly deny: Bitset;
  readonly unknown: Bitset;
}

export function allAnswer(answer: Exclude<Answer, 'undefined'>, size: number): AnswerSet {
  const none = emptyBitset(size);
  return { allow: none, deny: none, unknown: none, [answer]: fullBitset(size) };
}

/** As `choose` of single answers. */
export function chooseSets(statement: TruthSet, ifTrue: AnswerSet, ifFalse: AnswerSet): AnswerSet {
  const open = union(statement.undefined, statement.unknown);
  const decided = union(statement.yes, open);
  const pick = (a: Bitset, b: Bitset): Bitset =>
    union(union(intersection(statement.yes, a), difference(b, decided)), intersection(open, intersection(a, b)));
  const allow = pick(ifTrue.allow, ifFalse.allow);
  const deny = pick(ifTrue.deny, ifFalse.deny);
  // What is open stays so unless both sides agree.
  const unsettled = difference(difference(open, allow), deny);
  const unknownWhereOpen = intersection(unsettled, union(statement.unknown, union(ifTrue.unknown, ifFalse.unknown)));
  const unknown = union(
    union(intersection(statement.yes, ifTrue.unknown), difference(ifFalse.unknown, decided)),
    unknownWhereOpen,
  );
  return { allow, deny, unknown };
}

export function answerIn({ allow, deny, unknown }: AnswerSet, member: number): Answer {
  if (has(allow, member)) return 'allow';
  if (has(deny, member)) return 'deny';
  return has(unknown, member) ? 'unknown' : 'undefined';
}
