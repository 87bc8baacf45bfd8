import type { Protocol } from '../api/index.ts';
import type { Check, End } from '../plan/index.ts';
import { familyOf, type IpFamily, type Observation } from '../probe/index.ts';
import { hasNetworkAtOnce, type ProbeFacts, transportOf } from './control.ts';
import type { FactsInMesh } from './mesh.ts';

/** The way from one node to another, in one IP family and over one transport: firewalls tell these apart. */
export interface Crossing {
  readonly from: string;
  readonly to: string;
  readonly family: IpFamily;
  readonly protocol: Protocol;
}

/**
 * `Crossed`: a connection was seen to cross. `NotCrossed`: one was tried and did not stand. `NotTried`: no pods could be had to try.
 * `Unknown`: nobody has tried yet.
 */
export type CrossingState = 'Crossed' | 'NotCrossed' | 'NotTried' | 'Unknown';

/**
 * Where packets of a check arrive, whose name led to that address, if it has one; without any at the cluster's resolver, for a question
 * to the own resolver. Nowhere in the cluster if the target is outside.
 */
export type EndsOf = (check: Check, address: string | undefined) => readonly End[];

/**
 * Most nodes behind one target that are asked about, spread over their names, which go by zones as a rule. Of a Service with more the
 * rest is a sample's risk: each attempt goes to any of its endpoints, and a Deny takes two.
 */
const maxNodes = 8;

/**
 * The ways between nodes that would look like a denial if they were broken: the target's pods stand on another node than the
 * probe, and nothing in this run was seen to cross in the same direction, family and transport. The other direction proves nothing about this
 * one where packets travel unencapsulated: firewalls that keep state let the answers to one side pass and not the other's requests.
 * `probes` are those of the check's family.
 */
export function unseenCrossings(
  check: Check,
  observation: Observation | undefined,
  probe: FactsInMesh,
  probes: readonly FactsInMesh[],
  endsOf: EndsOf,
): readonly Crossing[] {
  const { node } = probe;
  const address = check.address ?? observation?.address;
  // The own resolver is asked in the family of the pod's first address.
  const family = address === undefined ? probe.family : familyOf(address);
  if (node === undefined || family === undefined) return [];
  const protocol = transportOf(check);
  return crossingsTo(endsOf(check, address), { from: node, family, protocol }).filter(
    ({ to }) => !probes.some((other) => other.node === node && hasCrossed(other, protocol, to, endsOf)),
  );
}

/** The ways that packets from a node to a target's pods take; none to those on the same node. */
export function crossingsTo(ends: readonly End[], way: Omit<Crossing, 'to'>): readonly Crossing[] {
  const far = [...new Set(ends.map(({ node }) => node))].filter((node) => node !== way.from).toSorted();
  const step = Math.max(1, far.length / maxNodes);
  const asked = far.filter((_, index) => Math.floor(index / step) !== Math.floor((index - 1) / step));
  return asked.map((to) => ({ ...way, to }));
}

function hasCrossed({ checks, observations }: ProbeFacts, protocol: Protocol, far: string, endsOf: EndsOf): boolean {
  return checks.some((check) => {
    const seen = observations.get(check.id);
    if (seen === undefined || transportOf(check) !== protocol || !hasNetworkAtOnce(seen, check)) return false;
    // Caches of DNS answer on the node itself, under whatever address they are asked.
    if (check.dns !== undefined) return false;
    const ends = endsOf(check, check.address ?? seen.address);
    // Behind a Service any of its pods may have answered. A node's own address is reached beside the pod network.
    return ends.length > 0 && ends.every(({ node, isOnHost }) => node === far && !isOnHost);
  });
}

/** What is said about several ways: the one that says most. */
export function worstCrossing(states: readonly CrossingState[]): CrossingState {
  const order: readonly CrossingState[] = ['NotCrossed', 'NotTried', 'Unknown'];
  return order.find((state) => states.includes(state)) ?? 'Crossed';
}
