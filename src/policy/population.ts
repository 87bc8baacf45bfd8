import { add, addAll, type Bitset, emptyBitset, fullBitset } from './bitset.ts';
import { conditionHolds } from './condition.ts';
import { type LabelExpression, type LabelSource, type Requirement, requirementHolds } from './labels.ts';
import type { Condition, PortMatch, Rule } from './normal-form.ts';
import type { PodParty } from './party.ts';
import type { PolicyProtocol } from './question.ts';
import { andSets, everyone, exactly, notSet, orSets, type TruthSet } from './truth-set.ts';

/**
 * The pods of a world with an index from label to pods, so that a selector is a few operations on sets whatever the number
 * of pods. Whose node matters (a host network pod on the other pod's node) is left to single decisions.
 */
export interface Population {
  readonly pods: readonly PodParty[];
  /** Those of the host network. */
  readonly hosts: Bitset;
  /** Whom a rule's peers match; host network pods are read as pods or as their nodes. */
  peersOf(rule: Rule, hostNetworkIsPod: boolean): TruthSet;
  /** Whom conditions hold for. */
  holding(conditions: readonly Condition[], hostNetworkIsPod: boolean): TruthSet;
  /** Whose port a port entry means, if they are the destination. */
  havingPort(entry: PortMatch, protocol: PolicyProtocol, port: number): Bitset;
  /** Every port that some pod has by a name. */
  portsNamed(name: string): readonly { readonly protocol: PolicyProtocol; readonly port: number }[];
}

interface LabelIndex {
  /** By value. */
  readonly values: ReadonlyMap<string, Bitset>;
  /** Pods of which it is not known whether they have the label. */
  readonly unknown: Bitset;
}

export function populationOf(pods: readonly PodParty[]): Population {
  const size = pods.length;
  const all = fullBitset(size);
  const none = emptyBitset(size);
  const hosts = setOf(pods, ({ hostNetwork }) => hostNetwork);
  const labels = new Map<string, LabelIndex>();
  const named = namedPortsOf(pods);
  const caches = [new WeakMap<Rule, TruthSet>(), new WeakMap<Rule, TruthSet>()] as const;

  const index = ({ of, key }: Requirement): LabelIndex => {
    const found = labels.get(`${of} ${key}`);
    if (found !== undefined) return found;
    const made = indexOf(pods, (pod) => pod.sources[of], key);
    labels.set(`${of} ${key}`, made);
    return made;
  };
  const requirement = (wanted: Requirement): TruthSet => {
    const { values, unknown } = index(wanted);
    const yes = emptyBitset(size);
    // Once per value, and once for those without the label.
    for (const [value, members] of values) {
      if (requirementHolds(wanted, { [wanted.key]: value })) addAll(yes, members);
    }
    if (requirementHolds(wanted, {})) {
      const without = all.slice();
      for (const members of values.values()) remove(without, members);
      addAll(yes, without);
    }
    remove(yes, unknown);
    return { yes, undefined: none, unknown };
  };
  const expression = (wanted: LabelExpression): TruthSet => {
    switch (wanted.kind) {
      case 'Requirement':
        return requirement(wanted);
      case 'Not':
        return notSet(expression(wanted.of), size);
      case 'All':
        return wanted.of.map(expression).reduce(andSets, everyone('yes', size));
      case 'Some':
        return wanted.of.map(expression).reduce(orSets, everyone('no', size));
    }
  };
  const condition = (wanted: Condition, hostNetworkIsPod: boolean): TruthSet => {
    switch (wanted.kind) {
      case 'Labels': {
        const selected = expression(wanted.expression);
        if (hostNetworkIsPod && wanted.hostNetwork !== 'no') return selected;
        return andSets(selected, notSet(exactly(hosts), size));
      }
      case 'Not':
        return notSet(condition(wanted.condition, hostNetworkIsPod), size);
      case 'All':
        return holding(wanted.conditions, hostNetworkIsPod);
      case 'Some':
        return wanted.conditions
          .map((member) => condition(member, hostNetworkIsPod))
          .reduce(orSets, everyone('no', size));
      case 'Open':
        return everyone(wanted.point.truth, size);
      case 'Entity':
        // Connections on one node are decided one by one: here, a host network pod is on another.
        if (wanted.entity === 'Host') return everyone('no', size);
        if (wanted.entity === 'RemoteNode') return exactly(hosts);
        return byPod(wanted);
      case 'Block':
        return byPod(wanted);
    }
  };
  const byPod = (wanted: Condition): TruthSet => {
    const sets = { yes: emptyBitset(size), undefined: emptyBitset(size), unknown: emptyBitset(size) };
    for (const [position, pod] of pods.entries()) {
      const truth = conditionHolds(wanted, pod, { subject: pod, peer: pod, hostNetworkIsPod: false });
      if (truth !== 'no') add(sets[truth], position);
    }
    return sets;
  };
  const holding = (conditions: readonly Condition[], hostNetworkIsPod: boolean): TruthSet =>
    conditions.map((member) => condition(member, hostNetworkIsPod)).reduce(andSets, everyone('yes', size));

  return {
    pods,
    hosts,
    holding,
    peersOf(rule, hostNetworkIsPod) {
      const cache = caches[hostNetworkIsPod ? 1 : 0];
      const found = cache.get(rule);
      if (found !== undefined) return found;
      const made =
        rule.peers === undefined
          ? everyone('yes', size)
          : rule.peers
              .map(({ conditions }) => holding(conditions, hostNetworkIsPod))
              .reduce(orSets, everyone('no', size));
      cache.set(rule, made);
      return made;
    },
    havingPort({ protocol: wanted, range, name }, protocol, port) {
      if (wanted !== 'any' && wanted !== protocol) return none;
      if (name !== undefined) return named.get(name)?.get(`${protocol} ${port}`)?.members ?? none;
      return range === undefined || (port >= range.first && port <= range.last) ? all : none;
    },
    portsNamed: (name) => [...(named.get(name)?.values() ?? [])],
  };
}

