import type { Protocol } from '../api/index.ts';
import type { Check } from '../plan/index.ts';
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
 * The nodes of the pods behind a check's target, whose name led to that address, if it has one; without any those of the cluster's
 * resolver, for a question to the own resolver. None outside of the cluster.
 */
export type NodesOf = (check: Check, address: string | undefined) => readonly string[];

/**
 * Most nodes behind one target that are asked about. Each attempt at a Service goes to any of its endpoints, so if the ways to
 * these are whole, those to nearly all of the others would have to be broken for every attempt to meet silence.
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
  nodesOf: NodesOf,
): readonly Crossing[] {
  const { node } = probe;
  const address = check.address ?? observation?.address;
  // The own resolver is asked in the family of the pod's first address.
  const family = address === undefined ? probe.family : familyOf(address);
  if (node === undefined || family === undefined) return [];
  const protocol = transportOf(check);
  return crossingsTo(nodesOf(check, address), { from: node, family, protocol }).filter(
    ({ to }) => !probes.some((other) => other.node === node && hasCrossed(other, protocol, to, nodesOf)),
  );
}

/** The ways that packets from a node to a target's pods take; none to those on the same node. */
export function crossingsTo(nodes: readonly string[], way: Omit<Crossing, 'to'>): readonly Crossing[] {
  const far = [...new Set(nodes)].filter((node) => node !== way.from && node !== '').toSorted();
  return far.slice(0, maxNodes).map((to) => ({ ...way, to }));
}

function hasCrossed({ checks, observations }: ProbeFacts, protocol: Protocol, far: string, nodesOf: NodesOf): boolean {
  return checks.some((check) => {
    const seen = observations.get(check.id);
    if (seen === undefined || transportOf(check) !== protocol || !hasNetworkAtOnce(seen, check)) return false;
    const ends = nodesOf(check, check.address ?? seen.address);
    // Behind a Service any of its pods may have answered.
    return ends.length > 0 && ends.every((end) => end === far);
  });
}

/** What is said about several ways: the one that says most. */
export function worstCrossing(states: readonly CrossingState[]): CrossingState {
  const order: readonly CrossingState[] = ['NotCrossed', 'NotTried', 'Unknown'];
  return order.find((state) => states.includes(state)) ?? 'Crossed';
}
