import type { Outcome } from '../../src/probe/index.ts';
import { bases, type Basis, type Prediction } from './prediction.ts';

/** A prediction with what was seen, at last. */
export interface Finding {
  readonly prediction: Prediction;
  readonly seen: Outcome;
  /** Whether it was first seen otherwise, and as predicted when looked at again. */
  readonly isLate: boolean;
}

export interface Count {
  readonly agreeing: number;
  readonly total: number;
}

export interface Tally {
  readonly counts: Readonly<Record<Basis, Count>>;
  /** Cells that neither the specification nor the profile has an answer for; compared with nothing. */
  readonly unanswered: number;
  /** Cells that agreed only when looked at again: predicted denials that were open at first, and connections that were not there. */
  readonly late: { readonly allow: number; readonly deny: number };
}

/** Whether a cell was seen as predicted. A denial of Cilium is silence: anything but that and a connection is neither. */
export function agrees({ expected }: Prediction, seen: Outcome | undefined): boolean {
  return seen === (expected === 'allow' ? 'Connected' : 'TimedOut');
}

export function tallyOf(findings: readonly Finding[]): Tally {
  const answered = findings.filter(({ prediction }) => prediction.expected !== undefined);
  const countOf = (basis: Basis): Count => {
    const own = answered.filter(({ prediction }) => prediction.basis === basis);
    return { agreeing: own.filter(({ prediction, seen }) => agrees(prediction, seen)).length, total: own.length };
  };
  const lateOf = (answer: 'allow' | 'deny') =>
    answered.filter(({ prediction, isLate }) => isLate && prediction.expected === answer).length;
  return {
    counts: { allow: countOf('allow'), deny: countOf('deny'), open: countOf('open'), deviating: countOf('deviating') },
    unanswered: findings.length - answered.length,
    late: { allow: lateOf('allow'), deny: lateOf('deny') },
  };
}

export function disagreementsAmong(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(({ prediction, seen }) => prediction.expected !== undefined && !agrees(prediction, seen));
}

/** For example `288 of 288 agree: allow 100/100, deny 188/188`. */
export function describe({ counts, unanswered, late }: Tally): string {
  const all = bases.map((basis) => counts[basis]);
  const sum = (member: keyof Count) => all.reduce((total, count) => total + count[member], 0);
  const parts = bases
    .filter((basis) => counts[basis].total > 0)
    .map((basis) => `${basis} ${counts[basis].agreeing}/${counts[basis].total}`);
  const lateOnes = [
    ...(late.allow === 0 ? [] : [`${late.allow} connected only when tried again`]),
    ...(late.deny === 0 ? [] : [`${late.deny} were closed only when tried again`]),
  ];
  return [
    `${sum('agreeing')} of ${sum('total')} agree: ${parts.join(', ')}`,
    ...lateOnes,
    ...(unanswered === 0 ? [] : [`${unanswered} without an answer`]),
  ].join('; ');
}
