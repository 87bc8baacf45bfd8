import type { Policy } from '../api/index.ts';
import { type Direction, namespaceNameLabel, type PolicyProtocol, type PolicyReference } from '../policy/index.ts';
import type { Change } from './edit.ts';
import { identifyingLabels, type Side } from './side.ts';

/** The key of a rule's peers. */
export function peersKey(direction: Direction): 'from' | 'to' {
  return direction === 'ingress' ? 'from' : 'to';
}

export function typeOf(direction: Direction): 'Ingress' | 'Egress' {
  return direction === 'ingress' ? 'Ingress' : 'Egress';
}

/** A peer that means one side, as a policy in `namespace` has to write it; undefined where no peer can. */
export function peerFor(side: Side, namespace: string | undefined): Readonly<Record<string, unknown>> | undefined {
  if (side.pod !== undefined) {
    if (side.hostNetwork) return undefined;
    return {
      ...(side.namespace === namespace ? {} : { namespaceSelector: namespaceByName(side.namespace ?? '') }),
      podSelector: { matchLabels: identifyingLabels(side) },
    };
  }
  if (side.address === undefined) return undefined;
  return { ipBlock: { cidr: `${side.address}/${side.address.includes(':') ? 128 : 32}` } };
}

export function namespaceByName(name: string): unknown {
  return { matchLabels: { [namespaceNameLabel]: name } };
}

/** A policy that admits one connection and nothing else; undefined where NetworkPolicy cannot say it. */
export function admittingPolicy(
  direction: Direction,
  subject: Side,
  peer: Side,
  { protocol, port }: { readonly protocol: PolicyProtocol; readonly port: number },
): Change | undefined {
  const written = peerFor(peer, subject.namespace);
  if (written === undefined) return undefined;
  const other = peer.workload?.metadata.name ?? peer.pod?.metadata.name ?? 'address';
  const rule = { [peersKey(direction)]: [written], ports: [{ protocol, port }] };
  return newPolicy(
    `allow-${direction}-${direction === 'ingress' ? 'from' : 'to'}-${other}`,
    direction,
    subject,
    identifyingLabels(subject),
    [rule],
  );
}

/** A policy that denies everything in one direction to the pods of one side. */
export function isolatingPolicy(direction: Direction, subject: Side): Change | undefined {
  const name = `deny-${direction}-${subject.workload?.metadata.name ?? subject.pod?.metadata.name}`;
  return newPolicy(name, direction, subject, identifyingLabels(subject), []);
}

function newPolicy(
  name: string,
  direction: Direction,
  { namespace }: Side,
  matchLabels: Readonly<Record<string, string>>,
  rules: readonly unknown[],
): Change | undefined {
  if (namespace === undefined) return undefined;
  const after: Policy = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: name.slice(0, 63), namespace },
    spec: {
      podSelector: { matchLabels },
      policyTypes: [typeOf(direction)],
      ...(rules.length === 0 ? {} : { [direction]: rules }),
    },
  };
  return {
    object: { group: 'networking.k8s.io', kind: 'NetworkPolicy', namespace, name: after.metadata.name },
    path: '',
    after,
  };
}

/** Changes one field of a policy. */
export function change(policy: PolicyReference, path: string, before: unknown, after: unknown): Change {
  return {
    object: policy,
    path,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  };
}
