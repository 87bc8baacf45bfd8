/** From evidence to verdicts, sentences, conditions and the status; pure. */
export { observedVerdict } from './damping.ts';
export { excusedUntil, graceMsOf, isFresh, recencyMsOf } from './excuse.ts';
export {
  concludeRun,
  type JudgedCheck,
  type JudgedLine,
  judgeRun,
  type ProbeReport,
  type Row,
  rowOf,
  type RunEvidence,
  skippedRows,
} from './conclude.ts';
export { transportOf } from './control.ts';
export { type Crossing, type CrossingState, crossingsTo } from './crossing.ts';
export { type DenialPair, type Denials, unenforcedSides } from './denial.ts';
export type { Wire } from './wire.ts';
export { type DesiredCondition, mergeConditions } from './condition.ts';
export { sentenceFor } from './sentence.ts';
export { listed, statusAfterRun, statusPending, statusStale, statusSuspended } from './status.ts';
export { isRefusalShown, statusRefused, withRefusals } from './refusal.ts';
