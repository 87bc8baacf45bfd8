import { type Answer, type Decision, policyModel, type PolicyModel } from '../policy/index.ts';
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

/** The answer that counts: the network plugin's where one is named. */
export function answerOf({ answer, profile }: Decision): Answer {
  return (profile ?? { answer }).answer;
}
