import { blockOf } from '../address/index.ts';
import type { Policy } from '../api/index.ts';
import { labelCondition, readNumber } from './network-policy.ts';
import type { Action, CompiledPolicy, Condition, Peer, PortMatch, Rule, Section, Stage } from './normal-form.ts';
import { type PolicyReference, referenceOf } from './part.ts';
import type { Direction, PolicyProtocol } from './question.ts';
import { createReader, type Members, openBelow, type Reader } from './reader.ts';
import { unknownSections } from './unmodelled.ts';

/** The tiers around NetworkPolicy's; equal priorities within one have no order (ClusterNetworkPolicySpec.priority). */
const tiers: Readonly<Record<'Admin' | 'Baseline', Stage>> = {
  Admin: { name: 'Admin tier', rank: 1, evaluation: 'ordered', ties: 'undefined' },
  Baseline: { name: 'Baseline tier', rank: 2000, evaluation: 'ordered', ties: 'undefined' },
};

const actions: Readonly<Record<'Accept' | 'Deny' | 'Pass', Action>> = { Accept: 'allow', Deny: 'deny', Pass: 'pass' };

const mostRules = 25;

/**
 * ClusterNetworkPolicy (policy.networking.k8s.io/v1alpha2) in normal form. Source of the rules: the field documentation and
 * validation markers of its types. Host network pods are neither subjects nor peers, and nothing is isolated by being selected.
 */
export function compileClusterNetworkPolicy(policy: Policy): CompiledPolicy {
  const reference = referenceOf(policy);
  const reader = createReader(reference, { unknownField: 'NotModelled' });
  const spec = reader.object(policy.spec, 'spec', ['tier', 'priority', 'subject', 'ingress', 'egress']);
  const tier = reader.oneOf(spec['tier'] ?? '', 'spec.tier', ['Admin', 'Baseline']) ?? 'Admin';
  const priority = readPriority(reader, spec['priority']);
  const subject = readPods(reader, spec['subject'], 'spec.subject', []);
  const sections = (['ingress', 'egress'] as const).flatMap((direction): readonly Section[] => {
    const path = `spec.${direction}`;
    const written = reader.list(spec[direction], path);
    if (written.length > mostRules) reader.reject(path, `At most ${mostRules} rules are allowed: split the policy.`);
    const rules = written.map((rule, index) => readRule(reader, direction, rule, `${path}[${index}]`));
    if (rules.length === 0) return [];
    return [
      {
        policy: reference,
        direction,
        path,
        stage: tiers[tier],
        order: priority,
        subject,
        subjectPath: 'spec.subject',
        isolates: false,
        rules,
        caveats: [],
      },
    ];
  });
  return {
    reference,
    sections: reader.isRejected ? [] : [...sections, ...unread(reader, reference, spec)],
    findings: reader.findings,
  };
}

/** What cannot be told where the policy itself, or its subject, has a field that the model does not know. */
function unread(reader: Reader, reference: PolicyReference, spec: Members): readonly Section[] {
  const known = ['tier', 'priority', 'subject', 'ingress', 'egress'];
  const point =
    openBelow(reader, 'spec.subject') ??
    Object.keys(spec)
      .filter((key) => !known.includes(key))
      .map((key) => openBelow(reader, `spec.${key}`))
      .find((found) => found !== undefined);
  return point === undefined ? [] : unknownSections(reference, [], point);
}

function readPriority(reader: Reader, value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 1000) return value;
  reader.reject(
    'spec.priority',
    `spec.priority has to be a whole number from 0 to 1000, not ${JSON.stringify(value)}.`,
  );
  return 0;
}

function readRule(reader: Reader, direction: Direction, value: unknown, path: string): Rule {
  const side = direction === 'ingress' ? 'from' : 'to';
  const rule = reader.object(value, path, ['name', 'action', side, 'protocols']);
  const action = reader.oneOf(rule['action'] ?? '', `${path}.action`, ['Accept', 'Deny', 'Pass']) ?? 'Deny';
  const peers = reader
    .list(rule[side], `${path}.${side}`)
    .map((peer, index) => readPeer(reader, direction, peer, `${path}.${side}[${index}]`));
  if (peers.length === 0) {
    reader.reject(
      `${path}.${side}`,
      `A rule needs at least one peer under ${side}: write namespaces: {} for every pod.`,
    );
  }
  const protocols = reader.list(rule['protocols'], `${path}.protocols`);
  if (rule['protocols'] !== undefined && protocols.length === 0) {
    reader.reject(`${path}.protocols`, 'An empty list of protocols is refused: leave it away for any protocol.');
  }
  const ports = protocols.map((entry, index) => readProtocol(reader, entry, `${path}.protocols[${index}]`));
  const unknownMember = Object.keys(rule).find(
    (key) => openBelow(reader, `${path}.${key}`) !== undefined && !['name', 'action', side, 'protocols'].includes(key),
  );
  const open =
    unknownMember === undefined
      ? openBelow(reader, `${path}.protocols`)
      : openBelow(reader, `${path}.${unknownMember}`);
  return {
    path,
    action: actions[action],
    subject: [],
    peers,
    ...(ports.length === 0 ? {} : { ports }),
    ...(open === undefined ? {} : { open }),
  };
}

