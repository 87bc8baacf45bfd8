import { type Answer, type Endpoint, type PolicyModel, policyModel } from '../policy/index.ts';
import type { KnownCluster } from '../prediction/index.ts';
import { type Door, doorsOf } from './door.ts';
import { nearestOf } from './nearest.ts';
import { usesHostNetwork, type Workload, workloadsOf } from './workload.ts';

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

/**
 * Every connection at declared ports that a rule of a policy admits, and next to it the denials that matter. Where no policy
 * restricts either side, nothing was decided and nothing is drafted.
 */
export function candidatesIn(cluster: KnownCluster): Candidates {
  const { pods, namespaces, policies } = cluster;
  const model = policyModel({ pods, namespaces, policies });
  const all = workloadsOf(pods);
  const hosts = all.filter(usesHostNetwork);
  const workloads = all.filter((workload) => !usesHostNetwork(workload));
  const restricted = workloads.filter((workload) => isRestricted(workload, 'egress', model));
  const answerTo = askerOf(model);
  const answered = doorsOf(workloads, cluster).map((door) => ({
    door,
    answers: Map.groupBy(workloads, (source) => answerTo(source, door)),
  }));
  const candidates = [...Map.groupBy(answered, ({ door }) => door.workload)].flatMap(([workload, doors]) =>
    candidatesAt(doors, isRestricted(workload, 'ingress', model) ? workloads : restricted),
  );
  const open = answered.flatMap(({ door, answers }) =>
    [...(answers.get('undefined') ?? []), ...(answers.get('unknown') ?? [])].map((source) => ({ source, door })),
  );
  const count = (answer: Answer, expect: Candidate['expect']): number =>
    answered.reduce((sum, { answers }) => sum + (answers.get(answer)?.length ?? 0), 0) -
    candidates.filter((each) => each.expect === expect).length;
  return {
    candidates,
    restricted,
    leftOut: [
      ...hosts.map(({ words }) => `${words}: it uses the host network, where network policies have no say.`),
      ...openWords(open, model),
      ...counted(count('allow', 'Allow'), 'connection', 'at declared ports that no policy restricts'),
      ...counted(count('deny', 'Deny'), 'denied connection', 'from workloads less like the admitted ones'),
    ],
  };
}

interface AnsweredDoor {
  readonly door: Door;
  readonly answers: ReadonlyMap<Answer | 'itself', readonly Workload[]>;
}

/** The candidates at the doors of one workload; only about sources of whom policies restrict this side or the other. */
function candidatesAt(doors: readonly AnsweredDoor[], decidedAbout: readonly Workload[]): readonly Candidate[] {
  const decided = new Set(decidedAbout);
  const allowedAt = ({ answers }: AnsweredDoor) => (answers.get('allow') ?? []).filter((each) => decided.has(each));
  const admitted = doors.flatMap(allowedAt);
  return doors.flatMap((each) => {
    const { door, answers } = each;
    const denied = nearestOf(answers.get('deny') ?? [], admitted, door.workload.namespace);
    return [
      ...allowedAt(each).map((source) => ({ source, door, expect: 'Allow' as const })),
      ...denied.map((source) => ({ source, door, expect: 'Deny' as const })),
    ];
  });
}

function counted(count: number, noun: string, which: string): readonly string[] {
  return count === 0 ? [] : [`${count} ${noun}${count === 1 ? '' : 's'} ${which}.`];
}

interface Asked {
  readonly source: Workload;
  readonly door: Door;
}

/** Most connections of which it is said why they are open. */
const mostOpen = 20;

function openWords(open: readonly Asked[], model: PolicyModel): readonly string[] {
  const sentences = open.slice(0, mostOpen).flatMap(({ source, door }) => {
    const [from, to] = [endpointOf(source, 0), endpointOf(door.workload, source === door.workload ? 1 : 0)];
    if (from === undefined || to === undefined) return [];
    const { protocol, port } = door;
    const { egress, ingress } = model.decide({ source: from, destination: to, protocol, port });
    const reasons = [...egress.basis.open, ...ingress.basis.open].map(({ message }) => message);
    return `${connectionWords(source, door)}: ${[...new Set(reasons)].join(' ')}`;
  });
  return [...sentences, ...counted(Math.max(0, open.length - mostOpen), 'further connection', 'left open by policies')];
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
