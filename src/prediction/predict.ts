import type { ConnectivityTest, Expectation, Reason, Verdict } from '../api/index.ts';
import {
  type Check,
  describePort,
  describeSource,
  describeTarget,
  type Line,
  noteOnHostNetwork,
  type Plan,
} from '../plan/index.ts';
import type { Decision, OpenPoint, PolicyPart, Question } from '../policy/index.ts';
import { askedOf, isOpenToAny } from './asked.ts';
import {
  answerOf,
  caveatsOf,
  type DecidingPart,
  decidingPartsOf,
  firstOfEach,
  listed,
  openPointsOf,
  type PartInWords,
  whyWords,
} from './reading.ts';
import type { Route } from './route.ts';
import type { PredictionWorld } from './world.ts';

/** Why an expectation is predicted so, beyond the reasons that a verdict on the wire can have too. */
export const predictionReasons = {
  LeftOpen: 'the API leaves open whether policies admit this connection, and network plugins differ',
  NotKnown: 'something that the answer depends on is not known here, or not modelled',
} as const;

export type PredictionReason = Reason | keyof typeof predictionReasons;

/** What the policies would make of one expectation, if they were enforced as written. Never evidence. */
export interface Prediction {
  readonly name: string;
  readonly expect: Expectation['expect'];
  readonly verdict: Verdict;
  readonly reason: PredictionReason;
  /** Sentences: what would happen, and by which policies. */
  readonly message: string;
  /** What a reader should know besides, in sentences that an explanation makes superfluous. */
  readonly advice?: string;
  /** The parts of policies that the verdict rests on. */
  readonly parts: readonly DecidingPart[];
  /** The connection that the verdict rests on, as it was asked about; absent where none was. */
  readonly question?: Question;
}

/** One prediction per expectation of a test, in the order of its spec. */
export function predict(
  test: ConnectivityTest,
  plan: Plan,
  world: PredictionWorld,
  inWords: PartInWords = ({ policy }) => policyInWords(policy),
): readonly Prediction[] {
  if (test.spec.suspend === true) {
    return test.spec.expectations.map(({ name, expect }) => {
      const message = 'The test is suspended. Set spec.suspend to false to resume it.';
      return { name, expect, verdict: 'Skipped', reason: 'Suspended', message, parts: [] };
    });
  }
  return plan.lines.map((line) => predictLine(test, line, world, inWords));
}

/** `NetworkPolicy shop/web`. */
export function policyInWords({ kind, namespace, name }: PolicyPart['policy']): string {
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}

/** What one connection of a check comes to; an expectation has the worst of them. */
interface Judgement {
  readonly verdict: Verdict;
  readonly reason: PredictionReason;
  readonly message: string;
  readonly advice?: string;
  readonly parts: readonly DecidingPart[];
  readonly assumptions?: readonly string[];
  readonly question?: Question;
}

function predictLine(test: ConnectivityTest, line: Line, world: PredictionWorld, inWords: PartInWords): Prediction {
  const { expectation, findings, checks, notes } = line;
  const { name, expect } = expectation;
  const judgements: Judgement[] = [
    ...findings.map(({ reason, message }) => ({ verdict: verdictOn(reason), reason, message, parts: [] })),
    ...checks.flatMap((check) => judgeCheck(test, expectation, check, world, inWords)),
  ];
  const decisive = worst(judgements) ?? {
    verdict: 'Inconclusive',
    reason: 'NotProbed',
    message: 'Nothing would be probed.',
    parts: [],
  };
  const others = judgements.filter(({ verdict }) => verdict === 'Passed').length;
  const exception = decisive.verdict !== 'Passed' && others > 0 ? [exceptionWords(decisive, others, judgements)] : [];
  // The plan's other notes are about dialling, such as how many replicas were.
  const leftOut = notes.filter((note) => note === noteOnHostNetwork);
  const message = [decisive.message, ...exception, ...(decisive.assumptions ?? []), ...leftOut].join(' ');
  const { verdict, reason, parts, question, advice = '' } = decisive;
  const basis = {
    parts,
    ...(advice === '' ? {} : { advice }),
    ...(question === undefined ? {} : { question }),
  };
  if (expectation.dryRun !== true) return { name, expect, verdict, reason, message, ...basis };
  return {
    name,
    expect,
    verdict: 'Skipped',
    reason: 'DryRun',
    message: `Would be ${verdict} (${reason}): ${message}`,
    ...basis,
  };
}

