import { textOf } from '../address/index.ts';
import type { Pod } from '../api/index.ts';
import {
  type CompiledPolicy,
  type Decision,
  type Direction,
  type Endpoint,
  policyModel,
  type PolicyModel,
  type PortRange,
  type Question,
} from '../policy/index.ts';
import { type AddressRange, addressRangesOf, portRangesOf } from '../prediction/index.ts';
import { type Addresses, type Admission, byAnswer } from './admission.ts';
import { answerOf, type AuditScene, reasonsOf } from './scene.ts';
import type { Unit } from './unit.ts';

/** Connections with the outside: `ingress` from it, `egress` to it. */
export type OutsideReader = (unit: Unit, direction: Direction) => readonly Admission[];

/** What units may connect to outside of the cluster, and be connected to from there. Units of whom the same policies speak are asked about once. */
export function outsideOf(scene: AuditScene): OutsideReader {
  const known = new Map<string, readonly Admission[]>();
  const policiesOf = ownPolicies(scene);
  return (unit, direction) => {
    const [pod] = unit.pods;
    if (pod === undefined) return [];
    const own = policiesOf(unit);
    const key = JSON.stringify([direction, own.map(({ index }) => index), factsOf(pod, scene)]);
    const found = known.get(key) ?? admissionsOf(pod, direction, modelOf(pod, own, scene));
    known.set(key, found);
    return found;
  };
}

/** What an answer about addresses rests on beside the policies that may speak of a pod: its labels too, unless each of them is known to select it. */
function factsOf({ metadata, spec }: Pod, { model, profile }: AuditScene): unknown {
  const ports = spec.containers.map((container) => container.ports);
  const isPlain = profile === undefined && model.policies.every(({ reference }) => isNetworkPolicy(reference));
  return isPlain
    ? [ports, spec.hostNetwork, (metadata.ownerReferences ?? []).length > 0]
    : [ports, spec, metadata.namespace, metadata.labels];
}

function isNetworkPolicy({ group, kind }: CompiledPolicy['reference']): boolean {
  return group === 'networking.k8s.io' && kind === 'NetworkPolicy';
}

interface OwnPolicy {
  readonly policy: CompiledPolicy;
  readonly index: number;
}

/** The policies that may speak of a unit. A NetworkPolicy speaks of pods of its own namespace alone. */
function ownPolicies({ model, profile }: AuditScene): (unit: Unit) => readonly OwnPolicy[] {
  const all = model.policies.map((policy, index) => ({ policy, index }));
  const subjects = model.policies.map(
    ({ sections }) => new Set(sections.flatMap(({ subject }) => model.matching(subject))),
  );
  return ({ namespace, positions: [position = -1] }) =>
    all.filter(({ policy: { reference, sections }, index }) => {
      if (!isNetworkPolicy(reference)) return true;
      if (reference.namespace !== namespace) return false;
      // A network plugin may select by other labels, and by other directions, than the specification.
      return profile !== undefined || sections.length === 0 || subjects[index]?.has(position) === true;
    });
}

/** A model of the pod alone: without an address, since it is never its own peer here. */
function modelOf(pod: Pod, own: readonly OwnPolicy[], { model, profile }: AuditScene): PolicyModel {
  const { podIP: _, podIPs: __, ...status } = pod.status ?? {};
  const policies = own.flatMap(({ index }) => model.world.policies.slice(index, index + 1));
  return policyModel(
    { ...model.world, pods: [{ ...pod, status }], policies },
    profile === undefined ? {} : { profile },
  );
}

function admissionsOf(pod: Pod, direction: Direction, model: PolicyModel): readonly Admission[] {
  const own: Endpoint = { kind: 'pod', namespace: pod.metadata.namespace ?? 'default', name: pod.metadata.name };
  const ofDirection = model.policiesInEveryReading.map((policy) => ({
    ...policy,
    sections: policy.sections.filter((section) => section.direction === direction),
  }));
  const ports = portRangesOf(ofDirection, direction === 'ingress' ? [pod] : [], ['TCP', 'UDP', 'SCTP']);
  const decide = (
    { family, first }: AddressRange,
    { protocol, port }: Pick<Question, 'protocol' | 'port'>,
  ): Decision => {
    const other: Endpoint = { kind: 'address', address: textOf({ family, value: first }) };
    const ends = direction === 'ingress' ? { source: other, destination: own } : { source: own, destination: other };
    return model.decide({ ...ends, protocol, port });
  };
  const parts = ([4, 6] as const)
    .flatMap((family) => addressRangesOf(ofDirection, family))
    .flatMap((addresses) => {
      const ranges = ports.map((range) => ({
        ...range,
        answer: answerOf(decide(addresses, { protocol: range.protocol, port: range.first })),
      }));
      return byAnswer(joined(ranges)).map((part) => ({ addresses, ...part }));
    });
  const groups = Map.groupBy(parts, ({ answer, ports: open }) => JSON.stringify([answer, open]));
  return [...groups.values()].flatMap((members): readonly Admission[] => {
    const [first] = members;
    const [range] = first?.ports ?? [];
    if (first === undefined || range === undefined) return [];
    const addresses = merged(members.map((member) => member.addresses));
    const because =
      first.answer === 'allow'
        ? []
        : reasonsOf(decide(first.addresses, { protocol: range.protocol, port: range.first }));
    return [
      { peers: [{ kind: 'Outside', addresses }], place: 'Any', answer: first.answer, ports: first.ports, because },
    ];
  });
}

/** Adjacent ranges of one protocol and one answer as one. */
function joined(ranges: readonly PortRange[]): readonly PortRange[] {
  const result: PortRange[] = [];
  for (const range of ranges) {
    const previous = result.at(-1);
    if (
      previous?.protocol === range.protocol &&
      previous.answer === range.answer &&
      previous.last + 1 === range.first
    ) {
      result[result.length - 1] = { ...previous, last: range.last };
    } else result.push(range);
  }
  return result;
}

/** Adjacent addresses of one family as one range. */
function merged(ranges: Addresses): Addresses {
  const result: AddressRange[] = [];
  for (const range of ranges) {
    const previous = result.at(-1);
    if (previous?.family === range.family && previous.last + 1n === range.first) {
      result[result.length - 1] = { ...previous, last: range.last };
    } else result.push(range);
  }
  return result;
}
