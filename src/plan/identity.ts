import type { ConnectivityTest, Expectation, NodePath, Pod, PodSpec } from '../api/index.ts';
import type { Scope } from './consent.ts';
import type { Finding } from './finding.ts';
import { type Mesh, meshOf } from './mesh.ts';
import { describeScopes, notGranted, resolveSource } from './reference.ts';
import { describeReferred, describeSelector, describeWanted, podsReferred, templateReferred } from './referred.ts';
import type { ClusterView } from './view.ts';

/** What policies select a source by, and what else a pod needs to stand where the source stands. */
export interface Identity {
  /** Equal for pods that no policy can tell apart. */
  readonly key: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Keys of labels that the source has and a probe pod must not wear. */
  readonly droppedLabels: readonly string[];
  readonly serviceAccountName?: string;
  /** The service mesh that the source is in, which the probe pod is kept out of. */
  readonly mesh?: Mesh;
  /** Where the probe pod stands in relation to what it dials, if that was asked for. */
  readonly path?: NodePath;
  /** Placement and name resolution, copied from the source but for the affinity that a path needs. */
  readonly pod: Pick<
    PodSpec,
    'nodeSelector' | 'tolerations' | 'affinity' | 'dnsPolicy' | 'dnsConfig' | 'imagePullSecrets'
  >;
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
  /** The live pods behind each, by its key; none for one that is taken from a template. */
  readonly wearers: ReadonlyMap<string, readonly Pod[]>;
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
  const resolved = resolveSource(test, expectation.from, view);
  if ('reason' in resolved) return resolved;
  const found = sourcePods(test, expectation, resolved.scopes, view);
  if ('reason' in found) return found;
  const policed = found.filter(({ spec }) => spec.hostNetwork !== true);
  if (policed.length === 0) {
    return {
      reason: 'SourceNotSupported',
      message: `The host network is used by ${describeSource(expectation)}: network policies have no say there. Test from a pod with a network of its own.`,
    };
  }
  const identities = new Map<string, Identity>();
  const wearers = new Map<string, readonly Pod[]>();
  for (const { namespace, labels, spec, pod } of policed) {
    const identity = identityFrom(namespace, labels, spec, pod === undefined ? undefined : meshOf(pod));
    const known = identities.get(identity.key);
    // Pods that differ only in what a probe must not wear are one identity, and a policy may tell any of them by it.
    const droppedLabels = [...new Set([...(known?.droppedLabels ?? []), ...identity.droppedLabels])].toSorted();
    identities.set(identity.key, { ...(known ?? identity), droppedLabels });
    if (pod !== undefined) wearers.set(identity.key, [...(wearers.get(identity.key) ?? []), pod]);
  }
  // In a fixed order: the cache has none, and a relist must not look like a change of the plan.
  const inOrder = [...identities.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
  const onHostNetwork = policed.length === found.length ? undefined : noteOnHostNetwork;
  const note = [resolved.note, onHostNetwork].filter((part) => part !== undefined).join(' ');
  return { identities: inOrder, wearers, ...(note === '' ? {} : { note }) };
}

/** The source in words, as sentences name it. */
export function describeSource({ from }: Pick<Expectation, 'from'>): string {
  return describeReferred(from);
}

interface Wearer {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: PodSpec;
  readonly pod?: Pod;
}

function sourcePods(
  test: ConnectivityTest,
  { from }: Expectation,
  scopes: readonly Scope[],
  view: ClusterView,
): readonly Wearer[] | Finding {
  const pods = scopes.map((scope) => podsReferred(from, scope, view));
  const found = scopes.flatMap((scope, index): readonly Wearer[] => {
    const { namespace } = scope;
    const wearers = (pods[index] ?? []).map((pod) => wearerOf(pod, namespace));
    const template = wearers.length > 0 ? undefined : templateReferred(from, scope, view);
    return template === undefined ? wearers : [{ namespace, ...template }];
  });
  if (found.length > 0) return found;
  if (scopes.some(({ parts }) => parts !== undefined)) {
    const { namespace, namespaces } = from;
    return notGranted(test, { role: 'Source', namespace, namespaces, needs: 'Consent', what: describeReferred(from) });
  }
  const where = describeScopes(scopes);
  if (from.workload === undefined) {
    return {
      reason: 'SourceNotFound',
      message: `No pod of ${where} matches ${describeSelector(from.pods ?? {})}. Correct the selector or start the pods.`,
    };
  }
  return {
    reason: 'SourceNotFound',
    message: pods.every((each) => each === undefined)
      ? `There is no ${describeWanted(from.workload)} in ${where}. Correct the name under from.workload or create it.`
      : `Pod ${from.workload.name} of ${where} has ended.`,
  };
}

function wearerOf(pod: Pod, namespace: string): Wearer {
  return { namespace, labels: pod.metadata.labels ?? {}, spec: pod.spec, pod };
}

function isTracking(key: string): boolean {
  return trackingLabels.some((pattern) => pattern.test(key));
}

/** The labels of a pod that a probe pod wears too, in a fixed order. */
export function wornLabels(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(labels)
      .filter(([key]) => !isTracking(key))
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

function identityFrom(
  namespace: string,
  sourceLabels: Readonly<Record<string, string>>,
  spec: PodSpec,
  mesh: Mesh | undefined,
): Identity {
  const labels = wornLabels(sourceLabels);
  const { serviceAccountName, nodeSelector, tolerations, dnsPolicy, dnsConfig, hostAliases, imagePullSecrets } = spec;
  return {
    // Policies look at the first three; the resolver answers as it is asked, and a mesh changes what an answer is worth.
    key: JSON.stringify([
      namespace,
      labels,
      serviceAccountName ?? 'default',
      dnsPolicy ?? 'ClusterFirst',
      dnsConfig,
      hostAliases,
      ...(mesh === undefined ? [] : [mesh]),
    ]),
    namespace,
    labels,
    droppedLabels: Object.keys(sourceLabels).filter(isTracking),
    ...(serviceAccountName === undefined ? {} : { serviceAccountName }),
    ...(mesh === undefined ? {} : { mesh }),
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
