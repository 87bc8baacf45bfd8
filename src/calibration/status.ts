import type { Calibration, CalibrationStatus, FamilyDenialsStatus } from '../api/index.ts';
import { type Denials, type DesiredCondition, mergeConditions, unenforcedSides } from '../verdict/index.ts';
import { isValid } from './due.ts';
import type { Failure, FamilyFailure, FamilyMeasurement, Measured } from './family-measurement.ts';
import { freshPodDelayMsOf, type Measurement } from './measurement.ts';

/** A run that has ended. */
export interface EndedRun {
  readonly lastRun: NonNullable<CalibrationStatus['lastRun']>;
  /** The annotation that it answers, if any. */
  readonly request: string | undefined;
}

/** The table that verdicts go by. */
export function denialsOf(status: CalibrationStatus | undefined): Denials {
  const all = [status?.denials, status?.secondaryDenials].map((each) => {
    const { ipFamily, tcp, udp } = each ?? {};
    if (ipFamily === undefined) return {};
    const denials = { ...(tcp === undefined ? {} : { TCP: tcp }), ...(udp === undefined ? {} : { UDP: udp }) };
    return { [ipFamily]: denials };
  });
  return Object.assign({}, ...all);
}

/** How long probes stand before they dial, in seconds, where fresh pods were measured to be open for so long. */
export function standSeconds(freshPodDelayMs: number): number {
  return freshPodDelayMs === 0 ? 0 : Math.ceil(freshPodDelayMs / 1000) + 1;
}

/** The status that a run with a result leaves. */
export function statusAfterMeasurement(
  calibration: Calibration,
  measurement: Measurement,
  nodes: string,
  run: EndedRun,
): CalibrationStatus {
  const { primary, secondary } = measurement;
  const freshPodDelayMilliseconds = freshPodDelayMsOf(measurement);
  return {
    ...ended(calibration, run),
    denials: denialsStatus(primary),
    ...(secondary === undefined ? {} : { secondaryDenials: denialsStatus(secondary) }),
    freshPodDelayMilliseconds,
    measuredTime: run.lastRun.completionTime,
    nodes,
    conditions: conditions(calibration, run, [
      {
        type: 'Calibrated',
        status: 'True',
        reason: 'Measured',
        message: `A denied connection ends so: ${sentenceOf(measurement)}${freshNote(freshPodDelayMilliseconds)}`,
      },
      enforcement(measurement),
    ]),
  };
}

/** The status that a run without a result leaves: an older result stays while it is valid, and nothing is made of it after. */
export function statusAfterFailure(
  calibration: Calibration,
  failure: Failure,
  periodMs: number,
  run: EndedRun,
): CalibrationStatus {
  const { status } = calibration;
  const now = Date.parse(run.lastRun.completionTime);
  const { denials, secondaryDenials, freshPodDelayMilliseconds, measuredTime, nodes } = status ?? {};
  const isKept = status !== undefined && isValid(status, periodMs, now);
  const before = status?.conditions?.find(({ type }) => type === 'Enforced');
  return {
    ...ended(calibration, run),
    ...(isKept && denials !== undefined ? { denials } : {}),
    ...(isKept && secondaryDenials !== undefined ? { secondaryDenials } : {}),
    ...(isKept && freshPodDelayMilliseconds !== undefined ? { freshPodDelayMilliseconds } : {}),
    ...(isKept && measuredTime !== undefined ? { measuredTime } : {}),
    ...(isKept && nodes !== undefined ? { nodes } : {}),
    conditions: conditions(calibration, run, [
      {
        type: 'Calibrated',
        status: isKept ? 'True' : 'False',
        reason: failure.reason,
        message: isKept
          ? `The newest run had no result; the one before still holds. ${failure.message}`
          : failure.message,
      },
      isKept && before !== undefined
        ? { type: 'Enforced', status: before.status, reason: before.reason, message: before.message }
        : { type: 'Enforced', status: 'Unknown', reason: 'NotCalibrated', message: 'There is no valid result.' },
    ]),
  };
}

function ended({ metadata, status }: Calibration, { lastRun, request }: EndedRun): CalibrationStatus {
  const handled = request ?? status?.lastHandledRunRequest;
  return {
    observedGeneration: metadata.generation,
    lastRun,
    ...(handled === undefined ? {} : { lastHandledRunRequest: handled }),
  };
}

function conditions({ metadata, status }: Calibration, { lastRun }: EndedRun, desired: readonly DesiredCondition[]) {
  return mergeConditions(status?.conditions ?? [], desired, metadata.generation, lastRun.completionTime);
}

/** That of a family that could not be measured says that pods have it, and no more. */
function denialsStatus({ family, ...result }: FamilyMeasurement | FamilyFailure): FamilyDenialsStatus {
  const { TCP: tcp, UDP: udp } = 'failure' in result ? {} : result.measured;
  return { ipFamily: family, ...(tcp === undefined ? {} : { tcp }), ...(udp === undefined ? {} : { udp }) };
}

function enforcement({ primary, secondary }: Measurement): DesiredCondition {
  const families = [primary, ...(secondary === undefined || 'failure' in secondary ? [] : [secondary])];
  const all = families.flatMap(({ family, measured }) =>
    Object.entries(measured).map(([protocol, pair]) => ({ over: `${protocol}${note(family, secondary)}`, pair })),
  );
  const open = all.flatMap(({ over, pair }) => unenforcedSides(pair).map((side) => `${side} over ${over}`));
  if (open.length > 0) {
    return {
      type: 'Enforced',
      status: 'False',
      reason: open.length < 2 * all.length ? 'PartlyEnforced' : 'PolicyNotEnforced',
      message: `Probes connected, and still did after ten seconds, through policies that admit nothing: ${open.join(', ')}. Install a network plugin that enforces NetworkPolicy, or repair it.`,
    };
  }
  if (secondary !== undefined && 'failure' in secondary) {
    return {
      type: 'Enforced',
      status: 'Unknown',
      reason: 'PartlyCalibrated',
      message: `Policies are enforced on both sides over ${primary.family}; over ${secondary.family} that could not be measured.`,
    };
  }
  return { type: 'Enforced', status: 'True', reason: 'Enforced', message: 'Policies are enforced on both sides.' };
}

/** Names the family only where there are two. */
function note(family: string, secondary: unknown): string {
  return secondary === undefined ? '' : ` and ${family}`;
}

function freshNote(delayMs: number): string {
  return delayMs === 0
    ? ''
    : ` Fresh pods are open for ${(delayMs / 1000).toFixed(2)} s, so probes stand for ${standSeconds(delayMs)} s before they dial.`;
}

function sentenceOf({ primary, secondary }: Measurement): string {
  if (secondary === undefined) return `${pairsOf(primary)}.`;
  return `over ${primary.family} ${pairsOf(primary)}. ${secondarySentence(secondary)}`;
}

function secondarySentence(secondary: FamilyMeasurement | FamilyFailure): string {
  return 'failure' in secondary
    ? `Over ${secondary.family}, which pods have as well, it could not be measured, so no Deny passes there. ${secondary.failure.message}`
    : `Over ${secondary.family}: ${pairsOf(secondary)}.`;
}

function pairsOf({ measured }: { readonly measured: Measured }): string {
  return Object.entries(measured)
    .map(([protocol, { ingress, egress }]) => `${protocol} ${ingress} by ingress and ${egress} by egress`)
    .join('; ');
}
