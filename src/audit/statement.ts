import type { Answer, Endpoint, PolicyProtocol, PortRange } from '../policy/index.ts';
import { type Admission, byAnswer, type Peer, type Place } from './admission.ts';
import { outsideOf } from './outside.ts';
import { type AuditScene, reasonsOf } from './scene.ts';
import type { Unit } from './unit.ts';

/** Who reaches whom, for every ordered pair of pods and for the outside: what is not written down is denied. */
export interface Statement {
  readonly inbound: readonly Inbound[];
  readonly outbound: readonly Outbound[];
}

/** Everybody who may, or may perhaps, connect to each of some workloads of a namespace. */
export interface Inbound {
  readonly namespace: string;
  readonly destinations: readonly Unit[];
  readonly admitted: readonly Admission[];
}

/** Where some workloads of a namespace may, or may perhaps, connect to outside of the cluster. */
export interface Outbound {
  readonly namespace: string;
  readonly sources: readonly Unit[];
  readonly admitted: readonly Admission[];
}

export function statementOf(scene: AuditScene): Statement {
  const sources = scene.units.filter(({ isAssumed }) => !isAssumed);
  const pairs = pairReader(scene);
  const outside = outsideOf(scene);
  const inbound = scene.units.map((unit) => ({
    unit,
    admitted: [
      ...groupedSources(
        unit,
        sources.map((source) => ({ source, cells: pairs(source, unit) })),
      ),
      ...(unit.isAssumed ? [] : outside(unit, 'ingress')),
    ],
  }));
  const outbound = sources.map((unit) => ({ unit, admitted: outside(unit, 'egress') }));
  return {
    inbound: alike(inbound).map(({ namespace, units, admitted }) => ({
      namespace,
      destinations: units,
      admitted: admitted.map((admission) => explained(admission, units, sources, scene)),
    })),
    outbound: alike(outbound).map(({ namespace, units, admitted }) => ({ namespace, sources: units, admitted })),
  };
}

/** What connections from one unit to another come to in one place; ports that are denied are left out. */
interface Cell {
  readonly place: Place;
  readonly ranges: readonly PortRange[];
}

const protocols: readonly PolicyProtocol[] = ['TCP', 'UDP', 'SCTP'];

/** The cells of a pair of units: one, or one per place where a side uses the host network. None where there is no pair of pods. */
function pairReader({ model }: AuditScene): (source: Unit, destination: Unit) => readonly Cell[] {
  const reachability = model.reachability('profile');
  const classOf = new Map(reachability.classes.flatMap((members, index) => members.map((member) => [member, index])));
  const known = new Map<string, readonly PortRange[]>();
  const connections = (source: number, destination: number): readonly PortRange[] =>
    reachability.connections(source, destination, protocols).filter(({ answer }) => answer !== 'deny');
  return (source, destination) => {
    if (source.hostNetwork || destination.hostNetwork) {
      const places = placesOf(source, destination);
      const cells = [...places].map(([place, [a, b]]) => ({ place, ranges: connections(a, b) }));
      const [first] = cells;
      const isOne = first !== undefined && new Set(cells.map(({ ranges }) => JSON.stringify(ranges))).size === 1;
      return isOne ? [{ place: 'Any', ranges: first.ranges }] : cells;
    }
    const pair = firstPair(source, destination);
    if (pair === undefined) return [];
    const key = pair.map((position) => classOf.get(position)).join(' ');
    const ranges = known.get(key) ?? connections(...pair);
    known.set(key, ranges);
    return [{ place: 'Any', ranges }];
  };
}

/** Two different pods; undefined where a unit has but one and is asked about itself. */
export function firstPair(source: Unit, destination: Unit): readonly [number, number] | undefined {
  const [from] = source.positions;
  const to = destination.positions.find((position) => position !== from);
  return from === undefined || to === undefined ? undefined : [from, to];
}

/** A pair of pods for each place that there is. */
function placesOf(source: Unit, destination: Unit): ReadonlyMap<Place, readonly [number, number]> {
  const places = new Map<Place, readonly [number, number]>();
  for (const [index, from] of source.positions.entries()) {
    for (const [other, to] of destination.positions.entries()) {
      if (from === to) continue;
      const place = placeOf(source.pods[index]?.spec.nodeName, destination.pods[other]?.spec.nodeName);
      if (!places.has(place)) places.set(place, [from, to]);
    }
  }
  return places;
}

function placeOf(a: string | undefined, b: string | undefined): Place {
  if (a === undefined || b === undefined) return 'NodeUnknown';
  return a === b ? 'SameNode' : 'OtherNode';
}

