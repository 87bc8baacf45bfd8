/** What is wrong, missing or to be looked at in a cluster's policies, and who may reach whom, in plain sentences; pure. */
export { auditOf, type Audit } from './audit.ts';
export { auditCodes, auditSeverities, type AuditCode, type AuditFinding, type AuditSeverity } from './finding.ts';
export { inboundSentence, outboundSentence } from './sentence.ts';
export type { Statement } from './statement.ts';
export type { Tested } from './tested.ts';
export type { AuditWorld } from './world.ts';
