import {
  type FindingRow,
  placeWords,
  type Report,
  type ReportRow,
  summaryLine,
  verdictWords,
  worstFirst,
} from './report.ts';

/** For people: what did not pass in full, passes as a count (or in full too if asked), and the summary as the last line. */
export function textReport(report: Report, withPassed = false): string {
  const shown = worstFirst(report.rows).filter(({ verdict }) => withPassed || verdict !== 'Passed');
  const before = (row: ReportRow, index: number) => shown.slice(0, index).find((each) => isSameFinding(each, row));
  return [
    ...shown.map((row, index) => block(report, row, before(row, index))),
    `${summaryLine(report)} (${report.basis})`,
  ].join('\n');
}

function block(report: Report, row: ReportRow, same: ReportRow | undefined): string {
  const { namespace, test, expectation, expect, from, to, reason, message, place, description, finding } = row;
  const head = `${verdictWords(report, row).toUpperCase()}  ${namespace}/${test}: ${expectation}`;
  return [
    place === undefined ? head : `${head}  ${placeWords(place)}`,
    `  expected   ${expect}: ${from} -> ${to}`,
    ...(description === undefined ? [] : [`  because    ${description}`]),
    `  ${report.predicted ? 'predicted' : 'observed '}  ${reason}: ${message}`,
    ...(finding === undefined
      ? []
      : same === undefined
        ? findingLines(finding)
        : [`  finding    ${finding.code}, the same as under ${same.namespace}/${same.test}: ${same.expectation}`]),
    '',
  ].join('\n');
}

function findingLines({ code, message, at, edit, effect, or }: FindingRow): readonly string[] {
  return [
    `  finding    ${code}: ${message}`,
    ...(at === undefined ? [] : [`  at         ${at}`]),
    ...edit.map((line, index) => `  ${index === 0 ? 'edit     ' : '         '}  ${line}`),
    ...(effect === undefined ? [] : [`  effect     ${effect}`]),
    ...or.map((summary) => `  or         ${summary}`),
  ];
}

/** One mistake often fails several expectations: its edit is shown once. */
function isSameFinding(a: ReportRow, b: ReportRow): boolean {
  return (
    a.finding !== undefined &&
    b.finding !== undefined &&
    a.finding.code === b.finding.code &&
    a.finding.message === b.finding.message &&
    a.finding.edit.join('\n') === b.finding.edit.join('\n')
  );
}
