import { type ConnectivityTest, type KubeObject, type Pod, type Trigger } from '../api/index.ts';
import type { Clock } from '../clock/index.ts';
import { isKubeError, type KubeClient, type ResourceType } from '../kube/index.ts';
import type { Assignment, Plan } from '../plan/index.ts';
import { reportOf, trouble } from './collect.ts';
import { probePodManifest, probingSeconds, type ProbeSettings } from './manifest.ts';
import type { Probe, Run } from './run.ts';

/** What is to be run, and why. */
export interface RunOrder {
  readonly test: ConnectivityTest;
  readonly plan: Plan;
  readonly fingerprint: string;
  readonly trigger: Trigger;
  readonly runRequest?: string;
}

export interface Runner {
  /** Makes the run known before its first request, so that no sweep takes its pods for orphans. */
  prepare(order: RunOrder): Run;
  /** Creates the probe pods. A pod that is refused has its report at once; the others go on. */
  start(order: RunOrder, run: Run, signal: AbortSignal): Promise<void>;
  /** Takes in what the pods say by now. */
  advance(run: Run): void;
  /** Deletes the probe pods, finished or not. */
  cleanUp(run: Run, signal: AbortSignal): Promise<void>;
}

export interface RunnerOptions {
  readonly client: KubeClient;
  readonly pods: ResourceType;
  readonly settings: ProbeSettings;
  readonly clock: Clock;
  /** An unpredictable string of 16 letters from a to p. */
  readonly token: () => string;
  /** The newest state of a pod in the cache. */
  readonly podNamed: (namespace: string, name: string) => Pod | undefined;
  readonly onProbeStarted: (seconds: number) => void;
}

/** How long a probe pod may wait for its node, image and start. */
const startSeconds = 45;

/** Pod creations under way at a time: a burst of hundreds would only wait in the API server's queues. */
const parallelRequests = 8;

export function createRunner(options: RunnerOptions): Runner {
  return {
    prepare: (order) => prepareRun(order, options),
    start: (order, run, signal) => startRun(order, run, options, signal),
    advance: (run) => advanceRun(run, options),
    cleanUp: (run, signal) => cleanUpRun(run, options, signal),
  };
}

function prepareRun(order: RunOrder, { clock, token }: RunnerOptions): Run {
  const now = clock.now();
  const { timeoutSeconds = 2, settleSeconds = 4 } = order.test.spec;
  return {
    id: token(),
    trigger: order.trigger,
    generation: order.test.metadata.generation,
    fingerprint: order.fingerprint,
    plan: order.plan,
    startedAt: now,
    deadline: now + 1000 * (startSeconds + probingSeconds(timeoutSeconds, settleSeconds)),
    probes: order.plan.assignments.map((assignment) => prepareProbe(assignment, token())),
    ...(order.runRequest === undefined ? {} : { runRequest: order.runRequest }),
    apiRequests: 0,
  };
}

function prepareProbe(assignment: Assignment, token: string): Probe {
  return {
    // Letters only: a StatefulSet claims pods by name, and its names end in a number.
    name: `postern-probe-${token.slice(0, 8)}`,
    namespace: assignment.identity.namespace,
    nonce: token,
    assignment,
    seen: false,
  };
}

async function startRun(order: RunOrder, run: Run, options: RunnerOptions, signal: AbortSignal): Promise<void> {
  await inParallel(run.probes, async (probe) => {
    const manifest = probePodManifest(order.test, probe.assignment, {
      name: probe.name,
      runId: run.id,
      nonce: probe.nonce,
      settings: options.settings,
    });
    await createPod(run, probe, manifest, options, signal);
  });
}

async function createPod(
  run: Run,
  probe: Probe,
  manifest: KubeObject,
  options: RunnerOptions,
  signal: AbortSignal,
): Promise<void> {
  run.apiRequests += 1;
  try {
    const created = await options.client.create(options.pods, manifest, { signal });
    if (created.metadata.uid !== undefined) probe.uid = created.metadata.uid;
  } catch (error) {
    if (!isKubeError(error)) throw error;
    if (error.code === 'Aborted') return;
    if (error.retryable) probe.report = trouble(probe, 'ProbeNotStarted', error.message);
    else if (/exceeded quota|failed quota/.test(error.message))
      probe.report = trouble(probe, 'QuotaExceeded', error.message);
    else probe.report = trouble(probe, 'ProbeRejected', error.message);
  }
}

function advanceRun(run: Run, { clock, podNamed, onProbeStarted }: RunnerOptions): void {
  const isOverdue = clock.now() >= run.deadline;
  for (const probe of run.probes) {
    if (probe.report !== undefined) continue;
    const pod = podNamed(probe.namespace, probe.name);
    const report = reportOf(probe, pod, isOverdue);
    probe.seen ||= pod !== undefined;
    if (report === undefined) continue;
    probe.report = report;
    const seconds = startDuration(pod);
    if (report.trouble === undefined && seconds !== undefined) onProbeStarted(seconds);
  }
}

/** Seconds from a pod's creation to its container's start, by the clocks of API server and node. */
function startDuration(pod: Pod | undefined): number | undefined {
  const started = pod?.status?.containerStatuses?.[0]?.state?.terminated?.startedAt;
  const created = pod?.metadata.creationTimestamp;
  if (started === undefined || created === undefined) return undefined;
  return Math.max(0, (Date.parse(started) - Date.parse(created)) / 1000);
}

async function cleanUpRun(run: Run, { client, pods }: RunnerOptions, signal: AbortSignal): Promise<void> {
  await inParallel(run.probes, async ({ namespace, name, uid, report }) => {
    if (report?.trouble?.reason === 'QuotaExceeded' || report?.trouble?.reason === 'ProbeRejected') return;
    run.apiRequests += 1;
    try {
      await client.delete(pods, { namespace, name, ...(uid === undefined ? {} : { uid }), signal });
    } catch (error) {
      // Another pod has the name: ours is gone, and that one is not ours to delete.
      if (!isKubeError(error, 'Conflict')) throw error;
    }
  });
}

/** Applies an action to all items, a few at a time; the first error is thrown after all have been tried. */
async function inParallel<T>(items: readonly T[], action: (item: T) => Promise<void>): Promise<void> {
  const failures: unknown[] = [];
  const queue = items.values();
  const work = async (): Promise<void> => {
    for (const item of queue) await action(item).catch((error: unknown) => failures.push(error));
  };
  await Promise.all(Array.from({ length: parallelRequests }, work));
  if (failures.length > 0) throw failures[0];
}
