import type { Expected, Severity, Verdict } from '../api/index.ts';

/** A place in a file, counted from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A part of a policy that a verdict rests on. */
export interface PolicyRow {
  /** Such as `NetworkPolicy shop/web`. */
  readonly name: string;
  /** Such as `spec.egress[0]`. */
  readonly path: string;
  readonly direction: 'ingress' | 'egress';
  readonly place?: Place;
}

/** One expectation with its verdict. Every text is one line that is safe to show in a terminal. */
export interface ReportRow {
  readonly namespace: string;
  readonly test: string;
  readonly expectation: string;
  readonly description?: string;
  readonly severity: Severity;
  readonly expect: Expected;
  readonly from: string;
  readonly to: string;
  readonly verdict: Verdict;
  readonly reason: string;
  readonly message: string;
  readonly place?: Place;
  readonly policies: readonly PolicyRow[];
  /** What is most probably wrong where the verdict is not as expected. */
  readonly finding?: FindingRow;
}

export interface FindingRow {
  readonly code: string;
  readonly message: string;
  /** Where the mistake is, unless the edit says it. */
  readonly at?: string;
  /** The edit that would cure it, line by line. */
  readonly edit: readonly string[];
  /** What that edit does besides. */
  readonly effect?: string;
  /** Other edits, in words. */
  readonly or: readonly string[];
}

/** What a command found out, for any of the formats. */
export interface Report {
  /** Whether the verdicts are the policy model's, not evidence. */
  readonly predicted: boolean;
  readonly version: string;
  /** What the verdicts rest on, in words. */
  readonly basis: string;
  readonly rows: readonly ReportRow[];
}

export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly inconclusive: number;
  readonly skipped: number;
}

export function tallyOf(rows: readonly Pick<ReportRow, 'verdict'>[]): Tally {
  const count = (wanted: Verdict): number => rows.filter(({ verdict }) => verdict === wanted).length;
  return {
    passed: count('Passed'),
    failed: count('Failed'),
    inconclusive: count('Inconclusive'),
    skipped: count('Skipped'),
  };
}

/** One line that scripts may read: `16 expectations predicted: 14 passed, 1 failed, 1 inconclusive, 0 skipped`. */
export function summaryLine({ predicted, rows }: Report): string {
  const { passed, failed, inconclusive, skipped } = tallyOf(rows);
  const what = `${counted(rows.length, 'expectation', 'expectations')}${predicted ? ' predicted' : ''}`;
  return `${what}: ${passed} passed, ${failed} failed, ${inconclusive} inconclusive, ${skipped} skipped`;
}

const order: readonly Verdict[] = ['Failed', 'Inconclusive', 'Skipped', 'Passed'];

/** Worst first; within a verdict as written. */
export function worstFirst(rows: readonly ReportRow[]): readonly ReportRow[] {
  return rows.toSorted((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
}

/** `Failed (predicted)`: a prediction is never to be taken for evidence. */
export function verdictWords({ predicted }: Report, { verdict }: ReportRow): string {
  return predicted ? `${verdict} (predicted)` : verdict;
}

/** `1 policy`, `2 policies`. */
export function counted(count: number, one: string, more: string): string {
  return `${count} ${count === 1 ? one : more}`;
}

export function placeWords({ file, line }: Place): string {
  return `${file}:${line}`;
}

/** What a pipeline shows of a row: what is most probably wrong, if that is known, before what would happen. */
export function findingFirst({ finding }: ReportRow, text: string): string {
  return finding === undefined ? text : `${finding.code}: ${finding.message} ${text}`;
}
