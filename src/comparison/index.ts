/** The policy model beside the evidence: whether they agree, which it is where they do not, and a few words of why; pure. */
export { type Comparison } from './compare.ts';
export { compareRun, isAdmitted } from './compare-run.ts';
export { type NetworkPlugin, type PoliciesInForce, type PoliciesOfRun, policiesOfRun } from './policies-of-run.ts';
