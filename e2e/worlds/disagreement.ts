import { stringify } from 'yaml';

import type { Pod, Policy } from '../../src/api/index.ts';
import type { DirectionDecision, PolicyPart } from '../../src/policy/index.ts';
import type { Finding } from './tally.ts';

/** The policies of a world as a file for kubectl. */
export function manifestOf(policies: readonly Policy[]): string {
  return policies.map((policy) => stringify(policy)).join('---\n');
}

/** Everything that a person needs to decide whether the model is wrong or the plugin differs. */
export function explain({ prediction, seen }: Finding): string {
  const { cell, decision, basis, expected } = prediction;
  const { source, destination, protocol, port } = cell;
  const applied = decision.profile ?? decision;
  return [
    `${nameOf(source)} → ${nameOf(destination)} ${protocol} ${port}: predicted ${expected} (${basis}), seen ${seen}`,
    ...(decision.profile === undefined
      ? []
      : [`  specification: ${decision.answer}; profile cilium: ${applied.answer}`]),
    `  egress: ${sideOf(applied.egress)}`,
    `  ingress: ${sideOf(applied.ingress)}`,
  ].join('\n');
}

function sideOf({ answer, isolatedBy, decidedBy, basis }: DirectionDecision): string {
  return [
    `${answer}, ${basis.reason}`,
    ...(isolatedBy.length === 0 ? [] : [`isolated by ${isolatedBy.map(partName).join(', ')}`]),
    ...(decidedBy.length === 0 ? [] : [`decided by ${decidedBy.map(partName).join(', ')}`]),
    ...basis.open.map(({ message }) => message),
  ].join('; ');
}

function partName({ policy, path }: PolicyPart): string {
  return `${policy.namespace ?? ''}/${policy.name} ${path}`;
}

function nameOf({ metadata }: Pod): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}
