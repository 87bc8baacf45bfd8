import { addressOf, type Block, blockOf } from '../address/index.ts';
import { readCiliumPorts } from './cilium-port.ts';
import { ciliumEntities, type CiliumScope, endpointCondition } from './cilium-selector.ts';
import { dependsOnName } from './cluster-network-policy.ts';
import type { Condition, Peer, Rule } from './normal-form.ts';
import type { OpenPoint } from './open-point.ts';
import type { Direction } from './question.ts';
import { type Members, openBelow, type Reader } from './reader.ts';

export interface CiliumRules {
  readonly rules: readonly Rule[];
  /** How many rules are written, those that match nothing included. */
  readonly count: number;
  /** Set where a rule constrains others in a way that the model does not evaluate. */
  readonly unknown?: OpenPoint;
}

/** What is said of the peer alike on both sides, by the name of the side: `From` or `To`. */
const peerFields = ['Endpoints', 'Requires', 'CIDR', 'CIDRSet', 'Entities', 'Nodes', 'Groups'] as const;

export function readCiliumRules(
  scope: CiliumScope,
  direction: Direction,
  action: 'allow' | 'deny',
  value: unknown,
  path: string,
): CiliumRules {
  const written = scope.reader.list(value, path);
  const rules = written.flatMap((entry, index) => readRule(scope, direction, action, entry, `${path}[${index}]`));
  const side = direction === 'ingress' ? 'from' : 'to';
  const requires = written.findIndex(
    (entry) => typeof entry === 'object' && entry !== null && Object.hasOwn(entry, `${side}Requires`),
  );
  if (requires === -1) return { rules, count: written.length };
  const member = `${path}[${requires}].${side}Requires`;
  const message = `${side}Requires constrains other rules (until Cilium 1.18), which the model does not evaluate.`;
  scope.reader.note('NotModelled', member, message);
  return {
    rules,
    count: written.length,
    unknown: {
      code: 'FieldNotModelled',
      truth: 'unknown',
      message,
      part: { policy: scope.reader.policy, path: member },
    },
  };
}

/** One written rule is a rule for each of its port entries, since each may bring requests of its own. */
function readRule(
  scope: CiliumScope,
  direction: Direction,
  action: 'allow' | 'deny',
  value: unknown,
  path: string,
): readonly Rule[] {
  const { reader } = scope;
  const side = direction === 'ingress' ? 'from' : 'to';
  const egressOnly = direction === 'egress' ? ['toServices', 'toFQDNs'] : [];
  const known = [...peerFields.map((field) => `${side}${field}`), ...egressOnly, 'toPorts', 'icmps', 'authentication'];
  const rule = reader.object(value, path, known);
  const peers = readPeers(scope, side, rule, path);
  const ports = readCiliumPorts(reader, rule, path);
  // A rule that names neither peer nor port matches nothing: it is how everything is denied by default.
  if (peers === undefined && ports === undefined) return [];
  const open = authentication(reader, rule, path) ?? unreadMember(reader, rule, known, path);
  return (ports ?? [{}]).map((entry) => ({
    path,
    action,
    subject: [],
    ...(peers === undefined ? {} : { peers }),
    ...entry,
    ...(open === undefined ? {} : { open }),
  }));
}

function unreadMember(reader: Reader, rule: Members, known: readonly string[], path: string): OpenPoint | undefined {
  return Object.keys(rule)
    .filter((key) => !known.includes(key))
    .map((key) => openBelow(reader, `${path}.${key}`))
    .find((found) => found !== undefined);
}

function authentication(reader: Reader, rule: Members, path: string): OpenPoint | undefined {
  if (rule['authentication'] === undefined) return undefined;
  const { mode } = reader.object(rule['authentication'], `${path}.authentication`, ['mode']);
  if (mode === 'disabled') return undefined;
  const message = `${path} asks for mutual authentication, which depends on more than policies.`;
  return {
    code: 'FieldNotModelled',
    truth: 'unknown',
    message,
    part: { policy: reader.policy, path: `${path}.authentication` },
  };
}

