import type { Trigger } from '../api/index.ts';
import type { Assignment, Plan } from '../plan/index.ts';
import type { ProbeReport } from '../verdict/index.ts';

/** One probe pod of a run, from its creation to its report. */
export interface Probe {
  readonly name: string;
  readonly namespace: string;
  /** Random per pod, so that no other pod's result, and no older one, can be taken for this one's. */
  readonly nonce: string;
  readonly assignment: Assignment;
  /** Set when the API server has accepted the pod. */
  uid?: string;
  /** Whether the pod has been seen in the cache; one that was seen and is gone was deleted by somebody. */
  seen: boolean;
  report?: ProbeReport;
}

/** One run of a test: what was to be probed, and what came back so far. */
export interface Run {
  readonly id: string;
  readonly trigger: Trigger;
  readonly generation: number;
  readonly fingerprint: string;
  readonly plan: Plan;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** Epoch milliseconds at which a probe pod without a result is given up. */
  readonly deadline: number;
  readonly probes: readonly Probe[];
  readonly runRequest?: string;
  /** Requests sent to the API server for this run so far. */
  apiRequests: number;
}

/** Whether every probe has reported, if only that it has nothing to say. */
export function isComplete(run: Run): boolean {
  return run.probes.every(({ report }) => report !== undefined);
}
