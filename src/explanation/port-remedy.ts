import type { PortMatch } from '../policy/index.ts';
import { change } from './draft.ts';
import { isRecord, objectInWords, valueAt } from './edit.ts';
import type { FailedPredicate, Miss } from './rejection.ts';
import { type Remedy, writtenPolicy } from './remedy.ts';
import type { Scene } from './scene.ts';

/** What would make the nearest port entry of a rule the connection's. */
export function portRemedy(scene: Scene, miss: Miss, failed: readonly FailedPredicate[]): Remedy | undefined {
  const { port: entry } = miss;
  if (entry === undefined) return undefined;
  const kinds = new Set(failed.map(({ kind }) => kind));
  if (kinds.has('Protocol') && kinds.size > 1) return anotherPort(scene, miss, entry);
  if (kinds.has('Protocol')) return protocolRemedy(scene, miss, entry);
  if (kinds.has('PortName')) return nameRemedy(scene, miss, entry);
  return numberRemedy(scene, miss, entry);
}

function protocolRemedy(scene: Scene, miss: Miss, entry: PortMatch): Remedy {
  const { protocol, port } = scene.question;
  const written = entryOf(scene, miss, entry);
  const isDefault = written['protocol'] === undefined;
  const corrected = { protocol, ...withoutProtocol(written) };
  // The port may be offered over both protocols. What somebody wrote stays open then; what nobody wrote was hardly meant.
  const declared = (scene.sides.destination.pod?.spec.containers ?? []).flatMap(({ ports = [] }) => ports);
  const isOffered = declared.some(
    ({ containerPort, protocol: offered = 'TCP' }) => containerPort === port && offered === entry.protocol,
  );
  const isBoth = isOffered && entry.name === undefined;
  const instead = {
    summary: isBoth ? `open it over ${protocol} instead` : `open it over ${protocol}`,
    changes: [change(miss.policy, entry.path, written, corrected)],
  };
  const beside = { summary: `open it over ${protocol} too`, changes: added(scene, miss, corrected) };
  return {
    code: isDefault ? 'ProtocolDefaultsToTCP' : 'PortProtocolMismatch',
    message: isDefault
      ? `${objectInWords(miss.policy)} opens port ${inWords(entry)} without a protocol, which means TCP; the connection is ${protocol}. Write protocol: ${protocol}${isBoth ? ', and keep an entry for TCP only if the port is meant to be open over TCP too' : ''}.`
      : `${objectInWords(miss.policy)} opens port ${inWords(entry)} over ${entry.protocol}, and the connection is ${protocol}. Write protocol: ${protocol}.`,
    ...(isDefault || !isBoth ? instead : beside),
    ...(isBoth ? { alternatives: [isDefault ? beside : instead] } : {}),
  };
}

function nameRemedy(scene: Scene, miss: Miss, entry: PortMatch): Remedy {
  const { protocol, port } = scene.question;
  const { pod, name } = scene.sides.destination;
  const written = entryOf(scene, miss, entry);
  const offered = (pod?.spec.containers ?? []).flatMap(({ ports = [] }) => ports);
  const namesakes = offered.filter((each) => each.name === entry.name);
  const sameName = namesakes.find(({ protocol: own = 'TCP' }) => own === protocol);
  if (sameName !== undefined) {
    return {
      code: 'PortNotInRange',
      message: `${objectInWords(miss.policy)} opens the port named ${entry.name}, which is ${sameName.containerPort} at ${name}; the connection goes to ${port}. List that port too.`,
      changes: added(scene, miss, { protocol, port }),
      summary: `open port ${port} too`,
      isForOthers: true,
    };
  }
  const own = offered.find(
    ({ containerPort, protocol: spoken = 'TCP' }) => containerPort === port && spoken === protocol,
  );
  const called = own?.name ?? port;
  const otherProtocol = namesakes[0]?.protocol ?? 'TCP';
  const because =
    namesakes.length > 0
      ? `is ${otherProtocol} there, and the connection is ${protocol}`
      : 'is not among the names of its containers’ ports, so that the entry matches nothing';
  return {
    code: namesakes.length > 0 ? 'PortProtocolMismatch' : 'NamedPortMissing',
    message: `${objectInWords(miss.policy)} opens the port named ${entry.name} over ${entry.protocol}, and at ${name} that name ${because}. Write port: ${called}.`,
    changes: [change(miss.policy, entry.path, written, { ...written, port: called })],
    summary: `open port ${called}`,
  };
}

function numberRemedy(scene: Scene, miss: Miss, entry: PortMatch): Remedy {
  const { port } = scene.question;
  const { service } = scene;
  const written = entryOf(scene, miss, entry);
  const { first = 0, last = 0 } = entry.range ?? {};
  if (service !== undefined && service.port !== port && service.port >= first && service.port <= last) {
    return {
      code: 'ServicePortInPolicy',
      message: `${objectInWords(miss.policy)} opens port ${inWords(entry)}, which is the port of Service ${service.namespace}/${service.name}; policies see the pod's port, ${port}. Write port: ${port}.`,
      changes: [change(miss.policy, entry.path, written, { ...without(written, 'endPort'), port })],
      summary: `open the pod's port, ${port}`,
    };
  }
  if (first < last && (port === last + 1 || port === first - 1)) {
    const range = port === last + 1 ? { endPort: port } : { port };
    return {
      code: 'PortNotInRange',
      message: `${objectInWords(miss.policy)} opens ports ${inWords(entry)}, both ends included, and the connection goes to ${port}. Write ${port === last + 1 ? 'endPort' : 'port'}: ${port}.`,
      changes: [change(miss.policy, entry.path, written, { ...written, ...range })],
      summary: 'widen the range by one',
    };
  }
  return anotherPort(scene, miss, entry);
}

function anotherPort(scene: Scene, miss: Miss, entry: PortMatch): Remedy {
  const { protocol, port } = scene.question;
  return {
    code: 'PortNotInRange',
    message: `${objectInWords(miss.policy)} opens ${entry.protocol} port ${inWords(entry)}, and the connection goes to ${protocol} port ${port}. List that port too.`,
    changes: added(scene, miss, { protocol, port }),
    summary: `open ${protocol} port ${port} too`,
    isForOthers: true,
  };
}

/** The rule with one port entry more. */
export function added(scene: Scene, { policy, rule }: Pick<Miss, 'policy' | 'rule'>, entry: unknown) {
  const path = `${rule.rule.path}.ports`;
  const before = valueAt(writtenPolicy(scene, policy), path);
  return Array.isArray(before) ? [change(policy, path, before, [...(before satisfies unknown[]), entry])] : [];
}

function entryOf(scene: Scene, { policy }: Miss, { path }: PortMatch): Readonly<Record<string, unknown>> {
  const written = valueAt(writtenPolicy(scene, policy), path);
  return isRecord(written) ? written : {};
}

function withoutProtocol(entry: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return without(entry, 'protocol');
}

function without(entry: Readonly<Record<string, unknown>>, field: string): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(entry).filter(([name]) => name !== field));
}

function inWords({ name, range }: PortMatch): string {
  if (name !== undefined) return name;
  if (range === undefined) return 'any';
  return range.first === range.last ? String(range.first) : `${range.first} to ${range.last}`;
}
