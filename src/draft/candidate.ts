import { type PolicyModel, type PolicyWorld, policyModel, type Answer, type Endpoint } from '../policy/index.ts';
import type { KnownCluster } from '../prediction/index.ts';
import { type Door, doorsOf } from './door.ts';
import { type Workload, workloadsOf, usesHostNetwork } from './workload.ts';

/** A connection that an expectation may be drafted for, by what the specification says of it. */
export interface Candidate {
  readonly source: Workload;
  readonly door: Door;
  readonly expect: 'Allow' | 'Deny';
}

export interface Candidates {
  readonly candidates: readonly Candidate[];
  /** Whose egress some policy restricts: whether they may resolve names is a question. */
  readonly restricted: readonly Workload[];
  /** What is not drafted and why, one sentence each. */
  readonly leftOut: readonly string[];
}

/** Most Denies at one door from workloads of its own namespace, and from those of all others together. */
const mostDenies = { own: 3, other: 1 } as const;

/**
 * Every connection at declared ports that a rule of a policy admits, and next to it the denials that matter. Where no policy
 * restricts either side, nothing was decided and nothing is drafted. Of the workloads that a door is closed to, those come first
 * that pass another door of the same workload, then those whose labels are most like the admitted ones': a slip of a selector
 * opens to them first.
 */
export function candidatesIn(cluster: KnownCluster): Candidates {
  const { pods, namespaces, policies } = cluster;
  const world: PolicyWorld = { pods, namespaces, policies };
  const model = policyModel(world);
  const all = workloadsOf(pods);
  const hosts = all.filter(usesHostNetwork);
  const workloads = all.filter((workload) => !usesHostNetwork(workload));
  const isEgressRestricted = new Set(workloads.filter((workload) => isRestricted(workload, 'egress', model)));
  const answerTo = askerOf(model);
  const candidates: Candidate[] = [];
  const open: Asked[] = [];
  const counts = { unrestricted: 0, denied: 0 };
  for (const doors of Map.groupBy(doorsOf(workloads, cluster), ({ workload }) => workload).values()) {
    const [first] = doors;
    if (first === undefined) continue;
    const isIngressRestricted = isRestricted(first.workload, 'ingress', model);
    const admitted = new Map<Door, readonly Workload[]>();
    const refused = new Map<Door, readonly Workload[]>();
    for (const door of doors) {
      const answers = Map.groupBy(workloads, (source) => answerTo(source, door));
      const allowed = answers.get('allow') ?? [];
      const decided = allowed.filter((source) => isIngressRestricted || isEgressRestricted.has(source));
      counts.unrestricted += allowed.length - decided.length;
      admitted.set(door, decided);
      refused.set(door, answers.get('deny') ?? []);
      for (const source of [...(answers.get('undefined') ?? []), ...(answers.get('unknown') ?? [])])
        open.push({ source, door });
    }
    for (const door of doors) {
      const allowed = admitted.get(door) ?? [];
      const denied = nearest(door, refused.get(door) ?? [], [...admitted.values()].flat());
      counts.denied += (refused.get(door)?.length ?? 0) - denied.length;
      candidates.push(
        ...allowed.map((source) => ({ source, door, expect: 'Allow' as const })),
        ...denied.map((source) => ({ source, door, expect: 'Deny' as const })),
      );
    }
  }
  const leftOut = [
    ...hosts.map(({ words }) => `${words}: it uses the host network, where network policies have no say.`),
    ...open.slice(0, mostOpen).map((asked) => openWords(asked, model)),
    ...(open.length <= mostOpen ? [] : [`${open.length - mostOpen} more connections that policies leave open.`]),
    ...(counts.unrestricted === 0
      ? []
      : [
          `${counts.unrestricted} connections at declared ports that no policy restricts: nobody decided about them yet.`,
        ]),
    ...(counts.denied === 0
      ? []
      : [`${counts.denied} denied connections besides those drafted, from workloads less like the admitted ones.`]),
  ];
  return { candidates, restricted: workloads.filter((each) => isEgressRestricted.has(each)), leftOut };
}

