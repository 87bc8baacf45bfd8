import type {
  ConnectivityGrant,
  ConnectivityTest,
  EndpointSlice,
  Expectation,
  KubeObject,
  LabelSelector,
  Namespace,
  Node,
  Pod,
  PodSpec,
  Policy,
  Service,
  Workload,
} from '../api/index.ts';
import { type ClusterView, isInUse } from '../plan/index.ts';

/** Builders of the objects that a plan is made from: a shop with one namespace, unless told otherwise. */

type Parts<T> = { readonly [K in keyof T]?: T[K] | undefined };

const namespace = 'shop';

export interface Cluster {
  readonly pods?: readonly Pod[];
  readonly workloads?: readonly Workload[];
  readonly services?: readonly Service[];
  readonly slices?: readonly EndpointSlice[];
  readonly namespaces?: readonly Namespace[];
  readonly policies?: readonly Policy[];
  readonly nodes?: readonly Node[];
  readonly grants?: readonly ConnectivityGrant[];
}

/** A view of exactly these objects. */
export function viewOf(cluster: Cluster): ClusterView {
  const {
    pods = [],
    workloads = [],
    services = [],
    slices = [],
    namespaces = [],
    policies = [],
    grants = [],
  } = cluster;
  const within = <T extends KubeObject>(objects: readonly T[], wanted: string | undefined): readonly T[] =>
    objects.filter(({ metadata }) => metadata.namespace === wanted);
  return {
    pods: (wanted) => within(pods, wanted),
    workload: (kind, wanted, name) =>
      within(workloads, wanted).find((workload) => workload.kind === kind && workload.metadata.name === name),
    service: (wanted, name) => within(services, wanted).find(({ metadata }) => metadata.name === name),
    services: (wanted) => within(services, wanted),
    endpointSlices: (wanted, name) =>
      within(slices, wanted).filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === name),
    hasAddress: (address) => isInUse(address, { pods, services, endpointSlices: slices }),
    nodes: () => cluster.nodes ?? [],
    namespace: (name) => namespaces.find(({ metadata }) => metadata.name === name),
    namespaces: () => namespaces,
    grants: (wanted) => within(grants, wanted),
    policies: (wanted) => within(policies, wanted),
  };
}

export interface PodParts {
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly owner?: {
    readonly kind: string;
    readonly name: string;
    readonly uid?: string;
    readonly controller?: boolean;
  };
  readonly spec?: Parts<PodSpec>;
  readonly ip?: string | undefined;
  readonly ready?: boolean;
  readonly phase?: string;
  readonly deleting?: boolean;
}

/** A pod with one container that listens on 8080, named `http`, and has a readiness probe there; its uid is `uid-NAME`. */
export function podOf(name: string, parts: PodParts = {}): Pod {
  const { labels, owner, spec = {}, ready = true, phase = 'Running', deleting = false } = parts;
  const ip = 'ip' in parts ? parts.ip : '10.0.0.1';
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: parts.namespace ?? namespace,
      uid: `uid-${name}`,
      ...(labels === undefined ? {} : { labels }),
      ...(parts.annotations === undefined ? {} : { annotations: parts.annotations }),
      ...(deleting ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
      ...(owner === undefined
        ? {}
        : { ownerReferences: [{ apiVersion: 'apps/v1', uid: `uid-${owner.name}`, controller: true, ...owner }] }),
    },
    spec: { containers: [listening({ http: 8080 }, { httpGet: { port: 'http' } })], ...defined(spec) },
    status: {
      phase,
      ...(ip === undefined ? {} : { podIP: ip }),
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    },
  };
}

/** A container with named ports and, if given, a readiness probe. */
export function listening(
  ports: Readonly<Record<string, number>>,
  readinessProbe?: PodSpec['containers'][number]['readinessProbe'],
): PodSpec['containers'][number] {
  return {
    name: 'app',
    ports: Object.entries(ports).map(([name, containerPort]) => ({ name, containerPort })),
    ...(readinessProbe === undefined ? {} : { readinessProbe }),
  };
}

/** A pod of a Deployment, as its ReplicaSet names, labels and owns it. */
export function podOfDeployment(deployment: string, suffix: string, parts: PodParts = {}): Pod {
  const hash = 'abc12';
  return podOf(`${deployment}-${hash}-${suffix}`, {
    owner: { kind: 'ReplicaSet', name: `${deployment}-${hash}` },
    ...parts,
    labels: { app: deployment, 'pod-template-hash': hash, ...parts.labels },
  });
}

