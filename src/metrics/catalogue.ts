/**
 * Every metric that Postern exposes, in one place. Label values are closed sets or the names of objects that users created;
 * never a pod name, an IP address, a run id or the text of an error, each of which would mint series without end.
 */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Agreement, AgreementCause } from '../api/index.ts';

/** What one attempt saw. Anything else is counted as `Other`, so that a new outcome cannot mint series unseen. */
export const OUTCOMES = [
  'Connected',
  'Refused',
  'TimedOut',
  'Unreachable',
  'Reset',
  'NameNotResolved',
  'TLSFailed',
  'HTTPMismatch',
  'NameServerFailed',
  'AddressNotAllowed',
  'ProbeNotStarted',
  'ProbeLost',
] as const;

/** What an attempt spoke. */
export const PROTOCOLS = ['TCP', 'UDP', 'HTTP', 'HTTPS', 'DNS'] as const;

/** How a run ended, the worst of its verdicts. */
export const RUN_RESULTS = ['passed', 'failed', 'inconclusive'] as const;

/** How the model of the policies goes with the wire, and each cause that a disagreement of that kind can have. */
export const COMPARISONS: Readonly<Record<Agreement, readonly (AgreementCause | 'None')[]>> = {
  Agrees: ['None'],
  ModelDenies: ['NotEnforced', 'NotYetProgrammed', 'PluginAgrees', 'OutsideTheModel'],
  ModelAllows: ['NotYetProgrammed', 'PluginAgrees', 'OutsideTheModel'],
  NoAnswer: ['LeftOpen', 'NotKnown', 'NotYetProgrammed', 'PluginAgrees', 'PluginDiffers'],
};

/** What was found out about the way from one node to another. */
export const CROSSINGS = ['Crossed', 'NotCrossed', 'NotTried'] as const;

/** How a calibration ended. */
export const CALIBRATION_RESULTS = ['succeeded', 'failed'] as const;

/** The phases of a pod, as Kubernetes names them. */
export const POD_PHASES = ['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'] as const;

/** How one pass of a controller ended; the values of controller-runtime, so that existing dashboards work. */
export const RECONCILE_RESULTS = ['success', 'error', 'requeue', 'requeue_after'] as const;

/** Why a watch ended. Anything else is counted as `other`. */
export const WATCH_END_REASONS = ['closed', 'expired', 'error', 'timeout'] as const;

/** Stands for every value outside of a closed set. */
export const OTHER = 'Other';

const TEST = ['namespace', 'test'] as const;
const EXPECTATION = [...TEST, 'expectation'] as const;
const PROBE_START_BUCKETS_SECONDS = [0.5, 1, 2, 3, 5, 8, 13, 21, 34, 60];
const CONNECT_BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3];
const CONVERGENCE_BUCKETS_SECONDS = [0.25, 0.5, 1, 2, 3, 5, 8, 13, 21, 34, 60];
const REQUEST_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** The buckets of client-go's workqueue metrics. */
const QUEUE_BUCKETS_SECONDS = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10, 100, 1000];
const RECONCILE_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** The metrics that belong to one test; all of a test's series are replaced together and removed together. */
export type TestMetrics = ReturnType<typeof createTestMetrics>;