/** What of an expectation would be as expected, next to what would not. */
function exceptionWords({ reason }: Judgement, others: number, judgements: readonly Judgement[]): string {
  const connections = judgements.filter((each) => each.reason !== 'NameNotResolved');
  if (reason === 'NameNotResolved' && connections.every(({ verdict }) => verdict === 'Passed')) {
    return 'The connection itself would be as expected; only the look-up of the name is not.';
  }
  const rest = others === 1 ? 'connection' : `${others} connections`;
  return `The other ${rest} of this expectation would be as expected.`;
}

function worst(judgements: readonly Judgement[]): Judgement | undefined {
  const of = (wanted: Judgement['verdict']) => judgements.filter(({ verdict }) => verdict === wanted);
  // Of what is as expected, the connection says more than the look-up before it.
  return of('Failed')[0] ?? of('Inconclusive')[0] ?? of('Passed').at(-1) ?? of('Skipped')[0];
}

/** As after a run: only of a path that is not defined there is nothing to prove. */
function verdictOn(finding: Reason): Verdict {
  return finding === 'PathUndefined' ? 'Skipped' : 'Inconclusive';
}

function judgeCheck(
  test: ConnectivityTest,
  written: Expectation,
  check: Check,
  world: PredictionWorld,
  inWords: PartInWords,
): readonly Judgement[] {
  // What a block excepts is expected to be the opposite of the block.
  const expectation: Expectation = { ...written, expect: check.mode === 'guard' ? 'Deny' : 'Allow' };
  const { connections, unknown, assumptions } = askedOf(test, expectation, check, world);
  const judgements = connections.map(({ route, question, decision }) => {
    const subject = { test, expectation, route, isOneOfSeveral: connections.length > 1 };
    const judgement = judge(subject, decision, inWords);
    // The address that stands for any is nobody's: nothing can be explained, or admitted, by it.
    const isAsked = route.isAnyAddress !== true || judgement.reason !== 'NotKnown';
    return { ...judgement, assumptions, ...(isAsked ? { question } : {}) };
  });
  if (unknown === undefined) return judgements;
  const subject = `Whether ${describeSource(expectation)} may connect to ${targetInWords(test, expectation)} is not predicted:`;
  return [...judgements, { verdict: 'Inconclusive', reason: 'NotKnown', message: `${subject} ${unknown}`, parts: [] }];
}

interface Subject {
  readonly test: ConnectivityTest;
  readonly expectation: Expectation;
  readonly route: Route;
  readonly isOneOfSeveral: boolean;
}

