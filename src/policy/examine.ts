import { allHold, conditionHolds, type Scene } from './condition.ts';
import { expressionHolds, type Requirement } from './labels.ts';
import { requirementsOf } from './leaves.ts';
import type { Condition, Peer, PortMatch, Rule, Section } from './normal-form.ts';
import type { Party } from './party.ts';
import { type Connection, matchRule, portMatches } from './rule.ts';
import type { Truth } from './truth.ts';

/**
 * How one section sees one connection, down to the single terms of its selectors: what explanations and near-misses are made
 * of. Nothing here decides; `answer` is what the same functions say that decide.
 */
export interface ExaminedSection {
  readonly section: Section;
  /** Whether the section selects the subject, and by which terms it does or does not. */
  readonly selects: Truth;
  readonly subject: readonly ExaminedCondition[];
  readonly rules: readonly ExaminedRule[];
}

export interface ExaminedRule {
  readonly rule: Rule;
  readonly matches: Truth;
  readonly peers: readonly {
    readonly peer: Peer;
    readonly matches: Truth;
    readonly conditions: readonly ExaminedCondition[];
  }[];
  readonly ports: readonly { readonly entry: PortMatch; readonly matches: Truth }[];
}

export interface ExaminedCondition {
  readonly condition: Condition;
  readonly holds: Truth;
  /** The terms of a label condition, wherever they stand in it. */
  readonly terms: readonly { readonly requirement: Requirement; readonly holds: Truth }[];
}

export function examineSection(section: Section, connection: Connection): ExaminedSection {
  const { subject, peer } = connection;
  return {
    section,
    selects: allHold(section.subject, subject, connection),
    subject: section.subject.map((condition) => examineCondition(condition, subject, connection)),
    rules: section.rules.map((rule) => ({
      rule,
      matches: matchRule(rule, connection).truth,
      peers: (rule.peers ?? []).map((entry) => ({
        peer: entry,
        matches: allHold(entry.conditions, peer, connection),
        conditions: entry.conditions.map((condition) => examineCondition(condition, peer, connection)),
      })),
      ports: (rule.ports ?? []).map((entry) => ({ entry, matches: portMatches(entry, connection) })),
    })),
  };
}

function examineCondition(condition: Condition, party: Party, scene: Scene): ExaminedCondition {
  const terms = condition.kind === 'Labels' && party.kind === 'pod' ? requirementsOf(condition.expression) : [];
  return {
    condition,
    holds: conditionHolds(condition, party, scene),
    terms: terms.map((requirement) => ({
      requirement,
      holds: party.kind === 'pod' ? expressionHolds(requirement, party.sources) : 'no',
    })),
  };
}
