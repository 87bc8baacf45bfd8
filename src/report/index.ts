/** Verdicts as text: for people, programs and pipelines; pure. */
export {
  type AuditReport,
  type AuditRow,
  jsonAudit,
  markdownAudit,
  sarifAudit,
  type StatementRow,
  textAudit,
} from './audit.ts';
export {
  type ChangeReport,
  type ConnectionRow,
  type ExpectationRow,
  jsonChanges,
  markdownChanges,
  textChanges,
} from './change.ts';
export { githubReport } from './github.ts';
export { jsonReport } from './json.ts';
export { junitReport } from './junit.ts';
export { markdownReport } from './markdown.ts';
export { problemSentences, type ReportedTest, verdictTable } from './matrix.ts';
export { counted, type Place, type PolicyRow, type Report, type ReportRow, tallyOf } from './report.ts';
export { sarifReport } from './sarif.ts';
export { textReport } from './text.ts';
