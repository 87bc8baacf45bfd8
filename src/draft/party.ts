import type { Expectation, LabelSelector, Pod, PodSelector } from '../api/index.ts';
import { describeSource, type Identity } from '../plan/index.ts';
import { namespaceNameLabel, selectorMatches } from '../policy/index.ts';
import type { KnownCluster } from '../prediction/index.ts';
import { selectorFor } from './selector.ts';
import { type Workload, workloadsOf } from './workload.ts';

/** Pods of one namespace that a policy selects together. */
export interface Party {
  /** Equal for parties that are selected in the same way. */
  readonly key: string;
  readonly words: string;
  /** What its policy is called after. */
  readonly name: string;
  readonly namespace: string;
  readonly selector: PodSelector;
  readonly pods: readonly Pod[];
}

/** Pods that no policy can select by themselves, in a sentence that says what to change. */
export interface Inseparable {
  readonly problem: string;
}

/** Who a source or target stands for, as policies select it. */
export interface Parties {
  /** The pods that an identity of `from` is worn by. */
  source(from: Expectation['from'], identity: Identity): Party | Inseparable;
  /** Of a target that is named by a selector, what that selects; else the workload that a pod belongs to. */
  destination(to: Pick<Expectation['to'], 'pods'>, pod: Pod): Party | Inseparable;
}

export function partiesIn({ pods, view }: KnownCluster): Parties {
  const all = workloadsOf(pods);
  const workloads = new Map(all.flatMap((workload) => workload.pods.map((pod) => [keyOf(pod), workload])));
  const byWords = new Map(all.map((workload) => [workload.words, workload]));
  const known = new Map<Workload, Party | Inseparable>();
  const inNamespace = Map.groupBy(pods, ({ metadata }) => metadata.namespace);
  const ofWorkload = (workload: Workload): Party | Inseparable => {
    const found =
      known.get(workload) ?? partyOf(workload, inNamespace.get(workload.namespace) ?? [], preferred(workload));
    known.set(workload, found);
    return found;
  };
  const preferred = ({ kind, namespace, name }: Workload): LabelSelector['matchLabels'] =>
    kind === 'Deployment' || kind === 'StatefulSet' || kind === 'DaemonSet'
      ? view.workload(kind, namespace, name)?.spec.selector.matchLabels
      : undefined;
  const bySelector = (selector: PodSelector, namespace: string): Party => ({
    key: JSON.stringify([namespace, selector]),
    words: `${describeSource({ from: { pods: selector } })} of namespace ${namespace}`,
    name: 'pods',
    namespace,
    selector,
    pods: (inNamespace.get(namespace) ?? []).filter(({ metadata }) => selectorMatches(selector, metadata.labels)),
  });
  return {
    source(from, { namespace, labels }) {
      if (from.pods !== undefined) return bySelector(from.pods, namespace);
      const { kind = 'Pod', name = '' } = from.workload ?? {};
      const words = `${kind} ${namespace}/${name}`;
      const workload =
        byWords.get(words) ?? all.find((each) => each.pods.some((pod) => isOwnedBy(pod, kind, `${namespace}/${name}`)));
      if (workload !== undefined) return ofWorkload(workload);
      // Scaled to nothing: only its template is known.
      const pod: Pod = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: `${name}-template`, namespace, labels },
        spec: { containers: [] },
      };
      return partyOf({ words, name, namespace, pods: [pod] }, inNamespace.get(namespace) ?? []);
    },
    destination({ pods: selector }, pod) {
      const workload = workloads.get(keyOf(pod));
      if (selector !== undefined) return bySelector(selector, pod.metadata.namespace ?? '');
      return workload === undefined ? { problem: `Pod ${keyOf(pod)} is not at work.` } : ofWorkload(workload);
    },
  };
}

/** Whether a ReplicaSet that a test names is one of a Deployment's. */
function isOwnedBy({ metadata }: Pod, kind: string, path: string): boolean {
  return (
    metadata.ownerReferences?.some((owner) => owner.kind === kind && `${metadata.namespace}/${owner.name}` === path) ===
    true
  );
}

function partyOf(
  { words, name, namespace, pods }: Pick<Workload, 'words' | 'name' | 'namespace' | 'pods'>,
  others: readonly Pod[],
  preferred: LabelSelector['matchLabels'] = {},
): Party | Inseparable {
  const selector = selectorFor(pods, others, preferred);
  if (selector === undefined) {
    return {
      problem: `No label selector means ${words} alone: its pods carry no label, or other pods of the namespace carry all of the same ones. Give its pods a label of their own.`,
    };
  }
  return { key: JSON.stringify([namespace, selector]), words, name, namespace, selector, pods };
}

/** A party as the peer of a policy in `namespace`: one entry with both selectors, since two entries would be two peers. */
export function peerFor({ namespace, selector }: Pick<Party, 'namespace' | 'selector'>, home: string): unknown {
  if (namespace === home) return { podSelector: selector };
  return { namespaceSelector: { matchLabels: { [namespaceNameLabel]: namespace } }, podSelector: selector };
}

export function keyOf({ metadata }: Pod): string {
  return `${metadata.namespace}/${metadata.name}`;
}
