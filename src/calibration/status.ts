import type { Calibration, CalibrationStatus } from '../api/index.ts';
import { type Denials, type DesiredCondition, mergeConditions, unenforcedSides } from '../verdict/index.ts';
import { isValid } from './due.ts';
import { type Failure, freshPodDelayMsOf, type Measured, type Measurement } from './measurement.ts';

/** A run that has ended. */
export interface EndedRun {
  readonly lastRun: NonNullable<CalibrationStatus['lastRun']>;
  /** The annotation that it answers, if any. */
  readonly request: string | undefined;
}

/** The table that verdicts go by. */
export function denialsOf(status: CalibrationStatus | undefined): Denials {
  const { tcp, udp } = status?.denials ?? {};
  return { ...(tcp === undefined ? {} : { TCP: tcp }), ...(udp === undefined ? {} : { UDP: udp }) };
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
  const { measured } = measurement;
  const { TCP: tcp, UDP: udp } = measured;
  const freshPodDelayMilliseconds = freshPodDelayMsOf(measurement);
  return {
    ...ended(calibration, run),
    denials: { ...(tcp === undefined ? {} : { tcp }), ...(udp === undefined ? {} : { udp }) },
    freshPodDelayMilliseconds,
    measuredTime: run.lastRun.completionTime,
    nodes,
    conditions: conditions(calibration, run, [
      {
        type: 'Calibrated',
        status: 'True',
        reason: 'Measured',
        message: `A denied connection ends so: ${sentenceOf(measured)}.${freshNote(freshPodDelayMilliseconds)}`,
      },
      enforcement(measured),
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
  const { denials, freshPodDelayMilliseconds, measuredTime, nodes } = status ?? {};
  const isKept = status !== undefined && isValid(status, periodMs, now);
  const before = status?.conditions?.find(({ type }) => type === 'Enforced');
  return {
    ...ended(calibration, run),
    ...(isKept && denials !== undefined ? { denials } : {}),
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

function enforcement(measured: Measured): DesiredCondition {
  const open = Object.entries(measured).flatMap(([protocol, pair]) =>
    unenforcedSides(pair).map((side) => `${side} over ${protocol}`),
  );
  if (open.length === 0) {
    return { type: 'Enforced', status: 'True', reason: 'Enforced', message: 'Policies are enforced on both sides.' };
  }
  const isPart = open.length < 2 * Object.keys(measured).length;
  return {
    type: 'Enforced',
    status: 'False',
    reason: isPart ? 'PartlyEnforced' : 'PolicyNotEnforced',
    message: `Probes connected, and still did after ten seconds, through policies that admit nothing: ${open.join(', ')}. Install a network plugin that enforces NetworkPolicy, or repair it.`,
  };
}

function freshNote(delayMs: number): string {
  return delayMs === 0
    ? ''
    : ` Fresh pods are open for ${(delayMs / 1000).toFixed(2)} s, so probes stand for ${standSeconds(delayMs)} s before they dial.`;
}

function sentenceOf(measured: Measured): string {
  return Object.entries(measured)
    .map(([protocol, { ingress, egress }]) => `${protocol} ${ingress} by ingress and ${egress} by egress`)
    .join('; ');
}
