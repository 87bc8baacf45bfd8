import type { ConnectivityTest, Expectation, LabelSelector, Pod, PodSpec, Reason } from '../api/index.ts';
import { selectorMatches } from '../policy/index.ts';
import { plainText } from '../text/index.ts';
import { type ClusterView, isLive } from './view.ts';

/** What policies select a source by, and what else a pod needs to stand where the source stands. */
export interface Identity {
  /** Equal for pods that no policy can tell apart. */
  readonly key: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Keys of labels that the source has and a probe pod must not wear. */
  readonly droppedLabels: readonly string[];
  readonly serviceAccountName?: string;
  /** Placement and name resolution, copied from the source. */
  readonly pod: Pick<PodSpec, 'nodeSelector' | 'tolerations' | 'dnsPolicy' | 'dnsConfig' | 'imagePullSecrets'>;
}

/** Why something cannot be probed. */
export interface Finding {
  readonly reason: Reason;
  readonly message: string;
}

/**
 * Labels by which controllers, batch jobs and GitOps tools recognise what is theirs. On a probe pod they would make it a
 * ReplicaSet's surplus, a Job's result or an Argo CD orphan (https://kubernetes.io/docs/reference/labels-annotations-taints/).
 * Istio's label would override the annotation that keeps its sidecar out of a probe pod, and through a sidecar every
 * connection seems to succeed.
 */
const trackingLabels: readonly RegExp[] = [
  /^pod-template-hash$/,
  /^controller-revision-hash$/,
  /^pod-template-generation$/,
  /^rollouts-pod-template-hash$/,
  /^statefulset\.kubernetes\.io\//,
  /^apps\.kubernetes\.io\/pod-index$/,
  /^(job-name|controller-uid)$/,
  /^batch\.kubernetes\.io\//,
  /^argocd\.argoproj\.io\//,
  /^(kustomize|helm)\.toolkit\.fluxcd\.io\//,
  /^helm\.sh\//,
  /^app\.kubernetes\.io\/managed-by$/,
  /^sidecar\.istio\.io\/inject$/,
  /^postern\.dev\//,
];

export interface ResolvedIdentities {
  /** Usually one, several where pods differ in labels or account. */
  readonly identities: readonly Identity[];
  /** What the verdict's sentence must add. */
  readonly note?: string;
}

/** What is left out of every answer about such a source, whether it was dialled or predicted. */
export const noteOnHostNetwork = 'Source pods on the host network were left out: network policies have no say there.';

/** The identities that an expectation's source stands for, or why it has none. */
export function identitiesOf(
  test: ConnectivityTest,
  expectation: Expectation,
  view: ClusterView,
): ResolvedIdentities | Finding {
  const { namespace } = test.metadata;
  const found = sourcePods(namespace, expectation, view);
  if ('reason' in found) return found;
  const policed = found.filter(({ spec }) => spec.hostNetwork !== true);
  if (policed.length === 0) {
    return {
      reason: 'SourceNotSupported',
      message: `The host network is used by ${describeSource(expectation)}: network policies have no say there. Test from a pod with a network of its own.`,
    };
  }
  const identities = new Map<string, Identity>();
  for (const { labels, spec } of policed) {
    const identity = identityFrom(namespace, labels, spec);
    const known = identities.get(identity.key);
    // Pods that differ only in what a probe must not wear are one identity, and a policy may tell any of them by it.
    const droppedLabels = [...new Set([...(known?.droppedLabels ?? []), ...identity.droppedLabels])].toSorted();
    identities.set(identity.key, { ...(known ?? identity), droppedLabels });
  }
  // In a fixed order: the cache has none, and a relist must not look like a change of the plan.
  const inOrder = [...identities.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
  return policed.length === found.length
    ? { identities: inOrder }
    : {
        identities: inOrder,
        note: noteOnHostNetwork,
      };
}

/** The source in words, as sentences name it. */
export function describeSource({ from }: Pick<Expectation, 'from'>): string {
  if (from.workload !== undefined) return `${from.workload.kind} ${from.workload.name}`;
  return `pods ${describeSelector(from.pods ?? {})}`;
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

interface Wearer {
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: PodSpec;
}

function sourcePods(namespace: string, { from }: Expectation, view: ClusterView): readonly Wearer[] | Finding {
  if (from.workload === undefined) {
    const selected = podsMatching(namespace, from.pods ?? {}, view).map(wearer);
    return selected.length > 0
      ? selected
      : {
          reason: 'SourceNotFound',
          message: `No pod of namespace ${namespace} matches ${describeSelector(from.pods ?? {})}. Correct the selector or start the pods.`,
        };
  }
  const { kind, name } = from.workload;
  const pods = podsOfWorkload(namespace, kind, name, view);
  if (pods === undefined) {
    return {
      reason: 'SourceNotFound',
      message: `There is no ${kind} ${name} in namespace ${namespace}. Correct the name under from.workload or create it.`,
    };
  }
  if (pods.length > 0) return pods.map(wearer);
  const template = kind === 'Pod' ? undefined : view.workload(kind, namespace, name)?.spec.template;
  if (template === undefined) {
    return { reason: 'SourceNotFound', message: `Pod ${name} of namespace ${namespace} has ended.` };
  }
  return [{ labels: template.metadata?.labels ?? {}, spec: template.spec }];
}

function wearer(pod: Pod): Wearer {
  return { labels: pod.metadata.labels ?? {}, spec: pod.spec };
}

/** Live pods of a namespace that a selector matches. */
export function podsMatching(namespace: string, selector: LabelSelector, view: ClusterView): readonly Pod[] {
  return view.pods(namespace).filter((pod) => isLive(pod) && selectorMatches(selector, pod.metadata.labels));
}

/** Live pods that belong to a workload; undefined if the workload does not exist. */
export function podsOfWorkload(
  namespace: string,
  kind: 'Deployment' | 'StatefulSet' | 'DaemonSet' | 'Pod',
  name: string,
  view: ClusterView,
): readonly Pod[] | undefined {
  if (kind === 'Pod') {
    const pod = view.pods(namespace).find(({ metadata }) => metadata.name === name);
    return pod === undefined ? undefined : [pod].filter(isLive);
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

function identityFrom(namespace: string, sourceLabels: Readonly<Record<string, string>>, spec: PodSpec): Identity {
  const isTracking = (key: string) => trackingLabels.some((pattern) => pattern.test(key));
  const labels = Object.fromEntries(
    Object.entries(sourceLabels)
      .filter(([key]) => !isTracking(key))
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
  const { serviceAccountName, nodeSelector, tolerations, dnsPolicy, dnsConfig, hostAliases, imagePullSecrets } = spec;
  return {
    // Policies look at the first three; the resolver answers as it is asked.
    key: JSON.stringify([
      namespace,
      labels,
      serviceAccountName ?? 'default',
      dnsPolicy ?? 'ClusterFirst',
      dnsConfig,
      hostAliases,
    ]),
    namespace,
    labels,
    droppedLabels: Object.keys(sourceLabels).filter(isTracking),
    ...(serviceAccountName === undefined ? {} : { serviceAccountName }),
    pod: {
      ...(nodeSelector === undefined ? {} : { nodeSelector }),
      ...(tolerations === undefined ? {} : { tolerations }),
      ...(dnsPolicy === undefined ? {} : { dnsPolicy }),
      ...(dnsConfig === undefined ? {} : { dnsConfig }),
      ...(hostAliases === undefined ? {} : { hostAliases }),
      ...(imagePullSecrets === undefined ? {} : { imagePullSecrets }),
    },
  };
}
