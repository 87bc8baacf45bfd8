import { textOf } from '../address/index.ts';
import type { Pod } from '../api/index.ts';
import {
  type Answer,
  type CompiledPolicy,
  type Condition,
  type Endpoint,
  leavesOf,
  type PolicyModel,
  type PolicyProtocol,
} from '../policy/index.ts';

/** One end of connections before and after a change: a workload, by one of its pods, or addresses outside of the cluster. */
export interface End {
  /** Such as `Deployment shop/web` or `outside (IPv4)`. */
  readonly name: string;
  /** Absent where there is no such end: nothing connects to or from it then. */
  readonly before?: Endpoint | undefined;
  readonly after?: Endpoint | undefined;
}

/** Ports from `first` to `last` of one protocol, over which the answer is one and the same. */
export interface PortRange {
  readonly protocol: PolicyProtocol;
  readonly first: number;
  readonly last: number;
}

/** What a change makes of the connections from one end to another over some ports. */
export interface ConnectionChange extends PortRange {
  readonly from: string;
  readonly to: string;
  readonly before: Answer;
  readonly after: Answer;
}

const lastPort = 65535;

/** The connections of each pair, from the first to the second, whose answer differs between two models, adjacent ports as one range. */
export function connectionChanges(
  pairs: readonly (readonly [End, End])[],
  base: PolicyModel,
  head: PolicyModel,
): readonly ConnectionChange[] {
  const ranges = portRangesOf(
    [...base.policiesInEveryReading, ...head.policiesInEveryReading],
    [...base.world.pods, ...head.world.pods],
  );
  const [askBase, askHead] = [askerOf(base), askerOf(head)];
  return pairs.flatMap(([from, to]) => {
    const changes: ConnectionChange[] = [];
    for (const { protocol, first, last } of ranges) {
      const before = askBase(from.before, to.before, protocol, first);
      const after = askHead(from.after, to.after, protocol, first);
      if (before === after) continue;
      const previous = changes.at(-1);
      const change = { from: from.name, to: to.name, protocol, first, last, before, after };
      const continues =
        previous?.protocol === protocol &&
        previous.last + 1 === first &&
        previous.before === before &&
        previous.after === after;
      if (continues) changes.pop();
      changes.push(continues ? { ...change, first: previous.first } : change);
    }
    return changes;
  });
}

type Asker = (
  source: Endpoint | undefined,
  destination: Endpoint | undefined,
  protocol: PolicyProtocol,
  port: number,
) => Answer;

/** The model's answer, a profile's if it has one: for two pods from the answers for all pairs, since here most pairs are asked about. */
function askerOf(model: PolicyModel): Asker {
  const reachability = model.reachability('profile');
  const positions = new Map(
    reachability.pods.map(({ namespace, name }, position) => [`${namespace}/${name}`, position]),
  );
  const positionOf = (end: Endpoint): number | undefined =>
    end.kind === 'pod' ? positions.get(`${end.namespace}/${end.name}`) : undefined;
  return (source, destination, protocol, port) => {
    if (source === undefined || destination === undefined) return 'deny';
    const [from, to] = [positionOf(source), positionOf(destination)];
    if (from !== undefined && to !== undefined) return reachability.answer(from, to, protocol, port);
    const decision = model.decide({ source, destination, protocol, port });
    return (decision.profile ?? decision).answer;
  };
}

/**
 * The ports of each protocol, parted wherever a rule or a named port begins or ends: within a part no rule tells ports apart. SCTP
 * only where somebody speaks of it, unless it is asked for.
 */
export function portRangesOf(
  policies: readonly CompiledPolicy[],
  pods: readonly Pod[],
  wanted?: readonly PolicyProtocol[],
): readonly PortRange[] {
  const entries = policies.flatMap(({ sections }) =>
    sections.flatMap(({ rules }) => rules.flatMap(({ ports = [], notPorts = [] }) => [...ports, ...notPorts])),
  );
  const declared = pods.flatMap(({ spec }) => spec.containers.flatMap(({ ports = [] }) => ports));
  const speaksOf = (protocol: PolicyProtocol): boolean =>
    entries.some((entry) => entry.protocol === protocol) || declared.some((port) => port.protocol === protocol);
  const spoken: readonly PolicyProtocol[] = speaksOf('SCTP') ? ['TCP', 'UDP', 'SCTP'] : ['TCP', 'UDP'];
  const protocols = wanted ?? spoken;
  return protocols.flatMap((protocol) => {
    const begins = new Set([1]);
    for (const { range, protocol: covered } of entries) {
      if (range !== undefined && (covered === protocol || covered === 'any')) {
        begins.add(range.first);
        begins.add(range.last + 1);
      }
    }
    for (const { containerPort, name, protocol: offered = 'TCP' } of declared) {
      if (name !== undefined && offered === protocol) {
        begins.add(containerPort);
        begins.add(containerPort + 1);
      }
    }
    const inOrder = [...begins].filter((port) => port >= 1 && port <= lastPort).toSorted((a, b) => a - b);
    return inOrder.map((first, index) => ({ protocol, first, last: (inOrder[index + 1] ?? lastPort + 1) - 1 }));
  });
}

/** Addresses of one family from `first` to `last`, between which no policy distinguishes. */
export interface AddressRange {
  readonly family: 4 | 6;
  readonly first: bigint;
  readonly last: bigint;
}

/**
 * The world outside of the cluster, parted wherever a block of addresses begins or ends: within a part no policy tells addresses
 * apart. IPv6 only where a policy speaks of it.
 */
export function outsideEnds(policies: readonly CompiledPolicy[]): readonly End[] {
  return ([4, 6] as const).flatMap((family) => {
    const ranges = addressRangesOf(policies, family);
    if (family === 6 && blocksIn(policies, family).length === 0) return [];
    return ranges.map(({ first, last }) => {
      const endpoint = { kind: 'address' as const, address: textOf({ family, value: first }) };
      const name =
        ranges.length === 1
          ? `outside (IPv${family})`
          : `outside (${textOf({ family, value: first })} to ${textOf({ family, value: last })})`;
      return { name, before: endpoint, after: endpoint };
    });
  });
}

/** All addresses of a family, in order, parted wherever a block of the policies begins or ends. */
export function addressRangesOf(policies: readonly CompiledPolicy[], family: 4 | 6): readonly AddressRange[] {
  const end = 1n << (family === 4 ? 32n : 128n);
  const begins = new Set([0n, ...blocksIn(policies, family).flatMap(({ first, last }) => [first, last + 1n])]);
  const inOrder = [...begins].filter((address) => address < end).toSorted((a, b) => (a < b ? -1 : 1));
  return inOrder.map((first, index) => ({ family, first, last: (inOrder[index + 1] ?? end) - 1n }));
}

function blocksIn(policies: readonly CompiledPolicy[], wanted: 4 | 6): readonly Block[] {
  return policies
    .flatMap(conditionsOf)
    .flatMap(leavesOf)
    .flatMap((leaf) => (leaf.kind === 'Block' ? [leaf.block, ...leaf.except] : []))
    .filter(({ family }) => family === wanted);
}

type Block = Extract<Condition, { kind: 'Block' }>['block'];

function conditionsOf({ sections }: CompiledPolicy): readonly Condition[] {
  return sections.flatMap(({ rules }) =>
    rules.flatMap(({ peers = [] }) => peers.flatMap(({ conditions }) => conditions)),
  );
}
