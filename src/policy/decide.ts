import { addressOf } from '../address/index.ts';
import { onSameNode } from './condition.ts';
import { evaluate, type Selected, selectedSections } from './evaluate.ts';
import { type ExaminedSection, examineSection } from './examine.ts';
import type { PortMatch, Section } from './normal-form.ts';
import type { Caveat, OpenPoint } from './open-point.ts';
import { chooseOutcome, directionDecision, type Outcome, settled } from './outcome.ts';
import type { Party, PodParty } from './party.ts';
import type { Reading } from './profile.ts';
import type { Decision, Direction, DirectionDecision, Endpoint, Question } from './question.ts';
import type { Connection } from './rule.ts';
import { both } from './truth.ts';

/** Everything that a question is decided by, under one reading. */
export interface Ground {
  readonly reading: Reading;
  readonly sections: Readonly<Record<Direction, readonly Section[]>>;
  /** Whoever an endpoint stands for, or why that is not known. */
  readonly partyOf: (endpoint: Endpoint) => Party | OpenPoint;
  /** Policies that may police nodes. */
  readonly hostPolicies: readonly OpenPoint[];
  /** What to add to answers about pods of a namespace. */
  readonly caveats: (namespace: string) => readonly Caveat[];
}

export function decide(question: Question, ground: Ground): Pick<Decision, 'answer' | 'egress' | 'ingress'> {
  const source = ground.partyOf(question.source);
  const destination = ground.partyOf(question.destination);
  if (isOpenPoint(source) || isOpenPoint(destination)) {
    const missing = [source, destination].filter(isOpenPoint);
    const answer = missing.some(({ truth }) => truth === 'unknown') ? 'unknown' : 'undefined';
    const decision = directionDecision({ answer, reason: 'Open', decidedBy: [], open: missing });
    return { answer, egress: decision, ingress: decision };
  }
  const egress = directionOf('egress', source, destination, question, ground);
  const ingress = directionOf('ingress', destination, source, question, ground);
  return { answer: both(egress.answer, ingress.answer), egress, ingress };
}

function directionOf(
  direction: Direction,
  subject: Party,
  peer: Party,
  { protocol, port }: Question,
  ground: Ground,
): DirectionDecision {
  if (subject.kind !== 'pod') return notSubject(subject, ground);
  const { reading } = ground;
  const destination = direction === 'egress' ? peer : subject;
  const ask = (hostNetworkIsPod: boolean): DirectionDecision => {
    const connection = { subject, peer, destination, protocol, port, hostNetworkIsPod };
    return exempted(direction, connection, policed(direction, connection, ground), reading);
  };
  const involvesHost = subject.hostNetwork || (peer.kind === 'pod' && peer.hostNetwork);
  if (!involvesHost) return ask(false);
  // A plugin either tells host network pods from their node or does not: where both ways agree, it does not matter.
  const asNode = subject.hostNetwork ? notSubject(subject, ground) : ask(false);
  return chosen(asNode, reading.hostNetworkIsPod, hostNetworkPoint(subject, peer), () => ask(true));
}

/** How every section of a direction sees a question, those that do not select the subject included. */
export function examine(question: Question, direction: Direction, ground: Ground): readonly ExaminedSection[] {
  const source = ground.partyOf(question.source);
  const destination = ground.partyOf(question.destination);
  if (isOpenPoint(source) || isOpenPoint(destination)) return [];
  const [subject, peer] = direction === 'egress' ? [source, destination] : [destination, source];
  if (subject.kind !== 'pod') return [];
  const { protocol, port } = question;
  const hostNetworkIsPod = ground.reading.hostNetworkIsPod !== 'no';
  const connection: Connection = { subject, peer, destination, protocol, port, hostNetworkIsPod };
  return ground.sections[direction].map((section) => examineSection(section, connection));
}

