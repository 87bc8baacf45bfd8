import type { Expected } from '../api/index.ts';
import type { Answer, Decision, Direction, DirectionDecision, OpenPoint, PolicyPart } from '../policy/index.ts';

/** A part of a policy, and the side of the connection that it decided. */
export interface DecidingPart extends PolicyPart {
  readonly direction: Direction;
}

/** How a sentence names a part of a policy, such as with its file and line. */
export type PartInWords = (part: PolicyPart) => string;

type Sides = Pick<Decision, 'answer' | 'egress' | 'ingress'>;

/**
 * The answer that a prediction rests on. A network plugin that is known to differ has the last word, but no Deny passes by it
 * alone where the specification leaves it open: what holds on one plugin only is no boundary.
 */
export function answerOf({ answer, profile }: Decision, expect: Expected): Answer {
  if (profile === undefined) return answer;
  return expect === 'Deny' && answer === 'undefined' && profile.answer === 'deny' ? 'undefined' : profile.answer;
}

function sidesOf(decision: Decision, answer: Answer): Sides {
  return decision.profile !== undefined && decision.profile.answer === answer ? decision.profile : decision;
}

const directions: readonly Direction[] = ['egress', 'ingress'];

/** The directions that an answer rests on: one denial is enough, an admission takes both. */
function decidingDirections(sides: Sides, answer: Answer): readonly Direction[] {
  return answer === 'allow' ? directions : directions.filter((direction) => sides[direction].answer === answer);
}

/** The parts of policies that an answer rests on. */
export function decidingPartsOf(decision: Decision, answer: Answer): readonly DecidingPart[] {
  const sides = sidesOf(decision, answer);
  return decidingDirections(sides, answer).flatMap((direction) =>
    partsOf(sides[direction]).map((part) => ({ ...part, direction })),
  );
}

function partsOf({ decidedBy, isolatedBy }: DirectionDecision): readonly PolicyPart[] {
  return decidedBy.length > 0 ? decidedBy : isolatedBy;
}

/** What is open, of both directions. */
export function openPointsOf(decision: Decision, answer: Answer): readonly OpenPoint[] {
  const sides = sidesOf(decision, answer);
  return directions.flatMap((direction) => sides[direction].basis.open);
}

/** What a reader of the answer should know besides, as further sentences; empty if there is nothing. */
export function caveatsOf(decision: Decision, answer: Answer): string {
  const sides = sidesOf(decision, answer);
  const messages = decidingDirections(sides, answer).flatMap((direction) =>
    sides[direction].caveats.map(({ message }) => ` ${message}`),
  );
  return [...new Set(messages)].join('');
}

/** Why an answer is what it is, per direction, in words without a full stop. */
export function whyWords(decision: Decision, answer: Answer, target: string, inWords: PartInWords): string {
  const sides = sidesOf(decision, answer);
  const words = decidingDirections(sides, answer).map((direction) =>
    directionWords(direction, sides[direction], target, inWords),
  );
  const profile = decision.profile;
  const differs =
    profile !== undefined && profile.answer !== decision.answer
      ? ` (the API documentation says ${decision.answer}, but ${profile.name} does otherwise)`
      : '';
  return `${words.join('; ')}${differs}`;
}

function directionWords(
  direction: Direction,
  decision: DirectionDecision,
  target: string,
  inWords: PartInWords,
): string {
  const side = direction === 'egress' ? 'egress from the source' : `ingress to ${target}`;
  const { basis, decidedBy, isolatedBy } = decision;
  switch (basis.reason) {
    case 'NotIsolated':
      return `no policy restricts ${side}`;
    case 'AdmittedByRule':
      return `${side} is admitted by ${listed(firstOfEach(decidedBy), inWords)}`;
    case 'NoRuleAdmits':
      return `${side} is restricted by ${listed(firstOfEach(isolatedBy), inWords)}, and no rule admits this`;
    case 'DeniedByRule':
      return `${side} is denied by ${listed(firstOfEach(decidedBy), inWords)}`;
    case 'NotSubject':
      return `policies have no say on ${direction === 'egress' ? side : target}`;
    case 'SameNode':
      return `policies never part a pod from its own node`;
    case 'Self':
      return `policies never part a pod from itself`;
    case 'Open':
      return `${side} is open`;
  }
}

/** One part of each policy: the rule comes before its peers and ports. */
export function firstOfEach(parts: readonly PolicyPart[]): readonly PolicyPart[] {
  const seen = new Set<string>();
  return parts.filter(({ policy: { group, kind, namespace, name } }) => {
    const key = [group, kind, namespace, name].join('/');
    return seen.size < seen.add(key).size;
  });
}

/** Parts in words, as a list. */
export function listed(parts: readonly PolicyPart[], inWords: PartInWords): string {
  const names = parts.map(inWords);
  const last = names.pop() ?? 'a policy';
  return names.length === 0 ? last : `${names.join(', ')} and ${last}`;
}
