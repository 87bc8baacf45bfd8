/** Verdicts as text for people; pure. */
export { problemSentences, type ReportedTest, verdictTable } from './matrix.ts';
