import { findingFirst, type Report, type ReportRow, tallyOf } from './report.ts';

/** JUnit XML, as most pipelines read it: a suite per test, a case per expectation; an inconclusive one is an error, not a failure. */
export function junitReport(report: Report): string {
  const suites = Map.groupBy(report.rows, ({ namespace, test }) => `${namespace}/${test}`);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="postern" ${counts(report.rows)}>`,
    ...[...suites].flatMap(([name, rows]) => [
      `  <testsuite name="${xml(name)}" ${counts(rows)}>`,
      ...rows.flatMap((row) => testCase(report, row)),
      '  </testsuite>',
    ]),
    '</testsuites>',
  ].join('\n');
}

function counts(rows: readonly ReportRow[]): string {
  const { failed, inconclusive, skipped } = tallyOf(rows);
  return `tests="${rows.length}" failures="${failed}" errors="${inconclusive}" skipped="${skipped}"`;
}

function testCase({ predicted }: Report, row: ReportRow): readonly string[] {
  const { namespace, test, expectation, verdict, reason, message, place } = row;
  const where = place === undefined ? '' : ` file="${xml(place.file)}" line="${place.line}"`;
  const open = `    <testcase classname="${xml(`${namespace}/${test}`)}" name="${xml(expectation)}"${where}`;
  const text = xml(findingFirst(row, predicted ? `Predicted: ${message}` : message));
  switch (verdict) {
    case 'Passed':
      return [`${open}/>`];
    case 'Failed':
      return [`${open}>`, `      <failure type="${xml(reason)}" message="${text}"/>`, '    </testcase>'];
    case 'Inconclusive':
      return [`${open}>`, `      <error type="${xml(reason)}" message="${text}"/>`, '    </testcase>'];
    case 'Skipped':
      return [`${open}>`, `      <skipped message="${text}"/>`, '    </testcase>'];
  }
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** Text for an attribute. What XML 1.0 cannot hold even escaped (section 2.2) is left out. */
export function xml(text: string): string {
  return text
    .toWellFormed()
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '')
    .replace(/[&<>"']/g, (character) => entities[character] ?? '')
    .replace(/[\t\n\r]/g, ' ');
}