/** Policies select pods; what polices nodes is not modelled. */
function notSubject(subject: Party, { hostPolicies }: Ground): DirectionDecision {
  const open = directionDecision(settled('allow', 'NotSubject'));
  if (subject.kind === 'address' || hostPolicies.length === 0) return open;
  return directionDecision({ answer: 'unknown', reason: 'Open', decidedBy: [], open: hostPolicies });
}

/** What the policies alone say. */
function policed(direction: Direction, connection: Connection, { sections, caveats }: Ground): DirectionDecision {
  const selected = selectedSections(sections[direction], connection);
  const isolatedBy = selected
    .filter(({ section, truth }) => section.isolates && truth === 'yes')
    .map(({ section }) => ({ policy: section.policy, path: section.subjectPath }));
  const outcome = evaluate(selected, connection);
  return directionDecision(outcome, isolatedBy, [
    ...caveats(connection.subject.namespace),
    ...selected.flatMap(({ section }) => section.caveats),
    ...(outcome.answer === 'allow' ? [] : missingPorts(selected, connection)),
  ]);
}

/** A rule that names a port which the destination does not have by that name and protocol matches nothing, without an error. */
function missingPorts(selected: readonly Selected[], { destination }: Connection): readonly Caveat[] {
  if (destination.kind !== 'pod') return [];
  const has = ({ name, protocol }: PortMatch) =>
    destination.ports.some((port) => port.name === name && (protocol === 'any' || port.protocol === protocol));
  return selected.flatMap(({ section }) =>
    section.rules
      .flatMap(({ ports = [] }) => ports)
      .filter((entry) => entry.name !== undefined && !has(entry))
      .map(({ path, name, protocol }) => ({
        code: 'NamedPortMissing' as const,
        message: `Pod ${destination.namespace}/${destination.name} has no ${protocol === 'any' ? '' : `${protocol} `}container port named ${name}, so this entry matches nothing there. Name one of its containers' ports, or write the number.`,
        part: { policy: section.policy, path },
      })),
  );
}

/** Connections that policies have no say in: a pod's with itself, and with its own node. */
function exempted(
  direction: Direction,
  { subject, peer, hostNetworkIsPod }: Connection,
  decision: DirectionDecision,
  reading: Reading,
): DirectionDecision {
  if (isSame(peer, subject)) {
    return chosen(decision, reading.selfAllowed, [selfPoint(subject)], () =>
      directionDecision(settled('allow', 'Self')),
    );
  }
  const isNode = peer.kind === 'node' || (peer.kind === 'pod' && peer.hostNetwork && !hostNetworkIsPod);
  const polices = direction === 'egress' && (reading.ownNodeAllowed === 'no' || policesOwnNode(decision));
  if (!isNode || polices) return decision;
  return chosen(decision, onSameNode(subject, peer), [nodePoint(subject)], () => ({
    ...directionDecision(settled('allow', 'SameNode')),
    caveats: direction === 'egress' && decision.answer !== 'allow' ? [ownNode] : [],
  }));
}

/** The exemption stands in Kubernetes' documentation of NetworkPolicy; the policies of Cilium and Calico apply. */
function policesOwnNode({ isolatedBy, decidedBy }: DirectionDecision): boolean {
  return [...isolatedBy, ...decidedBy].some(({ policy }) => !policy.group.endsWith('k8s.io'));
}

const ownNode: Caveat = {
  code: 'OwnNode',
  message:
    'The documentation says that a pod and its own node may always talk, but some network plugins (Cilium, Calico) apply egress policy to it.',
};

/** The decision if a statement makes another one out of it. */
function chosen(
  decision: DirectionDecision,
  statement: Parameters<typeof chooseOutcome>[0],
  points: readonly OpenPoint[],
  other: () => DirectionDecision,
): DirectionDecision {
  if (statement === 'no') return decision;
  const then = other();
  if (statement === 'yes') return then;
  const outcome = chooseOutcome(
    statement,
    points,
    () => outcomeOf(then),
    () => outcomeOf(decision),
  );
  const isolatedBy = decision.isolatedBy.length > 0 ? decision.isolatedBy : then.isolatedBy;
  return directionDecision(outcome, isolatedBy, [...new Set([...decision.caveats, ...then.caveats])]);
}

