import { allHold, type Scene } from './condition.ts';
import type { PortMatch, Rule } from './normal-form.ts';
import type { OpenPoint } from './open-point.ts';
import type { Party } from './party.ts';
import type { PolicyProtocol } from './question.ts';
import { and, not, some, type Truth } from './truth.ts';

/** One connection, as the policies of one side see it. */
export interface Connection extends Scene {
  readonly protocol: PolicyProtocol;
  readonly port: number;
  /** Whose named ports count. */
  readonly destination: Party;
}

/** Whether a rule matches a connection, and which of its entries do. */
export interface RuleMatch {
  readonly truth: Truth;
  readonly peerPath?: string;
  readonly portPath?: string;
  readonly open: readonly OpenPoint[];
}

export function matchRule(rule: Rule, connection: Connection): RuleMatch {
  const open: OpenPoint[] = [];
  const scene: Connection = { ...connection, open: (point) => open.push(point) };
  const ports = portsMatch(rule, connection);
  // What is open about the peer is of no interest where the port does not match.
  if (ports === 'no') return { truth: 'no', open };
  const subject = allHold(rule.subject, connection.subject, scene);
  const peers = subject === 'no' ? 'no' : peersMatch(rule, scene);
  const truth = and(and(subject, peers), and(ports, rule.open?.truth ?? 'yes'));
  if (truth === 'no') return { truth, open: [] };
  if (rule.open !== undefined) open.push(rule.open);
  const peer = rule.peers?.find(({ conditions }) => allHold(conditions, connection.peer, connection) === peers);
  const port = rule.ports?.find((entry) => portMatches(entry, connection) === ports);
  return {
    truth,
    ...(peer === undefined ? {} : { peerPath: peer.path }),
    ...(port === undefined ? {} : { portPath: port.path }),
    open: truth === 'yes' ? [] : open,
  };
}

/** Whether one of a rule's peers is the connection's other side. */
function peersMatch({ peers }: Rule, scene: Scene): Truth {
  return peers === undefined ? 'yes' : some(peers, ({ conditions }) => allHold(conditions, scene.peer, scene));
}

/** Whether a rule's ports admit the connection's. */
export function portsMatch({ ports, notPorts = [] }: Pick<Rule, 'ports' | 'notPorts'>, connection: Connection): Truth {
  const listed = ports === undefined ? 'yes' : some(ports, (entry) => portMatches(entry, connection));
  return and(listed, not(some(notPorts, (entry) => portMatches(entry, connection))));
}

/** Whether a port entry is the connection's; a name is looked up on the destination pod alone, with its protocol. */
export function portMatches({ protocol, range, name }: PortMatch, connection: Connection): Truth {
  if (protocol !== 'any' && protocol !== connection.protocol) return 'no';
  if (name !== undefined) {
    const { destination } = connection;
    const has =
      destination.kind === 'pod' &&
      destination.ports.some(
        (port) => port.name === name && port.protocol === connection.protocol && port.port === connection.port,
      );
    return has ? 'yes' : 'no';
  }
  const within = range === undefined || (connection.port >= range.first && connection.port <= range.last);
  return within ? 'yes' : 'no';
}
