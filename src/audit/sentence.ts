import { textOf } from '../address/index.ts';
import type { PolicyProtocol, PortRange } from '../policy/index.ts';
import type { AddressRange } from '../prediction/index.ts';
import type { Addresses, Admission, Peer } from './admission.ts';
import type { Inbound, Outbound } from './statement.ts';
import type { Unit } from './unit.ts';

/** What a statement says of some destinations, as plain sentences. */
export function inboundSentence({ namespace, destinations, admitted }: Inbound): string {
  const whom = unitsInWords(destinations);
  const where = destinations.some(({ isAssumed }) => isAssumed) ? '' : `In \`${namespace}\`, `;
  const certain = admitted.filter(({ answer }) => answer === 'allow');
  const open = admitted.filter(({ answer }) => answer !== 'allow');
  const from = sourcesByPorts(certain, namespace);
  const [only] = from;
  const isEverything = open.length === 0 && from.length === 1 && only?.isEverybody === true && only.ports === everyPort;
  const tail = isEverything ? '.' : open.length > 0 ? '.' : '; nothing else may.';
  const said = [
    ...(only === undefined
      ? open.length > 0
        ? []
        : [`nothing may reach ${unitsInWords(destinations, 'or')}.`]
      : from.length === 1
        ? [`${only.words} may reach ${whom} on ${only.ports}${tail}`]
        : [`${whom} may be reached ${list(from.map(({ words, ports }) => `by ${words} on ${ports}`))}${tail}`]),
    ...open.map(
      (admission, index) =>
        `${index === 0 && only === undefined ? 'whether' : 'Whether'} ${peersInWords(admission, namespace)} may reach ${whom} on ${portsInWords(admission.ports)} is ${openInWords(admission)}`,
    ),
    ...(open.length > 0 ? ['Nothing else may.'] : []),
  ];
  return capitalised(`${where}${said.join(' ')}`);
}

/** What a statement says of connections that leave the cluster. */
export function outboundSentence({ namespace, sources, admitted }: Outbound): string {
  const who = unitsInWords(sources);
  if (admitted.length === 0) return `In \`${namespace}\`, ${who} may reach nothing outside the cluster.`;
  const certain = admitted.filter(({ answer }) => answer === 'allow');
  const open = admitted.filter(({ answer }) => answer !== 'allow');
  const places = certain.map((each) => `${peersInWords(each, namespace)} on ${portsInWords(each.ports)}`);
  const isAll = places.length === 1 && places[0] === `${anywhere} on ${everyPort}`;
  const said = [
    ...(places.length === 0
      ? []
      : [`${who} may reach ${list(places)}${isAll || open.length > 0 ? '.' : '; nothing else out there.'}`]),
    ...open.map(
      (admission) =>
        `Whether ${who} may reach ${peersInWords(admission, namespace)} on ${portsInWords(admission.ports)} is ${openInWords(admission)}`,
    ),
  ];
  return `In \`${namespace}\`, ${said.join(' ')}`.replace(/, Whether/, ', whether');
}

function openInWords({ answer, because }: Admission): string {
  const why = because.length === 0 ? '.' : `: ${because.join(' ')}`;
  return `${answer === 'undefined' ? 'left open by the API' : 'not known'}${why}`;
}

interface SourcesInWords {
  readonly words: string;
  readonly ports: string;
  /** Everybody in the cluster and everybody outside. */
  readonly isEverybody: boolean;
}

/** Sources of the same ports in one breath, wherever they are. */
function sourcesByPorts(admissions: readonly Admission[], namespace: string): readonly SourcesInWords[] {
  const groups = Map.groupBy(admissions, ({ ports, place }) => `${portsInWords(ports)}/${place}`);
  return [...groups.values()].flatMap((members) => {
    const [first] = members;
    if (first === undefined) return [];
    const peers = members.flatMap((admission) => admission.peers);
    const isEverybody =
      first.place === 'Any' &&
      peers.some(({ kind }) => kind === 'Cluster') &&
      peers.some((peer) => peer.kind === 'Outside' && isEveryAddress(peer.addresses));
    const words = isEverybody
      ? 'everything, in the cluster and outside,'
      : peersInWords({ ...first, peers }, namespace);
    return [{ words, ports: portsInWords(first.ports), isEverybody }];
  });
}