function readPeer(reader: Reader, direction: Direction, value: unknown, path: string): Peer {
  const outside = direction === 'egress' ? (['nodes', 'networks', 'domainNames'] as const) : [];
  const conditions = readPods(reader, value, path, outside);
  const open = openBelow(reader, path);
  return { path, conditions: open === undefined ? conditions : [{ kind: 'Open', point: open, path }] };
}

/** Exactly one way to select: `namespaces`, `pods`, or one of those for destinations that are no pods. */
function readPods(reader: Reader, value: unknown, path: string, outside: readonly string[]): readonly Condition[] {
  const known = ['namespaces', 'pods', ...outside];
  const selection = reader.object(value, path, known);
  const [first, second] = Object.keys(selection);
  if (first === undefined || second !== undefined) {
    reader.reject(path, `${path} takes exactly one of ${known.join(', ')}.`);
    return [];
  }
  const member = selection[first];
  switch (first) {
    case 'namespaces':
      return [labelCondition(reader, 'Namespace', member, `${path}.namespaces`, 'no')];
    case 'pods': {
      const pods = reader.object(member, `${path}.pods`, ['namespaceSelector', 'podSelector']);
      return [
        labelCondition(reader, 'Namespace', pods['namespaceSelector'], `${path}.pods.namespaceSelector`, 'no'),
        labelCondition(reader, 'Pod', pods['podSelector'], `${path}.pods.podSelector`, 'no'),
      ];
    }
    case 'nodes':
      return readNodes(reader, member, `${path}.nodes`);
    case 'networks':
      return readNetworks(reader, member, `${path}.networks`);
    case 'domainNames':
      return [dependsOnName(reader.policy, member, `${path}.domainNames`)];
    default:
      return [];
  }
}

/** Nodes by their labels, which are not read: only the selector of all nodes can be answered. */
function readNodes({ policy }: Reader, value: unknown, path: string): readonly Condition[] {
  const nodes: Condition = { kind: 'Entity', entity: 'Nodes', path };
  const selectsAll = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
  if (selectsAll) return [nodes];
  const message = 'A rule selects nodes by their labels, which are not read.';
  const point = { code: 'FieldNotModelled', truth: 'unknown', message, part: { policy, path } } as const;
  return [nodes, { kind: 'Open', point, path }];
}

/** Blocks that match whatever has an address in them: "cluster-internal traffic will be checked against the rule as well". */
function readNetworks(reader: Reader, value: unknown, path: string): readonly Condition[] {
  const conditions = reader.list(value, path).flatMap((text, index): readonly Condition[] => {
    const block = blockOf(reader.text(text, `${path}[${index}]`) ?? '');
    if (block !== undefined)
      return [{ kind: 'Block', path: `${path}[${index}]`, block, except: [], pods: 'yes', nodes: 'yes' }];
    reader.reject(`${path}[${index}]`, `${JSON.stringify(text)} is no address block: write one like 10.0.0.0/8.`);
    return [];
  });
  return [{ kind: 'Some', conditions, path }];
}

/** Names are resolved by the plugin at run time: what they stand for is no matter of policy objects. */
export function dependsOnName(policy: PolicyReference, names: unknown, path: string): Condition {
  const message = `This depends on which addresses ${JSON.stringify(names)} stands for when the connection is made.`;
  return { kind: 'Open', point: { code: 'DependsOnName', truth: 'unknown', message, part: { policy, path } }, path };
}

const transports: Readonly<Record<'tcp' | 'udp' | 'sctp', PolicyProtocol>> = { tcp: 'TCP', udp: 'UDP', sctp: 'SCTP' };

function readProtocol(reader: Reader, value: unknown, path: string): PortMatch {
  const entry = reader.object(value, path, ['tcp', 'udp', 'sctp', 'destinationNamedPort']);
  const [first, second] = Object.keys(entry);
  if (first === undefined || second !== undefined) {
    reader.reject(path, `${path} takes exactly one of tcp, udp, sctp and destinationNamedPort.`);
  }
  if (first === 'destinationNamedPort') {
    return { path, protocol: 'any', name: reader.text(entry[first], `${path}.destinationNamedPort`) ?? '' };
  }
  if (first !== 'tcp' && first !== 'udp' && first !== 'sctp') return { path, protocol: 'any' };
  const protocol = transports[first];
  const { destinationPort } = reader.object(entry[first], `${path}.${first}`, ['destinationPort']);
  if (destinationPort === undefined) {
    reader.reject(`${path}.${first}`, `${first} needs a destinationPort.`);
    return { path, protocol };
  }
  return { path, protocol, range: readRange(reader, destinationPort, `${path}.${first}.destinationPort`) };
}

function readRange(reader: Reader, value: unknown, path: string): { readonly first: number; readonly last: number } {
  const { number, range } = reader.object(value, path, ['number', 'range']);
  if ((number === undefined) === (range === undefined))
    reader.reject(path, `${path} takes exactly one of number and range.`);
  if (range === undefined) {
    const port = readNumber(reader, number, `${path}.number`);
    return { first: port, last: port };
  }
  const { start, end } = reader.object(range, `${path}.range`, ['start', 'end']);
  const first = readNumber(reader, start, `${path}.range.start`);
  const last = readNumber(reader, end, `${path}.range.end`);
  if (first >= last) reader.reject(`${path}.range`, 'start has to be less than end.');
  return { first, last };
}
