import type { ConnectivityTest, ExpectationStatus, Status } from '../api/index.ts';
import type { ExpectationReport, TestReport } from '../metrics/index.ts';
import { applicationProtocolOf, describeSource, describeTarget, portOf } from '../plan/index.ts';
import { listed } from '../verdict/index.ts';

/** An event to be recorded about a test. */
export interface Announcement {
  readonly type: 'Normal' | 'Warning';
  readonly reason: 'ExpectationViolated' | 'ExpectationRestored' | 'ProbeInconclusive';
  readonly note: string;
}

/** Events are for transitions: one per kind of transition, naming the first expectations that took it. */
export function announcementsOf(before: Status | undefined, after: Status): readonly Announcement[] {
  const previous = new Map((before?.expectations ?? []).map(({ name, verdict }) => [name, verdict]));
  const turned = (row: ExpectationStatus): boolean => previous.get(row.name) !== row.verdict;
  const rows = (after.expectations ?? []).filter(turned);
  const violated = rows.filter(({ verdict }) => verdict === 'Failed');
  const restored = rows.filter(({ name, verdict }) => verdict === 'Passed' && previous.get(name) === 'Failed');
  const inconclusive = rows.filter(({ verdict }) => verdict === 'Inconclusive');
  return [
    ...announcement('Warning', 'ExpectationViolated', violated),
    ...announcement('Normal', 'ExpectationRestored', restored),
    ...announcement('Warning', 'ProbeInconclusive', inconclusive),
  ];
}

function announcement(
  type: Announcement['type'],
  reason: Announcement['reason'],
  rows: readonly ExpectationStatus[],
): readonly Announcement[] {
  return rows.length === 0 ? [] : [{ type, reason, note: listed(rows) }];
}

/**
 * The label `namespace` of a test. One of the whole cluster needs a value that no namespace can have: with an empty one, which
 * Prometheus takes for none, it would wear the operator's.
 */
export function metricsNamespace(namespace: string): string {
  return namespace === '' ? '(cluster)' : namespace;
}

/** What the metrics say of a test with this status. */
export function reportOfTest(test: ConnectivityTest, status: Status | undefined): TestReport {
  const { namespace, name } = test.metadata;
  const rows = new Map((status?.expectations ?? []).map((row) => [row.name, row]));
  const lastRun = status?.lastRun;
  return {
    namespace: metricsNamespace(namespace),
    test: name,
    suspended: test.spec.suspend === true,
    periodSeconds: test.spec.periodSeconds ?? 300,
    accepted: status?.conditions?.some(({ type, status }) => type === 'Accepted' && status === 'False') !== true,
    expectations: test.spec.expectations.map((expectation): ExpectationReport => ({
      name: expectation.name,
      expect: expectation.expect,
      severity: test.spec.severity ?? 'Medium',
      source: describeSource(expectation),
      target: describeTarget(expectation, namespace),
      port: String(portOf(expectation.to)),
      protocol: applicationProtocolOf(expectation),
      dryRun: expectation.dryRun === true,
      verdict: rows.get(expectation.name)?.verdict,
      damped: rows.get(expectation.name)?.observed !== undefined,
    })),
    lastRun:
      lastRun === undefined
        ? undefined
        : {
            completedAtSeconds: Date.parse(lastRun.completionTime) / 1000,
            durationSeconds: (Date.parse(lastRun.completionTime) - Date.parse(lastRun.startTime)) / 1000,
            apiRequests: lastRun.apiRequests,
            probePods: lastRun.probePods,
          },
    lastSuccessSeconds: status?.lastSuccessTime === undefined ? undefined : Date.parse(status.lastSuccessTime) / 1000,
  };
}
