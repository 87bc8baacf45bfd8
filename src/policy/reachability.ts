import { type AnswerSet, allAnswer, answerIn, chooseSets } from './answer-set.ts';
import { add, addAll, type Bitset, bitsIn, emptyBitset, has, membersOf } from './bitset.ts';
import { allHold } from './condition.ts';
import type { Ground } from './decide.ts';
import type { Selected } from './evaluate.ts';
import type { Section } from './normal-form.ts';
import type { PodParty } from './party.ts';
import { type Population, populationOf } from './population.ts';
import type { Direction, PolicyProtocol } from './question.ts';
import { boundariesOf, lastPort, rowAt, type RowSubject } from './row.ts';
import { everyone, exactly } from './truth-set.ts';
import { type Answer, both } from './truth.ts';

export interface PortRange {
  readonly protocol: PolicyProtocol;
  /** Inclusive. */
  readonly first: number;
  readonly last: number;
  readonly answer: Answer;
}

/** Who reaches whom: the model's answers for all ordered pairs of pods, computed for groups of pods that policies treat alike. */
export interface Reachability {
  /** The pods, by the position under which the other members know them; finished ones are left out. */
  readonly pods: readonly { readonly namespace: string; readonly name: string }[];
  /** The same answer as the model's decision. */
  answer(source: number, destination: number, protocol: PolicyProtocol, port: number): Answer;
  /** Every port from 1 to 65535 of the protocols asked for, in ranges of one answer. */
  connections(source: number, destination: number, protocols?: readonly PolicyProtocol[]): readonly PortRange[];
  /** How many ordered pairs of different pods have each answer at a port. */
  counts(protocol: PolicyProtocol, port: number): Readonly<Record<Answer, number>>;
  /**
   * Pods between which no policy distinguishes, as source or destination: an answer for one pair of two classes holds for all
   * pairs of them, but for a pod with itself, and for host network pods with pods of their own node.
   */
  readonly classes: readonly (readonly number[])[];
}

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

interface Row {
  readonly subject: RowSubject;
  readonly at: Map<string, AnswerSet>;
  readonly boundaries: Map<PolicyProtocol, readonly number[]>;
}

export function shareOf(pods: readonly PodParty[]): Shared {
  const running = pods.filter(({ finished }) => !finished);
  return { population: populationOf(running), subjects: new WeakMap(), rows: new Map(), ids: new WeakMap(), nextId: 0 };
}

/** The reachability of a ground's policies; `decide` answers for the few pairs for which places matter. */
export function reachabilityOf(
  ground: Ground,
  shared: Shared,
  decide: (source: PodParty, destination: PodParty, protocol: PolicyProtocol, port: number) => Answer,
): Reachability {
  const { population } = shared;
  const { pods } = population;
  const rowsOf = { egress: rowsByPod('egress', ground, shared), ingress: rowsByPod('ingress', ground, shared) };
  const row = (direction: Direction, pod: number, protocol: PolicyProtocol, port: number): AnswerSet => {
    const found = rowsOf[direction][pod];
    return found === undefined ? allAnswer('unknown', pods.length) : answersAt(found, ground, protocol, port);
  };
  const isSpecial = (source: number, destination: number): boolean => {
    const [a, b] = [pods[source], pods[destination]];
    if (source === destination || a === undefined || b === undefined) return true;
    if (!a.hostNetwork && !b.hostNetwork) return false;
    return a.node === undefined || b.node === undefined || a.node === b.node;
  };
  const decided = (source: number, destination: number, protocol: PolicyProtocol, port: number): Answer => {
    const [a, b] = [pods[source], pods[destination]];
    return a === undefined || b === undefined ? 'unknown' : decide(a, b, protocol, port);
  };
  const answer: Reachability['answer'] = (source, destination, protocol, port) =>
    isSpecial(source, destination)
      ? decided(source, destination, protocol, port)
      : both(
          answerIn(row('egress', source, protocol, port), destination),
          answerIn(row('ingress', destination, protocol, port), source),
        );
  let classes: Reachability['classes'] | undefined;
  return {
    pods: pods.map(({ namespace, name }) => ({ namespace, name })),
    answer,
    connections(source, destination, protocols = ['TCP', 'UDP', 'SCTP']) {
      return protocols.flatMap((protocol) => {
        const starts = new Set([
          ...boundaries(rowsOf.egress[source], protocol),
          ...boundaries(rowsOf.ingress[destination], protocol),
        ]);
        return joined(
          protocol,
          [...starts].toSorted((a, b) => a - b),
          (port) => answer(source, destination, protocol, port),
        );
      });
    },
    counts: (protocol, port) => countsAt(population, rowsOf, ground, { protocol, port, isSpecial, decided }),
    get classes() {
      classes ??= classesOf(population, rowsOf);
      return classes;
    },
  };
}

/** For each pod the row of its group. Rows that are no longer used are forgotten. */
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

function boundaries(row: Row | undefined, protocol: PolicyProtocol): readonly number[] {
  if (row === undefined) return [1];
  const found = row.boundaries.get(protocol) ?? boundariesOf(row.subject, protocol);
  row.boundaries.set(protocol, found);
  return found;
}

