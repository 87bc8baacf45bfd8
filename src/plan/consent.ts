import {
  type ConnectivityGrant,
  type ConnectivityTest,
  type Namespace,
  refuseProbesLabel,
  type Role,
} from '../api/index.ts';
import type { ClusterView } from './view.ts';

/** A part of a namespace that a grant is limited to. */
export type GrantedPart = NonNullable<ConnectivityGrant['spec']['to']>[number];

/** A namespace that a test may use in a role, and how much of it. */
export interface Scope {
  readonly role: Role;
  readonly namespace: string;
  /** Only these pods of it may be used; absent for all of them. */
  readonly parts?: readonly GrantedPart[];
  /** The grant that lets the test in, which owns its probe pods there; absent where none is needed. */
  readonly grant?: ConnectivityGrant;
}

export type Consent = Scope | 'NotGranted' | 'ProbesRefused';

/**
 * Whether a test may use pods of a namespace in a role. At home it may; elsewhere only by grants that stand in that very
 * namespace and name the test's. A ClusterConnectivityTest needs none. A namespace that refuses probes refuses all of them, but
 * only whom it grants something learns that it is why.
 */
export function consentOf(test: ConnectivityTest, namespace: string, role: Role, view: ClusterView): Consent {
  const scope = grantedScope(test, namespace, role, view);
  if (scope === undefined) return 'NotGranted';
  return refusesProbes(view.namespace(namespace), role) ? 'ProbesRefused' : scope;
}

function grantedScope(test: ConnectivityTest, namespace: string, role: Role, view: ClusterView): Scope | undefined {
  if (isOfAdministrators(test) || namespace === test.metadata.namespace) return { role, namespace };
  const grants = view
    .grants(namespace)
    .filter(({ metadata, spec }) => metadata.deletionTimestamp === undefined && spec.as.includes(role))
    .filter(({ spec }) => spec.from.some((from) => from.namespace === test.metadata.namespace))
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const [grant] = grants;
  if (grant === undefined) return undefined;
  const isWhole = grants.some(({ spec }) => spec.to === undefined);
  return isWhole
    ? { role, namespace, grant }
    : { role, namespace, grant, parts: grants.flatMap(({ spec }) => spec.to ?? []) };
}

export function isOfAdministrators({ kind }: Pick<ConnectivityTest, 'kind'>): boolean {
  return kind === 'ClusterConnectivityTest';
}

/** Whether a namespace has the label by which it refuses probes in a role. */
export function refusesProbes(namespace: Namespace | undefined, role: Role): boolean {
  const refused = namespace?.metadata.labels?.[refuseProbesLabel];
  if (refused === undefined) return false;
  const other = role === 'Source' ? 'as-target' : 'as-source';
  return refused !== other;
}

/** Equal for scopes that are the same consent. */
export function scopeKey({ role, namespace, parts, grant }: Scope): string {
  return JSON.stringify([role, namespace, parts, grant?.metadata.uid]);
}