function outcomeOf({ answer, decidedBy, basis }: DirectionDecision): Outcome {
  return { answer, decidedBy, ...basis };
}

/** Whether a party is the pod; one asked about by address is another object with fewer addresses. */
function isSame(party: Party, pod: PodParty): boolean {
  return party.kind === 'pod' && party.namespace === pod.namespace && party.name === pod.name;
}

function selfPoint({ namespace, name }: PodParty): OpenPoint {
  return {
    code: 'Self',
    truth: 'undefined',
    message: `Pod ${namespace}/${name} connects to itself: whether policies apply to that is not defined.`,
  };
}

function nodePoint({ namespace, name }: PodParty): OpenPoint {
  return {
    code: 'NodeOfPodUnknown',
    truth: 'unknown',
    message: `Policies never part a pod from its own node, and it is not known on which node pod ${namespace}/${name} or its peer runs.`,
  };
}

function hostNetworkPoint(subject: PodParty, peer: Party): readonly OpenPoint[] {
  const open = (code: OpenPoint['code'], { namespace, name }: PodParty): OpenPoint => ({
    code,
    truth: 'undefined',
    message: `Pod ${namespace}/${name} uses the host network: the API leaves open whether policies see it as a pod, and most network plugins take it for its node.`,
  });
  return [
    ...(subject.hostNetwork ? [open('HostNetworkSubject', subject)] : []),
    ...(peer.kind === 'pod' && peer.hostNetwork ? [open('HostNetworkPeer', peer)] : []),
  ];
}

function isOpenPoint(found: Party | OpenPoint): found is OpenPoint {
  return 'code' in found;
}

/** Whoever endpoints of a world stand for. */
export function partyFinder(pods: readonly PodParty[], nodes: ReadonlyMap<string, Party>): Ground['partyOf'] {
  const byName = new Map(pods.map((pod) => [`${pod.namespace}/${pod.name}`, pod]));
  const byAddress = new Map<string, Party>();
  for (const pod of pods.filter(({ hostNetwork, finished }) => !hostNetwork && !finished)) {
    // Asked about one of its addresses, a pod has no other.
    for (const address of pod.addresses)
      byAddress.set(textOf(address), pod.addresses.length === 1 ? pod : { ...pod, addresses: [address] });
  }
  for (const node of nodes.values()) {
    if (node.kind === 'node') for (const address of node.addresses) byAddress.set(textOf(address), node);
  }
  return (endpoint) => {
    switch (endpoint.kind) {
      case 'pod': {
        const found = byName.get(`${endpoint.namespace}/${endpoint.name}`);
        const name = `${endpoint.namespace}/${endpoint.name}`;
        if (found === undefined) return missing('PodNotFound', `There is no pod ${name} among those given.`);
        return found.finished ? finished(name) : found;
      }
      case 'node':
        return nodes.get(endpoint.name) ?? { kind: 'node', name: endpoint.name, addresses: [] };
      case 'address': {
        const address = addressOf(endpoint.address);
        if (address === undefined) return missing('AddressNotRead', `${endpoint.address} is no IP address.`);
        return byAddress.get(textOf(address)) ?? { kind: 'address', address };
      }
    }
  };
}

function textOf({ family, value }: { readonly family: number; readonly value: bigint }): string {
  return `${family}/${value}`;
}

function finished(name: string): OpenPoint {
  return {
    code: 'PodFinished',
    truth: 'undefined',
    message: `Pod ${name} has finished: it has no network any more, and its address may be another's.`,
  };
}

function missing(code: OpenPoint['code'], message: string): OpenPoint {
  return { code, truth: 'unknown', message };
}
