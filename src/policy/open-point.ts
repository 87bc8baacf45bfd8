import type { PolicyPart } from './part.ts';

/** Why an answer is `undefined`: the API leaves it open. */
export type OpenQuestion =
  | 'BlockAgainstPod'
  | 'BlockAgainstNode'
  | 'HostNetworkSubject'
  | 'HostNetworkPeer'
  | 'Self'
  | 'EqualPriority'
  | 'PodFinished';

/** Why an answer is `unknown`: an input is missing, or a field is not modelled. */
export type MissingInput =
  | 'PodNotFound'
  | 'AddressNotRead'
  | 'NamespaceLabelsUnknown'
  | 'ServiceAccountUnknown'
  | 'NetworkSetsNotRead'
  | 'PodAddressUnknown'
  | 'NodeOfPodUnknown'
  | 'AddressFamilyNotStated'
  | 'FieldNotModelled'
  | 'PolicyNotRead'
  | 'DependsOnName'
  | 'DependsOnRequest'
  | 'MixedDialects';

export interface OpenPoint {
  readonly code: OpenQuestion | MissingInput;
  readonly truth: 'undefined' | 'unknown';
  readonly message: string;
  readonly part?: PolicyPart;
}

export type CaveatCode =
  /** A rule names a port that the destination pod does not have by that name and protocol. */
  | 'NamedPortMissing'
  /** A rule that admits only some names or requests over this port. */
  | 'DependsOnName'
  | 'DependsOnRequest'
  /** The policy has rules for a direction that it does not list under policyTypes. */
  | 'UnlistedDirectionIgnored'
  /** A policy of this namespace was left out, because the API server would refuse it. */
  | 'PolicyRejected'
  /** Pod and own node: some plugins apply egress policy. */
  | 'OwnNode'
  /** The plugin is known to deviate here. */
  | 'ProfileDeviation';

/** What a reader of the answer should know besides. */
export interface Caveat {
  readonly code: CaveatCode;
  readonly message: string;
  readonly part?: PolicyPart;
}

export type FindingCode =
  /** The API server would refuse the policy, so it is not evaluated. */
  | 'Rejected'
  /** A field that the model does not know: it is not evaluated, or makes answers `unknown`. */
  | 'UnknownField'
  /** A field of a dialect that the model does not evaluate: what rests on it is `unknown`. */
  | 'NotModelled'
  /** Something that the API accepts and then does not look at. */
  | 'Ignored'
  /** The policy names no namespace, and one had to be assumed. */
  | 'NamespaceAssumed';

/** What is wrong with, or ignored in, a policy, wherever it applies. */
export interface PolicyFinding {
  readonly code: FindingCode;
  readonly message: string;
  readonly part: PolicyPart;
}
