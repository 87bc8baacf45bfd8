/** The series of the calibration: written together, replaced together. */
import type { MeasuredOutcome } from '../api/index.ts';
import type { CalibrationMetrics } from './catalogue.ts';

/** How a denied connection ends, by family of addresses, protocol and the side that denies it. */
type ReportedDenials = Readonly<
  Record<string, Readonly<Record<string, Readonly<Record<'ingress' | 'egress', string>>>>>
>;

/** Everything that metrics say about the calibration. */
export interface CalibrationReport {
  /** Empty while there is no valid result. */
  readonly denials: ReportedDenials;
  /** When the newest result was measured; undefined if there was none. */
  readonly measuredAtSeconds: number | undefined;
  readonly periodSeconds: number;
  /** For how long fresh pods are open; undefined while there is no result. */
  readonly freshPodDelaySeconds: number | undefined;
}

const reached: MeasuredOutcome = 'Connected';

/** Keeps the series in step with the last report. */
export function createCalibrationSeries(metrics: CalibrationMetrics): (report: CalibrationReport) => void {
  // No series rather than 0, which would say that nothing is enforced, or that the last result is from 1970.
  metrics.lastSuccess.remove({});
  metrics.freshPodDelay.remove({});
  return ({ denials, measuredAtSeconds, periodSeconds, freshPodDelaySeconds }) => {
    metrics.outcome.reset();
    metrics.enforced.reset();
    for (const [family, pairs] of Object.entries(denials)) {
      for (const [protocol, pair] of Object.entries(pairs)) {
        for (const direction of ['ingress', 'egress'] as const) {
          metrics.outcome.set({ direction, protocol, family, outcome: pair[direction] }, 1);
          metrics.enforced.set({ direction, protocol, family }, pair[direction] === reached ? 0 : 1);
        }
      }
    }
    metrics.valid.set(Object.keys(denials).length > 0 ? 1 : 0);
    metrics.period.set(periodSeconds);
    if (freshPodDelaySeconds !== undefined) metrics.freshPodDelay.set(freshPodDelaySeconds);
    if (measuredAtSeconds !== undefined) metrics.lastSuccess.set(measuredAtSeconds);
  };
}
