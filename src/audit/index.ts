/** What is wrong, missing or to be looked at in a cluster's policies, and who may reach whom, in plain sentences; pure. */
export { auditOf, type Audit } from './audit.ts';
export { auditCodes, type AuditFinding, type AuditSeverity } from './finding.ts';
export { statementRows } from './row.ts';
export type { Tested } from './tested.ts';
export type { AuditWorld } from './world.ts';
