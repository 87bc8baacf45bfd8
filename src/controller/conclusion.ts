import type { ConnectivityTest, Status } from '../api/index.ts';
import {
  type Comparison,
  compareRun,
  isAdmitted,
  type PoliciesInForce,
  type PoliciesOfRun,
  policiesOfRun,
} from '../comparison/index.ts';
import {
  type Check,
  type ClusterView,
  isOutsideIdentity,
  isReady,
  leadsInside,
  type Line,
  type Plan,
} from '../plan/index.ts';
import type { Observation } from '../probe/index.ts';
import { isComplete, type Run } from '../runner/index.ts';
import {
  concludeRun,
  type Denials,
  excusedUntil,
  graceMsOf,
  isFresh,
  type JudgedLine,
  judgeRun,
  type ProbeReport,
  recencyMsOf,
  type Row,
  rowOf,
  type RunEvidence,
  statusAfterRun,
} from '../verdict/index.ts';
import type { Caches } from './caches.ts';
import { type ObservedChanges, subjectsOf } from './observed-changes.ts';

/** What a finished run is seen against. */
export interface Circumstances {
  /** Whether the world that the run was planned on is no longer the one observed now. */
  readonly isDisturbed: boolean;
  /** How many runs in a row that has happened to, this one included. */
  readonly disturbedRuns: number;
  readonly caches: ClusterView & Pick<Caches, 'heardOf'>;
  /** When what verdicts depend on was last seen to change. */
  readonly changes: Pick<ObservedChanges, 'latest'>;
  /** How this cluster denies, as far as it was measured. */
  readonly denials: Denials;
  /** How long fresh pods were measured to be open, in milliseconds. */
  readonly freshPodDelayMs: number;
  /** When the last probe had reported: what it saw grows no younger while it cannot be written. Epoch milliseconds. */
  readonly seenAt: number;
  /** What the model of the policies is asked about. */
  readonly policies: PoliciesInForce;
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
  /** How the model of the policies goes with what was seen. */
  readonly comparisons: readonly Comparison[];
  /** What kept the model from being asked; the verdicts stand without it. */
  readonly defect?: unknown;
}

/** What Postern itself saw from its namespace, without what turned out to be in the cluster: no test is told about that. */
function withoutInsiders(report: ProbeReport, caches: ClusterView): ProbeReport {
  const isTold = (check: Check): boolean =>
    !isOutsideIdentity(check.identity) || !leadsInside(report.observations.get(check.id)?.address, caches);
  const told = new Set(report.checks.filter(isTold).map(({ id }) => id));
  return { ...report, observations: new Map([...report.observations].filter(([id]) => told.has(id))) };
}

/** The status after a finished run; pure but for reading the caches. */
export function concludedStatus(test: ConnectivityTest, run: Run, circumstances: Circumstances): Conclusion {
  const { changes, freshPodDelayMs, seenAt } = circumstances;
  const earliest = { begunAt: run.begunAt, delayMs: 1000 * run.delaySeconds, elapsedMs: 0 };
  // Pods of the next run stand for as long as was measured.
  const repeatAtOf = (changed: number | undefined): number | undefined =>
    excusedUntil(earliest, changed, graceMsOf(test)) ?? (isFresh(earliest, freshPodDelayMs) ? run.begunAt : undefined);
  const lines = judgeRun(test, evidenceOf(test, run, circumstances));
  const { explanations, ...compared } = comparedRun(test, run, lines, circumstances);
  const rows = lines.map((line): Row => {
    const row = rowOf(test, line);
    const explanation = explanations.get(row.name);
    return explanation === undefined ? row : { ...row, explanation };
  });
  const completionTime = new Date(seenAt).toISOString();
  const status = statusAfterRun(
    test,
    rows,
    {
      id: run.id,
      trigger: run.trigger,
      startTime: new Date(run.startedAt).toISOString(),
      completionTime,
      ...(isBroken(run) ? { brokenRuns: (test.status?.lastRun?.brokenRuns ?? 0) + 1 } : {}),
      probePods: run.probes.length,
      // The write of this very status is one of them.
      apiRequests: run.apiRequests + 1,
      fingerprint: run.fingerprint,
    },
    completionTime,
    run.runRequest ?? test.status?.lastHandledRunRequest,
  );
  const repeats = run.plan.lines
    .filter((line) => isOpen(line, rows))
    .flatMap((line) =>
      line.checks.filter(isGuard).map((check) => repeatAtOf(changedAt(test, run, changes, line, check))),
    )
    .filter((until) => until !== undefined);
  return { status, repeatAt: repeats.length === 0 ? undefined : Math.max(...repeats) + 1, ...compared };
}

/** What the policies say beside the evidence. Where they cannot be asked, because of a defect, the evidence stands alone. */
function comparedRun(
  test: ConnectivityTest,
  run: Run,
  lines: readonly JudgedLine[],
  circumstances: Circumstances,
): ReturnType<typeof compareRun> & Pick<Conclusion, 'defect'> {
  const { isDisturbed, changes, freshPodDelayMs } = circumstances;
  const isRecent = (line: Line, check: Check, { elapsedMs }: Observation): boolean => {
    const time = { begunAt: run.begunAt, delayMs: 1000 * run.delaySeconds, elapsedMs };
    const changed = changedAt(test, run, changes, line, check);
    return (
      isDisturbed || isFresh(time, freshPodDelayMs) || excusedUntil(time, changed, recencyMsOf(test)) !== undefined
    );
  };
  try {
    return compareRun(test, lines, policiesBehind(test, run, circumstances), isRecent);
  } catch (defect) {
    return { comparisons: [], explanations: new Map(), defect };
  }
}

