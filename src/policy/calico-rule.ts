import { addressOf, blockOf } from '../address/index.ts';
import { type LabelLookup, parseCalicoSelector } from './calico-selector.ts';
import { accountNameKey, namespaceNameLabel } from './labels.ts';
import { inNamespace, readNumber } from './network-policy.ts';
import type { Action, Condition, PortMatch, Rule } from './normal-form.ts';
import type { OpenPoint } from './open-point.ts';
import type { Direction, PolicyProtocol } from './question.ts';
import { type Members, openBelow, type Reader } from './reader.ts';
import type { Truth } from './truth.ts';

export interface CalicoScope {
  readonly reader: Reader;
  /** The policy's own namespace; a global policy has none. */
  readonly namespace: string | undefined;
}

const actions: Readonly<Record<'Allow' | 'Deny' | 'Pass', Action>> = { Allow: 'allow', Deny: 'deny', Pass: 'pass' };

const ruleFields = [
  'action',
  'protocol',
  'notProtocol',
  'icmp',
  'notICMP',
  'ipVersion',
  'source',
  'destination',
  'http',
  'metadata',
];

/** A rule of a Calico policy; `Log` decides nothing, and a rule for other protocols matches none of those asked about. */
export function readCalicoRule(
  scope: CalicoScope,
  direction: Direction,
  value: unknown,
  path: string,
): readonly Rule[] {
  const { reader } = scope;
  const rule = reader.object(value, path, ruleFields);
  const action = reader.oneOf(rule['action'] ?? '', `${path}.action`, ['Allow', 'Deny', 'Pass', 'Log']);
  const protocols = protocolsOf(rule);
  if (action === undefined || action === 'Log' || protocols.length === 0) return [];
  const source = entityOf(scope, rule['source'], `${path}.source`);
  const destination = entityOf(scope, rule['destination'], `${path}.destination`);
  const [subject, peer] = direction === 'ingress' ? [destination, source] : [source, destination];
  const { ports, notPorts } = portsOf(reader, rule['destination'], `${path}.destination`, protocols);
  const conditions = [...peer, ...versionOf(rule['ipVersion'], path)];
  const open = openOf(reader, rule, path);
  return [
    {
      path,
      action: actions[action],
      subject,
      ...(conditions.length === 0
        ? {}
        : { peers: [{ path: `${path}.${direction === 'ingress' ? 'source' : 'destination'}`, conditions }] }),
      ...(ports === undefined ? {} : { ports }),
      ...(notPorts.length === 0 ? {} : { notPorts }),
      ...(open === undefined ? {} : { open }),
    },
  ];
}

const numbers: ReadonlyMap<unknown, PolicyProtocol> = new Map<unknown, PolicyProtocol>([
  [6, 'TCP'],
  [17, 'UDP'],
  [132, 'SCTP'],
]);

/** Which of the protocols that can be asked about a rule is for; all three if it does not say. */
function protocolsOf({ protocol, notProtocol }: Members): readonly PolicyProtocol[] {
  const named = (value: unknown) => numbers.get(value) ?? (typeof value === 'string' ? value.toUpperCase() : value);
  return (['TCP', 'UDP', 'SCTP'] as const).filter(
    (candidate) =>
      (protocol === undefined || named(protocol) === candidate) &&
      (notProtocol === undefined || named(notProtocol) !== candidate),
  );
}

function portsOf(reader: Reader, entity: unknown, path: string, protocols: readonly PolicyProtocol[]) {
  const { ports, notPorts } = reader.object(entity, path, entityFields);
  const read = (value: unknown, member: string) =>
    reader.list(value, member).flatMap((port, index) => readPort(reader, port, `${member}[${index}]`, protocols));
  const isAnyProtocol = protocols.length === 3;
  const everyPort = protocols.map((protocol): PortMatch => ({
    path: `${path.replace(/\.[^.]*$/, '')}.protocol`,
    protocol,
  }));
  const listed = ports === undefined ? (isAnyProtocol ? undefined : everyPort) : read(ports, `${path}.ports`);
  return { ports: listed, notPorts: read(notPorts, `${path}.notPorts`) };
}

