/** The vocabulary: the resources of the API group, their verdicts and reasons, and the Kubernetes objects that Postern reads. */
export {
  type Calibration,
  calibrationName,
  type CalibrationStatus,
  type CalibrationTrigger,
  type FamilyDenialsStatus,
  type MeasuredOutcome,
  measuredOutcomes,
} from './calibration.ts';
export type { AddressBlock } from './address-block.ts';
export type * from './cluster-connectivity-test.ts';
export * from './connectivity-test.ts';
export type { Agreement, AgreementCause, ExplanationStatus } from './explanation-status.ts';
export { type ConnectivityGrant, refuseProbesLabel, type Role } from './grant.ts';
export * from './objects.ts';
export * from './reasons.ts';
export type * from './specification.ts';
export type { Rule } from './schema-parts.ts';
export type * from './status.ts';
