import type { Edit, ObjectReference } from '../explanation/index.ts';
import type { Direction } from '../policy/index.ts';

/** Everything that an audit can find, and what it is. Closed: programs tell findings apart by these codes. */
export const auditCodes = {
  PolicyInvalid: 'the API server would refuse the policy, so that it protects nobody',
  NoDefaultDeny: 'a pod of the namespace that no policy names is open',
  NamespaceLabelMissing: 'no namespace carries the label that a peer asks for',
  NoPolicySelects: 'no policy selects the workload',
  SelectsNothing: 'the policy selects no pod',
  RuleMatchesNothing: 'the rule matches no connection',
  PeerMatchesNothing: 'one of the rule’s peers is nobody',
  NamedPortMissing: 'no destination of the rule has a port of that name',
  RulesIgnored: 'something in the policy is written and not looked at',
  PolicyNotModelled: 'the policy model does not know something in the policy',
  HostNetwork: 'the workload uses the host network, where policies have no say',
  PeerNotRead: 'a peer is in a namespace of which nothing was read',
  ExpectationNotFollowed: 'what an expectation needs cannot be told from what was read',
  NamespaceUntested: 'no expectation is about the namespace',
  WiderThanTests: 'the rule admits what no expectation needs',
} as const;

export type AuditCode = keyof typeof auditCodes;

/** How much a finding weighs, the heaviest first. */
export const auditSeverities = ['High', 'Medium', 'Low'] as const;
export type AuditSeverity = (typeof auditSeverities)[number];

/** One thing that is wrong, missing or to be looked at. */
export interface AuditFinding {
  readonly code: AuditCode;
  readonly severity: AuditSeverity;
  /** What the finding is about: a policy, a workload or a namespace, and the field; the empty path is the object itself. */
  readonly object: ObjectReference;
  readonly path: string;
  /** Where to look if the object itself was not read, such as a namespace's workloads, or a workload's pods. */
  readonly nearby?: readonly ObjectReference[];
  /** The directions in which it holds; empty where it is about none. */
  readonly directions: readonly Direction[];
  /** Sentences: what is, and what to do next. */
  readonly message: string;
  /** What to write, where that can be told; it was tried on the policy model. */
  readonly edit?: Edit;
}

const codes = Object.keys(auditCodes);

/** The heaviest first, then by code, namespace, name and path. */
export function inOrder(findings: readonly AuditFinding[]): readonly AuditFinding[] {
  const key = ({ object, path }: AuditFinding): string =>
    [object.namespace ?? '', object.kind, object.name, path].join('\n');
  return findings.toSorted(
    (a, b) =>
      auditSeverities.indexOf(a.severity) - auditSeverities.indexOf(b.severity) ||
      codes.indexOf(a.code) - codes.indexOf(b.code) ||
      compare(key(a), key(b)),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
