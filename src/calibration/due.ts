import type { CalibrationStatus, CalibrationTrigger } from '../api/index.ts';

/** What is known when the question is asked whether to measure. */
export interface Occasion {
  readonly status: CalibrationStatus | undefined;
  /** Digest of the nodes as they are now, and since when, by the monotonic clock, they are so and deviate from the measured ones. */
  readonly nodes: string;
  readonly noticed: { readonly current: number; readonly first: number };
  /** The value of the annotation that asks for a run now. */
  readonly request: string | undefined;
  /** Runs without a result since the last one that had one, and when the newest of them ended, by the monotonic clock. */
  readonly failures: { readonly count: number; readonly last: number };
  readonly periodMs: number;
  /** Epoch milliseconds, and milliseconds of the monotonic clock. */
  readonly now: number;
  readonly monotonic: number;
}

export type Due = { readonly trigger: CalibrationTrigger } | { readonly waitMs: number };

/** Nodes come in groups, and each needs a moment until its CNI stands. */
const quietMs = 15_000;
/** Nodes that come and go all the time cannot put a measurement off for longer than this. */
const patienceMs = 120_000;
/** Where nothing is enforced, somebody will repair that, and wants to see it. */
const unenforcedPeriodMs = 300_000;
const firstRetryMs = 15_000;
const longestRetryMs = 900_000;
/** A result holds for so many periods, should no newer one come. */
const validPeriods = 3;

/** Whether a measurement is due, and why; else how long to wait if nothing happens. */
export function dueFor(occasion: Occasion): Due {
  const { status, nodes, noticed, request, failures, periodMs, now, monotonic } = occasion;
  if (request !== undefined && request !== status?.lastHandledRunRequest) return { trigger: 'Request' };
  if (failures.count > 0) {
    const retryAt = failures.last + Math.min(firstRetryMs * 2 ** (failures.count - 1), longestRetryMs);
    return monotonic >= retryAt ? { trigger: 'Retry' } : { waitMs: retryAt - monotonic };
  }
  if (status === undefined || !isValid(status, periodMs, now)) return { trigger: 'Start' };
  const isEnforced = status.conditions?.some((each) => each.type === 'Enforced' && each.status === 'True') === true;
  const period = isEnforced ? periodMs : Math.min(periodMs, unenforcedPeriodMs);
  const nextAt = measuredAt(status) + period;
  // One that was measured in the future was measured before the clock was set back, who knows how long ago.
  if (now >= nextAt || now < measuredAt(status)) return { trigger: 'Period' };
  if (status.nodes === nodes) return { waitMs: nextAt - now };
  const quietAt = Math.min(noticed.current + quietMs, noticed.first + patienceMs);
  const waitMs = Math.min(quietAt - monotonic, nextAt - now);
  return waitMs <= 0 ? { trigger: 'Nodes' } : { waitMs };
}

/** Whether a status holds a result that is not too old to be used. */
export function isValid(status: CalibrationStatus, periodMs: number, now: number): boolean {
  // One that does not say over which family it was measured is from before both were, and is measured anew.
  const { ipFamily, tcp } = status.denials ?? {};
  return ipFamily !== undefined && tcp !== undefined && Math.abs(now - measuredAt(status)) < validPeriods * periodMs;
}

function measuredAt({ measuredTime }: CalibrationStatus): number {
  return measuredTime === undefined ? 0 : Date.parse(measuredTime);
}
