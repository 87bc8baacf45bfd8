import type { Direction, ExaminedRule, PolicyReference } from '../policy/index.ts';
import { change } from './draft.ts';
import { type Change, type Edit, valueAt } from './edit.ts';
import type { FindingCode } from './finding.ts';
import { writtenPolicy } from './remedy.ts';
import type { Scene } from './scene.ts';

/** A rule that admits what was to be denied. */
export interface Admission {
  readonly policy: PolicyReference;
  readonly rule: ExaminedRule;
}

/** Why a rule admits more than it should, and edits that make it admit less, the recommended one first. */
export interface Narrowing {
  readonly code: FindingCode;
  readonly path: string;
  readonly message: string;
  readonly edits: readonly Edit[];
}

/** The policy without a rule, and isolating as before. */
export function withoutRule(scene: Scene, { policy, rule }: Admission, direction: Direction): readonly Change[] {
  const path = `spec.${direction}`;
  const rules = valueAt(writtenPolicy(scene, policy), path);
  const types = valueAt(writtenPolicy(scene, policy), 'spec.policyTypes');
  if (!Array.isArray(rules)) return [];
  // Without policyTypes an empty egress list would not restrict egress any more.
  const keepsTypes = direction === 'ingress' || (Array.isArray(types) && types.length > 0);
  return [
    change(policy, path, rules, rules.toSpliced(positionIn(rule.rule.path), 1)),
    ...(keepsTypes ? [] : [change(policy, 'spec.policyTypes', types, ['Ingress', 'Egress'])]),
  ];
}

/** Who and what a rule admits, in words. */
export function admittedInWords({ rule }: ExaminedRule): string {
  const who = rule.peers === undefined ? 'everybody' : 'more pods than were meant';
  const ports = rule.ports?.map(({ protocol, range, name }) => {
    const numbers =
      range === undefined
        ? 'any port'
        : range.first === range.last
          ? `${range.first}`
          : `${range.first} to ${range.last}`;
    return `${protocol} ${name ?? numbers}`;
  });
  return `${who} on ${ports === undefined ? 'every port' : ports.join(', ')}`;
}

/** The position that a path ends in. */
export function positionIn(path: string): number {
  return Number(/\[(\d+)\]$/.exec(path)?.[1]);
}
