import { findingFirst, type Report, type ReportRow, summaryLine, worstFirst } from './report.ts';

/**
 * Workflow commands of GitHub Actions: an annotation at the line of each expectation that did not pass. Worst first, since only
 * the first ten of a kind are shown.
 */
export function githubReport(report: Report): string {
  const open = worstFirst(report.rows).filter(({ verdict }) => verdict === 'Failed' || verdict === 'Inconclusive');
  return [...open.map((row) => annotation(report, row)), `${summaryLine(report)} (${report.basis})`].join('\n');
}

function annotation({ predicted }: Report, row: ReportRow): string {
  const { namespace, test, expectation, verdict, reason, message, place } = row;
  const kind = verdict === 'Failed' ? 'error' : 'warning';
  const title = `${verdict}${predicted ? ' (predicted)' : ''}: ${namespace}/${test} ${expectation}`;
  const where = place === undefined ? '' : `file=${property(place.file)},line=${place.line},col=${place.column},`;
  return `::${kind} ${where}title=${property(title)}::${data(findingFirst(row, `${reason}: ${message}`))}`;
}

/** https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts: what ends a command's data, or a property. */
function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