/** Registers the metrics that belong to one test. */
export function createTestMetrics(registry: Registry) {
  const registers = [registry];
  return {
    verdict: new Gauge({
      name: 'postern_expectation_verdict',
      help: 'State set: 1 for the verdict that the expectation has, 0 for the others; all 0 while there is no result yet.',
      labelNames: [...EXPECTATION, 'verdict'] as const,
      registers,
    }),
    damped: new Gauge({
      name: 'postern_expectation_damped',
      help: '1 while the newest runs saw another verdict than the one shown, which spec.thresholds damps.',
      labelNames: EXPECTATION,
      registers,
    }),
    info: new Gauge({
      name: 'postern_expectation_info',
      help: 'Always 1; what the expectation says. Expectations with dry_run="true" are measured and shown, never a violation.',
      labelNames: [...EXPECTATION, 'expect', 'severity', 'source', 'target', 'port', 'protocol', 'dry_run'] as const,
      registers,
    }),
    accepted: new Gauge({
      name: 'postern_test_accepted',
      help: '1 if the test is valid and within limits, 0 if it was refused and does not run.',
      labelNames: TEST,
      registers,
    }),
    periodSeconds: new Gauge({
      name: 'postern_period_seconds',
      help: 'How often the test runs.',
      labelNames: TEST,
      registers,
    }),
    lastRun: new Gauge({
      name: 'postern_last_run_timestamp_seconds',
      help: 'When the last complete run ended, in seconds since the epoch.',
      labelNames: TEST,
      registers,
    }),
    lastSuccess: new Gauge({
      name: 'postern_last_success_timestamp_seconds',
      help: 'When the last run ended in which every expectation passed, in seconds since the epoch.',
      labelNames: TEST,
      registers,
    }),
    runDuration: new Gauge({
      name: 'postern_run_duration_seconds',
      help: 'How long the last complete run took.',
      labelNames: TEST,
      registers,
    }),
    runApiRequests: new Gauge({
      name: 'postern_run_api_requests',
      help: 'Requests to the Kubernetes API that the last complete run made.',
      labelNames: TEST,
      registers,
    }),
    runProbePods: new Gauge({
      name: 'postern_run_probe_pods',
      help: 'Probe pods that the last complete run created.',
      labelNames: TEST,
      registers,
    }),
  };
}

/** Registers what probes and runs count, whichever test they belong to. */
export function createProbeMetrics(registry: Registry) {
  const registers = [registry];
  return {
    buildInfo: new Gauge({
      name: 'postern_build_info',
      help: 'Always 1; which build this is.',
      labelNames: ['version', 'revision'] as const,
      registers,
    }),
    runs: new Counter({
      name: 'postern_runs_total',
      help: 'Complete runs by their result.',
      labelNames: ['result'] as const,
      registers,
    }),
    comparisons: new Counter({
      name: 'postern_model_comparisons_total',
      help: 'Checks of which the wire said something beyond doubt, by whether the model of the policies says the same; cause tells what it is if not. The model is trusted as far as this is Agrees.',
      labelNames: ['agreement', 'cause'] as const,
      registers,
    }),
    crossings: new Counter({
      name: 'postern_node_crossings_total',
      help: "Ways from one node to another that pods of Postern's own tried, because a verdict depended on it, by what was found out.",
      labelNames: ['result'] as const,
      registers,
    }),
    attempts: new Counter({
      name: 'postern_probe_attempts_total',
      help: 'Attempts by what they saw and what they spoke.',
      labelNames: ['outcome', 'protocol'] as const,
      registers,
    }),
    probeStart: new Histogram({
      name: 'postern_probe_start_duration_seconds',
      help: 'Time from the request to create a probe pod until its program ran.',
      buckets: PROBE_START_BUCKETS_SECONDS,
      registers,
    }),
    connect: new Histogram({
      name: 'postern_probe_connect_duration_seconds',
      help: 'Time to connect, of attempts that connected and were expected to.',
      labelNames: ['protocol'] as const,
      buckets: CONNECT_BUCKETS_SECONDS,
      registers,
    }),
    convergence: new Histogram({
      name: 'postern_convergence_duration_seconds',
      help: 'Time from the first attempt until it connected, of checks that must connect and did not at once.',
      labelNames: ['protocol'] as const,
      buckets: CONVERGENCE_BUCKETS_SECONDS,
      registers,
    }),
    probePods: new Gauge({
      name: 'postern_probe_pods',
      help: 'Probe pods in the cluster by phase.',
      labelNames: ['phase'] as const,
      registers,
    }),
  };
}

/** The metrics of the calibration. */
export type CalibrationMetrics = ReturnType<typeof createCalibrationMetrics>;

