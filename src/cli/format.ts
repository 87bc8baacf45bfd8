import {
  githubReport,
  jsonReport,
  junitReport,
  markdownReport,
  type Report,
  sarifReport,
  textReport,
} from '../report/index.ts';

export const formats = ['text', 'json', 'junit', 'markdown', 'github', 'sarif'] as const;

/** A report as its reader wants it. */
export function inFormat(format: (typeof formats)[number], report: Report, isVerbose: boolean): string {
  switch (format) {
    case 'text':
      return textReport(report, isVerbose);
    case 'json':
      return jsonReport(report);
    case 'junit':
      return junitReport(report);
    case 'markdown':
      return markdownReport(report);
    case 'github':
      return githubReport(report);
    case 'sarif':
      return sarifReport(report);
  }
}
