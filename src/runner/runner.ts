import type { KubeObject, Pod } from '../api/index.ts';
import type { Clock } from '../clock/index.ts';
import { isKubeError, type KubeClient, type ResourceType } from '../kube/index.ts';
import type { Identity } from '../plan/index.ts';
import { reportOf, trouble } from './collect.ts';
import { probePodManifest, probingSeconds, type ProbeOwner, type ProbeSettings, type ProbeTimes } from './manifest.ts';
import type { Batch, Probe, Task } from './run.ts';

/** Pods to be started together, and whose they are. */
export interface BatchOrder {
  readonly owner: ProbeOwner;
  /** Who owns the pods of an identity, if not always `owner`. What it throws is the trouble of those pods. */
  readonly ownerOf?: (identity: Identity) => Promise<ProbeOwner>;
  readonly tasks: readonly Task[];
  readonly times: ProbeTimes;
}

export interface Runner {
  /** Makes the pods known before the first request, so that no sweep takes them for orphans. */
  prepare(order: BatchOrder): Batch;
  /** Creates the probe pods. A pod that is refused has its report at once; the others go on. */
  start(order: BatchOrder, batch: Batch, signal: AbortSignal): Promise<void>;
  /** Takes in what the pods say by now. */
  advance(batch: Batch): void;
  /** Deletes the probe pods, finished or not. */
  cleanUp(batch: Batch, signal: AbortSignal): Promise<void>;
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
    prepare: (order) => prepareBatch(order, options),
    start: (order, batch, signal) => startBatch(order, batch, options, signal),
    advance: (batch) => advanceBatch(batch, options),
    cleanUp: (batch, signal) => cleanUpBatch(batch, options, signal),
  };
}

function prepareBatch({ owner, tasks, times }: BatchOrder, { clock, token }: RunnerOptions): Batch {
  const monotonic = clock.monotonic();
  return {
    id: token(),
    startedAt: clock.now(),
    begunAt: monotonic,
    deadline: monotonic + 1000 * (startSeconds + probingSeconds(times)),
    probes: tasks.map((task) => prepareProbe(owner, task, token())),
    apiRequests: 0,
  };
}

const namePrefix = 'postern-probe-';

/** Whether a pod is called as probe pods are: where only names are known, such as in EndpointSlices. */
export function isProbeName(name: string): boolean {
  return name.startsWith(namePrefix);
}

function prepareProbe({ metadata }: ProbeOwner, assignment: Task, token: string): Probe {
  // Whoever may make cluster-scoped tests may read every namespace.
  const isAbroad = (metadata.namespace ?? '') !== '' && metadata.namespace !== assignment.identity.namespace;
  return {
    // Letters only: a StatefulSet claims pods by name, and its names end in a number.
    name: `${namePrefix}${token.slice(0, 8)}`,
    namespace: assignment.identity.namespace,
    nonce: token,
    assignment,
    isAbroad,
    seen: false,
  };
}

async function startBatch(
  { owner, ownerOf, times }: BatchOrder,
  batch: Batch,
  options: RunnerOptions,
  signal: AbortSignal,
): Promise<void> {
  await inParallel(batch.probes, async (probe) => {
    await createPod(batch, probe, options, signal, async () =>
      probePodManifest((await ownerOf?.(probe.assignment.identity)) ?? owner, probe.assignment, {
        name: probe.name,
        runId: batch.id,
        nonce: probe.nonce,
        settings: options.settings,
        times,
      }),
    );
  });
}

async function createPod(
  batch: Batch,
  probe: Probe,
  options: RunnerOptions,
  signal: AbortSignal,
  manifest: () => Promise<KubeObject>,
): Promise<void> {
  try {
    const pod = await manifest();
    batch.apiRequests += 1;
    const created = await options.client.create(options.pods, pod, { signal });
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

function advanceBatch(batch: Batch, { clock, podNamed, onProbeStarted }: RunnerOptions): void {
  const isOverdue = clock.monotonic() >= batch.deadline;
  for (const probe of batch.probes) {
    if (probe.report !== undefined) continue;
    const pod = podNamed(probe.namespace, probe.name);
    const report = reportOf(probe, pod, isOverdue);
    probe.seen ||= pod !== undefined;
    if (report === undefined) continue;
    probe.report = report;
    probe.reportedAt = clock.monotonic();
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

async function cleanUpBatch(batch: Batch, { client, pods }: RunnerOptions, signal: AbortSignal): Promise<void> {
  await inParallel(batch.probes, async ({ namespace, name, uid, report }) => {
    if (report?.trouble?.reason === 'QuotaExceeded' || report?.trouble?.reason === 'ProbeRejected') return;
    batch.apiRequests += 1;
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
