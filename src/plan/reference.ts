import {
  type ConnectivityTest,
  type LabelSelector,
  refuseProbesLabel,
  type Role,
  type Source,
  type TargetReference,
} from '../api/index.ts';
import { canonical } from './cluster-address.ts';
import { consentOf, isOfAdministrators, refusesProbes, type Scope } from './consent.ts';
import type { Finding } from './finding.ts';
import { describeReferred, describeSelector } from './referred.ts';
import { selectorMatches } from '../policy/index.ts';
import type { ClusterView } from './view.ts';

/** Something in a test that names a namespace, or several. */
export interface Reference {
  readonly role: Role;
  /** The test's own if neither this nor `namespaces` is given. */
  readonly namespace?: string | undefined;
  readonly namespaces?: LabelSelector | undefined;
  /** Pods are resolved only by consent; what anybody could dial, such as a Service, unless its namespace refuses. */
  readonly needs: 'Consent' | 'NoRefusal';
  /** What is referred to in words. */
  readonly what: string;
}

/** The namespaces that a reference stands for. */
export interface Resolved {
  readonly scopes: readonly Scope[];
  /** What the verdict's sentence must add, such as that some namespaces were left out. */
  readonly note?: string;
}

/** Where the pods of a source may come from, or why from nowhere. */
export function resolveSource(test: ConnectivityTest, from: Source, view: ClusterView): Resolved | Finding {
  const { namespace, namespaces } = from;
  return resolveReference(
    test,
    { role: 'Source', namespace, namespaces, needs: 'Consent', what: describeReferred(from) },
    view,
  );
}

/** Where a target may be looked up, which is nowhere for plain addresses and names, or why it may not be dialled. */
export function resolveTarget(test: ConnectivityTest, to: TargetReference, view: ClusterView): Resolved | Finding {
  const { namespace, namespaces, service } = to;
  const role = 'Target';
  if (to.workload !== undefined || to.pods !== undefined) {
    const what = describeReferred(to);
    return resolveReference(test, { role, namespace, namespaces, needs: 'Consent', what }, view);
  }
  if (service !== undefined) {
    const what = `Service ${service.name}`;
    return resolveReference(test, { role, namespace: service.namespace, needs: 'NoRefusal', what }, view);
  }
  if (to.ip !== undefined) return refusedAddress([to.ip], view) ?? { scopes: [] };
  return to.host === undefined ? { scopes: [] } : resolveHost(test, to.host, view);
}

/** Every field of a test that names namespaces goes through here: one place to ask for consent (CVE-2026-41068 had two). */
export function resolveReference(test: ConnectivityTest, reference: Reference, view: ClusterView): Resolved | Finding {
  const { role, needs, namespaces } = reference;
  const consent = (namespace: string) =>
    needs === 'Consent' ? consentOf(test, namespace, role, view) : unlessRefused(namespace, view);
  if (namespaces === undefined) {
    const namespace = reference.namespace ?? test.metadata.namespace;
    const answer = consent(namespace);
    if (answer === 'NotGranted') return notGranted(test, reference);
    return answer === 'ProbesRefused' ? probesRefused(namespace, role) : scopesOf([answer]);
  }
  const selected = view
    .namespaces()
    .filter(({ metadata }) => selectorMatches(namespaces, metadata.labels))
    .map(({ metadata }) => metadata.name)
    .toSorted();
  const scopes = selected.map(consent).filter((answer) => typeof answer !== 'string');
  if (scopes.length > 0) return scopesOf(scopes, leftOut(test, namespaces, selected.length - scopes.length));
  if (!isOfAdministrators(test)) return notGranted(test, reference);
  return {
    reason: selected.length > 0 ? 'ProbesRefused' : `${role}NotFound`,
    message:
      selected.length > 0
        ? `Each namespace with ${describeSelector(namespaces)} refuses probes by its label ${refuseProbesLabel}. Ask their owners to take the label away.`
        : `No namespace matches ${describeSelector(namespaces)}. Correct the selector under \`namespaces\`.`,
  };
}

function unlessRefused(namespace: string, view: ClusterView): Scope | 'ProbesRefused' {
  const role = 'Target';
  return refusesProbes(view.namespace(namespace), role) ? 'ProbesRefused' : { role, namespace };
}

function scopesOf(scopes: readonly Scope[], without?: string): Resolved {
  const limited = scopes.some(({ parts }) => parts !== undefined)
    ? 'Only pods that a ConnectivityGrant names were used.'
    : undefined;
  const note = [without, limited].filter((part) => part !== undefined).join(' ');
  return note === '' ? { scopes } : { scopes, note };
}

/** Where was looked, in words. */
export function describeScopes(scopes: readonly Scope[]): string {
  const [only] = scopes;
  return only === undefined || scopes.length > 1
    ? `the ${scopes.length} selected namespaces`
    : `namespace ${only.namespace}`;
}

