import { type Answer, type Condition, type Decision, policyModel, type PolicyModel } from '../policy/index.ts';
import { type Unit, unitsOf } from './unit.ts';
import type { AuditWorld } from './world.ts';

/** A world with its model and its workloads. */
export interface AuditScene extends AuditWorld {
  readonly model: PolicyModel;
  readonly units: readonly Unit[];
  /** Names of all namespaces of which something was read, in order. */
  readonly namespaceNames: readonly string[];
}

export function sceneOf(world: AuditWorld): AuditScene {
  const { pods, assumed, namespaces, policies, profile } = world;
  const model = policyModel(
    { pods: [...pods, ...assumed], namespaces, policies },
    profile === undefined ? {} : { profile },
  );
  const names = [
    ...namespaces.map(({ metadata }) => metadata.name),
    ...[...pods, ...policies].flatMap(({ metadata }) => metadata.namespace ?? []),
  ];
  return { ...world, model, units: unitsOf(world, model), namespaceNames: [...new Set(names)].toSorted() };
}

/**
 * The pods for which conditions hold or may hold. Of one that is only assumed nobody knows more than what was assumed, so that it
 * has to fit for certain.
 */
export function matchingPods({ model, units }: AuditScene, conditions: readonly Condition[]): readonly number[] {
  const assumed = new Set(units.flatMap(({ isAssumed, positions }) => (isAssumed ? positions : [])));
  const certain = new Set(model.matching(conditions, 'certain'));
  return model.matching(conditions).filter((position) => !assumed.has(position) || certain.has(position));
}

/** The answer that counts: the network plugin's where one is named. */
export function answerOf({ answer, profile }: Decision): Answer {
  return (profile ?? { answer }).answer;
}

/** Why a decision is open, as the reading that counts has it. */
export function reasonsOf({ egress, ingress, profile }: Decision): readonly string[] {
  const sides = profile ?? { egress, ingress };
  const open = [...sides.egress.basis.open, ...sides.ingress.basis.open];
  return [...new Set(open.map(({ message }) => message))].slice(0, mostReasons);
}

const mostReasons = 2;
