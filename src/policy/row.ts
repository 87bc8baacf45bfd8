import { allAnswer, type AnswerSet, chooseSets } from './answer-set.ts';
import { allHold } from './condition.ts';
import { groupsOf, inRankOrder, type Selected } from './evaluate.ts';
import type { Rule } from './normal-form.ts';
import type { PodParty } from './party.ts';
import type { Population } from './population.ts';
import type { Direction, PolicyProtocol } from './question.ts';
import { portsMatch } from './rule.ts';
import { andSets, everyone, exactly, notSet, orSets, type TruthSet } from './truth-set.ts';
import { and, type Truth } from './truth.ts';

/** What a row is computed for: pods that the same sections select, with the same named ports. */
export interface RowSubject {
  readonly direction: Direction;
  /** Any of the pods. */
  readonly subject: PodParty;
  readonly selected: readonly Pick<Selected, 'section' | 'truth'>[];
  readonly population: Population;
  readonly hostNetworkIsPod: boolean;
}

/** The answers that a subject's policies give about every pod as peer, at one port: `evaluate` for all peers at once. */
export function rowAt(row: RowSubject, protocol: PolicyProtocol, port: number): AnswerSet {
  const size = row.population.pods.length;
  const stages = inRankOrder(row.selected);
  const allow = allAnswer('allow', size);
  const deny = allAnswer('deny', size);
  let next = allow;
  for (const members of stages.toReversed()) {
    const isolated = members.filter(({ section }) => section.isolates).map(({ truth }) => everyone(truth, size));
    const end = chooseSets(isolated.reduce(orSets, everyone('no', size)), deny, next);
    const matches = ({ section, truth }: RowSubject['selected'][number]) =>
      section.rules.map((rule) => ({ rule, set: matchSet(row, rule, truth, protocol, port) }));
    const outcomeOf = { allow, deny, pass: next };
    if (members[0]?.section.stage.evaluation === 'union') {
      const rules = members.flatMap(matches);
      const matched = (action: Rule['action']) =>
        rules
          .filter(({ rule }) => rule.action === action)
          .reduce((sum, { set }) => orSets(sum, set), everyone('no', size));
      next = chooseSets(matched('deny'), deny, chooseSets(matched('allow'), allow, end));
      continue;
    }
    let rest = end;
    for (const group of groupsOf(members).toReversed()) {
      const written = group.map(matches);
      const orders = written.map((_, first) =>
        [...written.slice(first), ...written.slice(0, first)]
          .flat()
          .reduceRight((after, { rule, set }) => chooseSets(set, outcomeOf[rule.action], after), rest),
      );
      const either = everyone('undefined', size);
      rest = orders.reduce((a, b) => chooseSets(either, b, a));
    }
    next = rest;
  }
  return next;
}

function matchSet(row: RowSubject, rule: Rule, selected: Truth, protocol: PolicyProtocol, port: number): TruthSet {
  const { population, hostNetworkIsPod, subject } = row;
  const size = population.pods.length;
  const scene = { subject, peer: subject, hostNetworkIsPod };
  const ports = portSet(row, rule, protocol, port);
  const truth = and(and(selected, allHold(rule.subject, subject, scene)), rule.open?.truth ?? 'yes');
  // Most rules are for other ports, and most others depend on the peer alone.
  if (truth === 'no' || ports === 'no') return everyone('no', size);
  const peers = population.peersOf(rule, hostNetworkIsPod);
  const matching = ports === 'yes' ? peers : andSets(peers, typeof ports === 'string' ? everyone(ports, size) : ports);
  return truth === 'yes' ? matching : andSets(matching, everyone(truth, size));
}

/** For whom as peer the port matches: on ingress it is the subject's port, whoever the peer. */
function portSet(row: RowSubject, rule: Rule, protocol: PolicyProtocol, port: number): TruthSet | Truth {
  const { population, direction, subject, hostNetworkIsPod } = row;
  const size = population.pods.length;
  const names = [...(rule.ports ?? []), ...(rule.notPorts ?? [])].some(({ name }) => name !== undefined);
  if (direction === 'ingress' || !names) {
    return portsMatch(rule, { subject, peer: subject, destination: subject, protocol, port, hostNetworkIsPod });
  }
  const among = (entries: NonNullable<Rule['ports']>) =>
    entries.map((entry) => exactly(population.havingPort(entry, protocol, port))).reduce(orSets, everyone('no', size));
  const listed = rule.ports === undefined ? everyone('yes', size) : among(rule.ports);
  return rule.notPorts === undefined ? listed : andSets(listed, notSet(among(rule.notPorts), size));
}

/** The ports of a protocol at which a row's answers may change, in order, beginning with the first port there is. */
export function boundariesOf(
  { selected, subject, population, direction }: RowSubject,
  protocol: PolicyProtocol,
): readonly number[] {
  const boundaries = new Set([1]);
  const entries = selected.flatMap(({ section }) =>
    section.rules.flatMap(({ ports = [], notPorts = [] }) => [...ports, ...notPorts]),
  );
  for (const { protocol: wanted, range, name } of entries) {
    if (wanted !== 'any' && wanted !== protocol) continue;
    const named =
      name === undefined
        ? []
        : direction === 'ingress'
          ? subject.ports.filter((port) => port.name === name)
          : population.portsNamed(name);
    const ranges = named.filter((port) => port.protocol === protocol).map(({ port }) => ({ first: port, last: port }));
    for (const { first, last } of range === undefined ? ranges : [range]) {
      if (first > 0) boundaries.add(first);
      if (last < lastPort) boundaries.add(last + 1);
    }
  }
  return [...boundaries].toSorted((a, b) => a - b);
}

export const lastPort = 65_535;