/** A workload that selects `app: NAME`. */
export function workloadOf(kind: string, name: string, template: Parts<PodSpec> = {}): Workload {
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, namespace, uid: `uid-${name}` },
    spec: {
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [], ...defined(template) } },
    },
  };
}

/** A Service with the cluster address 10.96.0.1 and the port `http`, 80. */
export function serviceOf(name: string, spec: Parts<Service['spec']> = {}, ofNamespace = namespace): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: ofNamespace },
    spec: {
      type: 'ClusterIP',
      clusterIP: '10.96.0.1',
      selector: { app: name },
      ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 'http' }],
      ...defined(spec),
    },
  };
}

/** The endpoints of a Service: these pods, all ready, on `http`, 8080. */
export function sliceOf(service: string, pods: readonly Pod[], parts: Parts<EndpointSlice> = {}): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${service}-x`,
      namespace: pods[0]?.metadata.namespace ?? namespace,
      labels: { 'kubernetes.io/service-name': service },
    },
    addressType: 'IPv4',
    endpoints: pods.map(({ metadata, status }) => ({
      addresses: [status?.podIP ?? ''],
      conditions: { ready: true },
      targetRef: { kind: 'Pod', name: metadata.name, uid: metadata.uid ?? '' },
    })),
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    ...defined(parts),
  };
}

/** A NetworkPolicy that selects pods and denies them everything. */
export function policyOf(name: string, podSelector: LabelSelector, parts: Parts<Policy> = {}): Policy {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, namespace, uid: `uid-${name}` },
    spec: { podSelector, policyTypes: ['Ingress', 'Egress'] },
    ...defined(parts),
  };
}

/** A namespace with these labels, and the one that Kubernetes gives it. */
export function namespaceOf(name: string, labels: Readonly<Record<string, string>> = {}): Namespace {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, uid: `uid-${name}`, labels: { 'kubernetes.io/metadata.name': name, ...labels } },
  };
}

/** A grant of everything in a namespace, as source and target, to the tests of `shop`, unless told otherwise. */
export function grantOf(
  ofNamespace: string,
  spec: Parts<ConnectivityGrant['spec']> = {},
  name = 'grant',
): ConnectivityGrant {
  return {
    apiVersion: 'postern.dev/v1alpha1',
    kind: 'ConnectivityGrant',
    metadata: { name, namespace: ofNamespace, uid: `uid-${ofNamespace}-${name}` },
    spec: { from: [{ namespace }], as: ['Source', 'Target'], ...defined(spec) },
  };
}

/** A test of the whole cluster, as the controller sees it. */
export function clusterTestOf(expectations: readonly Expectation[], parts: TestParts = {}): ConnectivityTest {
  const test = testOf(expectations, parts);
  return { ...test, kind: 'ClusterConnectivityTest', metadata: { ...test.metadata, namespace: '' } };
}

/** An expectation: an Allow from Deployment web to Service api, unless told otherwise. */
export function expectationOf(parts: Parts<Expectation> = {}): Expectation {
  return {
    name: 'web-reaches-api',
    from: { workload: { kind: 'Deployment', name: 'web' } },
    to: { service: { name: 'api' }, port: 80 },
    expect: 'Allow',
    ...defined(parts),
  };
}

export interface TestParts {
  readonly generation?: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec?: Parts<ConnectivityTest['spec']>;
  readonly status?: ConnectivityTest['status'] | undefined;
}

/** A test of these expectations. */
export function testOf(expectations: readonly Expectation[], parts: TestParts = {}): ConnectivityTest {
  return {
    apiVersion: 'postern.dev/v1alpha1',
    kind: 'ConnectivityTest',
    metadata: {
      name: 'boundaries',
      namespace,
      uid: 'uid-boundaries',
      generation: parts.generation ?? 1,
      ...(parts.annotations === undefined ? {} : { annotations: parts.annotations }),
    },
    spec: { expectations: [...expectations], ...defined(parts.spec ?? {}) },
    ...(parts.status === undefined ? {} : { status: parts.status }),
  };
}

function defined<T extends object>(parts: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.entries forgets which keys it had
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
