import type { Namespace, Pod, Policy } from '../src/api/index.ts';
import type { PolicyWorld } from '../src/policy/index.ts';

export interface WorldSize {
  readonly pods: number;
  readonly policies: number;
  readonly namespaces: number;
}

/**
 * A cluster as companies have them: workloads of a few replicas that carry the usual labels, a default deny per namespace, and
 * policies with peers of the own and of other namespaces, blocks, ranges and named ports. The same one for the same size.
 */
export function worldOf({ pods, policies, namespaces }: WorldSize): PolicyWorld {
  const random = sequence(42);
  const names = Array.from({ length: namespaces }, (_, index) => `namespace-${index}`);
  return {
    namespaces: names.map((name, index): Namespace => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: { team: `team-${index % 5}`, environment: index % 3 === 0 ? 'production' : 'test' } },
    })),
    pods: Array.from({ length: pods }, (_, index) => podAt(index, names)),
    policies: Array.from({ length: policies }, (_, index) => policyAt(index, names, random)),
  };
}

const replicas = 3;

function podAt(index: number, namespaces: readonly string[]): Pod {
  const workload = Math.floor(index / replicas);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `pod-${index}`,
      namespace: namespaces[workload % namespaces.length] ?? '',
      labels: {
        app: `app-${Math.floor(workload / namespaces.length) % 20}`,
        tier: `tier-${workload % 4}`,
        'pod-template-hash': `hash-${workload}`,
      },
    },
    spec: {
      containers: [{ name: 'app', ports: [{ name: 'http', containerPort: 8080 + (workload % 3) }] }],
      nodeName: `node-${index % 30}`,
    },
    status: { podIPs: [{ ip: `10.${Math.floor(index / 65_536)}.${Math.floor(index / 256) % 256}.${index % 256}` }] },
  };
}

/** The workload of a pod: its replicas share a template. */
export function workloadOf({ metadata }: Pod) {
  const { namespace = '', labels } = metadata;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace, name: labels?.['pod-template-hash'] ?? '' },
  };
}

export function policyAt(index: number, namespaces: readonly string[], random: (below: number) => number): Policy {
  const namespace = namespaces[index % namespaces.length] ?? '';
  const app = () => ({ matchLabels: { app: `app-${random(20)}` } });
  const team = () => ({ matchLabels: { team: `team-${random(5)}` } });
  const peers = [
    () => ({ podSelector: app() }),
    () => ({ namespaceSelector: team(), podSelector: app() }),
    () => ({
      namespaceSelector: {
        matchLabels: { 'kubernetes.io/metadata.name': namespaces[random(namespaces.length)] ?? '' },
      },
    }),
    () => ({ podSelector: { matchExpressions: [{ key: 'tier', operator: 'NotIn', values: [`tier-${random(4)}`] }] } }),
    () => ({ ipBlock: { cidr: `10.0.${random(64)}.0/24`, except: [`10.0.0.${random(255)}/32`] } }),
  ];
  const ports = [
    () => ({ port: 8080 + random(3) }),
    () => ({ port: 'http' }),
    () => ({ protocol: 'UDP', port: 53 }),
    () => ({ port: 9000 + random(10), endPort: 9100 }),
  ];
  const one = (options: readonly (() => unknown)[]) => options[random(options.length)]?.();
  const rule = (side: string) => ({ [side]: [one(peers), one(peers)], ports: [one(ports), one(ports)] });
  const spec =
    index < namespaces.length
      ? { podSelector: {}, policyTypes: ['Ingress'] }
      : index % 4 === 0
        ? { podSelector: app(), policyTypes: ['Egress'], egress: [rule('to'), rule('to')] }
        : { podSelector: app(), ingress: [rule('from'), rule('from')] };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: `policy-${index}`, namespace },
    spec,
  };
}

/** Whole numbers below a bound that look like chance and are the same each time (a linear congruential generator). */
export function sequence(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