/** What a decision means for an expectation. A Deny passes only if the specification denies, and the network plugin too if named. */
function judge(subject: Subject, decision: Decision, inWords: PartInWords): Judgement {
  const { expect } = subject.expectation;
  const { route } = subject;
  if (route.isAnyAddress === true && !isOpenToAny(decision)) return addressUnknown(subject);
  const answer = answerOf(decision, expect);
  const parts = decidingPartsOf(decision, answer);
  const who = describeSource(subject.expectation);
  const what = whereInWords(subject);
  const why = whyWords(decision, answer, route.name, inWords);
  const advice = caveatsOf(decision, answer);
  switch (answer) {
    case 'allow':
      if (route.stage === 'Resolve') return passed('Reachable', `${who} may resolve names: ${why}.`, parts);
      return expect === 'Allow'
        ? passed('Reachable', `${who} may connect to ${what}: ${why}.`, parts)
        : failed(
            'UnexpectedlyReachable',
            `${who} may connect to ${what}, which must be denied: ${why}.`,
            parts,
            advice,
          );
    case 'deny':
      if (route.stage === 'Resolve') return unresolved(subject, who, why, parts);
      return expect === 'Allow'
        ? failed('Blocked', `${who} may not connect to ${what}, which must be allowed: ${why}.`, parts, advice)
        : passed('Denied', `${who} may not connect to ${what}: ${why}.`, parts);
    case 'undefined':
    case 'unknown': {
      const open = openPointsOf(decision, answer).map((point) => openWords(point, subject, decision, parts, inWords));
      const message = `Whether ${who} may connect to ${what} is ${answer === 'undefined' ? 'left open' : 'not known'}: ${[...new Set(open)].join(' ')}`;
      return {
        verdict: 'Inconclusive',
        reason: answer === 'undefined' ? 'LeftOpen' : 'NotKnown',
        message,
        advice,
        parts,
      };
    }
  }
}

/** Why an answer is open. Of a block it names the policy: selecting a pod by its labels opens the path that a Deny wants closed. */
function openWords(
  { code, message }: OpenPoint,
  { expectation }: Subject,
  { profile }: Decision,
  parts: readonly DecidingPart[],
  inWords: PartInWords,
): string {
  if (code !== 'BlockAgainstPod') return message;
  const who = listed(firstOfEach(parts), inWords);
  const words = `${who} admits a block of addresses, and the API leaves open whether a block matches pods; network plugins differ.`;
  if (expectation.expect === 'Allow') return `${words} Select the pod by its labels.`;
  return profile?.answer === 'deny'
    ? `${words} ${profile.name} denies it, which the API does not promise, so no Deny passes by that alone.`
    : words;
}

function addressUnknown({ test, expectation, route }: Subject): Judgement {
  const message = `Policies restrict egress from ${describeSource(expectation)}, and the address of ${route.name} is not known here, so whether it may connect to ${targetInWords(test, expectation)} is not known.`;
  return { verdict: 'Inconclusive', reason: 'NotKnown', message, parts: [] };
}

/** A name that does not resolve fails an Allow, and is never a successful Deny. */
function unresolved({ expectation }: Subject, who: string, why: string, parts: readonly DecidingPart[]): Judgement {
  const message = `${who} may not resolve ${expectation.to.host ?? 'names'}: ${why}.`;
  return expectation.expect === 'Allow'
    ? failed('NameNotResolved', message, parts)
    : {
        verdict: 'Inconclusive',
        reason: 'NameNotResolved',
        message: `${message} A name that does not resolve proves no denial: allow DNS, or name the target in another way.`,
        parts,
      };
}

function passed(reason: PredictionReason, message: string, parts: readonly DecidingPart[]): Judgement {
  return { verdict: 'Passed', reason, message, parts };
}

function failed(reason: PredictionReason, message: string, parts: readonly DecidingPart[], advice?: string): Judgement {
  return { verdict: 'Failed', reason, message, parts, ...(advice === undefined ? {} : { advice }) };
}

function targetInWords({ metadata }: ConnectivityTest, expectation: Expectation): string {
  return `${describeTarget(expectation, metadata.namespace)} on ${describePort(expectation)}`;
}

/** The target, and the pod and port behind it where that is another: policies look at those. */
function whereInWords({ test, expectation, route, isOneOfSeveral }: Subject): string {
  const target = targetInWords(test, expectation);
  if (route.destination.kind !== 'pod') return target;
  const wanted = expectation.to.port;
  const through = typeof wanted === 'number' && wanted !== route.port ? ` port ${route.port}` : '';
  return isOneOfSeveral || through !== '' ? `${target} (${route.name}${through})` : target;
}
