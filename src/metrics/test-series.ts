/** The series of one test: written together, replaced together, removed together. */
import { verdicts, type Expected, type Severity, type Verdict } from '../api/index.ts';
import { plainText } from '../text/index.ts';
import type { TestMetrics } from './catalogue.ts';

/** One expectation of a test, as far as metrics show it. */
export interface ExpectationReport {
  readonly name: string;
  readonly expect: Expected;
  readonly severity: Severity;
  /** Both ends in words, for instance `Deployment/web`; never a pod's name or address. */
  readonly source: string;
  readonly target: string;
  readonly port: string;
  readonly protocol: string;
  /** Measured and shown, but never a violation. */
  readonly dryRun: boolean;
  /** Undefined while there is no result yet. */
  readonly verdict: Verdict | undefined;
  /** Whether the newest runs saw another verdict than the one shown. */
  readonly damped: boolean;
}

/** What the last complete run of a test cost and when it ended. */
export interface RunReport {
  readonly completedAtSeconds: number;
  readonly durationSeconds: number;
  readonly apiRequests: number;
  readonly probePods: number;
}

/** Everything that metrics say about one test. */
export interface TestReport {
  readonly namespace: string;
  readonly test: string;
  /** A suspended test has no series at all, so that an alert about a stale result cannot go on firing. */
  readonly suspended: boolean;
  readonly periodSeconds: number;
  readonly accepted: boolean;
  readonly expectations: readonly ExpectationReport[];
  readonly lastRun?: RunReport | undefined;
  readonly lastSuccessSeconds?: number | undefined;
}

/** Keeps the series of all tests in step with the last report of each. */
export interface TestSeries {
  replace(report: TestReport): void;
  remove(namespace: string, test: string): void;
}

type Labels = Record<string, string>;

interface LabelledGauge {
  set(labels: Labels, value: number): void;
  remove(labels: Labels): void;
}

/** Longest label value; Prometheus refuses whole scrapes over a limit that operators set, so one long name must not do harm. */
const MAX_LABEL_BYTES = 256;

/** Tracks which series each test has, because removal needs every label of a series. */
export function createTestSeries(metrics: TestMetrics): TestSeries {
  const removersByTest = new Map<string, (() => void)[]>();

  function remove(namespace: string, test: string): void {
    const key = keyOf(namespace, test);
    for (const removeSeries of removersByTest.get(key) ?? []) removeSeries();
    removersByTest.delete(key);
  }

  function replace(report: TestReport): void {
    remove(report.namespace, report.test);
    if (report.suspended) return;
    const removers: (() => void)[] = [];
    const set = (gauge: LabelledGauge, labels: Labels, value: number): void => {
      gauge.set(labels, value);
      removers.push(() => gauge.remove(labels));
    };
    setTestSeries(metrics, report, set);
    for (const expectation of report.expectations) setExpectationSeries(metrics, report, expectation, set);
    removersByTest.set(keyOf(report.namespace, report.test), removers);
  }

  return { replace, remove };
}

type Set = (gauge: LabelledGauge, labels: Labels, value: number) => void;

function setTestSeries(metrics: TestMetrics, report: TestReport, set: Set): void {
  const labels = { namespace: report.namespace, test: report.test };
  set(metrics.accepted, labels, report.accepted ? 1 : 0);
  set(metrics.periodSeconds, labels, report.periodSeconds);
  if (report.lastSuccessSeconds !== undefined) set(metrics.lastSuccess, labels, report.lastSuccessSeconds);
  if (report.lastRun === undefined) return;
  set(metrics.lastRun, labels, report.lastRun.completedAtSeconds);
  set(metrics.runDuration, labels, report.lastRun.durationSeconds);
  set(metrics.runApiRequests, labels, report.lastRun.apiRequests);
  set(metrics.runProbePods, labels, report.lastRun.probePods);
}

function setExpectationSeries(
  metrics: TestMetrics,
  report: TestReport,
  expectation: ExpectationReport,
  set: Set,
): void {
  const labels = { namespace: report.namespace, test: report.test, expectation: expectation.name };
  const info = {
    ...labels,
    expect: expectation.expect,
    severity: expectation.severity,
    source: plainText(expectation.source, MAX_LABEL_BYTES),
    target: plainText(expectation.target, MAX_LABEL_BYTES),
    port: plainText(expectation.port, MAX_LABEL_BYTES),
    protocol: plainText(expectation.protocol, MAX_LABEL_BYTES),
    dry_run: String(expectation.dryRun),
  };
  set(metrics.info, info, 1);
  set(metrics.damped, labels, expectation.damped ? 1 : 0);
  for (const verdict of verdicts) {
    set(metrics.verdict, { ...labels, verdict }, expectation.verdict === verdict ? 1 : 0);
  }
}

function keyOf(namespace: string, test: string): string {
  return `${namespace}/${test}`;
}