/** A number, a range such as `80:90`, or the name of a port, in each of the rule's protocols. */
function readPort(
  reader: Reader,
  value: unknown,
  path: string,
  protocols: readonly PolicyProtocol[],
): readonly PortMatch[] {
  if (typeof value === 'string' && !/^\d+(:\d+)?$/.test(value)) {
    return protocols.map((protocol) => ({ path, protocol, name: value }));
  }
  const [start, end = start] = String(value).split(':');
  // Zero is a port to Calico, though nothing connects to it.
  const number = (text: string | undefined) => (text === '0' ? 0 : readNumber(reader, Number(text), path));
  const range = { first: number(start), last: number(end) };
  return protocols.map((protocol) => ({ path, protocol, range }));
}

const entityFields = [
  'nets',
  'notNets',
  'selector',
  'notSelector',
  'namespaceSelector',
  'ports',
  'notPorts',
  'serviceAccounts',
  'services',
];

/**
 * One side of a rule. Selectors look into the policy's own namespace, or into those that namespaceSelector names; nets are
 * compared with the address, whoever has it.
 */
function entityOf(scope: CalicoScope, value: unknown, path: string): readonly Condition[] {
  const { reader, namespace } = scope;
  const entity = reader.object(value, path, entityFields);
  const { nets, notNets, selector, notSelector, namespaceSelector, serviceAccounts, services } = entity;
  const selects = [selector, notSelector, namespaceSelector, serviceAccounts].some((member) => member !== undefined);
  const isConfined = namespace !== undefined && namespaceSelector === undefined && selects;
  const conditions: readonly (Condition | undefined)[] = [
    nets === undefined ? undefined : netsCondition(reader, nets, `${path}.nets`),
    notNets === undefined ? undefined : negated(netsCondition(reader, notNets, `${path}.notNets`)),
    isConfined ? outsideUnknown(inNamespace(namespace, path, 'no')) : undefined,
    namespaceSelector === undefined
      ? undefined
      : selectorCondition(scope, 'Namespace', namespaceSelector, `${path}.namespaceSelector`, 'unknown'),
    selector === undefined ? undefined : selectorCondition(scope, 'Pod', selector, `${path}.selector`, 'unknown'),
    notSelector === undefined
      ? undefined
      : negated(selectorCondition(scope, 'Pod', notSelector, `${path}.notSelector`, 'unknown')),
    ...(serviceAccounts === undefined ? [] : accountConditions(scope, serviceAccounts, `${path}.serviceAccounts`)),
    services === undefined
      ? undefined
      : notModelled(reader, `${path}.services`, 'The model does not look up whom a Service stands for.'),
  ];
  return conditions.filter((condition) => condition !== undefined);
}

/** A selector as a condition; an address may be in a NetworkSet that it selects, and those are not read. */
export function selectorCondition(
  { reader }: CalicoScope,
  of: 'Pod' | 'Namespace' | 'ServiceAccount',
  value: unknown,
  path: string,
  outside: Truth,
): Condition {
  const text = reader.text(value, path) ?? '';
  if (addedByCalico.test(text))
    return notModelled(reader, path, 'The selector names a label of Calico that the model does not know.');
  const parsed = parseCalicoSelector(text, path, lookups[of]);
  if ('problem' in parsed) {
    reader.reject(path, parsed.problem);
    return { kind: 'Entity', entity: 'None', path };
  }
  const condition: Condition = { kind: 'Labels', path, expression: parsed.expression, hostNetwork: 'no' };
  return outside === 'no' ? condition : outsideUnknown(condition);
}

function outsideUnknown(condition: Condition): Condition {
  const { path } = condition;
  const message =
    'An address outside of the cluster may be in a NetworkSet that the selector selects; those are not read.';
  const sets: Condition = { kind: 'Open', path, point: { code: 'NetworkSetsNotRead', truth: 'unknown', message } };
  const world: Condition = {
    kind: 'Some',
    path,
    conditions: [
      { kind: 'Entity', entity: 'World', path },
      { kind: 'Entity', entity: 'Nodes', path },
    ],
  };
  return { kind: 'Some', path, conditions: [condition, { kind: 'All', path, conditions: [world, sets] }] };
}