/** Never silent, and no names: those of other namespaces are not for everybody. */
function leftOut(test: ConnectivityTest, namespaces: LabelSelector, count: number): string | undefined {
  // A count over names that the author lists would tell which of them exist.
  if (!isOfAdministrators(test) && namesNames(namespaces)) {
    return 'Namespaces that do not exist, grant this test nothing or refuse probes were left out.';
  }
  if (count === 0) return undefined;
  const are = count === 1 ? 'namespace was' : 'namespaces were';
  return isOfAdministrators(test)
    ? `${count} selected ${are} left out: the label ${refuseProbesLabel} there refuses probes.`
    : `${count} selected ${are} left out for want of a ConnectivityGrant, or because probes are refused there.`;
}

function namesNames({ matchLabels, matchExpressions }: LabelSelector): boolean {
  const keys = [...Object.keys(matchLabels ?? {}), ...(matchExpressions ?? []).map(({ key }) => key)];
  return keys.includes('kubernetes.io/metadata.name');
}

/** The same whether what is referred to is absent or not granted: whoever may not use it is not told whether it exists. */
export function notGranted(test: ConnectivityTest, { role, namespace, namespaces, what }: Reference): Finding {
  const where =
    namespaces === undefined ? `namespace ${namespace}` : `any namespace with ${describeSelector(namespaces)}`;
  return {
    reason: 'NotGranted',
    message: `There is no ${what} in ${where}, or nothing there grants it to this test as a ${role.toLowerCase()}. Ask for a ConnectivityGrant there with \`from: [{namespace: ${test.metadata.namespace}}]\` and \`as: [${role}]\`.`,
  };
}

function probesRefused(namespace: string, role: Role): Finding {
  return {
    reason: 'ProbesRefused',
    message: `Namespace ${namespace} refuses probes as a ${role.toLowerCase()} by its label ${refuseProbesLabel}. Leave it out, or ask its owners to take the label away.`,
  };
}

/**
 * A host name may stand for something in a namespace that refuses probes: `api.shop.svc.cluster.local`, or `api.shop`, which
 * search domains complete. What an alias elsewhere leads to cannot be seen from here.
 */
function resolveHost(test: ConnectivityTest, host: string, view: ClusterView): Resolved | Finding {
  for (const namespace of namespacesInName(host)) {
    const resolved = resolveReference(test, { role: 'Target', namespace, needs: 'NoRefusal', what: host }, view);
    if ('reason' in resolved) return resolved;
  }
  const service = serviceNamedBy(host);
  return { scopes: service === undefined ? [] : [{ role: 'Target', namespace: service.namespace }] };
}

/** The Service that a host name stands for in the cluster's DNS, if it has that form. */
export function serviceNamedBy(host: string): { readonly name: string; readonly namespace: string } | undefined {
  const [, name, namespace] =
    /^([-a-z0-9]+)\.([-a-z0-9]+)\.svc(?:\.cluster\.local)?\.?$/.exec(host.toLowerCase()) ?? [];
  return name === undefined || namespace === undefined ? undefined : { name, namespace };
}

function namespacesInName(host: string): readonly string[] {
  const labels = host.toLowerCase().replace(/\.$/, '').split('.');
  const before = labels.filter((_, index) => ['svc', 'pod'].includes(labels[index + 1] ?? ''));
  return labels.length > 1 ? [...before, labels.at(-1) ?? ''] : before;
}

/** Addresses are dialled as they are, unless one is of a namespace that refuses probes. */
export function refusedAddress(addresses: readonly string[], view: ClusterView): Finding | undefined {
  const refusing = view
    .namespaces()
    .filter((namespace) => refusesProbes(namespace, 'Target'))
    .map(({ metadata }) => addressesIn(metadata.name, view));
  const refused = addresses.find((address) => refusing.some((known) => known.has(canonical(address))));
  if (refused === undefined) return undefined;
  return {
    reason: 'ProbesRefused',
    message: `The address ${refused} belongs to a namespace that refuses probes by its label ${refuseProbesLabel}. Name another one, or ask its owners to take the label away.`,
  };
}

/** Addresses of pods and Services. Those of pods on the host network are their node's. */
function addressesIn(namespace: string, view: ClusterView): ReadonlySet<string> {
  const pods = view.pods(namespace).filter(({ spec }) => spec.hostNetwork !== true);
  const addresses = [
    ...pods.flatMap(({ status }) => [status?.podIP, ...(status?.podIPs ?? []).map(({ ip }) => ip)]),
    ...view.services(namespace).flatMap(({ spec }) => [spec.clusterIP, ...(spec.clusterIPs ?? [])]),
  ];
  return new Set(addresses.filter((address) => address !== undefined).map(canonical));
}
