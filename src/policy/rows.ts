import { type AnswerSet, allAnswer, chooseSets } from './answer-set.ts';
import { membersOf } from './bitset.ts';
import { allHold } from './condition.ts';
import type { Ground } from './decide.ts';
import type { Selected } from './evaluate.ts';
import type { Section } from './normal-form.ts';
import type { PodParty } from './party.ts';
import { type Population, populationOf } from './population.ts';
import type { Direction, PolicyProtocol } from './question.ts';
import { boundariesOf, rowAt, type RowSubject } from './row.ts';
import { everyone, exactly } from './truth-set.ts';

/** What reachabilities of models that differ in few policies share. */
export interface Shared {
  readonly population: Population;
  /** By subject: whom a section selects. */
  readonly subjects: WeakMap<Section, SectionSubjects>;
  readonly rows: Map<string, Row>;
  readonly ids: WeakMap<Section, number>;
  nextId: number;
}

interface SectionSubjects {
  readonly members: readonly { readonly position: number; readonly truth: Exclude<Selected['truth'], 'no'> }[];
}

export interface Row {
  readonly subject: RowSubject;
  readonly at: Map<string, AnswerSet>;
  readonly boundaries: Map<PolicyProtocol, readonly number[]>;
}

export function shareOf(pods: readonly PodParty[]): Shared {
  const running = pods.filter(({ finished }) => !finished);
  return { population: populationOf(running), subjects: new WeakMap(), rows: new Map(), ids: new WeakMap(), nextId: 0 };
}

/** Rows of every pod, by direction. */
export type RowsOfPods = Readonly<Record<Direction, readonly Row[]>>;

/** Rows for all pods; those of earlier policies that nobody needs any more are forgotten. */
export function rowsOfPods(ground: Ground, shared: Shared): RowsOfPods {
  const rows = { egress: rowsByPod('egress', ground, shared), ingress: rowsByPod('ingress', ground, shared) };
  const used = new Set([...rows.egress, ...rows.ingress]);
  for (const [key, row] of shared.rows) if (!used.has(row)) shared.rows.delete(key);
  return rows;
}

/** For each pod the row of its group. */
function rowsByPod(direction: Direction, { sections }: Ground, shared: Shared): readonly Row[] {
  const { population } = shared;
  const selected: Selected[][] = population.pods.map(() => []);
  const keys: string[][] = population.pods.map(() => []);
  for (const section of sections[direction]) {
    const id = idOf(section, shared);
    for (const { position, truth } of subjectsOf(section, shared).members) {
      selected[position]?.push({ section, truth, open: [] });
      keys[position]?.push(`${id}${truth === 'yes' ? '' : truth}`);
    }
  }
  return population.pods.map((subject, position) => {
    const own = selected[position] ?? [];
    const key = [direction, ...(keys[position] ?? []).toSorted(), ...distinctions(direction, subject, own)].join(' ');
    const found = shared.rows.get(key);
    if (found !== undefined) return found;
    const row: Row = {
      subject: { direction, subject, selected: own, population, hostNetworkIsPod: true },
      at: new Map(),
      boundaries: new Map(),
    };
    shared.rows.set(key, row);
    return row;
  });
}

/** What else sets a subject apart from others that the same sections select. */
function distinctions(direction: Direction, subject: PodParty, selected: readonly Selected[]): readonly string[] {
  const rules = selected.flatMap(({ section }) => section.rules);
  const names = new Set(
    direction === 'egress'
      ? []
      : rules.flatMap(({ ports = [], notPorts = [] }) => [...ports, ...notPorts]).flatMap(({ name }) => name ?? []),
  );
  const scene = { subject, peer: subject, hostNetworkIsPod: true };
  return [
    subject.hostNetwork ? 'host' : '',
    ...subject.ports
      .filter(({ name }) => names.has(name))
      .map(({ name, protocol, port }) => `${name}/${protocol}/${port}`),
    ...rules.filter((rule) => rule.subject.length > 0).map((rule) => allHold(rule.subject, subject, scene)),
  ];
}

function idOf(section: Section, shared: Shared): number {
  const found = shared.ids.get(section);
  if (found !== undefined) return found;
  shared.nextId += 1;
  shared.ids.set(section, shared.nextId);
  return shared.nextId;
}

function subjectsOf(section: Section, { subjects, population }: Shared): SectionSubjects {
  const found = subjects.get(section);
  if (found !== undefined) return found;
  const sets = population.holding(section.subject, true);
  const members = (['yes', 'undefined', 'unknown'] as const).flatMap((truth) =>
    membersOf(sets[truth]).map((position) => ({ position, truth })),
  );
  subjects.set(section, { members });
  return { members };
}

export function boundaries(row: Row | undefined, protocol: PolicyProtocol): readonly number[] {
  if (row === undefined) return [1];
  const found = row.boundaries.get(protocol) ?? boundariesOf(row.subject, protocol);
  row.boundaries.set(protocol, found);
  return found;
}

/** A row's answers at a port: computed once for the whole range of ports that are treated alike. */
export function answersAt(row: Row, ground: Ground, protocol: PolicyProtocol, port: number): AnswerSet {
  const starts = boundaries(row, protocol);
  const start = starts[rangeOf(starts, port)] ?? 1;
  const key = `${protocol} ${start}`;
  const found = row.at.get(key);
  if (found !== undefined) return found;
  const made = underReading(row.subject, ground, (subject) => rowAt(subject, protocol, start));
  row.at.set(key, made);
  return made;
}

/** The last range that begins at or before a port, by halving. */
function rangeOf(starts: readonly number[], port: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((starts[middle] ?? 0) <= port) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Pods of the host network are pods or nodes, as the reading has it; the others are not concerned. */
function underReading(
  subject: RowSubject,
  { reading, hostPolicies }: Ground,
  evaluate: (subject: RowSubject) => AnswerSet,
): AnswerSet {
  const { population } = subject;
  const size = population.pods.length;
  if (subject.subject.hostNetwork) {
    const asNode = allAnswer(hostPolicies.length > 0 ? 'unknown' : 'allow', size);
    if (reading.hostNetworkIsPod === 'no') return asNode;
    return chooseSets(everyone(reading.hostNetworkIsPod, size), evaluate(subject), asNode);
  }
  const asNodes = evaluate({ ...subject, hostNetworkIsPod: false });
  if (reading.hostNetworkIsPod === 'no' || population.hosts.every((word) => word === 0)) return asNodes;
  const hosts = exactly(population.hosts);
  const statement =
    reading.hostNetworkIsPod === 'yes'
      ? hosts
      : { ...hosts, yes: hosts.undefined, [reading.hostNetworkIsPod]: hosts.yes };
  return chooseSets(statement, evaluate(subject), asNodes);
}
