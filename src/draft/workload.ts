import type { Pod, PodSelector, WorkloadReference } from '../api/index.ts';
import { workloadOf } from '../manifests/index.ts';
import { type ClusterView, isLive, wornLabels } from '../plan/index.ts';
import { selectorFor } from './selector.ts';

/** Pods that belong together, as people name them. */
export interface Workload {
  /** Such as `Deployment shop/web`. */
  readonly words: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly pods: readonly Pod[];
  /** Of its first pod, without those that controllers add. */
  readonly labels: Readonly<Record<string, string>>;
}

/** The workloads of these pods in the order of their words, as far as their pods are or will be at work. */
export function workloadsOf(pods: readonly Pod[]): readonly Workload[] {
  const groups = Map.groupBy(pods.filter(isLive), workloadOf);
  return [...groups]
    .map(([words, members]) => {
      const [kind = '', path = ''] = words.split(' ');
      const [namespace = '', name = ''] = path.split('/');
      return { words, kind, namespace, name, pods: members, labels: wornLabels(members[0]?.metadata.labels ?? {}) };
    })
    .toSorted((a, b) => (a.words < b.words ? -1 : 1));
}

export function usesHostNetwork({ pods }: Workload): boolean {
  return pods.some(({ spec }) => spec.hostNetwork === true);
}

/** How a test names a workload within its namespace. */
export type Named = { readonly workload: WorkloadReference } | { readonly pods: PodSelector };

/**
 * By kind and name where the plan can look it up, since labels drift; a Job's or another controller's pods by labels that no
 * other pod of the namespace carries; undefined where there are none.
 */
export function namedBy(workload: Workload, view: ClusterView): Named | undefined {
  const { kind, namespace, name } = workload;
  switch (kind) {
    case 'Pod':
    case 'ReplicaSet':
      return { workload: { kind, name } };
    case 'Deployment':
    case 'StatefulSet':
    case 'DaemonSet':
      if (view.workload(kind, namespace, name) !== undefined) return { workload: { kind, name } };
  }
  const selector = selectorFor(workload.pods, view.pods(namespace));
  return selector === undefined ? undefined : { pods: selector };
}
