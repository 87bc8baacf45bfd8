import type { KubeObject, LabelSelector, ObjectMeta, Pod, PodSpec } from '../api/index.ts';

/** An object with a pod template, as its shape admits it: Deployment, StatefulSet, DaemonSet, Job and whatever else has one. */
export interface Template extends KubeObject {
  readonly spec: {
    readonly replicas?: number;
    readonly parallelism?: number;
    readonly selector?: LabelSelector;
    readonly template?: PodTemplate;
    readonly jobTemplate?: { readonly spec: { readonly template: PodTemplate } };
  };
}

interface PodTemplate {
  readonly metadata?: Pick<ObjectMeta, 'labels'>;
  readonly spec: PodSpec;
}

/**
 * Most pods that stand for one workload. No policy tells replicas apart, so two show all that there is to see: one pod and
 * another of its kind. Pods of a StatefulSet have names that a policy can select by, so there each counts.
 */
const mostReplicas = 2;
const mostOrdinals = 100;

/**
 * The pods that a workload would have, ready, with the labels that its controller adds where they are known beforehand.
 * Their addresses and nodes are not known, which is what an absent `podIP` and `nodeName` say.
 */
export function podsOf(workload: Template): readonly Pod[] {
  const { kind, metadata, spec } = workload;
  const template = spec.template ?? spec.jobTemplate?.spec.template;
  if (template === undefined) return [];
  const owned = ownership(workload);
  return Array.from({ length: replicasOf(workload) }, (_, ordinal) => {
    const name = `${owned.prefix}-${ordinal}`;
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name,
        ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
        uid: `${metadata.uid ?? metadata.name}/${ordinal}`,
        labels: {
          ...template.metadata?.labels,
          ...owned.labels,
          ...(kind === 'StatefulSet'
            ? { 'statefulset.kubernetes.io/pod-name': name, 'apps.kubernetes.io/pod-index': String(ordinal) }
            : {}),
        },
        ownerReferences: [
          { apiVersion: workload.apiVersion, controller: true, uid: metadata.uid ?? '', ...owned.owner },
        ],
      },
      spec: template.spec,
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
    };
  });
}

interface Ownership {
  /** What the pods' names begin with. */
  readonly prefix: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly owner: { readonly kind: string; readonly name: string };
}

/** How the pods of each kind are named, labelled and owned. */
function ownership({ kind, metadata: { name } }: Template): Ownership {
  switch (kind) {
    case 'Deployment': {
      // A real hash is not known before the cluster computes it; a policy that selects on it is found by the plan.
      const hash = 'template';
      return {
        prefix: `${name}-${hash}`,
        labels: { 'pod-template-hash': hash },
        owner: { kind: 'ReplicaSet', name: `${name}-${hash}` },
      };
    }
    case 'Job':
      return {
        prefix: name,
        labels: { 'job-name': name, 'batch.kubernetes.io/job-name': name },
        owner: { kind, name },
      };
    default:
      return { prefix: name, labels: {}, owner: { kind, name } };
  }
}

function replicasOf({ kind, spec }: Template): number {
  switch (kind) {
    case 'StatefulSet':
      return Math.min(spec.replicas ?? 1, mostOrdinals);
    case 'DaemonSet':
      // One per node, and how many nodes there are is not known.
      return mostReplicas;
    case 'CronJob':
      return 1;
    case 'Job':
      return Math.min(spec.parallelism ?? 1, mostReplicas);
    default:
      return Math.min(spec.replicas ?? 1, mostReplicas);
  }
}

/**
 * The workload that a pod belongs to, such as Deployment `shop/web`, or the pod itself. A Deployment's ReplicaSets are named
 * after it and their pods' template hash. The node that owns the pods of its own manifests is no workload.
 */
export function ownerOf({ apiVersion, kind, metadata }: Pod): Pick<KubeObject, 'apiVersion' | 'kind' | 'metadata'> {
  const { namespace, name, labels, ownerReferences } = metadata;
  const named = (owner: string) => ({ name: owner, ...(namespace === undefined ? {} : { namespace }) });
  const controller = ownerReferences?.find((owner) => owner.controller === true);
  if (controller === undefined || controller.kind === 'Node') return { apiVersion, kind, metadata: named(name) };
  const suffix = `-${labels?.['pod-template-hash']}`;
  return controller.kind === 'ReplicaSet' && controller.name.endsWith(suffix)
    ? {
        apiVersion: controller.apiVersion,
        kind: 'Deployment',
        metadata: named(controller.name.slice(0, -suffix.length)),
      }
    : { apiVersion: controller.apiVersion, kind: controller.kind, metadata: named(controller.name) };
}

/** The workload that a pod belongs to in words, such as `Deployment shop/web`. */
export function workloadOf(pod: Pod): string {
  const { kind, metadata } = ownerOf(pod);
  return `${kind} ${metadata.namespace}/${metadata.name}`;
}
