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
  const all = [['', 'scenario', 'expectation', 'live', 'predicted', ''], ...rows];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? [];
  // The last column is free text: its width is nobody's.
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(column === 5 ? 0 : (widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
