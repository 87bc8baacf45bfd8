import { createHash } from 'node:crypto';
import type { Policy } from '../api/index.ts';
import { type Direction, keyOf as policyKey, type PolicyPart, referenceOf } from '../policy/index.ts';
import type { Connection, Destination } from './connection.ts';
import { type Party, peerFor } from './party.ts';

/** A party that the drafted policies restrict, and in which directions. */
export interface Subject {
  readonly party: Party;
  readonly directions: ReadonlySet<Direction>;
}

/** A drafted policy, and the expectations for which each of its peers is there. */
export interface DraftedPolicy {
  readonly policy: Policy;
  readonly subject: Subject;
  readonly reasons: ReadonlyMap<string, readonly string[]>;
}

/** Parties that have to be restricted for connections to be allowed and denied as they are meant to be. */
export function subjectsOf(
  connections: readonly Connection[],
  isHome: (namespace: string) => boolean,
): readonly Subject[] {
  const subjects = new Map<string, { readonly party: Party; readonly directions: Set<Direction> }>();
  const restrict = (party: Party, ...directions: readonly Direction[]): void => {
    const subject = subjects.get(party.key) ?? { party, directions: new Set<Direction>() };
    subjects.set(party.key, subject);
    for (const direction of directions) subject.directions.add(direction);
  };
  for (const { source, destination, isAllowed } of connections) {
    const target = homeTarget(destination, isHome);
    // Both ways, since a target that may connect to others would be no boundary.
    if (target !== undefined) restrict(target, 'ingress', 'egress');
    // Whoever is only kept out is not restricted where the door can be closed from within.
    if (isHome(source.namespace) && (isAllowed || target === undefined)) restrict(source, 'egress');
  }
  return [...subjects.values()].toSorted((a, b) => (a.party.key < b.party.key ? -1 : 1));
}

/** The destination, if its own ingress is for these tests to restrict: pods of a namespace with tests, but no resolver of names. */
function homeTarget(destination: Destination, isHome: (namespace: string) => boolean): Party | undefined {
  return destination.kind === 'party' && isHome(destination.party.namespace) ? destination.party : undefined;
}

/** One policy per subject, with exactly the rules that its allowed connections take. */
export function policiesFor(
  subjects: readonly Subject[],
  connections: readonly Connection[],
): readonly DraftedPolicy[] {
  const names = Map.groupBy(subjects, ({ party }) => `${party.namespace}/${party.name}`);
  return subjects
    .map((subject) => {
      const { party } = subject;
      const isUnique = party.name !== 'pods' && names.get(`${party.namespace}/${party.name}`)?.length === 1;
      const hash = createHash('sha256').update(party.key).digest('hex').slice(0, 8);
      return policyFor(subject, `drafted-${party.name.slice(0, 200)}${isUnique ? '' : `-${hash}`}`, connections);
    })
    .toSorted((a, b) => (policyKey(referenceOf(a.policy)) < policyKey(referenceOf(b.policy)) ? -1 : 1));
}

function policyFor(subject: Subject, name: string, connections: readonly Connection[]): DraftedPolicy {
  const { party, directions } = subject;
  const { namespace } = party;
  const reasons = new Map<string, readonly string[]>();
  const inOrder = (['ingress', 'egress'] as const).filter((direction) => directions.has(direction));
  const sections = inOrder.map((direction) => {
    const side = direction === 'ingress' ? 'from' : 'to';
    const rules = rulesFor(direction, party, connections);
    for (const [index, { peers }] of rules.entries()) {
      for (const [position, { expectations }] of peers.entries())
        reasons.set(`spec.${direction}[${index}].${side}[${position}]`, expectations);
    }
    return [direction, rules.map(({ peers, ports }) => ({ [side]: peers.map(({ peer }) => peer), ports }))] as const;
  });
  const policy: Policy = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, namespace },
    spec: {
      podSelector: party.selector,
      policyTypes: inOrder.map((direction) => (direction === 'ingress' ? 'Ingress' : 'Egress')),
      // A listed direction without rules denies everything.
      ...Object.fromEntries(sections.filter(([, rules]) => rules.length > 0)),
    },
  };
  return { policy, subject, reasons };
}

interface DraftedRule {
  readonly peers: readonly { readonly peer: unknown; readonly expectations: readonly string[] }[];
  readonly ports: readonly { readonly protocol: string; readonly port: number }[];
}

/** Peers with the same ports share a rule; no rule admits a peer at a port that was not asked for. */
function rulesFor(direction: Direction, party: Party, connections: readonly Connection[]): readonly DraftedRule[] {
  const own = connections.filter(
    ({ isAllowed, source, destination }) =>
      isAllowed &&
      (direction === 'egress'
        ? source.key === party.key
        : destination.kind === 'party' && destination.party.key === party.key),
  );
  const peers = [...Map.groupBy(own, (connection) => JSON.stringify(peerOf(direction, party, connection)))]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, members]) => ({
      peer: members.slice(0, 1).map((each) => peerOf(direction, party, each))[0],
      ports: portsOf(members),
      expectations: [...new Set(members.map(({ expectation }) => expectation))],
    }));
  return [...Map.groupBy(peers, ({ ports }) => JSON.stringify(ports)).values()].flatMap((members) =>
    members.slice(0, 1).map(({ ports }) => ({ peers: members, ports })),
  );
}

function peerOf(direction: Direction, { namespace }: Party, { source, destination }: Connection): unknown {
  if (direction === 'ingress') return peerFor(source, namespace);
  return destination.kind === 'block' ? { ipBlock: destination.block } : peerFor(destination.party, namespace);
}

function portsOf(connections: readonly Connection[]): DraftedRule['ports'] {
  const ports = new Map(connections.map(({ protocol, port }) => [`${protocol} ${port}`, { protocol, port }]));
  return [...ports.values()].toSorted((a, b) => a.port - b.port || (a.protocol < b.protocol ? -1 : 1));
}

/** The expectations for which these parts of policies were drafted. */
export function reasonsFor(parts: readonly PolicyPart[], drafted: readonly DraftedPolicy[]): readonly string[] {
  const byPolicy = new Map(drafted.map(({ policy, reasons }) => [policyKey(referenceOf(policy)), reasons]));
  return [...new Set(parts.flatMap(({ policy, path }) => byPolicy.get(policyKey(policy))?.get(path) ?? []))];
}
