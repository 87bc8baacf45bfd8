import type { ConnectivityTest, Status } from '../api/index.ts';
import { type Check, type ClusterView, isReady, type Line, type Plan } from '../plan/index.ts';
import type { Run } from '../runner/index.ts';
import {
  concludeRun,
  type Denials,
  excusedUntil,
  graceMsOf,
  isFresh,
  type Row,
  statusAfterRun,
} from '../verdict/index.ts';
import { type ObservedChanges, subjectsOf } from './observed-changes.ts';

/** What a finished run is seen against. */
export interface Circumstances {
  /** Whether the world that the run was planned on is no longer the one observed now. */
  readonly isDisturbed: boolean;
  /** How many runs in a row that has happened to, this one included. */
  readonly disturbedRuns: number;
  readonly caches: ClusterView;
  /** When what verdicts depend on was last seen to change. */
  readonly changes: Pick<ObservedChanges, 'latest'>;
  /** How this cluster denies, as far as it was measured. */
  readonly denials: Denials;
  /** How long fresh pods were measured to be open, in milliseconds. */
  readonly freshPodDelayMs: number;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** Steady change must not keep a test from ever having verdicts: after so many disturbed runs they count as they are. */
const excusedRuns = 2;

/** Since when each ready pod that a plan may have to do with is ready, by uid: one that was not in between has a later time. */
export function readySince(plan: Plan, caches: ClusterView): ReadonlyMap<string, string> {
  const ready = plan.namespaces.flatMap((namespace) => caches.pods(namespace).filter(isReady));
  return new Map(
    ready.map(({ metadata, status }) => [
      metadata.uid ?? '',
      status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime ?? '',
    ]),
  );
}

/** What a finished run comes to. */
export interface Conclusion {
  readonly status: Status;
  /** The first moment at which what connected too close to a change may be judged, by the monotonic clock. */
  readonly repeatAt: number | undefined;
}

/** The status after a finished run; pure but for reading the caches. */
export function concludedStatus(test: ConnectivityTest, run: Run, circumstances: Circumstances): Conclusion {
  const { isDisturbed, disturbedRuns, caches, changes, denials, freshPodDelayMs, now } = circumstances;
  const standing = readySince(run.plan, caches);
  const changedAt = (line: Line, check: Check): number | undefined =>
    changes.latest(subjectsOf(run.plan, check, line.expectation, test.metadata.namespace));
  const times = { begunAt: run.begunAt, delayMs: 1000 * run.delaySeconds };
  const earliest = { ...times, elapsedMs: 0 };
  // Pods of the next run stand for as long as was measured.
  const repeatAtOf = (changed: number | undefined): number | undefined =>
    excusedUntil(earliest, changed, graceMsOf(test)) ?? (isFresh(earliest, freshPodDelayMs) ? run.begunAt : undefined);
  const rows = concludeRun(test, {
    lines: run.plan.lines,
    reports: run.probes.flatMap(({ report }) => (report === undefined ? [] : [report])),
    disturbed: isDisturbed && disturbedRuns <= excusedRuns,
    denials,
    isDelayed: (line, check, { elapsedMs }) =>
      isFresh({ ...times, elapsedMs }, freshPodDelayMs) ||
      excusedUntil({ ...times, elapsedMs }, changedAt(line, check), graceMsOf(test)) !== undefined,
    targetStands: ({ target }) =>
      target.podUids.every((uid) => standing.has(uid) && standing.get(uid) === run.readySince.get(uid)),
  });
  const completionTime = new Date(now).toISOString();
  const status = statusAfterRun(
    test,
    rows,
    {
      id: run.id,
      trigger: run.trigger,
      startTime: new Date(run.startedAt).toISOString(),
      completionTime,
      probePods: run.probes.length,
      // The write of this very status is one of them.
      apiRequests: run.apiRequests + 1,
      fingerprint: run.fingerprint,
    },
    completionTime,
    run.runRequest ?? test.status?.lastHandledRunRequest,
  );
  const repeats = run.plan.lines
    .filter((line) => isOpenDeny(line, rows))
    .flatMap((line) => line.checks.map((check) => repeatAtOf(changedAt(line, check))))
    .filter((until) => until !== undefined);
  return { status, repeatAt: repeats.length === 0 ? undefined : Math.max(...repeats) + 1 };
}

/** Whether a Deny connected, be it excused or not: what had failed before does not wait for its period to be seen closed. */
function isOpenDeny({ expectation }: Line, rows: readonly Row[]): boolean {
  const row = rows.find(({ name }) => name === expectation.name);
  return expectation.expect === 'Deny' && (row?.verdict === 'Failed' || row?.reason === 'EnforcementDelayed');
}