/** Registers what tells how the cluster denies. */
export function createCalibrationMetrics(registry: Registry) {
  const registers = [registry];
  const side = ['direction', 'protocol', 'family'] as const;
  return {
    outcome: new Gauge({
      name: 'postern_calibration_outcome',
      help: 'Always 1; how a connection that a policy denies ends in this cluster. No series while there is no valid result.',
      labelNames: [...side, 'outcome'] as const,
      registers,
    }),
    enforced: new Gauge({
      name: 'postern_policy_enforced',
      help: '1 if network policies were seen to be enforced, 0 if a connection that they deny succeeded. No series while there is no valid result.',
      labelNames: side,
      registers,
    }),
    valid: new Gauge({
      name: 'postern_calibration_valid',
      help: '1 if there is a calibration that is not out of date. Without one no Deny can pass.',
      registers,
    }),
    period: new Gauge({
      name: 'postern_calibration_period_seconds',
      help: 'How often the cluster is calibrated.',
      registers,
    }),
    lastSuccess: new Gauge({
      name: 'postern_calibration_last_success_timestamp_seconds',
      help: 'When the newest result was measured, in seconds since the epoch.',
      registers,
    }),
    freshPodDelay: new Gauge({
      name: 'postern_fresh_pod_delay_seconds',
      help: 'How long after their start fresh pods could still connect where a policy denies it, as last measured.',
      registers,
    }),
    runs: new Counter({
      name: 'postern_calibrations_total',
      help: 'Calibrations that ended, by result.',
      labelNames: ['result'] as const,
      registers,
    }),
  };
}

/** Registers what the machinery counts: the Kubernetes client, reflectors, queues, controllers. */
export function createMachineryMetrics(registry: Registry) {
  const registers = [registry];
  const queue = ['name', 'controller'] as const;
  return {
    kubeRequests: new Counter({
      name: 'postern_kube_requests_total',
      help: 'Requests to the Kubernetes API; code is the HTTP status, or "error" if there was no answer.',
      labelNames: ['verb', 'resource', 'code'] as const,
      registers,
    }),
    kubeRequestDuration: new Histogram({
      name: 'postern_kube_request_duration_seconds',
      help: 'Time until the Kubernetes API answered, watches left out.',
      labelNames: ['verb'] as const,
      buckets: REQUEST_BUCKETS_SECONDS,
      registers,
    }),
    reflectorLists: new Counter({
      name: 'postern_reflector_lists_total',
      help: 'Full lists that a reflector made; more than one means that it had to start over.',
      labelNames: ['resource'] as const,
      registers,
    }),
    reflectorWatchEnds: new Counter({
      name: 'postern_reflector_watch_ends_total',
      help: 'Watches that ended, by reason.',
      labelNames: ['resource', 'reason'] as const,
      registers,
    }),
    reflectorObjects: new Gauge({
      name: 'postern_reflector_objects',
      help: 'Objects that a reflector holds.',
      labelNames: ['resource'] as const,
      registers,
    }),
    reflectorLastEvent: new Gauge({
      name: 'postern_reflector_last_event_timestamp_seconds',
      help: 'When a reflector last heard from the API server, in seconds since the epoch; bookmarks count.',
      labelNames: ['resource'] as const,
      registers,
    }),
    queueDepth: new Gauge({
      name: 'workqueue_depth',
      help: 'Current depth of workqueue.',
      labelNames: queue,
      registers,
    }),
    queueAdds: new Counter({
      name: 'workqueue_adds_total',
      help: 'Total number of adds handled by workqueue.',
      labelNames: queue,
      registers,
    }),
    queueRetries: new Counter({
      name: 'workqueue_retries_total',
      help: 'Total number of retries handled by workqueue.',
      labelNames: queue,
      registers,
    }),
    queueDuration: new Histogram({
      name: 'workqueue_queue_duration_seconds',
      help: 'How long in seconds an item stays in workqueue before being requested.',
      labelNames: queue,
      buckets: QUEUE_BUCKETS_SECONDS,
      registers,
    }),
    queueWorkDuration: new Histogram({
      name: 'workqueue_work_duration_seconds',
      help: 'How long in seconds processing an item from workqueue takes.',
      labelNames: queue,
      buckets: QUEUE_BUCKETS_SECONDS,
      registers,
    }),
    reconciles: new Counter({
      name: 'controller_runtime_reconcile_total',
      help: 'Total number of reconciliations per controller.',
      labelNames: ['controller', 'result'] as const,
      registers,
    }),
    reconcileDuration: new Histogram({
      name: 'controller_runtime_reconcile_time_seconds',
      help: 'Length of time per reconciliation per controller.',
      labelNames: ['controller'] as const,
      buckets: RECONCILE_BUCKETS_SECONDS,
      registers,
    }),
  };
}