interface Asked {
  readonly source: Workload;
  readonly door: Door;
}

/** Most connections of which it is said why they are open. */
const mostOpen = 20;

function openWords({ source, door }: Asked, model: PolicyModel): string {
  const [from, to] = [endpointOf(source, 0), endpointOf(door.workload, source === door.workload ? 1 : 0)];
  if (from === undefined || to === undefined) return `${connectionWords(source, door)}: not known.`;
  const { egress, ingress } = model.decide({ source: from, destination: to, protocol: door.protocol, port: door.port });
  const reasons = [...egress.basis.open, ...ingress.basis.open].map(({ message }) => message);
  return `${connectionWords(source, door)}: ${[...new Set(reasons)].join(' ')}`;
}

function endpointOf({ namespace, pods }: Workload, replica: 0 | 1): Endpoint | undefined {
  const name = pods[replica]?.metadata.name;
  return name === undefined ? undefined : { kind: 'pod', namespace, name };
}

export function connectionWords(source: Workload, { workload, protocol, port }: Door): string {
  return `${source.words} -> ${workload.words} on ${protocol} port ${port}`;
}

/** Whether some policy selects the workload in this direction, as far as that is known. */
function isRestricted(workload: Workload, direction: 'ingress' | 'egress', model: PolicyModel): boolean {
  const own = endpointOf(workload, 0);
  if (own === undefined) return false;
  const question = { source: own, destination: own, protocol: 'TCP' as const, port: 1 };
  return model.examine(question, direction).some(({ selects }) => selects !== 'no');
}

/** What the specification says of a workload's first pod at a door; of one with itself, of two of its pods. */
function askerOf(model: PolicyModel): (source: Workload, door: Door) => Answer | 'itself' {
  const reachability = model.reachability();
  const positions = new Map(
    reachability.pods.map(({ namespace, name }, position) => [`${namespace}/${name}`, position]),
  );
  const positionOf = ({ namespace, pods }: Workload, replica: 0 | 1): number | undefined =>
    positions.get(`${namespace}/${pods[replica]?.metadata.name}`);
  return (source, { workload, protocol, port }) => {
    const from = positionOf(source, 0);
    const to = positionOf(workload, source === workload ? 1 : 0);
    return from === undefined || to === undefined ? 'itself' : reachability.answer(from, to, protocol, port);
  };
}

function nearest({ workload }: Door, refused: readonly Workload[], admitted: readonly Workload[]): readonly Workload[] {
  const known = new Set(admitted);
  const likeness = new Map(refused.map((each) => [each, likenessOf(each, admitted)]));
  const inOrder = refused.toSorted(
    (a, b) =>
      Number(known.has(b)) - Number(known.has(a)) ||
      (likeness.get(b) ?? 0) - (likeness.get(a) ?? 0) ||
      (a.words < b.words ? -1 : 1),
  );
  const isOwn = ({ namespace }: Workload): boolean => namespace === workload.namespace;
  return [
    ...inOrder.filter(isOwn).slice(0, mostDenies.own),
    ...inOrder.filter((each) => !isOwn(each)).slice(0, mostDenies.other),
  ];
}

/** The most labels that a workload's pods have in common with those of one that is admitted. */
function likenessOf(workload: Workload, admitted: readonly Workload[]): number {
  const labels = Object.entries(labelsOf(workload));
  return Math.max(
    0,
    ...admitted.map((other) => {
      const theirs = labelsOf(other);
      return labels.filter(([key, value]) => Object.hasOwn(theirs, key) && theirs[key] === value).length;
    }),
  );
}

function labelsOf({ pods: [pod] }: Workload): Readonly<Record<string, string>> {
  return pod?.metadata.labels ?? {};
}
