import type { Container, Namespace, Pod, Policy } from '../../api/index.ts';
import { type PolicyModelOptions, policyModel } from '../model.ts';
import type { Decision, Endpoint, PolicyProtocol, PolicyWorld } from '../question.ts';
import type { Answer } from '../truth.ts';

/** Builders of worlds for the model's tests. Endpoints are written `shop/web`, `node/name` or as an address. */

export type LabelMap = Readonly<Record<string, string>>;

export function namespaceOf(name: string, labels: LabelMap = {}): Namespace {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

export interface PodOptions {
  readonly ip?: string;
  readonly ips?: readonly string[];
  readonly node?: string;
  readonly hostNetwork?: boolean;
  readonly phase?: string;
  readonly account?: string;
  readonly ports?: Container['ports'];
  readonly owned?: boolean;
}

/** A pod `namespace/name` with one container that has TCP port 8080 named `http`, unless told otherwise. */
export function podOf(path: string, labels: LabelMap = {}, options: PodOptions = {}): Pod {
  const [namespace = '', name = ''] = path.split('/');
  const { ip, ips = ip === undefined ? [] : [ip], node, hostNetwork, phase, account, owned } = options;
  const { ports = [{ name: 'http', containerPort: 8080 }] } = options;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      labels,
      ...(owned === true
        ? { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: 'r' }] }
        : {}),
    },
    spec: {
      containers: [{ name: 'app', ports }],
      ...(node === undefined ? {} : { nodeName: node }),
      ...(hostNetwork === undefined ? {} : { hostNetwork }),
      ...(account === undefined ? {} : { serviceAccountName: account }),
    },
    status: {
      ...(phase === undefined ? {} : { phase }),
      podIPs: ips.map((address) => ({ ip: address })),
    },
  };
}

/** A NetworkPolicy `namespace/name`. */
export function networkPolicy(path: string, spec: unknown): Policy {
  return policyOf('networking.k8s.io/v1', 'NetworkPolicy', path, spec);
}

/** A policy of any kind; a path without a slash has no namespace. */
export function policyOf(apiVersion: string, kind: string, path: string, spec: unknown): Policy {
  const [first = '', name] = path.split('/');
  const metadata = name === undefined ? { name: first } : { name, namespace: first };
  return { apiVersion, kind, metadata, spec };
}

export function endpointOf(text: string): Endpoint {
  const [first = '', name] = text.split('/');
  if (name === undefined) return { kind: 'address', address: text };
  return first === 'node' ? { kind: 'node', name } : { kind: 'pod', namespace: first, name };
}

export interface Asked {
  readonly from: string;
  readonly to: string;
  readonly protocol?: PolicyProtocol;
  readonly port?: number;
}

export function decisionOf(world: PolicyWorld, asked: Asked, options: PolicyModelOptions = {}): Decision {
  const { from, to, protocol = 'TCP', port = 8080 } = asked;
  return policyModel(world, options).decide({ source: endpointOf(from), destination: endpointOf(to), protocol, port });
}

export function answerOf(world: PolicyWorld, asked: Asked, options: PolicyModelOptions = {}): Answer {
  return decisionOf(world, asked, options).answer;
}
