import type { Expected, Reason, Verdict } from '../api/index.ts';
import type { Observation } from '../probe/index.ts';

/** What is known about one check when its run is over. */
export interface Evidence {
  readonly expected: Expected;
  /** What the probe stated, or why it stated nothing. */
  readonly observation: Observation | { readonly missing: Reason };
  /** What proved that the target answers somebody on that port in this run, in words; absent if nothing did. */
  readonly targetControl?: string;
  /** What proved that the source's own network works, in words; absent if nothing did. */
  readonly sourceControl?: string;
  /** Whether the user is content that nothing answers, whatever the cause. */
  readonly unreachableIsEnough: boolean;
  /** Whether the target answers what it is asked if the question arrives; a datagram of the user's making it may ignore. */
  readonly mustAnswer: boolean;
  /** Whether the target's pods stood ready from before the run until after it. */
  readonly targetStands: boolean;
  /** Whether a change that the verdict depends on was observed while the run was under way. */
  readonly disturbed: boolean;
}

export interface Judgement {
  readonly verdict: Exclude<Verdict, 'Skipped'>;
  readonly reason: Reason;
}

/**
 * The verdict table. Only a positive statement of the probe leads to Passed or Failed; a Deny passes on silence alone, and
 * only with a proof that the target answers, unless the user asked for none, and a proof that the source can send. A refusal is no denial: on a cluster that
 * drops what it denies, it means that the packet arrived.
 */
export function judge(evidence: Evidence): Judgement {
  const { observation } = evidence;
  if ('missing' in observation) return inconclusive(observation.missing);
  if (observation.outcome === 'ProbeLost' || observation.outcome === 'ProbeNotStarted') {
    return inconclusive(observation.outcome);
  }
  if (observation.outcome === 'AddressNotAllowed') return inconclusive('AddressNotAllowed');
  return evidence.expected === 'Allow' ? judgeAllow(observation, evidence) : judgeDeny(observation, evidence);
}

function judgeAllow(observation: Observation, evidence: Evidence): Judgement {
  if (observation.outcome === 'Connected') return { verdict: 'Passed', reason: 'Reachable' };
  if (!evidence.targetStands) return inconclusive('TargetChanged');
  if (evidence.disturbed) return inconclusive('EnforcementDelayed');
  const isSilent = observation.outcome === 'TimedOut' && observation.stage === 'connect';
  if (isSilent && !evidence.mustAnswer && evidence.targetControl === undefined) return inconclusive('NoDatagramAnswer');
  return { verdict: 'Failed', reason: allowFailure(observation) };
}

function allowFailure({ outcome, stage }: Observation): Reason {
  switch (outcome) {
    case 'TimedOut':
      if (stage === 'tls') return 'TLSFailed';
      return stage === 'http' ? 'NoAnswer' : 'Blocked';
    case 'Refused':
      return 'NothingListening';
    case 'Reset':
    case 'TLSFailed':
    case 'HTTPMismatch':
    case 'NameNotResolved':
    case 'NameServerFailed':
      return outcome;
    default:
      return 'Blocked';
  }
}

function judgeDeny(observation: Observation, evidence: Evidence): Judgement {
  switch (observation.outcome) {
    case 'Connected':
    case 'TLSFailed':
    case 'HTTPMismatch':
      return reached('UnexpectedlyReachable', evidence);
    case 'Reset':
      return reached('ReachedThenReset', evidence);
    case 'TimedOut':
      // Silence at the TLS or HTTP stage comes after a connection that stood.
      return observation.stage === 'tls' || observation.stage === 'http'
        ? reached('UnexpectedlyReachable', evidence)
        : judgeUnanswered(observation, evidence);
    case 'Refused':
      return inconclusive('RefusedOrClosed');
    case 'NameNotResolved':
    case 'NameServerFailed':
      return inconclusive(observation.outcome);
    default:
      return evidence.unreachableIsEnough ? judgeUnanswered(observation, evidence) : inconclusive('RejectedUnproven');
  }
}

function reached(reason: Reason, { disturbed }: Evidence): Judgement {
  return disturbed ? inconclusive('EnforcementDelayed') : { verdict: 'Failed', reason };
}

/** Nothing answered: silence, or for who asks no more than that, a rejection on the way. */
function judgeUnanswered(observation: Observation, evidence: Evidence): Judgement {
  const { targetStands, disturbed, targetControl, sourceControl, unreachableIsEnough } = evidence;
  const { outcome, stage, firstOutcome, attempts } = observation;
  // What a second attempt did not confirm counts for nothing; the probe program never states less.
  if (stage !== 'connect' || firstOutcome !== outcome || attempts < 2) return inconclusive('ProbeLost');
  if (!targetStands) return inconclusive('TargetChanged');
  if (disturbed) return inconclusive('EnforcementDelayed');
  const isDenied = outcome === 'TimedOut' && targetControl !== undefined;
  if (!isDenied && !unreachableIsEnough) return inconclusive('NoTargetControl');
  if (sourceControl === undefined) return inconclusive('NoSourceControl');
  return { verdict: 'Passed', reason: isDenied ? 'Denied' : 'NotReached' };
}

function inconclusive(reason: Reason): Judgement {
  return { verdict: 'Inconclusive', reason };
}

/** The judgement that decides for a whole expectation: Failed before Inconclusive before Passed; the first of equals. */
export function worst<T extends { readonly verdict: Verdict }>(judgements: readonly T[]): T | undefined {
  const order: readonly Verdict[] = ['Failed', 'Inconclusive', 'Passed', 'Skipped'];
  return judgements.toSorted((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict))[0];
}
