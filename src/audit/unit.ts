import type { Pod } from '../api/index.ts';
import { type CompiledPolicy, type Condition, leavesOf, type PolicyModel } from '../policy/index.ts';
import type { AuditWorld } from './world.ts';

/**
 * Pods of one workload that no policy tells apart: the whole workload as a rule, and less where policies select by a label that
 * only some of its pods carry.
 */
export interface Unit {
  /** Such as apps/v1. */
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** By their position in the model's reachability. */
  readonly positions: readonly number[];
  readonly pods: readonly Pod[];
  /** Whether these are all pods of the workload. */
  readonly isWhole: boolean;
  readonly hostNetwork: boolean;
  /** Not read, but taken for granted. */
  readonly isAssumed: boolean;
}

/** The units of a world in order of namespace, kind and name. Finished pods are in none. */
export function unitsOf({ pods, assumed, ownerOf }: AuditWorld, model: PolicyModel): readonly Unit[] {
  const byName = new Map([...pods, ...assumed].map((pod) => [podKey(pod.metadata.namespace, pod.metadata.name), pod]));
  const reachability = model.reachability('profile');
  const classOf = new Map(reachability.classes.flatMap((members, index) => members.map((member) => [member, index])));
  const signatureOf = hostSignatures(model);
  const members = reachability.pods.flatMap(({ namespace, name }, position) => {
    const pod = byName.get(podKey(namespace, name));
    if (pod === undefined) return [];
    const { apiVersion, kind, metadata } = ownerOf(pod);
    const alike = pod.spec.hostNetwork === true ? signatureOf(pod, position) : String(classOf.get(position));
    return [{ pod, position, owner: { apiVersion, kind, namespace, name: metadata.name }, alike }];
  });
  const workloads = Map.groupBy(members, ({ owner: { kind, namespace, name } }) =>
    JSON.stringify([namespace, kind, name]),
  );
  const ignored = new Set(assumed);
  return [...workloads]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, own]) => {
      const parts = Map.groupBy(own, ({ pod, alike }) => `${pod.spec.hostNetwork === true} ${alike}`);
      return [...parts.values()].flatMap((part) => {
        const [first] = part;
        if (first === undefined) return [];
        return [
          {
            ...first.owner,
            positions: part.map(({ position }) => position),
            pods: part.map(({ pod }) => pod),
            isWhole: parts.size === 1,
            hostNetwork: first.pod.spec.hostNetwork === true,
            isAssumed: ignored.has(first.pod),
          },
        ];
      });
    });
}

function podKey(namespace = 'default', name: string): string {
  return `${namespace}/${name}`;
}

/**
 * What policies may tell host network pods of one workload apart by, beside their nodes: labels, ports, and the blocks that
 * their nodes' addresses lie in. The model's classes part them by node, which the statement speaks of in other words.
 */
function hostSignatures(model: PolicyModel): (pod: Pod, position: number) => string {
  const blocks = model.policiesInEveryReading
    .flatMap(conditionsOf)
    .flatMap(leavesOf)
    .filter(({ kind }) => kind === 'Block');
  const members = blocks.map((block) => new Set(model.matching([block])));
  return ({ metadata, spec, status }, position) =>
    JSON.stringify([
      Object.entries(metadata.labels ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1)),
      spec.containers.map(({ ports }) => ports),
      spec.serviceAccountName,
      (status?.podIPs ?? []).length,
      members.map((positions) => positions.has(position)),
    ]);
}

function conditionsOf({ sections }: CompiledPolicy): readonly Condition[] {
  return sections.flatMap(({ rules }) =>
    rules.flatMap(({ subject, peers = [] }) => [...subject, ...peers.flatMap(({ conditions }) => conditions)]),
  );
}
