/** From evidence to verdicts, sentences, conditions and the status; pure. */
export { concludeRun, type ProbeReport, type Row, skippedRows } from './conclude.ts';
export { listed, statusAfterRun, statusPending, statusSuspended } from './status.ts';