function policiesBehind(test: ConnectivityTest, run: Run, { policies }: Circumstances): PoliciesOfRun {
  const resolved = run.probes.flatMap(({ report }) =>
    [...(report?.observations.values() ?? [])].flatMap(({ address }) => (address === undefined ? [] : [address])),
  );
  return policiesOfRun(test, run.plan, [...new Set(resolved)], policies);
}

/** Whether a probe pod did not come to state what it saw. */
function isBroken({ probes }: Run): boolean {
  return probes.some(({ report }) => report?.trouble !== undefined);
}

/** Whether an expectation did not hold, be it excused or not: what had failed before does not wait for its period to be seen closed. */
function isOpen({ expectation }: Line, rows: readonly Row[]): boolean {
  const row = rows.find(({ name }) => name === expectation.name);
  return row?.verdict === 'Failed' || row?.reason === 'EnforcementDelayed';
}

/** Only what must not connect is asked again when a change is old enough. */
function isGuard({ mode }: Check): boolean {
  return mode === 'guard';
}

/** How long after the last report a kubelet may yet renew its Lease: it does so every ten seconds, on a busy node a little later. */
const heartbeatMs = 15_000;

/**
 * How long it is still worth waiting to hear of nodes, because verdicts depend on it; 0 if none does. `monotonic` is the time by
 * the monotonic clock.
 */
export function heartbeatWaitMs(
  test: ConnectivityTest,
  run: Run,
  circumstances: Circumstances,
  monotonic: number,
): number {
  if (!isComplete(run)) return 0;
  const last = Math.max(...run.probes.map(({ reportedAt }) => reportedAt ?? 0));
  const waitMs = last + heartbeatMs - monotonic;
  if (waitMs <= 0) return 0;
  const evidence = evidenceOf(test, run, circumstances);
  const verdicts = (rows: ReturnType<typeof concludeRun>): string =>
    // What a dry run would have come to stands in its sentence alone.
    JSON.stringify(rows.map(({ verdict, reason, message }) => [verdict, reason, reason === 'DryRun' ? message : '']));
  const ifHeard = concludeRun(test, { ...evidence, isNodeHeard: () => true });
  return verdicts(concludeRun(test, evidence)) === verdicts(ifHeard) ? 0 : waitMs;
}

/** When something that a check depends on was last seen to change, by the monotonic clock. */
function changedAt(
  { metadata }: ConnectivityTest,
  { plan }: Run,
  changes: Circumstances['changes'],
  { expectation }: Line,
  check: Check,
): number | undefined {
  return changes.latest(subjectsOf(plan, check, expectation, metadata.namespace));
}

function evidenceOf(test: ConnectivityTest, run: Run, circumstances: Circumstances): RunEvidence {
  const { isDisturbed, disturbedRuns, caches, changes, denials, freshPodDelayMs } = circumstances;
  const times = { begunAt: run.begunAt, delayMs: 1000 * run.delaySeconds };
  const standing = readySince(run.plan, caches);
  const ready = run.plan.namespaces.flatMap((name) => caches.pods(name).filter(isReady));
  const nodes = new Map(ready.map(({ metadata, spec }) => [metadata.uid, spec.nodeName]));
  const nodeOf = (uid: string): string => nodes.get(uid) ?? '';
  return {
    lines: run.plan.lines,
    reports: run.probes.flatMap(({ report }) => (report === undefined ? [] : [withoutInsiders(report, caches)])),
    disturbed: isDisturbed && disturbedRuns <= excusedRuns,
    denials,
    isDelayed: (line, check, { elapsedMs }) =>
      isFresh({ ...times, elapsedMs }, freshPodDelayMs) ||
      excusedUntil({ ...times, elapsedMs }, changedAt(test, run, changes, line, check), graceMsOf(test)) !== undefined,
    targetStands: ({ target }) =>
      target.podUids.every((uid) => standing.has(uid) && standing.get(uid) === run.readySince.get(uid)),
    isNodeHeard: (check, elapsedMs) => {
      const reportedAt = run.probes.find(({ assignment }) => assignment.checks.includes(check))?.reportedAt;
      const began = (reportedAt ?? Infinity) - elapsedMs;
      return check.target.podUids.every((uid) => (caches.heardOf(nodeOf(uid)) ?? -Infinity) >= began);
    },
    nodesOf: ({ target }) => target.podUids.map(nodeOf),
    isAdmitted: admissionsOf(test, run, circumstances),
  };
}

/** Whether the policies let a check pass. Where they cannot be asked, because of a defect, nothing rests on them. */
function admissionsOf(
  test: ConnectivityTest,
  run: Run,
  circumstances: Circumstances,
): (line: Line, check: Check) => boolean {
  // Most runs never ask.
  let policies: PoliciesOfRun | undefined;
  return (line, check) => {
    try {
      policies ??= policiesBehind(test, run, circumstances);
      return isAdmitted(line, check, policies);
    } catch {
      return false;
    }
  };
}
