import type { LabelSelector, Pod, PodSpec, Source, WorkloadReference } from '../api/index.ts';
import { plainText } from '../text/index.ts';
import type { GrantedPart, Scope } from './consent.ts';
import { selectorMatches } from '../policy/index.ts';
import { type ClusterView, isLive } from './view.ts';

/** What pods are named by, in a source and in a target alike. */
export type Referred = Pick<Source, 'workload' | 'pods' | 'namespace' | 'namespaces'>;

/** What pods are named by in words, as sentences name them. */
export function describeReferred({ workload, pods, namespace, namespaces }: Referred): string {
  const among = namespaces === undefined ? '' : ` of namespaces ${describeSelector(namespaces)}`;
  if (workload !== undefined) {
    return `${workload.kind} ${namespace === undefined ? '' : `${namespace}/`}${workload.name}${among}`;
  }
  return `pods ${describeSelector(pods ?? {})}${namespace === undefined ? among : ` of namespace ${namespace}`}`;
}

/** A workload in words, as sentences name it that say it is not there. */
export function describeWanted({ kind, name }: WorkloadReference): string {
  return `${kind} ${name}${kind === 'ReplicaSet' ? ' with pods' : ''}`;
}

/** Room for a selector in a sentence: what comes after it says what to do. */
const maxSelectorBytes = 256;

/** A selector in kubectl's notation; `(all)` for an empty one. Keys and values may be any text, and go where people read. */
export function describeSelector(selector: LabelSelector): string {
  const terms = [
    ...Object.entries(selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`),
    ...(selector.matchExpressions ?? []).map(({ key, operator, values }) =>
      values === undefined || values.length === 0 ? `${key} ${operator}` : `${key} ${operator} (${values.join(', ')})`,
    ),
  ];
  return terms.length === 0 ? '(all)' : plainText(terms.join(','), maxSelectorBytes);
}

/** Live pods of a scope that are referred to; undefined if the workload does not exist there. */
export function podsReferred(
  { workload, pods }: Referred,
  { namespace, parts }: Scope,
  view: ClusterView,
): readonly Pod[] | undefined {
  const found =
    workload === undefined
      ? podsMatching(namespace, pods ?? {}, view)
      : podsOfWorkload(namespace, workload.kind, workload.name, view);
  if (found === undefined || parts === undefined) return found;
  const granted = new Set(parts.flatMap((part) => podsOfPart(namespace, part, view)));
  return found.filter((pod) => granted.has(pod));
}

/** The template of a workload that has no pods, if the scope covers it. */
export function templateReferred(
  { workload }: Referred,
  { namespace, parts }: Scope,
  view: ClusterView,
): { readonly labels: Readonly<Record<string, string>>; readonly spec: PodSpec } | undefined {
  if (workload === undefined || workload.kind === 'Pod' || workload.kind === 'ReplicaSet') return undefined;
  const template = view.workload(workload.kind, namespace, workload.name)?.spec.template;
  if (template === undefined) return undefined;
  const labels = template.metadata?.labels ?? {};
  const isCovered = (part: GrantedPart): boolean =>
    part.pods === undefined
      ? part.workload?.kind === workload.kind && part.workload.name === workload.name
      : selectorMatches(part.pods, labels);
  return parts === undefined || parts.some(isCovered) ? { labels, spec: template.spec } : undefined;
}

function podsOfPart(namespace: string, { workload, pods }: GrantedPart, view: ClusterView): readonly Pod[] {
  if (workload !== undefined) return podsOfWorkload(namespace, workload.kind, workload.name, view) ?? [];
  // A part of neither form, which the schema does not let in, is no part.
  return pods === undefined ? [] : podsMatching(namespace, pods, view);
}

/** Live pods of a namespace that a selector matches. */
function podsMatching(namespace: string, selector: LabelSelector, view: ClusterView): readonly Pod[] {
  return view.pods(namespace).filter((pod) => isLive(pod) && selectorMatches(selector, pod.metadata.labels));
}

/** Live pods that belong to a workload; undefined if the workload does not exist. */
function podsOfWorkload(
  namespace: string,
  kind: WorkloadReference['kind'],
  name: string,
  view: ClusterView,
): readonly Pod[] | undefined {
  if (kind === 'Pod') {
    const pod = view.pods(namespace).find(({ metadata }) => metadata.name === name);
    return pod === undefined ? undefined : [pod].filter(isLive);
  }
  if (kind === 'ReplicaSet') {
    // ReplicaSets are not watched: without pods, one cannot be told from none.
    const pods = view.pods(namespace).filter((pod) => isLive(pod) && isControlledBy(pod, kind, name));
    return pods.length === 0 ? undefined : pods;
  }
  const workload = view.workload(kind, namespace, name);
  if (workload === undefined) return undefined;
  return podsMatching(namespace, workload.spec.selector, view).filter((pod) => {
    const controller = pod.metadata.ownerReferences?.find((owner) => owner.controller === true);
    if (kind !== 'Deployment') return controller?.uid === workload.metadata.uid;
    // A Deployment's ReplicaSets are named after it and their pods' template hash, which spares watching ReplicaSets.
    return controller?.name === `${name}-${pod.metadata.labels?.['pod-template-hash']}`;
  });
}

function isControlledBy(pod: Pod, kind: string, name: string): boolean {
  return (
    pod.metadata.ownerReferences?.some(
      (owner) => owner.controller === true && owner.kind === kind && owner.name === name,
    ) === true
  );
}
