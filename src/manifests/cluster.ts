import type { EndpointSlice, KubeObject, Namespace, Pod, Policy, Protocol, Service, Workload } from '../api/index.ts';
import { type ClusterView, isInUse, isProbePod } from '../plan/index.ts';
import { containerPortNamed, selectorMatches } from '../policy/index.ts';
import type { Inventory } from './inventory.ts';
import { ownerOf, podsOf, type Template } from './workloads.ts';

/** The cluster that manifests declare, as a plan and the policy model look at it. */
export interface DeclaredCluster {
  readonly view: ClusterView;
  /** Those that are written down or that workloads would have; without an address where it is not known. */
  readonly pods: readonly Pod[];
  /** Those that are written down, labels complete. Of others only the name is known. */
  readonly namespaces: readonly Namespace[];
  readonly policies: readonly Policy[];
  readonly services: readonly Service[];
}

/** The cluster as it would be once everything is applied, running and ready. */
export function clusterOf(inventory: Inventory): DeclaredCluster {
  const { policies, services } = inventory;
  const pods = allPods(inventory);
  const namespaces = inventory.namespaces.map(withNameLabel);
  const podsByNamespace = byNamespace(pods.map(withSomeAddress));
  const slices = byNamespace([
    ...inventory.slices.filter(({ metadata }) => !hasSelector(services, metadata)),
    ...services.flatMap((service) => slicesFor(service, podsByNamespace.get(service.metadata.namespace) ?? [])),
  ]);
  const workloads = byNamespace(inventory.workloads.filter(isWorkload));
  const servicesByNamespace = byNamespace(services.map(withSomeClusterAddress));
  const policiesByNamespace = byNamespace(policies);
  const grantsByNamespace = byNamespace(inventory.grants);
  const namespacesByName = new Map(namespaces.map((namespace) => [namespace.metadata.name, namespace]));
  const view: ClusterView = {
    pods: (namespace) => podsByNamespace.get(namespace) ?? [],
    workload: (kind, namespace, name) =>
      workloads.get(namespace)?.find((each) => each.kind === kind && each.metadata.name === name),
    service: (namespace, name) => servicesByNamespace.get(namespace)?.find(({ metadata }) => metadata.name === name),
    services: (namespace) => servicesByNamespace.get(namespace) ?? [],
    endpointSlices: (namespace, service) =>
      (slices.get(namespace) ?? []).filter(({ metadata }) => metadata.labels?.[serviceNameLabel] === service),
    namespace: (name) => namespacesByName.get(name),
    namespaces: () => namespaces,
    grants: (namespace) => grantsByNamespace.get(namespace) ?? [],
    hasAddress: (address) => isInUse(address, { pods, services, endpointSlices: [...slices.values()].flat() }),
    nodes: () => [],
    policies: (namespace) => policiesByNamespace.get(namespace) ?? [],
  };
  return { view, pods, namespaces, policies, services };
}

const serviceNameLabel = 'kubernetes.io/service-name';

function byNamespace<T extends KubeObject>(objects: readonly T[]): ReadonlyMap<string | undefined, readonly T[]> {
  return Map.groupBy(objects, ({ metadata }) => metadata.namespace);
}

/** Pods as written, and those of workloads that have none among them: a dump of a live cluster holds both. */
function allPods({ pods: written, workloads }: Inventory): readonly Pod[] {
  // A dump of a cluster in which a run was under way: they wear the labels of others.
  const pods = written.filter((pod) => !isProbePod(pod));
  const owners = new Set(
    [...pods, ...workloads].flatMap(({ metadata }) =>
      (metadata.ownerReferences ?? []).map(({ kind, name }) => ownerKey(metadata.namespace, kind, name)),
    ),
  );
  // A dump may leave out the ReplicaSets between a Deployment and its pods.
  for (const { kind, metadata } of pods.map(ownerOf)) owners.add(ownerKey(metadata.namespace, kind, metadata.name));
  const bare = workloads.filter(({ kind, metadata }) => !owners.has(ownerKey(metadata.namespace, kind, metadata.name)));
  return [...pods.map(asReady), ...bare.flatMap(podsOf)];
}

