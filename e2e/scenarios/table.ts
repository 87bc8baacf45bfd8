import { expectedOutcomes, keyOf, outcomesOf, type Row } from './row.ts';
import type { Scenario } from './scenario.ts';

/** One expectation beside what its folder tells of it. */
interface Line {
  readonly expectation: string;
  readonly told: string;
  readonly live: string;
  readonly predicted: string;
  /** What is said about a live outcome that is not as told. */
  readonly message: string;
  readonly isAsTold: boolean;
}

/** A scenario as it was told, predicted and, where the cluster has what it needs, seen on the wire. */
export interface Comparison {
  readonly scenario: string;
  readonly lines: readonly Line[];
}

export function comparisonOf(scenario: Scenario, predicted: readonly Row[], live?: readonly Row[]): Comparison {
  const offline = outcomesOf(predicted);
  const seen = live && outcomesOf(live);
  const toldOffline = expectedOutcomes(scenario, 'offline');
  const lines = [...expectedOutcomes(scenario, 'live')].map(([key, told]): Line => {
    const outcome = seen === undefined ? 'not here' : (seen.get(key) ?? 'no run');
    const row = live?.find(({ test, expectation }) => keyOf(test, expectation) === key);
    return {
      expectation: key,
      told,
      live: outcome,
      predicted: offline.get(key) ?? 'nothing',
      message: row?.message ?? '',
      isAsTold: (seen === undefined || outcome === told) && offline.get(key) === toldOffline.get(key),
    };
  });
  return { scenario: scenario.name, lines };
}

export function isAsTold({ lines }: Comparison): boolean {
  return lines.every((line) => line.isAsTold);
}

/** One line per expectation, live beside predicted; what is not as told says why. */
export function tableOf(comparisons: readonly Comparison[]): string {
  const rows = comparisons
    .toSorted((one, other) => one.scenario.localeCompare(other.scenario))
    .flatMap(({ scenario, lines }) =>
      lines.map(({ expectation, told, live, predicted, message, isAsTold }) => [
        isAsTold ? 'ok' : 'BROKEN',
        scenario,
        expectation,
        live,
        predicted,
        isAsTold ? '' : `told: ${told}. ${message}`,
      ]),
    );
  return aligned([['', 'scenario', 'expectation', 'live', 'predicted', ''], ...rows]);
}

/** What became of a broken world on the wire. */
export interface Cure {
  readonly world: string;
  /** The finding that the catalogue names, and the one that the status had. */
  readonly wanted: string;
  readonly finding: string;
  /** `Verdict Reason` after the suggested edit. */
  readonly cured: string;
}

export function isCured({ wanted, finding, cured }: Cure): boolean {
  return finding === wanted && cured.startsWith('Passed ');
}

/** One line per broken world. */
export function tableOfCures(cures: readonly Cure[]): string {
  const rows = cures
    .toSorted((one, other) => one.world.localeCompare(other.world))
    .map((cure) => [
      isCured(cure) ? 'ok' : 'BROKEN',
      cure.world,
      cure.finding === cure.wanted ? cure.finding : `${cure.finding}, not ${cure.wanted}`,
      cure.cured,
    ]);
  return aligned([['', 'world', 'finding beside the evidence', 'after the suggested edit'], ...rows]);
}

/** Columns; the last one is free text, whose width is nobody's. */
function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(column === row.length - 1 ? 0 : (widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
