import { type AnswerSet, allAnswer, answerIn } from './answer-set.ts';
import type { Ground } from './decide.ts';
import { countsAt } from './pair-counts.ts';
import type { PodParty } from './party.ts';
import { classesOf } from './pod-classes.ts';
import type { Direction, PolicyProtocol } from './question.ts';
import { lastPort } from './row.ts';
import { answersAt, boundaries, rowsOfPods, type Shared } from './rows.ts';
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

/** The reachability of a ground's policies; `decide` answers for the few pairs for which places matter. */
export function reachabilityOf(
  ground: Ground,
  shared: Shared,
  decide: (source: PodParty, destination: PodParty, protocol: PolicyProtocol, port: number) => Answer,
): Reachability {
  const { population } = shared;
  const { pods } = population;
  const rowsOf = rowsOfPods(ground, shared);
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
