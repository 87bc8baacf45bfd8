import type { Expected, Reason, Verdict } from '../api/index.ts';
import type { Observation, Outcome } from '../probe/index.ts';
import { type DenialPair, isDenial, isDropping, isNothingEnforced } from './denial.ts';

/** What is known about one check when its run is over. */
export interface Evidence {
  readonly expected: Expected;
  /** What the probe stated, or why it stated nothing. */
  readonly observation: Observation | { readonly missing: Reason };
  /** What proved that the target answers somebody on that port in this run, in words; absent if nothing did. */
  readonly targetControl?: string;
  /** What proved that the source's own network works, in words; absent if nothing did. */
  readonly sourceControl?: string;
  /** Whether a refusal comes only from where the packet arrived, as over UDP: a port unreachable is the target's own word. */
  readonly isDatagram: boolean;
  /** Whether the user is content that nothing answers, whatever the cause. */
  readonly unreachableIsEnough: boolean;
  /** Whether the target answers what it is asked if the question arrives; a datagram of the user's making it may ignore. */
  readonly mustAnswer: boolean;
  /** Whether the target's pods stood ready from before the run until after it. */
  readonly targetStands: boolean;
  /** Whether packets were seen to cross from the source's node to the nodes of the target's pods, where these are others. */
  readonly isCrossingProved: boolean;
  /** Whether a change that the verdict depends on was observed while the run was under way. */
  readonly disturbed: boolean;
  /** Whether a connection may be owed to an observed change that the cluster had not caught up with (see excuse.ts). */
  readonly excused: boolean;
  /** How this cluster denies what the check speaks; absent if that was not measured. */
  readonly denials?: DenialPair;
  /** Whether the model of the policies finds nothing in the way of pods; the one thing that it is asked for a verdict. */
  readonly isAdmitted?: () => boolean;
}

export interface Judgement {
  readonly verdict: Exclude<Verdict, 'Skipped'>;
  readonly reason: Reason;
}

/**
 * The verdict table. Only a positive statement of the probe leads to Passed or Failed; a Deny passes only on the outcome that
 * was measured as this cluster's denial, and only with a proof that the target answers and a proof that the source can send.
 * A refusal on a cluster that drops what it denies is no denial: the packet arrived. Where the user is content that nothing
 * answers, neither that measure nor the first proof is asked for, and the reason says so.
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
  return { verdict: 'Failed', reason: allowFailure(observation, evidence) };
}

function allowFailure({ outcome, stage }: Observation, { denials }: Evidence): Reason {
  switch (outcome) {
    case 'TimedOut':
      if (stage === 'tls') return 'TLSFailed';
      if (stage === 'dns') return 'NameServerFailed';
      return stage === 'http' ? 'NoAnswer' : 'Blocked';
    case 'Refused':
      return denials === undefined || isDenial(denials, outcome) ? 'RefusedOrBlocked' : 'NothingListening';
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
      // Silence at any later stage comes after a connection that stood.
      return observation.stage === 'connect'
        ? judgeDenial('UnlikeDenial', observation, evidence)
        : reached('UnexpectedlyReachable', evidence);
    case 'Refused':
      return hasArrived(observation, evidence)
        ? reached('ReachedClosedPort', evidence)
        : judgeDenial('RefusedOrClosed', observation, evidence);
    case 'NameNotResolved':
    case 'NameServerFailed':
      return inconclusive(observation.outcome);
    default:
      return judgeDenial('RejectedUnproven', observation, evidence);
  }
}

function reached(reason: Reason, { excused, denials }: Evidence): Judgement {
  if (excused) return inconclusive('EnforcementDelayed');
  // The cause, where it is known: no policy could have denied this.
  const isFutile = denials !== undefined && isNothingEnforced(denials);
  return { verdict: 'Failed', reason: isFutile ? 'PolicyNotEnforced' : reason };
}

/** Whether what kept the source from connecting was a policy; `otherwise` says what it may have been. */
function judgeDenial(otherwise: Reason, observation: Observation, evidence: Evidence): Judgement {
  const { outcome, stage, firstOutcome, attempts } = observation;
  const { targetStands, disturbed, targetControl, sourceControl } = evidence;
  // A denial counts when a second attempt confirmed it; of silence the probe program never states less.
  if (stage !== 'connect' || firstOutcome !== outcome || attempts < 2) {
    return inconclusive(outcome === 'TimedOut' ? 'ProbeLost' : otherwise);
  }
  // A refusal came from somebody, so it is never the mere absence of an answer.
  const isEnough = evidence.unreachableIsEnough && outcome !== 'Refused';
  const doubt = doubtOf(otherwise, outcome, evidence);
  if (doubt !== undefined && !isEnough) return inconclusive(doubt);
  if (!targetStands) return inconclusive('TargetChanged');
  if (disturbed) return inconclusive('EnforcementDelayed');
  if (targetControl === undefined && !isEnough) return inconclusive('NoTargetControl');
  if (sourceControl === undefined) return inconclusive('NoSourceControl');
  // A path that is broken refuses nothing.
  const hasPath = evidence.isCrossingProved || outcome === 'Refused';
  if (!hasPath && !isEnough) return inconclusive('NoPathControl');
  const isDenied = doubt === undefined && targetControl !== undefined && hasPath;
  return { verdict: 'Passed', reason: isDenied ? 'Denied' : 'NotReached' };
}

/**
 * Whether what was refused had reached its target. Of a datagram the target itself says so: where this cluster does not deny so,
 * nobody else refuses it twice. A connection may have been refused by something else on the way, so that it has arrived only where
 * the cluster drops what it denies and its policies, too, let it pass.
 */
function hasArrived({ firstOutcome, attempts }: Observation, evidence: Evidence): boolean {
  const { denials, targetStands, isDatagram, isAdmitted } = evidence;
  const isSteady = firstOutcome === 'Refused' && attempts >= 2;
  if (!isSteady || !targetStands || denials === undefined) return false;
  return isDatagram ? !isDenial(denials, 'Refused') : isDropping(denials) && isAdmitted?.() === true;
}

/** Why an outcome cannot be taken for this cluster's denial; undefined if it is how this cluster denies. */
function doubtOf(otherwise: Reason, outcome: Outcome, { denials }: Evidence): Reason | undefined {
  if (denials === undefined) return 'NotCalibrated';
  if (isNothingEnforced(denials)) return 'PolicyNotEnforced';
  return isDenial(denials, outcome) ? undefined : otherwise;
}

function inconclusive(reason: Reason): Judgement {
  return { verdict: 'Inconclusive', reason };
}

/** The judgement that decides for a whole expectation: Failed before Inconclusive before Passed; the first of equals. */
export function worst<T extends { readonly verdict: Verdict }>(judgements: readonly T[]): T | undefined {
  const order: readonly Verdict[] = ['Failed', 'Inconclusive', 'Passed', 'Skipped'];
  return judgements.toSorted((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict))[0];
}
