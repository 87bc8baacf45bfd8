import { createHash } from 'node:crypto';
import { group, type Node } from '../api/index.ts';
import { type Assignment, type Check, type Identity, ownIdentity, type OwnPlace } from '../plan/index.ts';
import { familyOf, type IpFamily } from '../probe/index.ts';

/** What is measured over each family of addresses, in this order. */
export const protocols = ['TCP', 'UDP'] as const;
export type Protocol = (typeof protocols)[number];

/** What each protocol is measured by: a connection that must stand, one that the target's side denies, one that the source's does. */
const parts = ['control', 'ingress', 'egress'] as const;

/** The number of a check: all of the first family's come first, and of each protocol these three. */
export function checkIdOf(familyPlace: number, protocol: Protocol, part: (typeof parts)[number]): number {
  return (familyPlace * protocols.length + protocols.indexOf(protocol)) * parts.length + parts.indexOf(part);
}

/** Label by which the static policies of the chart select calibration pods. */
const roleLabel = `${group}/calibration`;
const listenPort = 8080;
/** What the listeners send back: the datagram `postern`. */
const greeting = '706f737465726e';
/** Longest life of a listener's program: it outlives two rounds of probes. */
const listenSeconds = 240;

/** How long an open door is dialled: fresh pods may be open until their policies are in place. */
export const patienceSeconds = 10;

/** Addresses of the pods that listen, of each family that they have, the primary one first. */
export interface Listeners {
  readonly open: readonly string[];
  readonly denied: readonly string[];
}

/** Where both listeners answer over one family of addresses. */
interface SharedFamily {
  readonly family: IpFamily;
  readonly open: string;
  readonly denied: string;
}

/** The families that both listeners have, the primary one first. */
export function sharedFamilies({ open, denied }: Listeners): readonly SharedFamily[] {
  return open.flatMap((address) => {
    const family = familyOf(address);
    const other = denied.find((each) => familyOf(each) === family);
    return other === undefined ? [] : [{ family, open: address, denied: other }];
  });
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
  const doors = sharedFamilies(listeners).flatMap((addresses, familyPlace) =>
    protocols.map((protocol) => ({ familyPlace, protocol, addresses })),
  );
  return [
    {
      identity: open,
      checks: doors.flatMap(({ familyPlace, protocol, addresses }) => [
        checkOf(protocol, checkIdOf(familyPlace, protocol, 'control'), 'converge', open, addresses.open),
        checkOf(protocol, checkIdOf(familyPlace, protocol, 'ingress'), mode, open, addresses.denied),
      ]),
    },
    {
      identity: denied,
      checks: doors.map(({ familyPlace, protocol, addresses }) =>
        checkOf(protocol, checkIdOf(familyPlace, protocol, 'egress'), mode, denied, addresses.open),
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
