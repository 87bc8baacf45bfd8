import type { CalibrationTrigger } from '../api/index.ts';
import { type ProbeReport } from '../verdict/index.ts';
import type { Due } from './due.ts';
import type { Failure } from './family-measurement.ts';
import { failureFrom, hasOpenDoor, type Measurement, measurementOf, repeated } from './measurement.ts';
import type { Listeners } from './pods.ts';

/** One of the two parts of an attempt, as far as decisions need it: a report per pod, undefined while there is none. */
interface Part {
  readonly reports: readonly (ProbeReport | undefined)[];
  /** Milliseconds of the monotonic clock. */
  readonly deadline: number;
}

/** An attempt under way. */
export interface CalibrationAttempt {
  readonly listeners: Part;
  /** Where the listeners answer by now; undefined while not both of them do. */
  readonly answering: Listeners | undefined;
  /** Where they answered when the probes were started. */
  readonly dialled?: Listeners | undefined;
  readonly probes?: Part | undefined;
  /** What the first round saw, where this is the second. */
  readonly earlier?: Measurement | undefined;
}

/** What to do next; the actions are in src/controller/calibrator.ts. */
export type CalibrationStep =
  | { readonly kind: 'start'; readonly trigger: CalibrationTrigger }
  | { readonly kind: 'dial'; readonly listeners: Listeners; readonly earlier?: Measurement }
  | { readonly kind: 'succeed'; readonly measurement: Measurement }
  | { readonly kind: 'fail'; readonly failure: Failure }
  | { readonly kind: 'wait'; readonly waitMs: number };

export function decideCalibration(
  attempt: CalibrationAttempt | undefined,
  due: Due,
  namespace: string,
  now: number,
): CalibrationStep {
  if (attempt === undefined) {
    return 'trigger' in due ? { kind: 'start', trigger: due.trigger } : { kind: 'wait', waitMs: due.waitMs };
  }
  const { listeners, answering, dialled, probes, earlier } = attempt;
  if (probes === undefined) {
    const trouble = listeners.reports.find((report) => report?.trouble !== undefined)?.trouble;
    if (trouble !== undefined) return { kind: 'fail', failure: failureFrom(namespace, trouble) };
    if (answering !== undefined) return { kind: 'dial', listeners: answering };
    return { kind: 'wait', waitMs: Math.max(0, listeners.deadline - now) };
  }
  const reports = probes.reports.filter((report) => report !== undefined);
  if (reports.length < probes.reports.length) return { kind: 'wait', waitMs: Math.max(0, probes.deadline - now) };
  if (answering === undefined || JSON.stringify(answering) !== JSON.stringify(dialled)) {
    const message = 'A listening pod of the calibration was lost while it was dialled. It is tried again.';
    return { kind: 'fail', failure: { reason: 'ListenerLost', message } };
  }
  const latest = measurementOf(namespace, answering, reports);
  const measurement = earlier === undefined ? latest : repeated(earlier, latest);
  if ('failure' in measurement) return { kind: 'fail', failure: measurement.failure };
  if (earlier === undefined && hasOpenDoor(measurement)) {
    return { kind: 'dial', listeners: answering, earlier: measurement };
  }
  return { kind: 'succeed', measurement };
}
