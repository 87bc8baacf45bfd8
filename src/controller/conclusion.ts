import type { ConnectivityTest, Status } from '../api/index.ts';
import { type Check, type ClusterView, isOutsideIdentity, isReady, leadsInside, type Plan } from '../plan/index.ts';
import type { Run } from '../runner/index.ts';
import { maxRunRequestLength } from '../schedule/index.ts';
import { concludeRun, type Denials, type ProbeReport, statusAfterRun } from '../verdict/index.ts';

/** What a finished run is seen against. */
export interface Circumstances {
  /** Whether the world that the run was planned on is no longer the one observed now. */
  readonly isDisturbed: boolean;
  /** How many runs in a row that has happened to, this one included. */
  readonly disturbedRuns: number;
  readonly caches: ClusterView;
  /** How this cluster denies, as far as it was measured. */
  readonly denials: Denials;
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

/** What Postern itself saw from its namespace, without what turned out to be in the cluster: no test is told about that. */
function withoutInsiders(report: ProbeReport, caches: ClusterView): ProbeReport {
  const isTold = (check: Check): boolean =>
    !isOutsideIdentity(check.identity) || !leadsInside(report.observations.get(check.id)?.address, caches);
  const told = new Set(report.checks.filter(isTold).map(({ id }) => id));
  return { ...report, observations: new Map([...report.observations].filter(([id]) => told.has(id))) };
}

/** The status after a finished run; pure but for reading the caches. */
export function concludedStatus(test: ConnectivityTest, run: Run, circumstances: Circumstances): Status {
  const { isDisturbed, disturbedRuns, caches, denials, now } = circumstances;
  const standing = readySince(run.plan, caches);
  const rows = concludeRun(test, {
    lines: run.plan.lines,
    reports: run.probes.flatMap(({ report }) => (report === undefined ? [] : [withoutInsiders(report, caches)])),
    disturbed: isDisturbed && disturbedRuns <= excusedRuns,
    denials,
    targetStands: ({ target }) =>
      target.podUids.every((uid) => standing.has(uid) && standing.get(uid) === run.readySince.get(uid)),
  });
  const completionTime = new Date(now).toISOString();
  return statusAfterRun(
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
    run.runRequest?.slice(0, maxRunRequestLength) ?? test.status?.lastHandledRunRequest,
  );
}