function indexOf(pods: readonly PodParty[], sourceOf: (pod: PodParty) => LabelSource, key: string): LabelIndex {
  const values = new Map<string, Bitset>();
  const unknown = emptyBitset(pods.length);
  for (const [position, pod] of pods.entries()) {
    const { labels, incomplete } = sourceOf(pod);
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
    if (value !== undefined) memberOf(values, value, pods.length, position);
    else if (incomplete !== undefined) add(unknown, position);
  }
  return { values, unknown };
}

interface NamedPortMembers {
  readonly protocol: PolicyProtocol;
  readonly port: number;
  readonly members: Bitset;
}

function namedPortsOf(pods: readonly PodParty[]): ReadonlyMap<string, ReadonlyMap<string, NamedPortMembers>> {
  const named = new Map<string, Map<string, NamedPortMembers>>();
  for (const [position, { ports }] of pods.entries()) {
    for (const { name, protocol, port } of ports) {
      const numbers = named.get(name) ?? new Map<string, NamedPortMembers>();
      named.set(name, numbers);
      const key = `${protocol} ${port}`;
      const entry = numbers.get(key) ?? { protocol, port, members: emptyBitset(pods.length) };
      numbers.set(key, entry);
      add(entry.members, position);
    }
  }
  return named;
}

function memberOf(sets: Map<string, Bitset>, key: string, size: number, member: number): void {
  const set = sets.get(key) ?? emptyBitset(size);
  sets.set(key, set);
  add(set, member);
}

function setOf(pods: readonly PodParty[], belongs: (pod: PodParty) => boolean): Bitset {
  const set = emptyBitset(pods.length);
  for (const [position, pod] of pods.entries()) if (belongs(pod)) add(set, position);
  return set;
}

function remove(set: Bitset, others: Bitset): void {
  for (let index = 0; index < set.length; index += 1) set[index] = (set[index] ?? 0) & ~(others[index] ?? 0);
}
