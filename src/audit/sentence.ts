import { textOf } from '../address/index.ts';
import type { PolicyProtocol, PortRange } from '../policy/index.ts';
import type { AddressRange } from '../prediction/index.ts';
import type { Addresses, Admission, Peer } from './admission.ts';
import type { Inbound, Outbound } from './statement.ts';
import type { Unit } from './unit.ts';

/** What a statement says of some destinations, as plain sentences. */
export function inboundSentence({ namespace, destinations, admitted }: Inbound): string {
  const whom = unitsInWords(destinations);
  const { certain, open } = inBreaths(admitted, namespace);
  const [first] = certain;
  const isAll = [...certain, ...open].some(({ isEverybody, ports }) => isEverybody && ports === everyPort);
  const may =
    certain.length === 1 && first !== undefined
      ? `${first.peers} may reach ${whom} on ${first.ports}`
      : `${whom} may be reached ${list(certain.map(({ peers, ports }) => `by ${peers} on ${ports}`))}`;
  const where = destinations.some(({ isAssumed }) => isAssumed) ? '' : `In \`${namespace}\`, `;
  if (admitted.length === 0) return capitalised(`${where}nothing may reach ${unitsInWords(destinations, 'or')}.`);
  return composed(where, {
    certain: certain.length === 0 ? undefined : may,
    open: open.map(({ peers, ports, why }) => `whether ${peers} may reach ${whom} on ${ports} is ${why}`),
    rest: isAll ? undefined : 'nothing else may',
  });
}

/** What a statement says of connections that leave the cluster. */
export function outboundSentence({ namespace, sources, admitted }: Outbound): string {
  const who = unitsInWords(sources);
  const where = `In \`${namespace}\`, `;
  if (admitted.length === 0) return `${where}${who} may reach nothing outside the cluster.`;
  const { certain, open } = inBreaths(admitted, namespace);
  const isAll = [...certain, ...open].some(({ peers, ports }) => peers === anywhere && ports === everyPort);
  return composed(where, {
    certain:
      certain.length === 0
        ? undefined
        : `${who} may reach ${list(certain.map(({ peers, ports }) => `${peers} on ${ports}`))}`,
    open: open.map(({ peers, ports, why }) => `whether ${who} may reach ${peers} on ${ports} is ${why}`),
    rest: isAll ? undefined : 'nothing else out there',
  });
}

interface Clauses {
  readonly certain: string | undefined;
  /** Each with its full stop. */
  readonly open: readonly string[];
  readonly rest: string | undefined;
}

/** One sentence where all is certain, and otherwise one for each thing that is not. */
function composed(where: string, { certain, open, rest }: Clauses): string {
  if (open.length === 0) return capitalised(`${where}${certain ?? ''}${rest === undefined ? '' : `; ${rest}`}.`);
  const [first = '', ...others] = [...(certain === undefined ? [] : [`${certain}.`]), ...open];
  return [`${where}${first}`, ...others, ...(rest === undefined ? [] : [`${rest}.`])].map(capitalised).join(' ');
}

/** Peers of the same ports, place and answer in one breath. */
interface Breath {
  readonly peers: string;
  readonly ports: string;
  /** Everybody in the cluster and everybody outside. */
  readonly isEverybody: boolean;
  /** Of an open answer: in what way it is open, and the reasons. */
  readonly why: string;
}

function inBreaths(
  admissions: readonly Admission[],
  namespace: string,
): { readonly certain: readonly Breath[]; readonly open: readonly Breath[] } {
  const groups = Map.groupBy(admissions, ({ ports, place, answer }) => `${answer}/${place}/${portsInWords(ports)}`);
  const breaths = [...groups.values()].flatMap((members) => {
    const [first] = members;
    return first === undefined ? [] : [{ answer: first.answer, ...breathOf(first, members, namespace) }];
  });
  return {
    certain: breaths.filter(({ answer }) => answer === 'allow'),
    open: breaths.filter(({ answer }) => answer !== 'allow'),
  };
}

function breathOf({ answer, place, ports }: Admission, members: readonly Admission[], namespace: string): Breath {
  const peers = members.flatMap((admission) => admission.peers);
  const isEverybody =
    place === 'Any' &&
    peers.some(({ kind }) => kind === 'Cluster') &&
    peers.some((peer) => peer.kind === 'Outside' && isEveryAddress(peer.addresses));
  const because = [...new Set(members.flatMap((admission) => admission.because))].slice(0, mostReasons);
  return {
    peers: isEverybody ? 'everything, in the cluster and outside,' : peersInWords({ place, peers }, namespace),
    ports: portsInWords(ports),
    isEverybody,
    why: `${answer === 'undefined' ? 'left open by the API' : 'not known'}${because.length === 0 ? '.' : `: ${because.join(' ')}`}`,
  };
}

const mostReasons = 2;

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
