import { allHold } from './condition.ts';
import type { Rule, Section, Stage } from './normal-form.ts';
import type { OpenPoint } from './open-point.ts';
import { chooseOutcome, type Outcome, settled } from './outcome.ts';
import type { PolicyPart } from './part.ts';
import { type Connection, matchRule } from './rule.ts';
import { and, some, type Truth } from './truth.ts';

/** A section that selects, or may select, the subject. */
export interface Selected {
  readonly section: Section;
  readonly truth: Truth;
  readonly open: readonly OpenPoint[];
}

/** Sections of one stage, those of equal order together. */
interface StageSections {
  readonly stage: Stage;
  readonly groups: readonly (readonly Selected[])[];
}

export function selectedSections(sections: readonly Section[], connection: Connection): readonly Selected[] {
  return sections.flatMap((section) => {
    const open: OpenPoint[] = [];
    const truth = allHold(section.subject, connection.subject, { ...connection, open: (point) => open.push(point) });
    return truth === 'no' ? [] : [{ section, truth, open: truth === 'yes' ? [] : open }];
  });
}

/** Asks the stages in their order. A subject for which none decides is open to everybody. */
export function evaluate(selected: readonly Selected[], connection: Connection): Outcome {
  return fromStage(inStages(selected), 0, connection);
}

function fromStage(stages: readonly StageSections[], index: number, connection: Connection): Outcome {
  const current = stages[index];
  if (current === undefined) return settled('allow', 'NotIsolated');
  const next = () => fromStage(stages, index + 1, connection);
  return current.stage.evaluation === 'union'
    ? union(current.groups.flat(), connection, next)
    : ordered(current.groups, connection, next);
}

/** A denying rule wins over an admitting one, an admitting one over isolation. */
function union(sections: readonly Selected[], connection: Connection, next: () => Outcome): Outcome {
  const denying = matchesOf(sections, 'deny', connection);
  const admitting = matchesOf(sections, 'allow', connection);
  const isolating = sections.filter(({ section }) => section.isolates);
  return chooseOutcome(
    denying.truth,
    denying.open,
    () => settled('deny', 'DeniedByRule', denying.parts),
    () =>
      chooseOutcome(
        admitting.truth,
        admitting.open,
        () => settled('allow', 'AdmittedByRule', admitting.parts),
        () => isolation(isolating, next),
      ),
  );
}

function isolation(isolating: readonly Selected[], next: () => Outcome): Outcome {
  return chooseOutcome(
    some(isolating, ({ truth }) => truth),
    isolating.flatMap(({ open }) => open),
    () => settled('deny', 'NoRuleAdmits'),
    next,
  );
}

interface Matches {
  readonly truth: Truth;
  readonly parts: readonly PolicyPart[];
  readonly open: readonly OpenPoint[];
}

function matchesOf(sections: readonly Selected[], action: Rule['action'], connection: Connection): Matches {
  const found = sections.flatMap((selected) =>
    selected.section.rules
      .filter((rule) => rule.action === action)
      .map((rule) => matched(selected, rule, connection))
      .filter(({ truth }) => truth !== 'no'),
  );
  const truth = some(found, (match) => match.truth);
  const deciding = found.filter((match) => match.truth === truth);
  return { truth, parts: deciding.flatMap(({ parts }) => parts), open: found.flatMap(({ open }) => open) };
}

function matched({ section, truth, open }: Selected, rule: Rule, connection: Connection): Matches {
  const match = matchRule(rule, connection);
  const paths = [rule.path, match.peerPath, match.portPath].filter((path) => path !== undefined);
  return {
    truth: and(truth, match.truth),
    parts: paths.map((path) => ({ policy: section.policy, path })),
    open: [...open, ...match.open],
  };
}

/** The first match decides. Sections of equal order may be asked in any order: where that matters, nothing is defined. */
function ordered(groups: StageSections['groups'], connection: Connection, next: () => Outcome): Outcome {
  const isolating = groups.flat().filter(({ section }) => section.isolates);
  const fromGroup = (index: number): Outcome => {
    const group = groups[index];
    if (group === undefined) return isolation(isolating, next);
    return firstMatch(group, connection, next, () => fromGroup(index + 1));
  };
  return fromGroup(0);
}

function firstMatch(
  group: readonly Selected[],
  connection: Connection,
  pass: () => Outcome,
  rest: () => Outcome,
): Outcome {
  const matches = group.map((selected) =>
    selected.section.rules.map((rule) => ({ rule, ...matched(selected, rule, connection) })),
  );
  const inOrder = (rules: (typeof matches)[number]): Outcome => {
    const [first, ...others] = rules;
    if (first === undefined) return rest();
    return chooseOutcome(
      first.truth,
      first.open,
      () => decided(first, pass),
      () => inOrder(others),
    );
  };
  // Each section of the group may come first; among themselves, those that do not match make no difference.
  const outcomes = matches.map((_, index) =>
    inOrder([...matches.slice(index), ...matches.slice(0, index)].flat().filter(({ truth }) => truth !== 'no')),
  );
  return outcomes.reduce((a, b) =>
    chooseOutcome(
      'undefined',
      [equalPriority(group)],
      () => b,
      () => a,
    ),
  );
}

function decided({ rule, parts }: { readonly rule: Rule } & Matches, pass: () => Outcome): Outcome {
  switch (rule.action) {
    case 'allow':
      return settled('allow', 'AdmittedByRule', parts);
    case 'deny':
      return settled('deny', 'DeniedByRule', parts);
    case 'pass':
      return pass();
  }
}

function equalPriority(group: readonly Selected[]): OpenPoint {
  const names = group.map(({ section }) => section.policy.name).join(', ');
  return {
    code: 'EqualPriority',
    truth: 'undefined',
    message: `Policies ${names} of one tier have the same priority and rules that disagree here: either may win. Give each its own priority.`,
    ...(group[0] === undefined ? {} : { part: { policy: group[0].section.policy, path: 'spec.priority' } }),
  };
}

function inStages(selected: readonly Selected[]): readonly StageSections[] {
  return inRankOrder(selected).flatMap((members) => {
    const stage = members[0]?.section.stage;
    return stage === undefined ? [] : [{ stage, groups: groupsOf(members) }];
  });
}

/** Sections by stage, in the order in which the stages are asked. */
export function inRankOrder<T extends Pick<Selected, 'section'>>(selected: readonly T[]): readonly (readonly T[])[] {
  const stages = Map.groupBy(selected, ({ section }) => section.stage.name);
  const place = (members: readonly T[]) => members[0]?.section.stage ?? { rank: 0, name: '' };
  return [...stages.values()].toSorted(
    (a, b) => place(a).rank - place(b).rank || compareText(place(a).name, place(b).name),
  );
}

/** Sections of one stage in the order in which they are asked; those between which there is none, together. */
export function groupsOf<T extends Pick<Selected, 'section'>>(members: readonly T[]): readonly (readonly T[])[] {
  const byOrder = Map.groupBy(members, ({ section }) => section.order);
  return [...byOrder.entries()]
    .toSorted(([a], [b]) => a - b)
    .flatMap(([, equals]) => {
      const isOfOneKind = new Set(equals.map(({ section }) => section.policy.group)).size === 1;
      const isByName = equals.every(({ section }) => section.stage.ties === 'byName');
      if (!isByName || !isOfOneKind) return [equals];
      return equals.toSorted((a, b) => compareText(a.section.policy.name, b.section.policy.name)).map((one) => [one]);
    });
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
