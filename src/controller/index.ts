/** The control loops over ConnectivityTests, the Calibration and the ways between nodes: gather, decide, act, report. */
import type { ConnectivityTest, Namespace, Pod } from '../api/index.ts';
import type { Clock } from '../clock/index.ts';
import { type Change, createEventRecorder, type KubeClient, type Log } from '../kube/index.ts';
import type { Metrics } from '../metrics/index.ts';
import { mayRefer } from '../plan/index.ts';
import { type Batch, createRunner, type ProbeSettings } from '../runner/index.ts';
import { WorkQueue, type WorkQueueObserver } from '../workqueue/index.ts';
import { Admission, type ProbePodLimits } from './admission.ts';
import { type Caches, createCaches } from './caches.ts';
import { Calibrator } from './calibrator.ts';
import { Crossings } from './crossings.ts';
import { Memory, namespaceOf } from './memory.ts';
import { networkPluginOf, type NetworkPluginSetting } from './network-plugin.ts';
import { ObservedChanges } from './observed-changes.ts';
import { Reconciler } from './reconciler.ts';
import { resources } from './resources.ts';
import { sweepOrphans } from './sweep.ts';

export type { NetworkPluginSetting } from './network-plugin.ts';

export interface ControllerOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly queueObserver: WorkQueueObserver;
  readonly probeSettings: ProbeSettings;
  /** Pods of Postern's own come on top: at most four of the calibration, and 48 that dial between nodes. */
  readonly probePodLimits: ProbePodLimits & { readonly perTest: number };
  readonly calibrationPeriodSeconds: number;
  /** An unpredictable string of 16 letters from a to p. */
  readonly token: () => string;
  /** Name of this operator's pod, for events. */
  readonly instance: string;
  /** The operator's own namespace, where it calibrates. */
  readonly namespace: string;
  readonly networkPlugin: NetworkPluginSetting;
}

export interface Controller {
  /** Works until the signal aborts, then deletes the probe pods under way. Rejects only on a defect. */
  run(signal: AbortSignal): Promise<void>;
  /** Whether the caches stand and work is being done. */
  isReady(): boolean;
}

const workers = 4;
/** The keys of the queue for what Postern measures for all tests. */
const calibrationKey = 'calibration';
const crossingsKey = 'crossings';
const sweepEveryMs = 30_000;
/** Changes come in bursts; one look at a test per burst is enough. */
const gatherChangesMs = 200;
/** Bound on deleting probe pods at the end, well within the pod's grace period. */
const farewellMs = 8_000;

export function createController(options: ControllerOptions): Controller {
  const { client, clock, log, metrics } = options;
  const memory = new Memory();
  const queue = new WorkQueue({ clock, observer: options.queueObserver, groupOf: namespaceOf });
  // A queue of its own, so that tests cannot starve it.
  const measurements = new WorkQueue({ clock });
  const changes = new ObservedChanges(clock);
  const listeners = listenersFor(
    queue,
    measurements,
    memory,
    () => caches,
    () => reconciler.waiting(),
  );
  const caches = createCaches({ client, clock, log, listeners, changes });
  const runner = createRunner({
    client,
    pods: resources.pods,
    settings: options.probeSettings,
    clock,
    token: options.token,
    podNamed: (namespace, name) => caches.podNamed(namespace, name),
    onProbeStarted: (seconds) => metrics.observeProbeStart(seconds),
  });
  const events = createEventRecorder({ client, component: 'postern', instance: options.instance, clock, log });
  const addAllTests = (): void => {
    for (const { metadata } of caches.tests.list()) queue.add(`${metadata.namespace}/${metadata.name}`);
  };
  const calibrator = new Calibrator({
    client,
    view: caches,
    runner,
    metrics,
    clock,
    log,
    namespace: options.namespace,
    instance: options.instance,
    periodMs: 1000 * options.calibrationPeriodSeconds,
    onChange: addAllTests,
  });
  const crossings = new Crossings({
    view: caches,
    runner,
    metrics,
    clock,
    log,
    namespace: options.namespace,
    instance: options.instance,
    onWanted: () => measurements.addAfter(crossingsKey, gatherChangesMs),
    onFound: () => {
      for (const key of reconciler.waiting()) queue.add(key);
    },
  });
  const reconciler = new Reconciler({
    client,
    caches,
    changes,
    memory,
    runner,
    calibration: calibrator,
    crossings,
    events,
    metrics,
    clock,
    log,
    admission: new Admission(memory, options.probePodLimits, (key) => queue.add(key)),
    maxProbePodsPerTest: options.probePodLimits.perTest,
    namespace: options.namespace,
    instance: options.instance,
    networkPlugin: options.networkPlugin,
  });
  metrics.registerController('connectivitytest');
  metrics.registerController(calibrationKey);
  metrics.registerController(crossingsKey);
  let ready = false;

  return {
    isReady: () => ready,
    run: async (signal) => {
      const watching = caches.run(signal);
      await Promise.race([caches.synced, watching]);
      if (!signal.aborted) {
        ready = true;
        changes.begin();
        const plugin = networkPluginOf(options.networkPlugin, caches.policyKinds().servedGroups);
        log.info({ tests: caches.tests.list().length, networkPlugin: plugin?.name ?? 'unknown' }, 'Caches are in sync');
        calibrator.begin();
        measurements.add(calibrationKey);
        addAllTests();
        await Promise.all([
          queue.run((key, workerSignal) => work(key, workerSignal), { concurrency: workers, signal }),
          measurements.run((key, workerSignal) => measure(key, workerSignal), { concurrency: 2, signal }),
          sweep(signal),
        ]);
      }
      ready = false;
      await watching;
      const farewell = AbortSignal.timeout(farewellMs);
      await Promise.all([reconciler.abandonAll(farewell), calibrator.abandon(farewell), crossings.abandon(farewell)]);
    },
  };

  async function work(key: string, signal: AbortSignal): Promise<void> {
    const waitMs = await observed('connectivitytest', { test: key }, () => reconciler.reconcile(key, signal));
    metrics.setProbePods(podsByPhase(batches(), caches));
    queue.forget(key);
    if (waitMs !== undefined) queue.addAfter(key, waitMs);
  }

  async function measure(key: string, signal: AbortSignal): Promise<void> {
    const step = key === crossingsKey ? () => crossings.step(signal) : () => calibrator.step(signal);
    const waitMs = await observed(key, {}, step);
    measurements.forget(key);
    if (waitMs !== undefined) measurements.addAfter(key, waitMs);
  }

  async function observed<T>(controller: string, subject: object, look: () => Promise<T>): Promise<T> {
    const began = clock.monotonic();
    const observe = (result: 'success' | 'error' | 'requeue_after') =>
      metrics.observeReconcile({ controller, result, seconds: (clock.monotonic() - began) / 1000 });
    try {
      const again = await look();
      observe(again === undefined ? 'success' : 'requeue_after');
      return again;
    } catch (error) {
      observe('error');
      log.warn({ controller, ...subject, err: error }, 'Reconciling failed; trying again');
      throw error;
    }
  }

  function batches(): readonly Batch[] {
    return [...memory.runs(), ...calibrator.batches(), ...crossings.batches()];
  }

  async function sweep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sweepOrphans({ client, caches, batches: batches(), log }, signal);
      await clock.sleep(sweepEveryMs, signal);
    }
  }
}