function ownerKey(namespace: string | undefined, kind: string, name: string): string {
  return [namespace, kind, name].join('/');
}

/** A pod of a manifest has no status yet; one of a dump has. */
function asReady(pod: Pod): Pod {
  if (pod.status?.phase !== undefined) return pod;
  return { ...pod, status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } };
}

/** The API server adds this label to every namespace (KEP-2161), and refuses another value. */
function withNameLabel(namespace: Namespace): Namespace {
  const { metadata } = namespace;
  const labels = { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name };
  return { ...namespace, metadata: { ...metadata, labels } };
}

/** The plan dials addresses. It only compares them, so a pod that has none yet gets a word that is no address at all. */
function withSomeAddress(pod: Pod): Pod {
  if (pod.status?.podIP !== undefined) return pod;
  const podIP = `address of pod ${pod.metadata.namespace}/${pod.metadata.name}`;
  return { ...pod, status: { ...pod.status, podIP } };
}

function withSomeClusterAddress(service: Service): Service {
  const { spec, metadata } = service;
  if (spec.clusterIP !== undefined || spec.type === 'ExternalName') return service;
  return { ...service, spec: { ...spec, clusterIP: `address of Service ${metadata.namespace}/${metadata.name}` } };
}

function isWorkload(template: Template): template is Template & Workload {
  return template.spec.selector !== undefined && template.spec.template !== undefined;
}

function hasSelector(services: readonly Service[], { namespace, labels }: KubeObject['metadata']): boolean {
  const service = services.find(
    ({ metadata }) => metadata.namespace === namespace && metadata.name === labels?.[serviceNameLabel],
  );
  return service !== undefined && Object.keys(service.spec.selector ?? {}).length > 0;
}

/**
 * The endpoints that the control plane would make for a Service: one slice for each set of port numbers, because a named
 * target port may be another number in each pod.
 */
function slicesFor({ metadata, spec }: Service, pods: readonly Pod[]): readonly EndpointSlice[] {
  const { selector = {}, ports = [] } = spec;
  // A Service with an empty selector selects nothing, unlike a LabelSelector.
  if (Object.keys(selector).length === 0 || spec.type === 'ExternalName') return [];
  const behind = pods.filter((pod) => selectorMatches({ matchLabels: selector }, pod.metadata.labels));
  const byPorts = Map.groupBy(behind, (pod) => JSON.stringify(ports.map((port) => targetPortOf(port, pod))));
  return [...byPorts].map(([key, members], index) => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${metadata.name}-${index}`,
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      uid: `${metadata.uid}/${key}`,
      labels: { [serviceNameLabel]: metadata.name },
    },
    addressType: 'IPv4',
    endpoints: members.map((pod) => ({
      addresses: [pod.status?.podIP ?? ''],
      conditions: {
        ready: pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true,
      },
      targetRef: { kind: 'Pod', name: pod.metadata.name, uid: pod.metadata.uid ?? '' },
    })),
    ports: ports.flatMap((port) => {
      const number = members[0] === undefined ? undefined : targetPortOf(port, members[0]);
      return number === undefined ? [] : [{ ...port, port: number }];
    }),
  }));
}

function targetPortOf(
  { port, targetPort, protocol }: NonNullable<Service['spec']['ports']>[number],
  pod: Pod,
): number | undefined {
  if (typeof targetPort !== 'string') return targetPort === undefined || targetPort === 0 ? port : targetPort;
  return containerPortNamed(pod, targetPort, asProtocol(protocol));
}

function asProtocol(protocol = 'TCP'): Protocol {
  return protocol === 'UDP' ? 'UDP' : 'TCP';
}
