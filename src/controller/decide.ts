import type { ConnectivityTest, Trigger } from '../api/index.ts';
import { isComplete, type Run } from '../runner/index.ts';
import { dueFor, isStale } from '../schedule/index.ts';

/** Everything that the next step of a test depends on. */
export interface Situation {
  readonly test: ConnectivityTest;
  readonly fingerprint: string;
  /** By the monotonic clock. */
  readonly noticed: { readonly current: number; readonly first: number };
  readonly run: Run | undefined;
  /** How many runs in a row were overtaken by a change of what they were planned on. */
  readonly disturbedRuns: number;
  /** How long until something is to be probed again that connected too close to a change; undefined if nothing is. */
  readonly repeatInMs: number | undefined;
  /** Whether the run uses what the test may no longer use. */
  readonly isRevoked: boolean;
  /** Whether the status does not say yet what the test may not use. */
  readonly isRefusalUnsaid: boolean;
  /** How long the first calibration may still keep runs waiting; 0 once it has ended. */
  readonly holdMs: number;
  /** How long a complete run may still wait for proofs from elsewhere; 0 if its verdicts do not depend on any. */
  readonly proofsWaitMs: number;
  /** Epoch milliseconds, and milliseconds of the monotonic clock. */
  readonly now: number;
  readonly monotonic: number;
}

/** What to do next about a test; the actions are in reconciler.ts. */
export type Step =
  | { readonly kind: 'suspend' }
  | { readonly kind: 'expire' }
  | { readonly kind: 'discard'; readonly why: string }
  | { readonly kind: 'refuse' }
  | { readonly kind: 'await'; readonly waitMs: number }
  | { readonly kind: 'conclude' }
  | { readonly kind: 'start'; readonly trigger: Trigger }
  | { readonly kind: 'rest'; readonly waitMs: number };

export function decide(situation: Situation): Step {
  const { test, fingerprint, noticed, run, disturbedRuns, repeatInMs, isRevoked, isRefusalUnsaid, holdMs } = situation;
  const { proofsWaitMs, now, monotonic } = situation;
  if (test.spec.suspend === true)
    return run === undefined ? { kind: 'suspend' } : { kind: 'discard', why: 'suspended' };
  if (isRevoked && run !== undefined) return { kind: 'discard', why: 'it is no longer granted what it uses' };
  if (isStale({ test, now }) && !isShownStale(test)) return { kind: 'expire' };
  if (run !== undefined) {
    if (run.generation !== test.metadata.generation) return { kind: 'discard', why: 'a newer spec overtook the run' };
    if (!isComplete(run)) return { kind: 'await', waitMs: Math.max(0, run.deadline - monotonic) };
    // Verdicts on two worlds at once would only make noise. Steady change must not keep a test from having any, though, and who
    // wants to hear of a connection at once does not want it to be thrown away.
    if (run.fingerprint !== fingerprint && disturbedRuns === 0 && test.spec.enforcementGraceSeconds !== 0) {
      return { kind: 'discard', why: 'the cluster changed during the run' };
    }
    if (proofsWaitMs > 0) return { kind: 'await', waitMs: proofsWaitMs };
    return { kind: 'conclude' };
  }
  if (isRefusalUnsaid) return { kind: 'refuse' };
  const due = dueFor({ test, fingerprint, noticed, repeatInMs, now, monotonic });
  if ('waitMs' in due) return { kind: 'rest', waitMs: due.waitMs };
  // Without a calibration every Deny would be Inconclusive: noise at each start of the operator.
  if (holdMs > 0) return { kind: 'rest', waitMs: holdMs };
  return { kind: 'start', trigger: due.trigger };
}

function isShownStale({ status }: ConnectivityTest): boolean {
  return status?.conditions?.some(({ type, reason }) => type === 'Passed' && reason === 'Stale') === true;
}
