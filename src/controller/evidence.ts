import type { ConnectivityTest } from '../api/index.ts';
import { isAdmitted, type PoliciesInForce, type PoliciesOfRun, policiesOfRun } from '../comparison/index.ts';
import {
  type Check,
  type ClusterView,
  type End,
  endOf,
  isOutsideIdentity,
  isReady,
  leadsInside,
  type Line,
  type Plan,
} from '../plan/index.ts';
import type { Run } from '../runner/index.ts';
import { confirmMs } from '../schedule/index.ts';
import {
  type Denials,
  excusedUntil,
  graceMsOf,
  isFresh,
  type ProbeReport,
  type RunEvidence,
} from '../verdict/index.ts';
import type { Caches } from './caches.ts';
import type { Crossings } from './crossings.ts';
import { type ObservedChanges, subjectsOf } from './observed-changes.ts';

/** What a finished run is seen against. */
export interface Circumstances {
  /** Whether the world that the run was planned on is no longer the one observed now. */
  readonly isDisturbed: boolean;
  /** How many runs in a row that has happened to, this one included. */
  readonly disturbedRuns: number;
  readonly caches: ClusterView & Pick<Caches, 'heardOf' | 'endsBehind' | 'podNamed'>;
  /** What pods of Postern's own found out about ways between nodes. */
  readonly crossings: Pick<Crossings, 'stateSince'>;
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

/** What a run's verdicts are judged by. */
export function evidenceOf(test: ConnectivityTest, run: Run, circumstances: Circumstances): RunEvidence {
  const { isDisturbed, disturbedRuns, caches, changes, crossings, denials, freshPodDelayMs } = circumstances;
  const times = { begunAt: run.begunAt, delayMs: 1000 * run.delaySeconds };
  const standing = readySince(run.plan, caches);
  const endsOfPod = endsByPod(run, caches);
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
      const nodes = check.target.podUids.map((uid) => endsOfPod(uid)[0]?.node ?? '');
      return nodes.every((node) => (caches.heardOf(node) ?? -Infinity) >= began);
    },
    endsOf: endsIn(run, caches),
    crossingOf: (crossing) => crossings.stateSince(crossing, run.begunAt),
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

/** What Postern itself saw from its namespace, without what turned out to be in the cluster: no test is told about that. */
function withoutInsiders(report: ProbeReport, caches: ClusterView): ProbeReport {
  const isTold = (check: Check): boolean =>
    !isOutsideIdentity(check.identity) || !leadsInside(report.observations.get(check.id)?.address, caches);
  const told = new Set(report.checks.filter(isTold).map(({ id }) => id));
  return { ...report, observations: new Map([...report.observations].filter(([id]) => told.has(id))) };
}

/** What the policies that a run is about say. */
export function policiesBehind(test: ConnectivityTest, run: Run, { policies }: Circumstances): PoliciesOfRun {
  const resolved = run.probes.flatMap(({ report }) =>
    [...(report?.observations.values() ?? [])].flatMap(({ address }) => (address === undefined ? [] : [address])),
  );
  return policiesOfRun(test, run.plan, [...new Set(resolved)], policies);
}

/** When something that a check depends on was last seen to change, by the monotonic clock. */
export function changedAt(
  { metadata }: ConnectivityTest,
  { plan }: Run,
  changes: Circumstances['changes'],
  { expectation }: Line,
  check: Check,
): number | undefined {
  return changes.latest(subjectsOf(plan, check, expectation, metadata.namespace));
}

/** Whether something that a plan depends on changed so lately that a network plugin may not have caught up with it. */
export function isUnsettled(
  { metadata }: ConnectivityTest,
  plan: Plan,
  changes: Circumstances['changes'],
  monotonic: number,
): boolean {
  const subjects = plan.lines.flatMap(({ expectation, checks }) =>
    checks.flatMap((check) => subjectsOf(plan, check, expectation, metadata.namespace)),
  );
  const changed = changes.latest([...new Set(subjects)]);
  return changed !== undefined && monotonic - changed < confirmMs;
}

/** Where packets to a target arrive: at its pods; of what is named by its address at those that it leads to. */
export function endsIn(run: Run, caches: Circumstances['caches']): RunEvidence['endsOf'] {
  const endsOfPod = endsByPod(run, caches);
  const known = new Map<string, readonly End[]>();
  return ({ target, dns }, address) => {
    if (target.podUids.length > 0) return target.podUids.flatMap(endsOfPod);
    if (address === undefined) return dns === undefined ? [] : endsOfResolver(caches);
    const ends = known.get(address) ?? caches.endsBehind(address);
    known.set(address, ends);
    return ends;
  };
}

/** The pods that kubeadm, kOps and most distributions have for DNS; where there are none, nothing is known of its nodes. */
function endsOfResolver(caches: ClusterView): readonly End[] {
  const resolvers = caches.pods('kube-system').filter((pod) => pod.metadata.labels?.['k8s-app'] === 'kube-dns');
  return resolvers.filter(isReady).flatMap(endOf);
}

function endsByPod({ plan }: Run, caches: ClusterView): (uid: string) => readonly End[] {
  const ready = plan.namespaces.flatMap((name) => caches.pods(name).filter(isReady));
  const ends = new Map(ready.map((pod) => [pod.metadata.uid, endOf(pod)]));
  return (uid) => ends.get(uid) ?? [];
}
