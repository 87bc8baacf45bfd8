/** Words that worlds and traps are made of. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Pod } from '../../src/api/index.ts';
import { agnhost } from '../harness/workloads.ts';
import type { Scene } from './scene.ts';
import type { Trap } from './trap.ts';

/** Declares a test, and gives the verdict on its first expectation after its first run. */
export function judged(expectations: readonly object[], spec: object = {}): Trap['spring'] {
  return (scene) => declaring(scene, expectations, (test) => scene.verdict(test), spec);
}

/** Declares a test for as long as `watch` looks at it. */
export async function declaring<T>(
  scene: Scene,
  expectations: readonly object[],
  watch: (test: string) => Promise<T>,
  spec: object = {},
): Promise<T> {
  const test = await scene.declare(expectations, spec);
  try {
    return await watch(test);
  } finally {
    await scene.withdraw(test);
  }
}

/** A Deployment as a source or a target. */
export function deployment(name: string): object {
  return { workload: { kind: 'Deployment', name } };
}

/** An expectation, named after what it says. */
export function expectationOf(
  expect: 'Allow' | 'Deny',
  from: object,
  to: object,
  extra: { readonly name?: string; readonly http?: object; readonly protocol?: 'UDP'; readonly udp?: object } = {},
): object {
  return { name: expect === 'Allow' ? 'allowed' : 'denied', from, to, expect, ...extra };
}

export function isRunning({ status }: Pod): boolean {
  return status?.containerStatuses?.[0]?.state?.running !== undefined;
}

export function hasEnded({ status }: Pod): boolean {
  return status?.containerStatuses?.[0]?.state?.terminated !== undefined;
}

/** A NetworkPolicy that closes pods by label for ingress, except for what `from` names. */
export function closedFor(namespace: string, app: string, from: readonly object[] = []): object {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: `close-${app}`, namespace },
    spec: {
      podSelector: { matchLabels: { app } },
      policyTypes: ['Ingress'],
      ...(from.length === 0 ? {} : { ingress: [{ from }] }),
    },
  };
}

/** A workload of a world: a Deployment of one pod that serves HTTP, unless told otherwise. */
export interface WorkloadOptions {
  /** The port that it listens on. */
  readonly port?: number;
  /** Its readiness probe; by default one on the port that it listens on. */
  readonly readiness?: object | 'none';
  readonly labels?: Readonly<Record<string, string>>;
  readonly replicas?: number;
  /** Further fields of the pod's specification. */
  readonly pod?: object;
  /** Arguments of agnhost. */
  readonly args?: readonly string[];
}

/** A Deployment whose pods are labelled `app: NAME`. */
export function workload(namespace: string, name: string, options: WorkloadOptions = {}): object {
  const { port = 8080, readiness, labels = {}, replicas = 1, pod = {}, args } = options;
  const probe = readiness ?? { httpGet: { path: '/healthz', port }, periodSeconds: 1 };
  const container = {
    name: 'server',
    image: agnhost,
    args: args ?? ['netexec', `--http-port=${port}`],
    ports: [{ name: 'http', containerPort: port }],
    ...(probe === 'none' ? {} : { readinessProbe: probe }),
    resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { cpu: '500m', memory: '64Mi' } },
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name, ...labels } },
        spec: { terminationGracePeriodSeconds: 1, containers: [container], ...pod },
      },
    },
  };
}

/** A Service for pods by label. */
export function service(
  namespace: string,
  name: string,
  selector: Readonly<Record<string, string>>,
  spec: object = {},
): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { selector, ports: [{ name: 'http', port: 8080, targetPort: 8080 }], ...spec },
  };
}

/** Pods of a Deployment, by name. */
export async function podsOf(scene: Scene, app: string): Promise<readonly Pod[]> {
  const { items } = await scene.kubectl.json<{ items: readonly Pod[] }>(`get pods -n ${scene.namespace} -l app=${app}`);
  return items.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}

/** The address of a Deployment's only pod. */
export async function addressOf(scene: Scene, app: string): Promise<string> {
  const [pod] = await podsOf(scene, app);
  if (pod?.status?.podIP === undefined) throw new Error(`${app} has no address`);
  return pod.status.podIP;
}

/** A place for pods: a node by its name. */
export function onNode(node: string): object {
  return { nodeSelector: { 'kubernetes.io/hostname': node } };
}

/**
 * The newest verdict when it is another one, or after so many seconds. An excuse is not the last word: it is probed again, three
 * times at most.
 */
export async function verdictOtherThan(
  scene: Scene,
  test: string,
  verdict: string,
  patienceSeconds: () => number = () => 45,
): Promise<string> {
  const newest = (): string => scene.verdictsOf(test).at(-1) ?? 'no verdict';
  const isOpen = (): boolean => [verdict, 'Inconclusive EnforcementDelayed'].includes(newest());
  for (let look = 0; look < 2 * patienceSeconds() && isOpen(); look += 1) await delay(500);
  return newest();
}