/** Sources with the same ports as one, whole namespaces and the whole cluster by their name. */
function groupedSources(
  destination: Unit,
  found: readonly { readonly source: Unit; readonly cells: readonly Cell[] }[],
): readonly Admission[] {
  const candidates = Map.groupBy(
    found.filter(({ cells }) => cells.length > 0),
    ({ source }) => source.namespace,
  );
  const admissions = Map.groupBy(
    found.flatMap(({ source, cells }) =>
      cells.flatMap(({ place, ranges }) => byAnswer(ranges).map((part) => ({ source, place, ...part }))),
    ),
    ({ place, answer, ports }) => JSON.stringify([place, answer, ports]),
  );
  return [...admissions.values()].flatMap((members) => {
    const [first] = members;
    if (first === undefined) return [];
    const { place, answer, ports } = first;
    const own = Map.groupBy(members, ({ source }) => source.namespace);
    const isWhole = (namespace: string): boolean => own.get(namespace)?.length === candidates.get(namespace)?.length;
    const isCluster = candidates.size > 1 && [...candidates.keys()].every(isWhole);
    const peers: readonly Peer[] = isCluster
      ? [{ kind: 'Cluster' }]
      : [...own].flatMap(([namespace, units]): readonly Peer[] =>
          isWhole(namespace) && units.length > 1
            ? [{ kind: 'Namespace', namespace }]
            : units.map(({ source }) => (source === destination ? { kind: 'Self' } : { kind: 'Unit', unit: source })),
        );
    return [{ peers, place, answer, ports, because: [] }];
  });
}

interface Stated {
  readonly unit: Unit;
  readonly admitted: readonly Admission[];
}

/** Units of one namespace about which the same is to be said, as one. */
function alike(
  stated: readonly Stated[],
): readonly { readonly namespace: string; readonly units: readonly Unit[]; readonly admitted: readonly Admission[] }[] {
  const groups = Map.groupBy(stated, ({ unit, admitted }) =>
    JSON.stringify([unit.namespace, unit.isAssumed, admitted.map(admissionKey).toSorted()]),
  );
  return [...groups.values()].flatMap((members) => {
    const [first] = members;
    return first === undefined
      ? []
      : [
          {
            namespace: first.unit.namespace,
            units: members.map(({ unit }) => unit),
            admitted: first.admitted.toSorted(inOrder),
          },
        ];
  });
}

function admissionKey({ peers, place, answer, ports }: Admission): string {
  return JSON.stringify([peers.map(peerKey), place, answer, ports]);
}

function peerKey(peer: Peer): unknown {
  switch (peer.kind) {
    case 'Cluster':
    case 'Self':
      return peer.kind;
    case 'Namespace':
      return [peer.kind, peer.namespace];
    case 'Unit':
      return [peer.kind, peer.unit.positions[0]];
    case 'Outside':
      return [peer.kind, peer.addresses.map(({ family, first, last }) => [family, String(first), String(last)])];
  }
}

const answers: readonly Answer[] = ['allow', 'undefined', 'unknown'];

/** What is certain first; the order within is that of the units. */
function inOrder(a: Admission, b: Admission): number {
  return answers.indexOf(a.answer) - answers.indexOf(b.answer);
}

/** An open admission with the reasons that the model has for one of its pairs. */
function explained(
  admission: Admission,
  [destination]: readonly Unit[],
  sources: readonly Unit[],
  { model }: AuditScene,
): Admission {
  const [range] = admission.ports;
  const [peer] = admission.peers;
  if (admission.answer === 'allow' || range === undefined || peer === undefined || destination === undefined) {
    return admission;
  }
  const unit =
    peer.kind === 'Unit'
      ? peer.unit
      : peer.kind === 'Self'
        ? destination
        : sources.find(
            (source) =>
              (peer.kind === 'Cluster' || (peer.kind === 'Namespace' && source.namespace === peer.namespace)) &&
              firstPair(source, destination) !== undefined,
          );
  if (unit === undefined) return admission;
  const pair = [...placesOf(unit, destination)].find(
    ([place]) => admission.place === 'Any' || place === admission.place,
  );
  if (pair === undefined) return admission;
  const { pods } = model.reachability('profile');
  const [from, to] = pair[1].map((position): Endpoint => ({ kind: 'pod', namespace: '', name: '', ...pods[position] }));
  if (from === undefined || to === undefined) return admission;
  const decision = model.decide({ source: from, destination: to, protocol: range.protocol, port: range.first });
  return { ...admission, because: reasonsOf(decision) };
}
