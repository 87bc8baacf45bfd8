import type { ConnectivityTest } from '../api/index.ts';
import type { Check } from '../plan/index.ts';
import { familyOf } from '../probe/index.ts';
import { isComplete, type Run } from '../runner/index.ts';
import { concludeRun, type Crossing, crossingsTo, type JudgedLine, judgeRun, transportOf } from '../verdict/index.ts';
import { type Circumstances, endsIn, evidenceOf } from './evidence.ts';

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
  const waitMs = lastReportOf(run) + heartbeatMs - monotonic;
  if (waitMs <= 0) return 0;
  const evidence = evidenceOf(test, run, circumstances);
  const verdicts = (rows: ReturnType<typeof concludeRun>): string =>
    // What a dry run would have come to stands in its sentence alone.
    JSON.stringify(rows.map(({ verdict, reason, message }) => [verdict, reason, reason === 'DryRun' ? message : '']));
  const ifHeard = concludeRun(test, { ...evidence, isNodeHeard: () => true });
  return verdicts(concludeRun(test, evidence)) === verdicts(ifHeard) ? 0 : waitMs;
}

/** How long a complete run waits for others to find out whether packets cross between nodes. */
const crossingsMs = 60_000;
/** How long it does where something failed already, which nobody should wait for. */
const crossingsAfterFailureMs = 10_000;

/**
 * How long it is still worth waiting for that, because verdicts depend on it; 0 if none does. `monotonic` is the time by the
 * monotonic clock.
 */
export function crossingsWaitMs(
  test: ConnectivityTest,
  run: Run,
  circumstances: Circumstances,
  monotonic: number,
): number {
  if (!isComplete(run)) return 0;
  const lines = judgeRun(test, evidenceOf(test, run, circumstances));
  const isUnknown = (crossing: Crossing): boolean =>
    circumstances.crossings.stateSince(crossing, run.begunAt) === 'Unknown';
  if (!lackedBy(lines).some(isUnknown)) return 0;
  const hasFailed = lines.some(({ decisive }) => decisive.verdict === 'Failed');
  return Math.max(0, lastReportOf(run) + (hasFailed ? crossingsAfterFailureMs : crossingsMs) - monotonic);
}

/** The ways between nodes that a run's verdicts lack the proof of; those that they may come to lack while it is under way. */
export function missingCrossings(test: ConnectivityTest, run: Run, circumstances: Circumstances): readonly Crossing[] {
  if (!isComplete(run)) return expectedCrossings(run, circumstances.caches);
  return lackedBy(judgeRun(test, evidenceOf(test, run, circumstances)));
}

/** What has failed fails whatever is found out. */
function lackedBy(lines: readonly JudgedLine[]): readonly Crossing[] {
  return lines
    .filter(({ decisive }) => decisive.verdict !== 'Failed')
    .flatMap(({ judged }) => judged.flatMap(({ crossings }) => crossings ?? []));
}

/**
 * The ways that a run will have to know of if what must be denied is: known as soon as its probe pods have nodes, so that they are
 * tried meanwhile. Left out is what an Allow of the run will show, if it holds.
 */
function expectedCrossings(run: Run, caches: Circumstances['caches']): readonly Crossing[] {
  const endsOf = endsIn(run, caches);
  const content = new Set(
    run.plan.lines
      .filter(({ expectation }) => expectation.control?.mode === 'UnreachableIsEnough')
      .flatMap(({ checks }) => checks),
  );
  const ways = run.probes.flatMap(({ namespace, name, assignment }) => {
    const from = caches.podNamed(namespace, name)?.spec.nodeName;
    if (from === undefined) return [];
    return assignment.checks.flatMap((check) => {
      const { address } = check;
      if (address === undefined || content.has(check)) return [];
      const ends = endsOf(check, address);
      const isShowing = check.mode !== 'guard' && check.dns === undefined && !ends.some(({ isOnHost }) => isOnHost);
      return [{ check, isShowing, crossings: crossingsTo(ends, wayOf(check, from, address)) }];
    });
  });
  const keyOf = ({ from, to, family, protocol }: Crossing): string => JSON.stringify([from, to, family, protocol]);
  const shown = new Set(
    ways.flatMap(({ isShowing, crossings }) => (isShowing && crossings.length === 1 ? crossings.map(keyOf) : [])),
  );
  return ways.flatMap(({ check, crossings }) =>
    check.mode === 'guard' ? crossings.filter((crossing) => !shown.has(keyOf(crossing))) : [],
  );
}

function wayOf(check: Check, from: string, address: string): Omit<Crossing, 'to'> {
  return { from, family: familyOf(address), protocol: transportOf(check) };
}

function lastReportOf({ probes }: Run): number {
  return Math.max(...probes.map(({ reportedAt }) => reportedAt ?? 0));
}
