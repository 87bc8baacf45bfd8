/** When a test runs next; pure. */
import {
  type ConnectivityTest,
  type KubeObject,
  type LastRun,
  runRequestAnnotation,
  type Trigger,
} from '../api/index.ts';
import { plainText } from '../text/index.ts';

/** What is known when the question is asked. */
export interface Occasion {
  readonly test: ConnectivityTest;
  /** Digest of what the verdicts depend on, as observed now. */
  readonly fingerprint: string;
  /** When this fingerprint was first and when any deviating one was first observed, by the monotonic clock. */
  readonly noticed: { readonly current: number; readonly first: number };
  /** How long until something is to be probed again because it connected too close to a change; undefined if nothing is. */
  readonly repeatInMs?: number | undefined;
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
export const confirmMs = 15_000;

/**
 * How long after a run in which a probe pod was refused, did not start or was lost the test is tried again, doubled with each
 * such run: nothing tells when a quota, an admission policy or a registry lets the next one through.
 */
const firstRetryMs = 15_000;

/** Characters of a request annotation that the status echoes, and so that tell requests apart. */
const maxRequestLength = 64;

/**
 * The request for a run that an object carries, in the words in which its status echoes it: an annotation may hold anything, and
 * half a character at its end would come back from the API server as another one.
 */
export function runRequestOf({ metadata }: KubeObject): string | undefined {
  const request = metadata.annotations?.[runRequestAnnotation];
  if (request === undefined) return undefined;
  return [...plainText(request, 16 * maxRequestLength)].slice(0, maxRequestLength).join('').trimEnd();
}

/** A verdict is stale when two runs in a row that were due are not there; what a run may take on top. */
const missedPeriods = 2;
const longestRunMs = 60_000;

/** Whether the newest verdicts are too old to be shown as if they held. */
export function isStale({ test, now }: Pick<Occasion, 'test' | 'now'>): boolean {
  const { status, spec } = test;
  if (status?.lastRun === undefined || isPending(test)) return false;
  const periodMs = 1000 * (spec.periodSeconds ?? 300);
  return now >= Date.parse(status.lastRun.completionTime) + missedPeriods * periodMs + longestRunMs;
}

/** Whether a test is due, and why; else how long to wait if nothing happens. */
export function dueFor({ test, fingerprint, noticed, repeatInMs, now, monotonic }: Occasion): Due {
  const { spec, status } = test;
  const lastRun = status?.lastRun;
  if (lastRun === undefined || isPending(test)) return { trigger: 'Spec' };
  const request = runRequestOf(test);
  if (request !== undefined && request !== status?.lastHandledRunRequest) return { trigger: 'Request' };
  const completedAt = Date.parse(lastRun.completionTime);
  const { trigger, afterMs } = nextOccasion(lastRun, 1000 * (spec.periodSeconds ?? 300));
  const nextAt = completedAt + afterMs;
  // A run that ends in the future ended before the clock was set back, who knows how long ago. Nor does this hold if the status
  // has no readable time: a wait of no length at all would be a busy loop.
  const isEarly = completedAt <= now && now < nextAt;
  if (!isEarly) return { trigger };
  const quietAt = Math.min(noticed.current + quietMs, noticed.first + patienceMs);
  const changeMs = lastRun.fingerprint === fingerprint ? Number.POSITIVE_INFINITY : quietAt - monotonic;
  const waitMs = Math.min(changeMs, repeatInMs ?? Number.POSITIVE_INFINITY, nextAt - now);
  return waitMs <= 0 ? { trigger: 'Change' } : { waitMs };
}

/** What makes the test run after its newest run if nothing happens, and how long after. */
function nextOccasion(
  { trigger, brokenRuns = 0 }: LastRun,
  periodMs: number,
): { readonly trigger: Trigger; readonly afterMs: number } {
  const retryMs = firstRetryMs * 2 ** (brokenRuns - 1);
  if (brokenRuns > 0 && retryMs < periodMs) return { trigger: 'Retry', afterMs: retryMs };
  if (trigger === 'Change' && confirmMs < periodMs) return { trigger: 'Confirmation', afterMs: confirmMs };
  return { trigger: 'Period', afterMs: periodMs };
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
