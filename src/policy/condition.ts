import { type Address, blockContains } from '../address/index.ts';
import { expressionHolds } from './labels.ts';
import type { BlockCondition, Condition, Entity, LabelCondition } from './normal-form.ts';
import type { OpenPoint } from './open-point.ts';
import type { Party, PodParty } from './party.ts';
import { every, not, some, type Truth } from './truth.ts';

/** Who is asked about, and how: the pod that a policy selects, the other side, and what the host network counts as. */
export interface Scene {
  readonly subject: PodParty;
  readonly peer: Party;
  /** Whether pods of the host network are read as pods, where a dialect leaves it open. */
  readonly hostNetworkIsPod: boolean;
  /** Told each open point on the way. */
  readonly open?: (point: OpenPoint) => void;
}

/** Whether a party satisfies a condition. */
export function conditionHolds(condition: Condition, party: Party, scene: Scene): Truth {
  switch (condition.kind) {
    case 'Labels':
      return labelsHold(condition, party, scene);
    case 'Block':
      return blockHolds(condition, party, scene);
    case 'Entity':
      return entityHolds(condition.entity, party, scene);
    case 'Not':
      return not(conditionHolds(condition.condition, party, scene));
    case 'Some':
      return some(condition.conditions, (member) => conditionHolds(member, party, scene));
    case 'All':
      return allHold(condition.conditions, party, scene);
    case 'Open':
      scene.open?.(condition.point);
      return condition.point.truth;
  }
}

export function allHold(conditions: readonly Condition[], party: Party, scene: Scene): Truth {
  return every(conditions, (condition) => conditionHolds(condition, party, scene));
}

function labelsHold({ expression, hostNetwork }: LabelCondition, party: Party, scene: Scene): Truth {
  if (party.kind !== 'pod') return 'no';
  if (party.hostNetwork && (hostNetwork === 'no' || !scene.hostNetworkIsPod)) return 'no';
  return expressionHolds(expression, party.sources, scene.open);
}

function blockHolds(condition: BlockCondition, party: Party, scene: Scene): Truth {
  if (party.kind === 'address') return isIn(condition, party.address) ? 'yes' : 'no';
  const isNode = party.kind === 'node' || party.hostNetwork;
  const matched = isNode ? condition.nodes : condition.pods;
  const name = party.kind === 'node' ? `node ${party.name}` : `pod ${party.namespace}/${party.name}`;
  if (matched === 'no') return 'no';
  const inside = party.addresses.filter((address) => isIn(condition, address)).length;
  if (party.addresses.length > 0 && inside === 0) return 'no';
  if (matched !== 'yes') {
    scene.open?.({
      code: isNode ? 'BlockAgainstNode' : 'BlockAgainstPod',
      truth: 'undefined',
      message: `The API leaves open whether an address block matches ${name}, and network plugins differ. Select ${isNode ? 'what runs there by other means' : 'the pod by its labels'}.`,
    });
    return matched;
  }
  if (party.addresses.length === 0) {
    scene.open?.({
      code: 'PodAddressUnknown',
      truth: 'unknown',
      message: `The address of ${name} is not known, so neither is whether the block contains it.`,
    });
    return 'unknown';
  }
  if (inside === party.addresses.length) return 'yes';
  scene.open?.({
    code: 'AddressFamilyNotStated',
    truth: 'unknown',
    message: `The block contains one address of ${name} and not another. Ask about one of the addresses.`,
  });
  return 'unknown';
}

function isIn({ block, except }: BlockCondition, address: Address): boolean {
  return blockContains(block, address) && !except.some((hole) => blockContains(hole, address));
}

function entityHolds(entity: Entity, party: Party, { subject }: Scene): Truth {
  const isNode = party.kind === 'node' || (party.kind === 'pod' && party.hostNetwork);
  switch (entity) {
    case 'All':
      return 'yes';
    case 'None':
      return 'no';
    case 'Cluster':
      return party.kind === 'address' ? 'no' : 'yes';
    case 'Pods':
      return party.kind === 'pod' && !party.hostNetwork ? 'yes' : 'no';
    case 'World':
      return party.kind === 'address' ? 'yes' : 'no';
    case 'WorldIPv4':
      return party.kind === 'address' && party.address.family === 4 ? 'yes' : 'no';
    case 'WorldIPv6':
      return party.kind === 'address' && party.address.family === 6 ? 'yes' : 'no';
    case 'OwnedPods':
      return party.kind === 'pod' && party.owned ? 'yes' : 'no';
    case 'Nodes':
      return isNode ? 'yes' : 'no';
    case 'Host':
      return isNode ? onSameNode(subject, party) : 'no';
    case 'RemoteNode':
      return isNode ? not(onSameNode(subject, party)) : 'no';
  }
}

/** Whether a node, or a pod of the host network, is the subject's own node. */
export function onSameNode(subject: PodParty, party: Party): Truth {
  const node = party.kind === 'node' ? party.name : party.kind === 'pod' ? party.node : undefined;
  if (party.kind === 'address') return 'no';
  if (node === undefined || subject.node === undefined) return 'unknown';
  return node === subject.node ? 'yes' : 'no';
}
