import type { ConnectivityTest, ExpectationStatus } from '../api/index.ts';

/** Runs in a row that may excuse a connection: constant change must not hide a hole for ever. */
export const maxExcusedRuns = 3;

const usualGraceMs = 5000;

/** For how long after an observed change a connection that must not succeed may be owed to it. 0 is the strict mode. */
export function graceMsOf({ spec }: ConnectivityTest): number {
  return spec.enforcementGraceSeconds === undefined ? usualGraceMs : 1000 * spec.enforcementGraceSeconds;
}

/** For how long an observed change is recent. The strict mode excuses nothing, but the network plugin is no faster for it. */
export function recencyMsOf(test: ConnectivityTest): number {
  return Math.max(graceMsOf(test), usualGraceMs);
}

/**
 * Whether a connection of a Deny may be excused at all. What has failed stays Failed until it passes: a hole that is known is
 * none that a policy is about to close, and an alert about it must not come and go.
 */
export function isExcusable(test: ConnectivityTest, previous: ExpectationStatus | undefined): boolean {
  return graceMsOf(test) > 0 && previous?.verdict !== 'Failed' && !isExhausted(previous);
}

/** Whether so many runs in a row were excused that none is any more. */
export function isExhausted(previous: ExpectationStatus | undefined): boolean {
  return (previous?.excusedRuns ?? 0) >= maxExcusedRuns;
}

/** When a probe connected, at the earliest, as far as the operator knows by its own monotonic clock. In milliseconds. */
export interface ConnectionTime {
  /** When the operator began to ask for the probe pods. */
  readonly begunAt: number;
  /** How long the probe had been told to stand before it dialled, and how long after that it connected, by its own clock. */
  readonly delayMs: number;
  readonly elapsedMs: number;
}

/**
 * Until when a connection is excused by what was last observed to change, by the operator's monotonic clock; undefined if it is
 * not. The connection came later than computed here by what the pod took to start, and the change came earlier than it was
 * observed, by the delay of the watch: both err on the side of the excuse, which ends with a look at the same thing again.
 */
export function excusedUntil(
  { begunAt, delayMs, elapsedMs }: ConnectionTime,
  changedAt: number | undefined,
  graceMs: number,
): number | undefined {
  if (changedAt === undefined || graceMs === 0) return undefined;
  const until = changedAt + graceMs;
  return begunAt + delayMs + elapsedMs <= until ? until : undefined;
}

/** Whether a probe connected while pods as fresh as its own were measured to be open. All by clocks of probe pods. */
export function isFresh({ delayMs, elapsedMs }: ConnectionTime, freshPodDelayMs: number): boolean {
  return freshPodDelayMs > 0 && delayMs + elapsedMs <= freshPodDelayMs;
}
