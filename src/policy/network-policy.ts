import { blockOf, isStrictlyWithin } from '../address/index.ts';
import type { Policy } from '../api/index.ts';
import { type CalicoContext, networkPolicyOrder } from './calico-tier.ts';
import { type Labels, namespaceNameLabel, requirementsOf } from './labels.ts';
import type {
  CompiledPolicy,
  Condition,
  LabelCondition,
  Peer,
  PortMatch,
  Rule,
  Section,
  Stage,
} from './normal-form.ts';
import { type PolicyReference, referenceOf } from './part.ts';
import { defaultNamespace } from './party.ts';
import type { Reading } from './profile.ts';
import type { Direction } from './question.ts';
import { readSelector } from './read-selector.ts';
import { createReader, type Members, type Reader } from './reader.ts';
import type { Truth } from './truth.ts';

/** Where NetworkPolicies stand among the stages: after the Admin tier, before the Baseline tier. */
export const networkPolicyStage: Stage = { name: 'NetworkPolicy', rank: 1000, evaluation: 'union' };

/**
 * NetworkPolicy (networking.k8s.io/v1) in normal form. Sources of the rules: the API's field documentation, its defaults
 * (pkg/apis/networking/v1/defaults.go) and its validation (pkg/apis/networking/validation). A policy that the API server
 * would refuse has findings and no sections.
 */
export function compileNetworkPolicy(policy: Policy, reading: Reading, calico: CalicoContext): CompiledPolicy {
  const namespace = policy.metadata.namespace ?? defaultNamespace;
  const reference: PolicyReference = { ...referenceOf(policy), namespace };
  const reader = createReader(reference, { unknownField: 'UnknownField' });
  if (policy.metadata.namespace === undefined) {
    reader.note(
      'NamespaceAssumed',
      'metadata.namespace',
      `NetworkPolicy ${reference.name} names no namespace: ${defaultNamespace} is assumed. Write metadata.namespace.`,
    );
  }
  const spec = reader.object(policy.spec, 'spec', ['podSelector', 'policyTypes', 'ingress', 'egress']);
  const context: Context = { reader, reading, namespace };
  const subject = podsOf(context, spec['podSelector'], 'spec.podSelector');
  const listed = listedDirections(context, spec);
  const stage = (calico.isPresent ? calico.tiers.get('default')?.stage : undefined) ?? networkPolicyStage;
  const sections = (['ingress', 'egress'] as const).flatMap((direction): readonly Section[] => {
    const rules = reader
      .list(spec[direction], `spec.${direction}`)
      .map((rule, index) => readRule(context, direction, rule, `spec.${direction}[${index}]`));
    const isListed = listed.includes(direction);
    if (!isListed && rules.length > 0) noteUnlisted(reader, direction);
    // Plugins that do not honour policyTypes take rules for a direction as a wish to isolate it.
    if (!isListed && (reading.honoursPolicyTypes || rules.length === 0)) return [];
    return [
      {
        policy: reference,
        direction,
        path: `spec.${direction}`,
        stage,
        order: networkPolicyOrder,
        subject: [
          inNamespace(namespace, 'metadata.namespace', reading.hostNetworkIsPod),
          ...subject,
          ...covered(reading),
        ],
        subjectPath: 'spec.podSelector',
        isolates: true,
        rules,
        caveats: isListed
          ? []
          : [
              {
                code: 'ProfileDeviation',
                message: unlisted(direction),
                part: { policy: reference, path: 'spec.policyTypes' },
              },
            ],
      },
    ];
  });
  return { reference, sections: reader.isRejected ? [] : sections, findings: reader.findings };
}

interface Context {
  readonly reader: Reader;
  readonly reading: Reading;
  readonly namespace: string;
}

/** Some plugins police only pods that a controller owns. */
function covered({ coversOnlyOwnedPods }: Reading): readonly Condition[] {
  return coversOnlyOwnedPods === true ? [{ kind: 'Entity', entity: 'OwnedPods', path: 'spec.podSelector' }] : [];
}

/** policyTypes, or its default: Ingress always, Egress only with at least one egress rule. */
function listedDirections({ reader }: Context, spec: Members): readonly Direction[] {
  const types = reader.list(spec['policyTypes'], 'spec.policyTypes');
  if (types.length > 2) reader.reject('spec.policyTypes', 'policyTypes takes at most Ingress and Egress.');
  const listed = types.map((type, index) => reader.oneOf(type, `spec.policyTypes[${index}]`, ['Ingress', 'Egress']));
  if (types.length > 0) return listed.map((type) => (type === 'Egress' ? 'egress' : 'ingress'));
  return Array.isArray(spec['egress']) && spec['egress'].length > 0 ? ['ingress', 'egress'] : ['ingress'];
}

function noteUnlisted(reader: Reader, direction: Direction): void {
  const type = direction === 'ingress' ? 'Ingress' : 'Egress';
  reader.note(
    'Ignored',
    `spec.${direction}`,
    `The ${direction} rules are ignored, because spec.policyTypes does not list ${type}. Add ${type} to policyTypes, or remove the rules.`,
  );
}

function unlisted(direction: Direction): string {
  return `This network plugin applies ${direction} rules although spec.policyTypes does not list that direction.`;
}

