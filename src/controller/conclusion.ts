import type { ConnectivityTest, Status } from '../api/index.ts';
import { type Comparison, compareRun } from '../comparison/index.ts';
import type { Check, Line } from '../plan/index.ts';
import type { Observation } from '../probe/index.ts';
import type { Run } from '../runner/index.ts';
import {
  excusedUntil,
  graceMsOf,
  isFresh,
  type JudgedLine,
  judgeRun,
  recencyMsOf,
  type Row,
  rowOf,
  statusAfterRun,
} from '../verdict/index.ts';
import { changedAt, type Circumstances, evidenceOf, policiesBehind } from './evidence.ts';

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
      ...(isBroken(run) || rows.some(isWithoutPath) ? { brokenRuns: (test.status?.lastRun?.brokenRuns ?? 0) + 1 } : {}),
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

/** Whether a probe pod did not come to state what it saw. */
function isBroken({ probes }: Run): boolean {
  return probes.some(({ report }) => report?.trouble !== undefined);
}

/** Whether a verdict lacks the proof of a path: nothing that is watched tells when there is one. */
function isWithoutPath({ reason }: Row): boolean {
  return reason === 'NoPathControl';
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
