import { type Report, tallyOf } from './report.ts';

/** For programs. `format` changes when a field is removed or means something else; fields may be added. */
export function jsonReport(report: Report): string {
  const { predicted, version, basis, rows } = report;
  const content = {
    format: 'postern-report/v1',
    predicted,
    version,
    basis,
    summary: tallyOf(rows),
    expectations: rows,
  };
  return JSON.stringify(content, null, 2);
}