/** A rule's peers; `undefined` where it names none and so means any, empty where it lists none of a kind. */
function readPeers(scope: CiliumScope, side: 'from' | 'to', rule: Members, path: string): readonly Peer[] | undefined {
  const { reader } = scope;
  const kinds = ['Endpoints', 'CIDR', 'CIDRSet', 'Entities', 'Nodes', 'Groups', 'Services', 'FQDNs'].filter(
    (kind) => rule[`${side}${kind}`] !== undefined,
  );
  if (kinds.length === 0) return undefined;
  const lists = kinds.map((kind) => ({ kind, members: reader.list(rule[`${side}${kind}`], `${path}.${side}${kind}`) }));
  const filled = lists.filter(({ members }) => members.length > 0);
  if (filled.length > 1) {
    const names = filled.map(({ kind }) => `${side}${kind}`).join(' and ');
    reader.reject(path, `Cilium refuses ${names} in one rule: write a rule each.`);
  }
  // An empty list selects nobody, whatever stands beside it.
  if (filled.length < lists.length) return [];
  return filled.flatMap(({ kind, members }) =>
    members.map((member, index) => {
      const memberPath = `${path}.${side}${kind}[${index}]`;
      return { path: memberPath, conditions: readPeer(scope, kind, member, memberPath) };
    }),
  );
}

function readPeer(scope: CiliumScope, kind: string, member: unknown, path: string): readonly Condition[] {
  const { reader } = scope;
  switch (kind) {
    case 'Endpoints': {
      const selected = endpointCondition(scope, member, path, 'peer');
      const open = openBelow(reader, path);
      return [open === undefined ? selected : { kind: 'Open', point: open, path }];
    }
    case 'CIDR':
      return [block(reader, member, [], path)];
    case 'CIDRSet':
      return readBlockSet(reader, member, path);
    case 'Entities':
      return [readEntity(reader, member, path)];
    case 'FQDNs':
      // Names stand for addresses outside of the cluster alone.
      return [{ kind: 'Entity', entity: 'World', path }, dependsOnName(reader.policy, member, path)];
    case 'Nodes':
      return [
        { kind: 'Entity', entity: 'RemoteNode', path },
        notModelled(reader, path, 'Nodes are selected by their labels, which are not read.'),
      ];
    default:
      return [notModelled(reader, path, `The model does not evaluate to${kind}, so whom it selects is unknown.`)];
  }
}

function readEntity(reader: Reader, member: unknown, path: string): Condition {
  const entity = ciliumEntities.get(String(member));
  if (entity !== undefined) return { kind: 'Entity', entity, path };
  return notModelled(reader, path, `The model does not know who belongs to the entity ${String(member)}.`);
}

function notModelled(reader: Reader, path: string, message: string): Condition {
  reader.note('NotModelled', path, message);
  return {
    kind: 'Open',
    point: { code: 'FieldNotModelled', truth: 'unknown', message, part: { policy: reader.policy, path } },
    path,
  };
}

function readBlockSet(reader: Reader, member: unknown, path: string): readonly Condition[] {
  const { cidr, except, cidrGroupRef, cidrGroupSelector } = reader.object(member, path, [
    'cidr',
    'except',
    'cidrGroupRef',
    'cidrGroupSelector',
  ]);
  if (cidrGroupRef !== undefined || cidrGroupSelector !== undefined) {
    const outside: Condition = { kind: 'Entity', entity: 'World', path };
    return [outside, notModelled(reader, path, 'The blocks stand in a CiliumCIDRGroup, which is not read.')];
  }
  const holes = reader.list(except, `${path}.except`).flatMap((entry, index) => {
    const hole = blockOf(String(entry));
    if (hole === undefined) reader.reject(`${path}.except[${index}]`, `${JSON.stringify(entry)} is no address block.`);
    return hole === undefined ? [] : [hole];
  });
  return [block(reader, cidr, holes, path)];
}

/** Blocks are for what is outside: an address that belongs to a pod or node is known by its identity instead. */
function block(reader: Reader, text: unknown, except: readonly Block[], path: string): Condition {
  const single = typeof text === 'string' ? addressOf(text) : undefined;
  const found =
    single === undefined ? blockOf(String(text)) : { family: single.family, first: single.value, last: single.value };
  if (found !== undefined) return { kind: 'Block', path, block: found, except, pods: 'no', nodes: 'no' };
  reader.reject(path, `${JSON.stringify(text)} is no address block: write one like 10.0.0.0/8.`);
  return { kind: 'Entity', entity: 'None', path };
}
