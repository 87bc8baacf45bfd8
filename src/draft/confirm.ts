import type { ConnectivityTest, Pod } from '../api/index.ts';
import { workloadOf } from '../manifests/index.ts';
import type { PolicyModel, PolicyProtocol, Reachability } from '../policy/index.ts';
import {
  isStandIn,
  type Knowledge,
  type KnownCluster,
  policyInWords,
  type PredictedTest,
  predictTests,
} from '../prediction/index.ts';
import { type Connection, nameOf } from './connection.ts';
import { keyOf } from './party.ts';
import { type DraftedPolicy, reasonsFor } from './rules.ts';

export interface Confirmation {
  /** Why the drafted policies are not what the tests ask for, one sentence each; empty if they are. */
  readonly problems: readonly string[];
  /** What neither the tests nor the manifests settle. */
  readonly notes: readonly string[];
}

/** Whether drafted policies, in force in this cluster, make of every expectation what it says and admit nothing else. */
export function confirm(
  tests: readonly ConnectivityTest[],
  drafted: readonly DraftedPolicy[],
  connections: readonly Connection[],
  cluster: KnownCluster,
  knowledge: Knowledge,
): Confirmation {
  const { predicted, world } = predictTests(tests, cluster, knowledge);
  const refused = world.model.findings.filter(({ code }) => code === 'Rejected');
  const beyond = beyondIn(world.model, drafted, connections);
  return {
    problems: [
      ...refused.map(({ part, message }) => `${policyInWords(part.policy)}, ${part.path}: ${message}`),
      ...predicted.flatMap((each) => missesOf(each, drafted)),
      ...beyond.problems,
    ],
    notes: [...predicted.flatMap(undefinedIn), ...beyond.notes],
  };
}

/** Lines that ask for what no policy defines, and so are neither met nor missed. */
function undefinedIn({ test, predictions }: PredictedTest): readonly string[] {
  return predictions
    .filter(({ reason }) => reason === 'PathUndefined')
    .map(({ name, message }) => `Not confirmed, ${nameOf(test, { name })}: ${message}`);
}

function missesOf({ test, predictions }: PredictedTest, drafted: readonly DraftedPolicy[]): readonly string[] {
  return predictions.flatMap(({ verdict, reason, expect, name, message, parts }) => {
    if (verdict === 'Passed' || reason === 'PathUndefined') return [];
    const full = nameOf(test, { name });
    const admitting = expect === 'Deny' && reason === 'UnexpectedlyReachable' ? reasonsFor(parts, drafted) : [];
    return admitting.length === 0
      ? [`${full}: ${message}`]
      : [
          `${full} contradicts ${admitting.join(' and ')}: what the one needs admits what the other denies. Correct one of them, or give the pods labels that tell them apart.`,
        ];
  });
}

/** Connections of restricted pods that are admitted though no expectation allows them. */
function beyondIn(
  model: PolicyModel,
  drafted: readonly DraftedPolicy[],
  connections: readonly Connection[],
): Confirmation {
  const pods = new Map(model.world.pods.filter(isPoliced).map((pod) => [keyOf(pod), pod]));
  const rangesOf = rangesIn(model.reachability('profile'));
  const restricted = (direction: 'ingress' | 'egress'): ReadonlySet<string> =>
    new Set(
      drafted
        .filter(({ subject }) => subject.directions.has(direction))
        .flatMap(({ subject }) => subject.party.pods.map(keyOf)),
    );
  const [ingress, egress] = [restricted('ingress'), restricted('egress')];
  const allowed = allowedPorts(connections);
  const problems = new Set<string>();
  const open = new Set<string>();
  for (const [from, source] of pods) {
    for (const [to, destination] of pods) {
      if (from === to || (!egress.has(from) && !ingress.has(to))) continue;
      for (const { protocol, first, last, answer } of rangesOf(from, to)) {
        if (answer === 'deny') continue;
        const ports = allowed.get(`${from} ${to}`)?.get(protocol) ?? noPorts;
        if ([...ports].filter((port) => port >= first && port <= last).length === last - first + 1) continue;
        const pair = `${workloadOf(source)} -> ${workloadOf(destination)}`;
        if (answer !== 'allow') open.add(`${pair}: left open by the policies, or not known from the manifests.`);
        else
          problems.add(
            `${pair} would be admitted on ${protocol} port ${first === last ? first : `${first}-${last}`}, which no expectation allows: another policy of the manifests admits it, or the labels do not tell these pods apart.`,
          );
      }
    }
  }
  return { problems: [...problems], notes: [...open] };
}

const noPorts: ReadonlySet<number> = new Set();

/** Of the host network policies say nothing, and a probe pod only stands for others. */
function isPoliced(pod: Pod): boolean {
  return pod.spec.hostNetwork !== true && !isStandIn(pod);
}

type Ranges = ReturnType<Reachability['connections']>;

/** The answers for a pair of pods by their names, computed once for pairs between which no policy distinguishes. */
function rangesIn(reachability: Reachability): (from: string, to: string) => Ranges {
  const positions = new Map(reachability.pods.map(({ namespace, name }, index) => [`${namespace}/${name}`, index]));
  const classes = new Map(reachability.classes.flatMap((members, index) => members.map((member) => [member, index])));
  const known = new Map<string, Ranges>();
  return (from, to) => {
    const [source, destination] = [positions.get(from), positions.get(to)];
    if (source === undefined || destination === undefined) return [];
    const key = `${classes.get(source)} ${classes.get(destination)}`;
    const found = known.get(key) ?? reachability.connections(source, destination);
    known.set(key, found);
    return found;
  };
}

function allowedPorts(
  connections: readonly Connection[],
): ReadonlyMap<string, ReadonlyMap<PolicyProtocol, ReadonlySet<number>>> {
  const allowed = new Map<string, Map<PolicyProtocol, Set<number>>>();
  for (const { isAllowed, source, destination, ends, protocol, port } of connections) {
    if (!isAllowed) continue;
    const behind = destination.kind === 'party' ? destination.party.pods.map(keyOf) : [];
    for (const from of source.pods.map(keyOf)) {
      for (const to of [...behind, ...ends]) {
        const ports = allowed.get(`${from} ${to}`) ?? new Map<PolicyProtocol, Set<number>>();
        allowed.set(`${from} ${to}`, ports);
        ports.set(protocol, (ports.get(protocol) ?? new Set()).add(port));
      }
    }
  }
  return allowed;
}
