import { createHash } from 'node:crypto';
import { group, type Node } from '../api/index.ts';
import { type Assignment, type Check, type Identity, ownIdentity, type OwnPlace } from '../plan/index.ts';

/**
 * What is measured, in this order. A protocol's checks are numbered from three times its place: the control, the denied
 * ingress, the denied egress.
 */
export const protocols = ['TCP', 'UDP'] as const;
export type Protocol = (typeof protocols)[number];
export const checksPerProtocol = 3;

/** Label by which the static policies of the chart select calibration pods. */
const roleLabel = `${group}/calibration`;
const listenPort = 8080;
/** What the listeners send back: the datagram `postern`. */
const greeting = '706f737465726e';
/** Longest life of a listener's program: it outlives two rounds of probes. */
const listenSeconds = 240;

/** How long an open door is dialled: fresh pods may be open until their policies are in place. */
export const patienceSeconds = 10;

/** Addresses of the pods that listen. */
export interface Listeners {
  readonly open: string;
  readonly denied: string;
}

type Role = 'open' | 'ingress-denied' | 'egress-denied';

/** The pods that are dialled: one that everything is let in to, one that nothing is. */
export function listenTasks(
  place: OwnPlace,
): readonly (Assignment & { readonly listen: { port: number; seconds: number } })[] {
  return (['open', 'ingress-denied'] as const).map((role) => ({
    identity: identityOf(role, place),
    checks: [],
    listen: { port: listenPort, seconds: listenSeconds },
  }));
}

/**
 * The pods that dial: from the open one a control and the denied ingress, from the other one the denied egress. What must be
 * denied is looked at as a Deny is (`guard`), or until it is (`seal`).
 */
export function dialTasks(
  place: OwnPlace,
  listeners: Listeners,
  mode: 'guard' | 'seal' = 'guard',
): readonly Assignment[] {
  const open = identityOf('open', place);
  const denied = identityOf('egress-denied', place);
  return [
    {
      identity: open,
      checks: protocols.flatMap((protocol, index) => [
        checkOf(protocol, checksPerProtocol * index, 'converge', open, listeners.open),
        checkOf(protocol, checksPerProtocol * index + 1, mode, open, listeners.denied),
      ]),
    },
    {
      identity: denied,
      checks: protocols.map((protocol, index) =>
        checkOf(protocol, checksPerProtocol * index + 2, mode, denied, listeners.open),
      ),
    },
  ];
}

function checkOf(protocol: Protocol, id: number, mode: Check['mode'], identity: Identity, address: string): Check {
  const target = { address, port: listenPort, podUids: [], readinessProved: false };
  const check = { id, mode, port: listenPort, address, identity, target };
  return protocol === 'TCP' ? check : { ...check, udp: { payload: greeting } };
}

function identityOf(role: Role, place: OwnPlace): Identity {
  return ownIdentity(role, { [roleLabel]: role }, place);
}

/** Digest of which nodes there are, and of what on them decides how a packet is dropped. */
export function nodesDigest(nodes: readonly Node[]): string {
  const facts = nodes.map(({ metadata, status }) =>
    JSON.stringify([metadata.name, metadata.uid, status?.nodeInfo?.kernelVersion, status?.nodeInfo?.osImage]),
  );
  return createHash('sha256').update(facts.toSorted().join('\n')).digest('hex').slice(0, 16);
}
