import { type AnswerSet, answerIn } from './answer-set.ts';
import { add, addAll, bitsIn, type Bitset, emptyBitset, has, membersOf } from './bitset.ts';
import type { Ground } from './decide.ts';
import type { Population } from './population.ts';
import type { PolicyProtocol } from './question.ts';
import { answersAt, type Row, type RowsOfPods } from './rows.ts';
import { type Answer, both } from './truth.ts';

interface CountedPort {
  readonly protocol: PolicyProtocol;
  readonly port: number;
  readonly isSpecial: (source: number, destination: number) => boolean;
  readonly decided: (source: number, destination: number, protocol: PolicyProtocol, port: number) => Answer;
}

/** Counts by rows: for each source, the destinations that let it in are put together from the groups of destinations. */
export function countsAt(
  { pods, hosts }: Population,
  rows: RowsOfPods,
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
