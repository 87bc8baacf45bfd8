import { type Address, addressOf } from '../address/index.ts';
import type { Namespace, Pod } from '../api/index.ts';
import { accountNameKey, type Labels, type LabelSources, namespaceNameLabel } from './labels.ts';
import type { Reading } from './profile.ts';
import type { PolicyProtocol, PolicyWorld } from './question.ts';

/** A pod as policies see it. */
export interface PodParty {
  readonly kind: 'pod';
  readonly namespace: string;
  readonly name: string;
  readonly sources: LabelSources;
  /** Empty where the pod has none yet, as in a manifest. */
  readonly addresses: readonly Address[];
  readonly hostNetwork: boolean;
  readonly node?: string;
  readonly ports: readonly NamedPort[];
  /** Succeeded or failed: its address may be another's by now. */
  readonly finished: boolean;
  readonly owned: boolean;
}

export interface NamedPort {
  readonly name: string;
  readonly protocol: PolicyProtocol;
  readonly port: number;
}

export interface NodeParty {
  readonly kind: 'node';
  readonly name: string;
  readonly addresses: readonly Address[];
}

export interface AddressParty {
  readonly kind: 'address';
  readonly address: Address;
}

export type Party = PodParty | NodeParty | AddressParty;

/** Every pod and node of a world, as policies see them under a reading. */
export interface Parties {
  readonly pods: readonly PodParty[];
  readonly nodes: ReadonlyMap<string, NodeParty>;
}

export function partiesOf(world: PolicyWorld, reading: Reading): Parties {
  const namespaces = new Map(world.namespaces.map((namespace) => [namespace.metadata.name, namespace]));
  const nodes = new Map(
    (world.nodes ?? []).map(({ name, addresses }) => [
      name,
      { kind: 'node' as const, name, addresses: read(addresses) },
    ]),
  );
  return { pods: world.pods.map((pod) => partyOf(pod, namespaces, reading)), nodes };
}

/** The namespace that an object without one is in: what kubectl and Helm fall back to. */
export const defaultNamespace = 'default';

function partyOf(pod: Pod, namespaces: ReadonlyMap<string, Namespace>, reading: Reading): PodParty {
  const { metadata, spec, status } = pod;
  const namespace = metadata.namespace ?? defaultNamespace;
  const addresses = read(status?.podIPs?.map(({ ip }) => ip) ?? (status?.podIP === undefined ? [] : [status.podIP]));
  return {
    kind: 'pod',
    namespace,
    name: metadata.name,
    sources: {
      Pod: { labels: visible(metadata.labels ?? {}, reading) },
      Namespace: namespaceLabels(namespace, namespaces.get(namespace)),
      ServiceAccount: {
        labels: { [accountNameKey]: spec.serviceAccountName ?? 'default' },
        incomplete: {
          code: 'ServiceAccountUnknown',
          truth: 'unknown',
          message: `A selector looks at the labels of the service account of pod ${namespace}/${metadata.name}, which are not read.`,
        },
      },
    },
    addresses,
    hostNetwork: spec.hostNetwork === true,
    ...(spec.nodeName === undefined ? {} : { node: spec.nodeName }),
    ports: namedPorts(pod),
    finished: status?.phase === 'Succeeded' || status?.phase === 'Failed',
    owned: (metadata.ownerReferences ?? []).length > 0,
  };
}

function visible(labels: Labels, { hidesLabel }: Reading): Labels {
  return hidesLabel === undefined
    ? labels
    : Object.fromEntries(Object.entries(labels).filter(([key]) => !hidesLabel(key)));
}

function namespaceLabels(name: string, namespace: Namespace | undefined): LabelSources['Namespace'] {
  // Every namespace has this label; manifests seldom write it.
  const named = { [namespaceNameLabel]: name };
  return namespace === undefined
    ? {
        labels: named,
        incomplete: {
          code: 'NamespaceLabelsUnknown',
          truth: 'unknown',
          message: `The labels of namespace ${name} are not known. Give its Namespace object, or select it by ${namespaceNameLabel}.`,
        },
      }
    : { labels: { ...namespace.metadata.labels, ...named } };
}

/** Containers may share a port's name; a pod then has several ports by that name. */
function namedPorts({ spec }: Pod): readonly NamedPort[] {
  return spec.containers.flatMap(({ ports }) =>
    (ports ?? []).flatMap(({ name, containerPort, protocol = 'TCP' }) =>
      name === undefined || !isPolicyProtocol(protocol) ? [] : [{ name, protocol, port: containerPort }],
    ),
  );
}

export function isPolicyProtocol(text: unknown): text is PolicyProtocol {
  return text === 'TCP' || text === 'UDP' || text === 'SCTP';
}

function read(addresses: readonly string[]): readonly Address[] {
  return addresses.map(addressOf).filter((address) => address !== undefined);
}
