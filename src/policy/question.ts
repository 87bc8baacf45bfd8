import type { Namespace, Pod, Policy } from '../api/index.ts';
import type { Caveat, OpenPoint } from './open-point.ts';
import type { PolicyPart } from './part.ts';
import type { ProfileName } from './profile.ts';
import type { Answer } from './truth.ts';

export type PolicyProtocol = 'TCP' | 'UDP' | 'SCTP';

/**
 * What the model reads: raw API objects. A namespace that a pod is in but that is not listed has unknown labels, other than
 * `kubernetes.io/metadata.name`, which every namespace carries.
 */
export interface PolicyWorld {
  readonly namespaces: readonly Namespace[];
  readonly pods: readonly Pod[];
  /** Policies of every kind, told apart by the group of their apiVersion and their kind. */
  readonly policies: readonly Policy[];
  readonly nodes?: readonly { readonly name: string; readonly addresses: readonly string[] }[];
}

export type Endpoint =
  | { readonly kind: 'pod'; readonly namespace: string; readonly name: string }
  /** One of a pod's or node's own addresses stands for that pod or node. */
  | { readonly kind: 'address'; readonly address: string }
  | { readonly kind: 'node'; readonly name: string };

export interface Question {
  readonly source: Endpoint;
  readonly destination: Endpoint;
  readonly protocol: PolicyProtocol;
  /** The destination pod's port: a Service's port is translated before policies look at it. */
  readonly port: number;
}

export type Direction = 'ingress' | 'egress';

export type BasisReason =
  /** No policy selects the pod in this direction. */
  | 'NotIsolated'
  | 'AdmittedByRule'
  /** Selected, and no rule admits the connection. */
  | 'NoRuleAdmits'
  | 'DeniedByRule'
  /** The side that this direction is about is no pod, so no policy has a say. */
  | 'NotSubject'
  /** The pod and its own node may always talk. */
  | 'SameNode'
  /** A pod's connection to its own address. */
  | 'Self'
  /** The answer is `undefined` or `unknown`; `open` names why. */
  | 'Open';

export interface DecisionBasis {
  readonly reason: BasisReason;
  /** What the API leaves open, or what is missing or not modelled, where that matters to the answer. */
  readonly open: readonly OpenPoint[];
}

export interface DirectionDecision {
  readonly answer: Answer;
  /** The selectors of the policies that isolate the subject in this direction. */
  readonly isolatedBy: readonly PolicyPart[];
  /** The rules which decided, each followed by its peer and its port entry where it names any. */
  readonly decidedBy: readonly PolicyPart[];
  readonly basis: DecisionBasis;
  readonly caveats: readonly Caveat[];
}

export interface Decision {
  /** The specification's answer. */
  readonly answer: Answer;
  readonly egress: DirectionDecision;
  readonly ingress: DirectionDecision;
  /** What the profile's network plugin is known to do, where that differs from the specification. */
  readonly profile?: {
    readonly name: ProfileName;
    readonly answer: Answer;
    readonly egress: DirectionDecision;
    readonly ingress: DirectionDecision;
  };
}
