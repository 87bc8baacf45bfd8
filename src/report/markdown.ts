import {
  findingFirst,
  placeWords,
  type Report,
  type ReportRow,
  summaryLine,
  verdictWords,
  worstFirst,
} from './report.ts';

/** For a pull request's comment: the summary, and a table of what did not pass. */
export function markdownReport(report: Report): string {
  const open = worstFirst(report.rows).filter(({ verdict }) => verdict !== 'Passed');
  const head = `**Postern:** ${summaryLine(report)} _(${markdown(report.basis)})_`;
  if (open.length === 0) return head;
  return [
    head,
    '',
    '| Verdict | Expectation | Expected | Why |',
    '| --- | --- | --- | --- |',
    ...open.map((row) => rowOf(report, row)),
  ].join('\n');
}

function rowOf(report: Report, row: ReportRow): string {
  const { namespace, test, expectation, expect, from, to, reason, message, place } = row;
  const where = place === undefined ? '' : `<br>${markdown(placeWords(place))}`;
  return tableRow([
    verdictWords(report, row),
    `${markdown(`${namespace}/${test}: ${expectation}`)}${where}`,
    markdown(`${expect}: ${from} -> ${to}`),
    markdown(findingFirst(row, `${reason}: ${message}`)),
  ]);
}

export function tableRow(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** Text that Markdown shows as it is: no markup, no links, no mention of anybody, no end of a table's cell. */
export function markdown(text: string): string {
  return text.replace(/[&\\`*_[\]<>|~@]/g, (character) => `&#${character.charCodeAt(0)};`);
}