/** A row's answers at a port: computed once for the whole range of ports that are treated alike. */
function answersAt(row: Row, ground: Ground, protocol: PolicyProtocol, port: number): AnswerSet {
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

function joined(
  protocol: PolicyProtocol,
  starts: readonly number[],
  answerAt: (port: number) => Answer,
): readonly PortRange[] {
  const ranges: PortRange[] = [];
  for (const [index, first] of starts.entries()) {
    const last = (starts[index + 1] ?? lastPort + 1) - 1;
    const answer = answerAt(first);
    const previous = ranges.at(-1);
    if (previous?.answer === answer) ranges[ranges.length - 1] = { ...previous, last };
    else ranges.push({ protocol, first, last, answer });
  }
  return ranges;
}

interface CountedPort {
  readonly protocol: PolicyProtocol;
  readonly port: number;
  readonly isSpecial: (source: number, destination: number) => boolean;
  readonly decided: (source: number, destination: number, protocol: PolicyProtocol, port: number) => Answer;
}

/** Counts by rows: for each source, the destinations that let it in are put together from the groups of destinations. */
function countsAt(
  { pods, hosts }: Population,
  rows: Readonly<Record<Direction, readonly Row[]>>,
  ground: Ground,
  { protocol, port, isSpecial, decided }: CountedPort,
): Readonly<Record<Answer, number>> {
  const size = pods.length;
  const counts = { allow: 0, deny: 0, undefined: 0, unknown: 0 };
  const groups = groupsByRow(rows.ingress, size).map(({ row, members }) => ({
    members,
    answers: answersAt(row, ground, protocol, port),
  }));
  const isHost = (position: number) => has(hosts, position);
  const hostPositions = membersOf(hosts);
  for (let source = 0; source < size; source += 1) {
    const ingress = { allow: emptyBitset(size), deny: emptyBitset(size), unknown: emptyBitset(size) };
    for (const { members, answers } of groups) {
      const answer = answerIn(answers, source);
      if (answer !== 'undefined') addAll(ingress[answer], members);
    }
    const egressRow = rows.egress[source];
    if (egressRow === undefined) continue;
    const egress = answersAt(egressRow, ground, protocol, port);
    countPairs(counts, egress, ingress, size);
    // The pairs for which places matter are decided one by one, and counted anew.
    const others = isHost(source) ? pods.keys() : [source, ...hostPositions];
    for (const destination of others) {
      if (!isSpecial(source, destination)) continue;
      counts[both(answerIn(egress, destination), answerIn(ingress, destination))] -= 1;
      if (destination !== source) counts[decided(source, destination, protocol, port)] += 1;
    }
  }
  return counts;
}

/** As `both`, for every destination at once. */
function countPairs(counts: Record<Answer, number>, egress: AnswerSet, ingress: AnswerSet, size: number): void {
  const { allow, deny, unknown } = egress;
  const sums = { allow: 0, deny: 0, unknown: 0 };
  for (let index = 0; index < allow.length; index += 1) {
    const denied = (deny[index] ?? 0) | (ingress.deny[index] ?? 0);
    sums.deny += bitsIn(denied);
    sums.unknown += bitsIn(((unknown[index] ?? 0) | (ingress.unknown[index] ?? 0)) & ~denied);
    sums.allow += bitsIn((allow[index] ?? 0) & (ingress.allow[index] ?? 0));
  }
  counts.allow += sums.allow;
  counts.deny += sums.deny;
  counts.unknown += sums.unknown;
  counts.undefined += size - sums.allow - sums.deny - sums.unknown;
}

function groupsByRow(rows: readonly Row[], size: number): readonly { readonly row: Row; readonly members: Bitset }[] {
  const groups = new Map<Row, Bitset>();
  for (const [position, row] of rows.entries()) {
    const members = groups.get(row) ?? emptyBitset(size);
    groups.set(row, members);
    add(members, position);
  }
  return [...groups.entries()].map(([row, members]) => ({ row, members }));
}

/** Splits the pods by their rows, and then by every rule's peers that tells some of them apart. */
function classesOf(population: Population, rows: Readonly<Record<Direction, readonly Row[]>>): Reachability['classes'] {
  const { pods } = population;
  const used = new Map<Row, number>();
  const numberOf = (row: Row | undefined): number => {
    if (row === undefined) return 0;
    const found = used.get(row) ?? used.size + 1;
    used.set(row, found);
    return found;
  };
  let classes = numbered(
    pods.map(({ ports, hostNetwork, node }, position) =>
      [
        numberOf(rows.egress[position]),
        numberOf(rows.ingress[position]),
        hostNetwork ? node : '',
        ports
          .map(({ name, protocol, port }) => `${name}/${protocol}/${port}`)
          .toSorted()
          .join(),
      ].join(' '),
    ),
  );
  const rules = new Set(
    [...used.keys()].flatMap(({ subject }) => subject.selected.flatMap(({ section }) => section.rules)),
  );
  for (const rule of rules) {
    for (const hostNetworkIsPod of [true, false]) {
      const { yes, undefined: open, unknown } = population.peersOf(rule, hostNetworkIsPod);
      classes = numbered(
        classes.map((old, position) => {
          const truth = has(yes, position) ? 1 : has(open, position) ? 2 : has(unknown, position) ? 3 : 0;
          return old * 4 + truth;
        }),
      );
    }
  }
  return [...Map.groupBy(classes.keys(), (position) => classes[position]).values()];
}

function numbered(keys: readonly (string | number)[]): readonly number[] {
  const numbers = new Map<string | number, number>();
  return keys.map((key) => {
    const number = numbers.get(key) ?? numbers.size;
    numbers.set(key, number);
    return number;
  });
}
