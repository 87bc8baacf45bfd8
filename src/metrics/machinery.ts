/** Observers for the Kubernetes client, reflectors, queues and controllers; shaped so that those rooms need not know metrics. */
import { RECONCILE_RESULTS, WATCH_END_REASONS, type createMachineryMetrics } from './catalogue.ts';

/** One request to the Kubernetes API. */
export interface KubeRequest {
  readonly verb: string;
  readonly resource: string;
  /** The HTTP status, or a word where there was none. */
  readonly code: number | string;
  readonly seconds: number;
}

/** Sees each request that the Kubernetes client makes. */
export interface KubeRequestObserver {
  onRequest(request: KubeRequest): void;
}

/** Sees the life of one reflector. */
export interface ReflectorObserver {
  onList(): void;
  onWatchEnd(reason: string): void;
  onEvent(atSeconds: number): void;
  onObjects(count: number): void;
}

/** Sees the life of one queue. */
export interface QueueObserver {
  onDepth(depth: number): void;
  onAdd(): void;
  onRetry(): void;
  /** How long an item waited before it was taken. */
  onQueueDuration(seconds: number): void;
  /** How long the work on an item took. */
  onWorkDuration(seconds: number): void;
}

/** One pass of a controller over one object. */
export interface ReconcileObservation {
  readonly controller: string;
  readonly result: (typeof RECONCILE_RESULTS)[number];
  readonly seconds: number;
}

/** What the machinery rooms report to. */
export interface Machinery {
  readonly kubeRequests: KubeRequestObserver;
  /** The observer of the reflector of one resource, for instance `pods`. */
  reflectorObserver(resource: string): ReflectorObserver;
  /** The observer of one queue, named after the controller that it feeds. */
  queueObserver(name: string): QueueObserver;
  observeReconcile(observation: ReconcileObservation): void;
  /** Makes a controller's counters start at 0 rather than with its first pass. */
  registerController(controller: string): void;
}

type MachineryMetrics = ReturnType<typeof createMachineryMetrics>;

/** Binds the observers to their metrics. */
export function createMachinery(metrics: MachineryMetrics): Machinery {
  return {
    kubeRequests: {
      onRequest: ({ verb, resource, code, seconds }) => {
        metrics.kubeRequests.inc({ verb, resource, code: String(code) });
        // A watch ends when it ends; its length says nothing about the API server.
        if (verb !== 'watch') metrics.kubeRequestDuration.observe({ verb }, seconds);
      },
    },
    reflectorObserver: (resource) => reflectorObserver(metrics, resource),
    queueObserver: (name) => queueObserver(metrics, name),
    observeReconcile: ({ controller, result, seconds }) => {
      metrics.reconciles.inc({ controller, result });
      metrics.reconcileDuration.observe({ controller }, seconds);
    },
    registerController: (controller) => {
      for (const result of RECONCILE_RESULTS) metrics.reconciles.inc({ controller, result }, 0);
      metrics.reconcileDuration.zero({ controller });
    },
  };
}

function reflectorObserver(metrics: MachineryMetrics, resource: string): ReflectorObserver {
  const reasons: readonly string[] = WATCH_END_REASONS;
  metrics.reflectorLists.inc({ resource }, 0);
  metrics.reflectorObjects.set({ resource }, 0);
  for (const reason of reasons) metrics.reflectorWatchEnds.inc({ resource, reason }, 0);
  return {
    onList: () => metrics.reflectorLists.inc({ resource }),
    onWatchEnd: (reason) =>
      metrics.reflectorWatchEnds.inc({ resource, reason: reasons.includes(reason) ? reason : 'other' }),
    onEvent: (atSeconds) => metrics.reflectorLastEvent.set({ resource }, atSeconds),
    onObjects: (count) => metrics.reflectorObjects.set({ resource }, count),
  };
}

function queueObserver(metrics: MachineryMetrics, name: string): QueueObserver {
  const labels = { name, controller: name };
  metrics.queueDepth.set(labels, 0);
  metrics.queueAdds.inc(labels, 0);
  metrics.queueRetries.inc(labels, 0);
  metrics.queueDuration.zero(labels);
  metrics.queueWorkDuration.zero(labels);
  return {
    onDepth: (depth) => metrics.queueDepth.set(labels, depth),
    onAdd: () => metrics.queueAdds.inc(labels),
    onRetry: () => metrics.queueRetries.inc(labels),
    onQueueDuration: (seconds) => metrics.queueDuration.observe(labels, seconds),
    onWorkDuration: (seconds) => metrics.queueWorkDuration.observe(labels, seconds),
  };
}
