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
  return [...shown.map((row) => block(report, row)), `${summaryLine(report)} (${report.basis})`].join('\n');
}

function block(report: Report, row: ReportRow): string {
  const { namespace, test, expectation, expect, from, to, reason, message, place, description, finding } = row;
  const head = `${verdictWords(report, row).toUpperCase()}  ${namespace}/${test}: ${expectation}`;
  return [
    place === undefined ? head : `${head}  ${placeWords(place)}`,
    `  expected   ${expect}: ${from} -> ${to}`,
    ...(description === undefined ? [] : [`  because    ${description}`]),
    `  ${report.predicted ? 'predicted' : 'observed '}  ${reason}: ${message}`,
    ...(finding === undefined ? [] : findingLines(finding)),
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
