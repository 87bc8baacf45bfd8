import { type Assignment, type Check, type Identity, ownIdentity, type OwnPlace } from '../plan/index.ts';
import { familyOf } from '../probe/index.ts';
import type { Crossing } from '../verdict/index.ts';

/** The label of calibration pods that the chart's policies admit everything to and from: no identity of its own is minted. */
const openLabels = { 'postern.dev/calibration': 'open' };
const listenPort = 8080;
/** What a listener sends back: the datagram `postern`. */
const greeting = '706f737465726e';
/** Longest life of a listener's program: it outlives a round. */
const listenSeconds = 60;

/** Where the listener of each node answers, by its addresses. */
export type Listeners = ReadonlyMap<string, readonly string[]>;

/** A pod that listens, pinned to a node. */
export interface ListenTask extends Assignment {
  readonly listen: { readonly port: number; readonly seconds: number };
}

/** The nodes that packets are to arrive at, each once. */
export function farNodes(crossings: readonly Crossing[]): readonly string[] {
  return [...new Set(crossings.map(({ to }) => to))];
}

/** A pod that listens on each of the nodes. */
export function listenTasks(place: OwnPlace, nodes: readonly string[]): readonly ListenTask[] {
  return nodes.map((node) => ({
    identity: pinned(place, node),
    checks: [],
    listen: { port: listenPort, seconds: listenSeconds },
  }));
}

/** A pod that dials on each node that packets leave, and which crossing each of its checks is about. */
export interface DialTask extends Assignment {
  readonly crossings: readonly Crossing[];
}

/** Dials every crossing whose far end listens in that family, from its near end. */
export function dialTasks(place: OwnPlace, crossings: readonly Crossing[], listeners: Listeners): readonly DialTask[] {
  const ways = crossings.flatMap((crossing) => {
    const address = listeners.get(crossing.to)?.find((each) => familyOf(each) === crossing.family);
    return address === undefined ? [] : [{ crossing, address }];
  });
  return [...Map.groupBy(ways, ({ crossing }) => crossing.from)].map(([node, dialled]) => {
    const identity = pinned(place, node);
    const checks = dialled.map(({ crossing, address }, id) => checkOf(id, identity, crossing, address));
    return { identity, checks, crossings: dialled.map(({ crossing }) => crossing) };
  });
}

function checkOf(id: number, identity: Identity, { protocol }: Crossing, address: string): Check {
  const target = { address, port: listenPort, podUids: [], readinessProved: false };
  const check: Check = { id, mode: 'converge', port: listenPort, address, identity, target };
  return protocol === 'UDP' ? { ...check, udp: { payload: greeting } } : check;
}

/**
 * An identity on one node, whatever keeps other pods from it: where applications run, paths are to be proved. By the scheduler's own
 * means, so that a node without room is left alone.
 */
function pinned(place: OwnPlace, node: string): Identity {
  const identity = ownIdentity(`crossing ${node}`, openLabels, place);
  const { imagePullSecrets } = identity.pod;
  const nodeSelectorTerms = [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] }];
  return {
    ...identity,
    pod: {
      ...(imagePullSecrets === undefined ? {} : { imagePullSecrets }),
      tolerations: [{ operator: 'Exists' }],
      affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
    },
  };
}
