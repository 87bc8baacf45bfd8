import type { Trigger } from '../api/index.ts';
import type { Assignment, Plan } from '../plan/index.ts';
import type { ProbeReport } from '../verdict/index.ts';

/** What one pod does: it dials its checks, or it listens so that others can dial it. */
export interface Task extends Assignment {
  readonly listen?: { readonly port: number; readonly seconds: number };
}

/** One probe pod of a run, from its creation to its report. */
export interface Probe {
  readonly name: string;
  readonly namespace: string;
  /** Random per pod, so that no other pod's result, and no older one, can be taken for this one's. */
  readonly nonce: string;
  readonly assignment: Task;
  /** Whether it runs in a namespace of others, whose quotas and admission are not for the test's author to read about. */
  readonly isAbroad?: boolean;
  /** Set when the API server has accepted the pod. */
  uid?: string;
  /** Whether the pod has been seen in the cache; one that was seen and is gone was deleted by somebody. */
  seen: boolean;
  report?: ProbeReport;
  /** When its report came, by the monotonic clock. */
  reportedAt?: number;
}

/** Probe pods that begin together, and what came back of them so far. */
export interface Batch {
  readonly id: string;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** The same moment by the operator's monotonic clock: no probe of the batch has dialled before. */
  readonly begunAt: number;
  /** When a probe pod without a result is given up, by the monotonic clock. */
  readonly deadline: number;
  readonly probes: readonly Probe[];
  /** Requests sent to the API server for these pods so far. */
  apiRequests: number;
}

/** One run of a test: what was to be probed, and why. */
export interface Run extends Batch {
  readonly trigger: Trigger;
  readonly generation: number;
  readonly fingerprint: string;
  readonly plan: Plan;
  /** How long its probe pods stood before they dialled. */
  readonly delaySeconds: number;
  /** Since when the ready pods are ready that it may have to do with, by uid. */
  readonly readySince: ReadonlyMap<string, string>;
  readonly runRequest?: string;
}

/** Whether every probe has reported, if only that it has nothing to say. */
export function isComplete(run: Batch): boolean {
  return run.probes.every(({ report }) => report !== undefined);
}
