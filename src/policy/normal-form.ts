import type { Block } from '../address/index.ts';
import type { LabelExpression } from './labels.ts';
import type { Caveat, OpenPoint, PolicyFinding } from './open-point.ts';
import type { PolicyReference } from './part.ts';
import type { Direction, PolicyProtocol } from './question.ts';
import type { Truth } from './truth.ts';

/**
 * What every dialect compiles to. All paths are relative to the policy object. A section is what one policy says about one
 * direction of the pods that it selects; its stage says when it is asked, relative to others.
 */
export interface CompiledPolicy {
  readonly reference: PolicyReference;
  readonly sections: readonly Section[];
  readonly findings: readonly PolicyFinding[];
  /** Set where the policy may also police nodes, which the model does not evaluate. */
  readonly hostPolicy?: OpenPoint;
}

/**
 * Stages are asked by rank until one decides; a subject that none decides for is open. In a `union` stage a denying rule that
 * matches wins, else an admitting one. In an `ordered` stage sections are asked by `order`, rules as written, and the first
 * match decides; sections of equal order have no defined order unless `ties` are broken by name, among those of one API group.
 */
export interface Stage {
  readonly name: string;
  readonly rank: number;
  readonly evaluation: 'union' | 'ordered';
  readonly ties?: 'byName' | 'undefined';
}

export interface Section {
  readonly policy: PolicyReference;
  readonly direction: Direction;
  /** Where the section stands, such as `spec.ingress`. */
  readonly path: string;
  readonly stage: Stage;
  /** Position within an ordered stage; lower first. */
  readonly order: number;
  /** All must hold for a pod to be selected. */
  readonly subject: readonly Condition[];
  readonly subjectPath: string;
  /** Whether a selected pod is denied, at the end of the stage, what no rule of the stage admits. */
  readonly isolates: boolean;
  readonly rules: readonly Rule[];
  /** What a reader should know wherever this section selects the subject. */
  readonly caveats: readonly Caveat[];
}

export type Action = 'allow' | 'deny' | 'pass';

export interface Rule {
  readonly path: string;
  readonly action: Action;
  /** Further conditions on the subject itself (Calico can name both sides in one rule). */
  readonly subject: readonly Condition[];
  /** One of them must match; absent means any peer, whether in the cluster or not, an empty list none. */
  readonly peers?: readonly Peer[];
  /** One of them must match; absent means any port of any protocol, an empty list none. */
  readonly ports?: readonly PortMatch[];
  readonly notPorts?: readonly PortMatch[];
  /** What else must hold and cannot be known from the connection alone, such as a name or a request. */
  readonly open?: OpenPoint;
}

export interface Peer {
  readonly path: string;
  /** All must hold. */
  readonly conditions: readonly Condition[];
}

export type Condition =
  | LabelCondition
  | BlockCondition
  | { readonly kind: 'Entity'; readonly entity: Entity; readonly path: string }
  | { readonly kind: 'Not'; readonly condition: Condition; readonly path: string }
  | { readonly kind: 'Some' | 'All'; readonly conditions: readonly Condition[]; readonly path: string }
  | { readonly kind: 'Open'; readonly point: OpenPoint; readonly path: string };

/** A selector over labels: only pods match. */
export interface LabelCondition {
  readonly kind: 'Labels';
  readonly path: string;
  readonly expression: LabelExpression;
  /** Whether it also selects pods of the host network. */
  readonly hostNetwork: Truth;
}

export interface BlockCondition {
  readonly kind: 'Block';
  readonly path: string;
  readonly block: Block;
  readonly except: readonly Block[];
  /** Whether a pod, or a node, whose address lies in the block is matched. */
  readonly pods: Truth;
  readonly nodes: Truth;
}

/** Groups of peers by what they are. `Host` is the subject's own node; pods of the host network are their nodes. */
export type Entity =
  | 'All'
  | 'None'
  | 'Cluster'
  | 'Pods'
  | 'OwnedPods'
  | 'Nodes'
  | 'Host'
  | 'RemoteNode'
  | 'World'
  | 'WorldIPv4'
  | 'WorldIPv6';

export interface PortMatch {
  readonly path: string;
  readonly protocol: PolicyProtocol | 'any';
  /** Inclusive. Neither range nor name: every port of the protocol. */
  readonly range?: { readonly first: number; readonly last: number };
  /** A container port's name, resolved on the destination pod, name and protocol both. */
  readonly name?: string;
}
