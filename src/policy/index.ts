/** What the policies of a cluster say about a connection, by their documentation: exact where it is, and open where it is not. */
export { type Backend, type Backends, backendsOf, containerPortNamed, type ServicePort } from './backends.ts';
export { CompiledPolicies } from './compiled-policies.ts';
export type { ExaminedCondition, ExaminedRule, ExaminedSection } from './examine.ts';
export { namespaceNameLabel, requirementHolds, selectorMatches, tellingLabelKeys } from './labels.ts';
export type { LabelExpression, LabelOperator, Labels, Requirement } from './labels.ts';
export { leavesOf, requirementsOf } from './leaves.ts';
export { policyModel } from './model.ts';
export type { PolicyModel, PolicyModelOptions } from './model.ts';
export type * from './normal-form.ts';
export type * from './open-point.ts';
export { keyOf, referenceOf, segmentsOf } from './part.ts';
export type { PolicyPart, PolicyReference } from './part.ts';
export type { ProfileName } from './profile.ts';
export type * from './question.ts';
export type { Answer, Truth } from './truth.ts';
export type { PortRange, Reachability } from './reachability.ts';