/** Translates what changed into keys of tests to look at. */
function listenersFor(
  queue: WorkQueue,
  measurements: WorkQueue,
  memory: Memory,
  caches: () => Caches,
  waiting: () => readonly string[],
) {
  const keyOf = ({ metadata }: ConnectivityTest) => `${metadata.namespace}/${metadata.name}`;
  const concerned = (namespace: string): readonly ConnectivityTest[] => {
    const labelled = caches().namespace(namespace) ?? {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace },
    };
    return caches()
      .tests.list()
      .filter((test) => isConcerned(test, labelled));
  };
  return {
    onTest: ({ type, object, previous }: Change<ConnectivityTest>): void => {
      const isStatusOnly =
        type === 'Modified' &&
        previous?.metadata.generation === object.metadata.generation &&
        previous.metadata.deletionTimestamp === object.metadata.deletionTimestamp &&
        JSON.stringify(previous.metadata.annotations) === JSON.stringify(object.metadata.annotations);
      if (!isStatusOnly) queue.add(keyOf(object));
    },
    onProbePod: ({ metadata }: Pod): void => {
      const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
      // By its run, not by its owner: only at home that is the test.
      const key = memory.keyOfProbe(metadata.namespace ?? '', metadata.name);
      if (key !== undefined) queue.add(key);
      else if (owner?.kind === 'Calibration') {
        measurements.add(calibrationKey);
        measurements.add(crossingsKey);
      }
    },
    onCalibration: (): void => measurements.add(calibrationKey),
    onHeartbeat: (): void => {
      for (const key of waiting()) queue.add(key);
    },
    onCluster: (namespace: string | undefined): void => {
      const tests = namespace === undefined ? caches().tests.list() : concerned(namespace);
      for (const test of tests) queue.addAfter(keyOf(test), gatherChangesMs);
    },
    // At once: a run may have to stop.
    onGrant: (namespace: string): void => {
      for (const test of concerned(namespace)) queue.add(keyOf(test));
    },
  };
}

/** Whether a test looks at a namespace. One that cannot be read must not keep the others from being told. */
function isConcerned(test: ConnectivityTest, namespace: Namespace): boolean {
  try {
    return mayRefer(test, namespace);
  } catch {
    return false;
  }
}

function podsByPhase(batches: readonly Batch[], caches: Caches): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { probes } of batches) {
    for (const { namespace, name } of probes) {
      const phase = caches.podNamed(namespace, name)?.status?.phase ?? 'Pending';
      counts[phase] = (counts[phase] ?? 0) + 1;
    }
  }
  return counts;
}
