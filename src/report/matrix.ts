import type { ExpectationStatus, Specification } from '../api/index.ts';
import { describeSource, describePort, describeTarget } from '../plan/index.ts';
import { plainText } from '../text/index.ts';

/** What a matrix needs of a test. */
export interface ReportedTest {
  readonly metadata: { readonly namespace: string; readonly name: string };
  readonly spec: Specification;
  readonly status?: { readonly expectations?: readonly ExpectationStatus[] };
}

/** Room for one cell of a table: two names of 253 bytes each. */
const maxCellBytes = 512;
/** Room for the longest sentence of a status and the names before it. */
const maxSentenceBytes = 2048;

const words: Readonly<Record<string, string>> = {
  Passed: 'ok',
  Failed: 'FAILED',
  Inconclusive: 'UNPROVEN',
  Skipped: 'skipped',
};

/**
 * One line per expectation of the tests: who, to what, what is expected, and the verdict in words. Aligned plain text for
 * a terminal of about 100 columns.
 */
export function verdictTable(tests: readonly ReportedTest[]): string {
  const rows = tests.flatMap((test) => {
    const verdicts = new Map(test.status?.expectations?.map((row) => [row.name, row]));
    return test.spec.expectations.map((expectation) => {
      const row = verdicts.get(expectation.name);
      return [
        `${test.metadata.namespace}/${describeSource(expectation)}`,
        '->',
        `${describeTarget(expectation, test.metadata.namespace)} ${describePort(expectation)}`,
        expectation.expect,
        row === undefined ? 'no result yet' : `${words[row.verdict] ?? row.verdict} (${row.reason})`,
      ];
    });
  });
  return aligned([['FROM', '', 'TO', 'EXPECTED', 'VERDICT'], ...rows]);
}

/** The sentences of what did not pass, worst first. */
export function problemSentences(tests: readonly ReportedTest[]): readonly string[] {
  const rows = tests.flatMap(({ metadata, status }) =>
    (status?.expectations ?? []).map((row) => ({ ...row, test: `${metadata.namespace}/${metadata.name}` })),
  );
  return ['Failed', 'Inconclusive'].flatMap((verdict) =>
    rows
      .filter((row) => row.verdict === verdict)
      .map((row) => plainText(`${row.test}: ${row.name}: ${row.message}`, maxSentenceBytes)),
  );
}

function aligned(texts: readonly (readonly string[])[]): string {
  const rows = texts.map((row) => row.map((cell) => plainText(cell, maxCellBytes)));
  const columns = rows[0]?.length ?? 0;
  const widths = Array.from({ length: columns }, (_, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
