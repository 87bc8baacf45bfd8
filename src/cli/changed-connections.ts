import type { Pod, Policy } from '../api/index.ts';
import { type DeclaredCluster, workloadOf } from '../manifests/index.ts';
import { type PolicyModel, policyModel, type ProfileName, referenceOf, selectorMatches } from '../policy/index.ts';
import { type ConnectionChange, connectionChanges, type End, outsideEnds } from '../prediction/index.ts';
import type { ConnectionRow } from '../report/index.ts';
import { plainText } from '../text/index.ts';

/** One side of a comparison. */
interface Side {
  readonly cluster: DeclaredCluster;
  readonly model: PolicyModel;
  /** By the name of their workload. */
  readonly pods: ReadonlyMap<string, readonly Pod[]>;
}

/** Compares clusters with one base, whose answers are computed once. */
export function changesFrom(
  base: DeclaredCluster,
  profile: ProfileName | undefined,
): (head: DeclaredCluster) => readonly ConnectionRow[] {
  const before = sideOf(base, profile);
  return (head) => changesBetween(before, sideAfter(before, head, profile), profile);
}

/** What a change of manifests makes of the connections between workloads, and with the outside. */
function changesBetween(before: Side, after: Side, profile: ProfileName | undefined): readonly ConnectionRow[] {
  const names = [...new Set([...before.pods.keys(), ...after.pods.keys()])].toSorted();
  const touched = new Set(names.filter(touchedBy(before, after, profile)));
  const outside = outsideEnds([...before.model.policiesInEveryReading, ...after.model.policiesInEveryReading]);
  const ends = names.map((name) => [endOf(name, before, after, 0), endOf(name, before, after, 1)] as const);
  const inside = ends.flatMap(([from]) =>
    ends
      .filter(([to]) => touched.has(from.name) || touched.has(to.name))
      // A workload and itself are two of its pods: what one pod does with itself is no policy's business.
      .map(([to, another]) => [from, from === to ? another : to] as const),
  );
  const across = ends
    .filter(([end]) => touched.has(end.name))
    .flatMap(([end]) => outside.flatMap((address) => [[end, address] as const, [address, end] as const]));
  return grouped(connectionChanges([...inside, ...across], before.model, after.model));
}

function sideOf(cluster: DeclaredCluster, profile: ProfileName | undefined): Side {
  const { pods, namespaces, policies } = cluster;
  return {
    cluster,
    model: policyModel({ pods, namespaces, policies }, profile === undefined ? {} : { profile }),
    pods: Map.groupBy(pods, workloadOf),
  };
}

/** Where only policies differ, no more than those is computed again. */
function sideAfter(before: Side, cluster: DeclaredCluster, profile: ProfileName | undefined): Side {
  const { pods, namespaces, policies } = before.cluster;
  if (cluster.pods !== pods || cluster.namespaces !== namespaces) return sideOf(cluster, profile);
  const [old, kept] = [new Set(policies), new Set(cluster.policies)];
  const without = policies
    .filter((policy) => !kept.has(policy))
    .reduce((model, policy) => model.withoutPolicy(referenceOf(policy)), before.model);
  const model = cluster.policies
    .filter((policy) => !old.has(policy))
    .reduce((next, policy) => next.withPolicy(policy), without);
  return { cluster, model, pods: before.pods };
}

function endOf(name: string, before: Side, after: Side, replica: 0 | 1): End {
  const endpoint = ({ pods }: Side): End['before'] => {
    const pod = pods.get(name)?.[replica];
    return pod && { kind: 'pod', namespace: pod.metadata.namespace ?? '', name: pod.metadata.name };
  };
  return { name, before: endpoint(before), after: endpoint(after) };
}

