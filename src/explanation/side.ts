import type { KubeObject, Pod } from '../api/index.ts';
import { tellingLabelKeys } from '../policy/index.ts';
import { isRecord, type ObjectReference, objectReference, valueAt } from './edit.ts';

export type Labels = Readonly<Record<string, string>>;

/** One end of the connection, as policies see it. */
export interface Side {
  /** In words, such as `Deployment shop/web` or `10.0.0.1`. */
  readonly name: string;
  /** Absent for an address or a node. */
  readonly pod?: Pod;
  readonly namespace?: string;
  /** Of the pod, without those that controllers add. */
  readonly labels: Labels;
  /** Of the pod's namespace; undefined where they are not known. */
  readonly namespaceLabels?: Labels;
  readonly hostNetwork: boolean;
  /** The object that the pod's labels are written in, where it is known. */
  readonly workload?: KubeObject;
  readonly address?: string;
}

/** Labels that controllers add or that tell releases apart: no policy should select by them. */
const noise = new Set([
  'pod-template-hash',
  'pod-template-generation',
  'controller-revision-hash',
  'controller-uid',
  'batch.kubernetes.io/controller-uid',
  'job-name',
  'batch.kubernetes.io/job-name',
  'statefulset.kubernetes.io/pod-name',
  'apps.kubernetes.io/pod-index',
  'helm.sh/chart',
  'app.kubernetes.io/managed-by',
  'app.kubernetes.io/version',
  'argocd.argoproj.io/instance',
]);

export function withoutNoise(labels: Labels = {}): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !noise.has(key)));
}

const telling = [...tellingLabelKeys, 'role'];

/** The labels by which a policy would select the pods of this side: those of its workload's own selector, else the telling ones. */
export function identifyingLabels({ labels, workload }: Side): Labels {
  const own = valueAt(workload, 'spec.selector.matchLabels');
  const selected = Object.entries(labels).filter(([key, value]) => isRecord(own) && own[key] === value);
  if (selected.length > 0) return Object.fromEntries(selected);
  const found = telling.find((key) => Object.hasOwn(labels, key));
  return found === undefined ? labels : { [found]: labels[found] ?? '' };
}

/** Where the labels of this side's pods are written, as far as that is known. */
export function labelsAt({ workload }: Side): { readonly object: ObjectReference; readonly path: string } | undefined {
  return workload === undefined ? undefined : { object: objectReference(workload), path: labelsPath(workload) };
}

export function labelsPath({ kind }: KubeObject): string {
  switch (kind) {
    case 'Pod':
      return 'metadata.labels';
    case 'CronJob':
      return 'spec.jobTemplate.spec.template.metadata.labels';
    default:
      return 'spec.template.metadata.labels';
  }
}

/** Where the specification of this object's pods stands. */
export function podSpecPath({ kind }: KubeObject): string {
  switch (kind) {
    case 'Pod':
      return 'spec';
    case 'CronJob':
      return 'spec.jobTemplate.spec.template.spec';
    default:
      return 'spec.template.spec';
  }
}

/** Labels as they stand in YAML, on one line. */
export function labelsInWords(labels: Labels): string {
  const entries = Object.entries(labels).map(([key, value]) => `${key}: ${value === '' ? '""' : value}`);
  return entries.length === 0 ? 'no labels' : `{ ${entries.join(', ')} }`;
}

/** The value of a label. `constructor` is a valid key, and every object has one. */
export function labelOf(labels: Labels | undefined, key: string): string | undefined {
  return labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
}