function readRule(context: Context, direction: Direction, value: unknown, path: string): Rule {
  const side = direction === 'ingress' ? 'from' : 'to';
  const rule = context.reader.object(value, path, [side, 'ports']);
  const peers = context.reader
    .list(rule[side], `${path}.${side}`)
    .map((peer, index) => readPeer(context, peer, `${path}.${side}[${index}]`));
  const ports = context.reader
    .list(rule['ports'], `${path}.ports`)
    .map((port, index) => readPort(context.reader, port, `${path}.ports[${index}]`));
  return {
    path,
    action: 'allow',
    subject: [],
    // Absent and empty alike: any peer, any port.
    ...(peers.length === 0 ? {} : { peers }),
    ...(ports.length === 0 ? {} : { ports }),
  };
}

function readPeer(context: Context, value: unknown, path: string): Peer {
  const { reader, reading, namespace } = context;
  const { podSelector, namespaceSelector, ipBlock } = reader.object(value, path, [
    'podSelector',
    'namespaceSelector',
    'ipBlock',
  ]);
  if (ipBlock !== undefined) {
    if (podSelector !== undefined || namespaceSelector !== undefined) {
      reader.reject(path, 'A peer with ipBlock takes no selectors: write a peer each.');
    }
    return { path, conditions: readBlock(context, ipBlock, `${path}.ipBlock`) };
  }
  if (podSelector === undefined && namespaceSelector === undefined) {
    reader.reject(
      path,
      'An empty peer is refused: write podSelector, namespaceSelector or ipBlock, or leave the list away for any peer.',
    );
  }
  const namespaces =
    namespaceSelector === undefined
      ? inNamespace(namespace, path, reading.hostNetworkIsPod)
      : labelCondition(reader, 'Namespace', namespaceSelector, `${path}.namespaceSelector`, reading.hostNetworkIsPod);
  const pods = podSelector === undefined ? [] : podsOf(context, podSelector, `${path}.podSelector`);
  return { path, conditions: [namespaces, ...pods] };
}

function podsOf({ reader, reading }: Context, selector: unknown, path: string): readonly Condition[] {
  return [labelCondition(reader, 'Pod', selector, path, reading.hostNetworkIsPod)];
}

/** A label selector as a condition on pods or on their namespaces. */
export function labelCondition(
  reader: Reader,
  of: 'Pod' | 'Namespace',
  selector: unknown,
  path: string,
  hostNetwork: Truth,
): LabelCondition {
  const requirements = requirementsOf(readSelector(reader, selector, path), of, path);
  return { kind: 'Labels', path, expression: { kind: 'All', of: requirements }, hostNetwork };
}

/** The pods of one namespace. */
export function inNamespace(namespace: string, path: string, hostNetwork: Truth): LabelCondition {
  const labels: Labels = { [namespaceNameLabel]: namespace };
  const of = requirementsOf({ matchLabels: labels }, 'Namespace', path).map((requirement) => ({
    ...requirement,
    path,
  }));
  return { kind: 'Labels', path, expression: { kind: 'All', of }, hostNetwork };
}

function readBlock({ reader, reading }: Context, value: unknown, path: string): readonly Condition[] {
  const { cidr, except } = reader.object(value, path, ['cidr', 'except']);
  const block = blockOf(reader.text(cidr, `${path}.cidr`) ?? '');
  if (block === undefined) {
    reader.reject(
      `${path}.cidr`,
      `${JSON.stringify(cidr ?? '')} is no address block: write one like 10.0.0.0/8 or 2001:db8::/32.`,
    );
    return [];
  }
  const holes = reader.list(except, `${path}.except`).flatMap((entry, index) => {
    const hole = blockOf(reader.text(entry, `${path}.except[${index}]`) ?? '');
    if (hole !== undefined && isStrictlyWithin(hole, block)) return [hole];
    reader.reject(
      `${path}.except[${index}]`,
      `${JSON.stringify(entry)} has to be a smaller block within ${String(cidr)}.`,
    );
    return [];
  });
  const { blockMatchesPods, blockMatchesNodes } = reading;
  return [{ kind: 'Block', path, block, except: holes, pods: blockMatchesPods, nodes: blockMatchesNodes }];
}

function readPort(reader: Reader, value: unknown, path: string): PortMatch {
  const { protocol: written, port, endPort } = reader.object(value, path, ['protocol', 'port', 'endPort']);
  const protocol = reader.oneOf(written, `${path}.protocol`, ['TCP', 'UDP', 'SCTP']) ?? 'TCP';
  if (typeof port === 'string') {
    if (!isPortName(port)) {
      reader.reject(
        `${path}.port`,
        `${JSON.stringify(port)} is no port name (RFC 6335): write a number without quotes, or a name of at most 15 lower-case letters, digits and dashes with a letter in it.`,
      );
    }
    if (endPort !== undefined) reader.reject(`${path}.endPort`, 'endPort needs a numeric port.');
    return { path, protocol, name: port };
  }
  if (port === undefined) {
    if (endPort !== undefined) reader.reject(`${path}.endPort`, 'endPort needs a port to start from.');
    return { path, protocol };
  }
  const first = readNumber(reader, port, `${path}.port`);
  const last = endPort === undefined ? first : readNumber(reader, endPort, `${path}.endPort`);
  if (last < first) reader.reject(`${path}.endPort`, `endPort ${last} has to be at least port ${first}.`);
  return { path, protocol, range: { first, last } };
}

/** A port number; the lowest where it is none, which is reported. */
export function readNumber(reader: Reader, value: unknown, path: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65_535) return value;
  reader.reject(path, `${JSON.stringify(value)} is no port: write a number from 1 to 65535.`);
  return 1;
}

/** IANA service name (RFC 6335, 5.1), as the API server checks it: lower case only. */
export function isPortName(text: string): boolean {
  return text.length <= 15 && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(text) && /[a-z]/.test(text);
}