/** Labels that Calico adds to pods, and that are not looked up below. */
const addedByCalico = /\bprojectcalico\.org\/(?!(namespace|serviceaccount|name)\b)/;

/** Labels that Calico adds to those of the objects themselves. */
const lookups: Readonly<Record<'Pod' | 'Namespace' | 'ServiceAccount', LabelLookup>> = {
  Pod: (key) => {
    if (key === 'projectcalico.org/namespace') return { of: 'Namespace', key: namespaceNameLabel };
    if (key === 'projectcalico.org/serviceaccount') return { of: 'ServiceAccount', key: accountNameKey };
    if (key.startsWith('pcns.')) return { of: 'Namespace', key: key.slice('pcns.'.length) };
    if (key.startsWith('pcsa.')) return { of: 'ServiceAccount', key: key.slice('pcsa.'.length) };
    return { of: 'Pod', key };
  },
  Namespace: (key) => ({ of: 'Namespace', key: key === 'projectcalico.org/name' ? namespaceNameLabel : key }),
  ServiceAccount: (key) => ({ of: 'ServiceAccount', key: key === 'projectcalico.org/name' ? accountNameKey : key }),
};

function accountConditions(scope: CalicoScope, value: unknown, path: string): readonly Condition[] {
  const { names, selector } = scope.reader.object(value, path, ['names', 'selector']);
  const wanted = scope.reader.list(names, `${path}.names`).map(String);
  const named: Condition = {
    kind: 'Labels',
    path: `${path}.names`,
    expression: {
      kind: 'Requirement',
      of: 'ServiceAccount',
      key: accountNameKey,
      operator: 'In',
      values: wanted,
      path: `${path}.names`,
    },
    hostNetwork: 'no',
  };
  return [
    ...(wanted.length === 0 ? [] : [named]),
    ...(selector === undefined ? [] : [selectorCondition(scope, 'ServiceAccount', selector, `${path}.selector`, 'no')]),
  ];
}

function netsCondition(reader: Reader, value: unknown, path: string): Condition {
  const conditions = reader.list(value, path).flatMap((net, index): readonly Condition[] => {
    const member = `${path}[${index}]`;
    const text = String(net);
    const single = addressOf(text);
    const block =
      single === undefined ? blockOf(text) : { family: single.family, first: single.value, last: single.value };
    if (block !== undefined) return [{ kind: 'Block', path: member, block, except: [], pods: 'yes', nodes: 'yes' }];
    reader.reject(member, `${JSON.stringify(net)} is no address block: write one like 10.0.0.0/8.`);
    return [];
  });
  return { kind: 'Some', path, conditions };
}

function negated(condition: Condition): Condition {
  return { kind: 'Not', condition, path: condition.path };
}

/** The family of the connection, told by the peer's address. */
function versionOf(version: unknown, path: string): readonly Condition[] {
  const block = version === 4 ? blockOf('0.0.0.0/0') : version === 6 ? blockOf('::/0') : undefined;
  return block === undefined
    ? []
    : [{ kind: 'Block', path: `${path}.ipVersion`, block, except: [], pods: 'yes', nodes: 'yes' }];
}

function openOf(reader: Reader, rule: Members, path: string): OpenPoint | undefined {
  const { policy } = reader;
  if (rule['http'] !== undefined) {
    const message = `The rule admits the port, but ${path}.http makes it depend on what is sent over the connection.`;
    return { code: 'DependsOnRequest', truth: 'unknown', message, part: { policy, path: `${path}.http` } };
  }
  const { ports, notPorts } = reader.object(rule['source'], `${path}.source`, entityFields);
  if (ports !== undefined || notPorts !== undefined) {
    const message = 'The rule depends on the port that the client connects from, which is not known beforehand.';
    return { code: 'FieldNotModelled', truth: 'unknown', message, part: { policy, path: `${path}.source` } };
  }
  return openBelow(reader, path);
}

function notModelled(reader: Reader, path: string, message: string): Condition {
  return {
    kind: 'Open',
    point: { code: 'FieldNotModelled', truth: 'unknown', message, part: { policy: reader.policy, path } },
    path,
  };
}
