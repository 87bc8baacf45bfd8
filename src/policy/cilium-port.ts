import { readNumber } from './network-policy.ts';
import type { PortMatch, Rule } from './normal-form.ts';
import type { OpenPoint } from './open-point.ts';
import { isPolicyProtocol } from './party.ts';
import { type Members, openBelow, type Reader } from './reader.ts';

export type PortEntry = Pick<Rule, 'ports' | 'open'>;

/** The port entries of a rule, each with what it further depends on; `undefined` where it names no ports. */
export function readCiliumPorts(reader: Reader, rule: Members, path: string): readonly PortEntry[] | undefined {
  const { toPorts, icmps } = rule;
  // A rule for ICMP matches no TCP, UDP or SCTP.
  if (toPorts === undefined) return icmps === undefined ? undefined : [{ ports: [] }];
  const entries = reader.list(toPorts, `${path}.toPorts`);
  if (entries.length === 0) return undefined;
  return entries.map((entry, index) => readEntry(reader, entry, `${path}.toPorts[${index}]`));
}

const entryFields = ['ports', 'rules', 'terminatingTLS', 'originatingTLS', 'serverNames', 'listener'];

function readEntry(reader: Reader, value: unknown, path: string): PortEntry {
  const entry = reader.object(value, path, entryFields);
  const ports = reader
    .list(entry['ports'], `${path}.ports`)
    .flatMap((port, index) => readPort(reader, port, `${path}.ports[${index}]`));
  const open = dependsOnRequest(reader, entry, path) ?? openBelow(reader, path);
  return { ports, ...(open === undefined ? {} : { open }) };
}

/** Names and requests are looked at once the connection stands, or while it is being made. */
function dependsOnRequest(reader: Reader, entry: Members, path: string): OpenPoint | undefined {
  const member = ['rules', 'serverNames', 'listener'].find((field) => entry[field] !== undefined);
  if (member === undefined) return undefined;
  const isDNS =
    member === 'rules' &&
    Object.hasOwn(reader.object(entry['rules'], `${path}.rules`, ['http', 'kafka', 'dns', 'l7proto', 'l7']), 'dns');
  const what = isDNS ? 'the names that are asked for' : 'what is sent over the connection';
  return {
    code: isDNS ? 'DependsOnName' : 'DependsOnRequest',
    truth: 'unknown',
    message: `The rule admits the port, but ${path}.${member} makes it depend on ${what}.`,
    part: { policy: reader.policy, path: `${path}.${member}` },
  };
}

function readPort(reader: Reader, value: unknown, path: string): readonly PortMatch[] {
  const { port, endPort, protocol: written = 'ANY' } = reader.object(value, path, ['port', 'endPort', 'protocol']);
  const text = String(written).toUpperCase();
  const protocol = text === 'ANY' ? 'any' : text;
  // Other protocols have no part in connections of TCP, UDP and SCTP.
  if (protocol !== 'any' && !isPolicyProtocol(protocol)) return [];
  if (typeof port === 'string' && /[a-z]/i.test(port)) return [{ path, protocol, name: port.toLowerCase() }];
  if (typeof port !== 'string') {
    const what = typeof port === 'number' ? `port is a string here: write "${port}" in quotes.` : undefined;
    reader.reject(`${path}.port`, what ?? 'port is needed: write it as a string, such as "80"; "0" is every port.');
    return [];
  }
  if (Number(port) === 0) return [{ path, protocol }];
  const first = readNumber(reader, Number(port), `${path}.port`);
  const last = endPort === undefined || endPort === 0 ? first : readNumber(reader, endPort, `${path}.endPort`);
  return [{ path, protocol, range: { first, last: Math.max(first, last) } }];
}