/** Whether anything that policies say about a workload's own side may have changed: a policy that may select it, its labels or ports. */
function touchedBy(before: Side, after: Side, profile: ProfileName | undefined): (workload: string) => boolean {
  const changed = changedPolicies(before.cluster, after.cluster);
  const facts = ({ cluster, pods }: Side, workload: string): string => {
    const [pod] = pods.get(workload) ?? [];
    const namespace = cluster.namespaces.find(({ metadata }) => metadata.name === pod?.metadata.namespace);
    return JSON.stringify([
      pod?.metadata.labels,
      pod?.spec,
      pod?.status,
      namespace?.metadata.labels,
      pod?.metadata.namespace,
    ]);
  };
  return (workload) => {
    const pods = before.pods.get(workload) ?? after.pods.get(workload) ?? [];
    if (changed.some((policy) => pods.some((pod) => maySelect(policy, pod, profile)))) return true;
    return facts(before, workload) !== facts(after, workload);
  };
}

/** Whether a policy may have a say about a pod's own side; a pod whose labels change is looked at whatever this says. */
function maySelect({ apiVersion, metadata, spec }: Policy, pod: Pod, profile: ProfileName | undefined): boolean {
  if (metadata.namespace !== undefined && metadata.namespace !== pod.metadata.namespace) return false;
  // Other dialects select otherwise, and network plugins may not see every label.
  if (!apiVersion.startsWith('networking.k8s.io/') || profile !== undefined) return true;
  const selector = typeof spec === 'object' && spec !== null && 'podSelector' in spec ? spec.podSelector : undefined;
  return typeof selector !== 'object' || selector === null || selectorMatches(selector, pod.metadata.labels);
}

/** Policies that are not the same on both sides, in both versions. */
function changedPolicies(before: DeclaredCluster, after: DeclaredCluster): readonly Policy[] {
  const textsOf = ({ policies }: DeclaredCluster) =>
    new Map(
      policies.map((policy) => {
        const { apiVersion, kind, metadata, spec, specs } = policy;
        const { namespace, name } = metadata;
        return [JSON.stringify([apiVersion, kind, namespace, name, spec, specs]), policy] as const;
      }),
    );
  const base = textsOf(before);
  const head = textsOf(after);
  return [
    ...[...base].flatMap(([text, policy]) => (head.has(text) ? [] : [policy])),
    ...[...head].flatMap(([text, policy]) => (base.has(text) ? [] : [policy])),
  ];
}

const maxBytes = 1024;

/** One row per pair of ends and kind of change, with all of its ports. */
function grouped(changes: readonly ConnectionChange[]): readonly ConnectionRow[] {
  const line = (text: string): string => plainText(text, maxBytes);
  const rows = Map.groupBy(changes, ({ from, to, before, after }) => JSON.stringify([from, to, before, after]));
  return [...rows.values()]
    .flatMap((members) => {
      const [first] = members;
      if (first === undefined) return [];
      const { from, to, before, after } = first;
      return [{ change: changeOf(first), from: line(from), to: line(to), ports: portsInWords(members), before, after }];
    })
    .toSorted((a, b) => order.indexOf(a.change) - order.indexOf(b.change));
}

const order: readonly ConnectionRow['change'][] = ['Opened', 'Uncertain', 'Closed'];

function changeOf({ before, after }: ConnectionChange): ConnectionRow['change'] {
  if (before === 'deny' && after === 'allow') return 'Opened';
  return before === 'allow' && after === 'deny' ? 'Closed' : 'Uncertain';
}

/** `TCP 8080, 9000-9010; UDP all ports`. */
function portsInWords(changes: readonly ConnectionChange[]): string {
  return [...Map.groupBy(changes, ({ protocol }) => protocol)]
    .map(([protocol, ranges]) => {
      const words = ranges.map(({ first, last }) => (first === last ? String(first) : `${first}-${last}`));
      const isAll = ranges.length === 1 && ranges[0]?.first === 1 && ranges[0].last === 65535;
      return `${protocol} ${isAll ? 'all ports' : words.join(', ')}`;
    })
    .join('; ');
}
