/** What Postern tells Prometheus; the only room that knows prom-client. */
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Agreement, AgreementCause } from '../api/index.ts';
import { type CalibrationReport, createCalibrationSeries } from './calibration-series.ts';
import {
  CALIBRATION_RESULTS,
  COMPARISONS,
  CROSSINGS,
  createCalibrationMetrics,
  createMachineryMetrics,
  createProbeMetrics,
  createTestMetrics,
  OTHER,
  OUTCOMES,
  POD_PHASES,
  PROTOCOLS,
  RECONCILE_RESULTS,
  RUN_RESULTS,
} from './catalogue.ts';
import { createMachinery, type Machinery } from './machinery.ts';
import { createTestSeries, type TestReport } from './test-series.ts';

export type {
  KubeRequest,
  KubeRequestObserver,
  QueueObserver,
  ReconcileObservation,
  ReflectorObserver,
} from './machinery.ts';
export type { CalibrationReport } from './calibration-series.ts';
export type { ExpectationReport, RunReport, TestReport } from './test-series.ts';

/** How a run ended, the worst of its verdicts. */
export type RunResult = (typeof RUN_RESULTS)[number];

/** The phase of a pod, as Kubernetes names it. */
export type PodPhase = (typeof POD_PHASES)[number];

/** How one pass of a controller ended. */
export type ReconcileResult = (typeof RECONCILE_RESULTS)[number];

/** Which build the metrics describe. */
export interface BuildInfo {
  readonly version: string;
  readonly revision: string;
}

/** The face that the rest of the program sees: events of the domain, not counters. */
export interface Metrics extends Machinery {
  /** Replaces every series of the report's test. */
  reportTest(report: TestReport): void;
  /** Removes every series of a test that is gone. */
  forgetTest(namespace: string, test: string): void;
  /** Replaces every series that tells how the cluster denies. */
  reportCalibration(report: CalibrationReport): void;
  countCalibration(result: (typeof CALIBRATION_RESULTS)[number]): void;
  countCrossing(result: (typeof CROSSINGS)[number]): void;
  countRun(result: RunResult): void;
  observeProbeStart(seconds: number): void;
  /** For attempts that connected and were expected to: what a denied one takes is only its timeout. */
  observeConnect(protocol: string, seconds: number): void;
  /** For checks that must connect and did only after a while. */
  observeConvergence(protocol: string, seconds: number): void;
  countAttempt(outcome: string, protocol: string): void;
  /** For checks of which both the wire and the model of the policies were asked; without a cause where they agree. */
  countComparison(agreement: Agreement, cause: AgreementCause | undefined): void;
  /** Sets the number of probe pods per phase; a phase left out has none. */
  setProbePods(countByPhase: Partial<Record<PodPhase, number>>): void;
  /** Everything in Prometheus' text format. */
  expose(): Promise<string>;
  readonly contentType: string;
}

/** Builds the metrics of one operator. Each call has its own registry: two operators in one process share nothing. */
export function createMetrics(build: BuildInfo): Metrics {
  const registry = new Registry();
  const tests = createTestSeries(createTestMetrics(registry));
  const calibration = createCalibrationMetrics(registry);
  const reportCalibration = createCalibrationSeries(calibration);
  const probes = createProbeMetrics(registry);
  const machinery = createMachinery(createMachineryMetrics(registry));
  collectDefaultMetrics({ register: registry });
  probes.buildInfo.set({ version: build.version, revision: build.revision }, 1);
  initialiseToZero(probes);
  for (const result of CALIBRATION_RESULTS) calibration.runs.inc({ result }, 0);

  return {
    ...machinery,
    reportTest: (report) => tests.replace(report),
    forgetTest: (namespace, test) => tests.remove(namespace, test),
    reportCalibration,
    countCalibration: (result) => calibration.runs.inc({ result }),
    countCrossing: (result) => probes.crossings.inc({ result }),
    countRun: (result) => probes.runs.inc({ result }),
    observeProbeStart: (seconds) => probes.probeStart.observe(seconds),
    observeConnect: (protocol, seconds) =>
      probes.connect.observe({ protocol: memberOr(OTHER, PROTOCOLS, protocol) }, seconds),
    observeConvergence: (protocol, seconds) =>
      probes.convergence.observe({ protocol: memberOr(OTHER, PROTOCOLS, protocol) }, seconds),
    countAttempt: (outcome, protocol) =>
      probes.attempts.inc({
        outcome: memberOr(OTHER, OUTCOMES, outcome),
        protocol: memberOr(OTHER, PROTOCOLS, protocol),
      }),
    countComparison: (agreement, cause) => probes.comparisons.inc({ agreement, cause: cause ?? 'None' }),
    setProbePods: (countByPhase) => {
      for (const phase of POD_PHASES) probes.probePods.set({ phase }, countByPhase[phase] ?? 0);
    },
    expose: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

/** A counter that first appears at 1 has no rate; so closed label sets start at 0. */
function initialiseToZero(probes: ReturnType<typeof createProbeMetrics>): void {
  for (const [agreement, causes] of Object.entries(COMPARISONS)) {
    for (const cause of causes) probes.comparisons.inc({ agreement, cause }, 0);
  }
  for (const result of CROSSINGS) probes.crossings.inc({ result }, 0);
  for (const result of RUN_RESULTS) probes.runs.inc({ result }, 0);
  for (const phase of POD_PHASES) probes.probePods.set({ phase }, 0);
  for (const protocol of PROTOCOLS) {
    probes.connect.zero({ protocol });
    for (const outcome of OUTCOMES) probes.attempts.inc({ outcome, protocol }, 0);
  }
}

function memberOr(fallback: string, members: readonly string[], value: string): string {
  return members.includes(value) ? value : fallback;
}
