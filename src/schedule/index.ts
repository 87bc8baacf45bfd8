/** When a test runs next; pure. */
import { type ConnectivityTest, runRequestAnnotation, type Trigger } from '../api/index.ts';

/** What is known when the question is asked. */
export interface Occasion {
  readonly test: ConnectivityTest;
  /** Digest of what the verdicts depend on, as observed now. */
  readonly fingerprint: string;
  /** When this fingerprint was first and when any deviating one was first observed, by the monotonic clock. */
  readonly noticed: { readonly current: number; readonly first: number };
  /** Epoch milliseconds, and milliseconds of the monotonic clock. */
  readonly now: number;
  readonly monotonic: number;
}

export type Due = { readonly trigger: Trigger } | { readonly waitMs: number };

/** A change must have stood this long before it starts a run: a rollout is many small changes. */
const quietMs = 1000;
/** Steady change cannot put a run off for longer than this. */
const patienceMs = 5000;

/**
 * How long after a run that a change started its verdicts are looked at again: what a network plugin is told takes effect
 * later, and nothing says when. Cilium alone waits 5 s until a pod with new labels is treated by them (its
 * `identity-change-grace-period`).
 */
const confirmMs = 15_000;

/** Longest part of a request annotation that the status echoes, and so that tells requests apart. */
export const maxRunRequestLength = 64;

/** Whether a test is due, and why; else how long to wait if nothing happens. */
export function dueFor({ test, fingerprint, noticed, now, monotonic }: Occasion): Due {
  const { spec, status, metadata } = test;
  const lastRun = status?.lastRun;
  if (lastRun === undefined || isPending(test)) return { trigger: 'Spec' };
  const request = metadata.annotations?.[runRequestAnnotation]?.slice(0, maxRunRequestLength);
  if (request !== undefined && request !== status?.lastHandledRunRequest) return { trigger: 'Request' };
  const completedAt = Date.parse(lastRun.completionTime);
  const periodMs = 1000 * (spec.periodSeconds ?? 300);
  const isConfirmed = lastRun.trigger !== 'Change' || confirmMs >= periodMs;
  const nextAt = completedAt + (isConfirmed ? periodMs : confirmMs);
  // A run that ends in the future ended before the clock was set back, who knows how long ago. Nor does this hold if the status
  // has no readable time: a wait of no length at all would be a busy loop.
  const isEarly = completedAt <= now && now < nextAt;
  if (!isEarly) return { trigger: isConfirmed ? 'Period' : 'Confirmation' };
  if (lastRun.fingerprint === fingerprint) return { waitMs: nextAt - now };
  const quietAt = Math.min(noticed.current + quietMs, noticed.first + patienceMs);
  const waitMs = Math.min(quietAt - monotonic, nextAt - now);
  return waitMs <= 0 ? { trigger: 'Change' } : { waitMs };
}

/** Whether the newest verdicts belong to an older spec. */
function isPending({ status, metadata }: ConnectivityTest): boolean {
  const passed = status?.conditions?.find(({ type }) => type === 'Passed');
  return (
    passed === undefined ||
    passed.observedGeneration !== metadata.generation ||
    passed.reason === 'NoResultYet' ||
    passed.reason === 'Suspended'
  );
}