function peersInWords({ peers, place }: Pick<Admission, 'peers' | 'place'>, namespace: string): string {
  const units = peers.flatMap((peer) => (peer.kind === 'Unit' ? [peer.unit] : []));
  const byNamespace = Map.groupBy(units, (unit) => unit.namespace);
  const namespaces = peers.flatMap((peer) => (peer.kind === 'Namespace' ? [`\`${peer.namespace}\``] : []));
  const words = [
    ...(namespaces.length === 0 ? [] : [`every workload of ${list(namespaces)}`]),
    ...peers.flatMap(otherInWords),
    ...[...byNamespace].map(([own, members]) => `${unitsInWords(members)}${own === namespace ? '' : ` of \`${own}\``}`),
  ];
  return `${list(words)}${placeInWords[place]}`;
}

const placeInWords: Readonly<Record<Admission['place'], string>> = {
  Any: '',
  SameNode: ' (on the same node)',
  OtherNode: ' (on another node)',
  NodeUnknown: '',
};

const anywhere = 'any address outside the cluster';

/** A peer that is neither a unit nor a namespace. */
function otherInWords(peer: Peer): readonly string[] {
  switch (peer.kind) {
    case 'Cluster':
      return ['every workload'];
    case 'Self':
      return ['its own other pods'];
    case 'Outside':
      return isEveryAddress(peer.addresses)
        ? [anywhere]
        : [`${list(addressesInWords(peer.addresses))} outside the cluster`];
    case 'Unit':
    case 'Namespace':
      return [];
  }
}

const lastOf = { 4: (1n << 32n) - 1n, 6: (1n << 128n) - 1n } as const;

function isWholeFamily({ family, first, last }: AddressRange): boolean {
  return first === 0n && last === lastOf[family];
}

function isEveryAddress(addresses: Addresses): boolean {
  return addresses.length === 2 && addresses.every(isWholeFamily);
}

function addressesInWords(addresses: Addresses): readonly string[] {
  return addresses.map((range) => {
    if (isWholeFamily(range)) return `any IPv${range.family} address`;
    const { family, first, last } = range;
    return first === last
      ? textOf({ family, value: first })
      : `${textOf({ family, value: first })} to ${textOf({ family, value: last })}`;
  });
}

/** `Deployment web`; a part of a workload with the names of its pods. */
export function unitsInWords(units: readonly Unit[], conjunction: 'and' | 'or' = 'and'): string {
  return list(units.map(unitInWords), conjunction);
}

export function unitInWords({ kind, name, isWhole, isAssumed, pods }: Unit): string {
  if (isAssumed) return "the cluster's DNS (assumed to be pods k8s-app=kube-dns of `kube-system`)";
  const names = pods.map(({ metadata }) => metadata.name);
  return isWhole ? `${kind} ${name}` : `${kind} ${name} (${list(names.map((pod) => `pod ${pod}`))})`;
}

const everyPort = 'every port';
const lastPort = 65_535;

export function portsInWords(ranges: readonly PortRange[]): string {
  const byProtocol = Map.groupBy(ranges, ({ protocol }) => protocol);
  const isFull = (protocol: PolicyProtocol): boolean =>
    byProtocol.get(protocol)?.some(({ first, last }) => first === 1 && last === lastPort) === true;
  if (isFull('TCP') && isFull('UDP') && isFull('SCTP')) return everyPort;
  return list(
    [...byProtocol].map(([protocol, own]) =>
      isFull(protocol)
        ? `every ${protocol} port`
        : `${protocol} ${own.map(({ first, last }) => (first === last ? String(first) : `${first} to ${last}`)).join(', ')}`,
    ),
  );
}

/** `a`, `a and b`, `a, b and c`. */
export function list(words: readonly string[], conjunction: 'and' | 'or' = 'and'): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} ${conjunction} ${words.at(-1)}`;
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
