import {
  type Calibration,
  calibrationName,
  type ConnectivityGrant,
  type ConnectivityTest,
  type EndpointSlice,
  type KubeObject,
  type Lease,
  type Namespace,
  type Node,
  type Pod,
  type Policy,
  type Service,
  type Workload,
} from '../api/index.ts';
import type { Clock } from '../clock/index.ts';
import { type Change, type KubeClient, type Log, Reflector, type ResourceType, type Store } from '../kube/index.ts';
import { type ClusterView, type End, endsBehind, isInUse, isProbePod } from '../plan/index.ts';
import { Heartbeats } from './heartbeats.ts';
import {
  namespaceStanding,
  type ObservedChanges,
  podStanding,
  policyStanding,
  serviceStanding,
  sliceStanding,
} from './observed-changes.ts';
import { resources } from './resources.ts';
import { slimLease, slimNode, slimPod, slimPolicy, slimWorkload } from './slim.ts';

/** The controller's picture of the cluster, kept by watches. */
export interface Caches extends ClusterView {
  /** Those of the whole cluster are in the namespace that is the empty string. */
  readonly tests: Pick<Store<ConnectivityTest>, 'get' | 'list'>;
  podNamed(namespace: string, name: string): Pod | undefined;
  probePods(): readonly Pod[];
  calibration(): Calibration | undefined;
  nodes(): readonly Node[];
  /** When a node's kubelet was last heard of, by the monotonic clock. */
  heardOf(node: string): number | undefined;
  /** Where packets to an address arrive in the cluster. */
  endsBehind(address: string): readonly End[];
  /** Which kinds of policies there are to see. */
  policyKinds(): PolicyKinds;
  /** Resolves when every kind has been listed once. */
  readonly synced: Promise<unknown>;
  /** Watches until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

/** Which kinds of policies the API server serves. */
export interface PolicyKinds {
  /** API groups of which a kind is served. */
  readonly servedGroups: readonly string[];
  /** Kinds that the operator may not list, as `PLURAL.GROUP`: whether there are any, it does not know. */
  readonly forbidden: readonly string[];
}

/** Whom to tell. Listeners only enqueue: they must not throw or wait. */
export interface CacheListeners {
  onTest(change: Change<ConnectivityTest>): void;
  onProbePod(pod: Pod): void;
  /** The calibration or a node changed. */
  onCalibration(): void;
  /** A node's kubelet has been heard of. */
  onHeartbeat(): void;
  /** Something that verdicts may depend on changed, but no consent; without a namespace it may concern every test. */
  onCluster(namespace: string | undefined): void;
  /** What a namespace grants to others changed. */
  onGrant(namespace: string): void;
}

export interface CachesOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly listeners: CacheListeners;
  /** Told what may take the network plugin a while to enforce. */
  readonly changes: ObservedChanges;
}

export function createCaches({ client, clock, log, listeners, changes }: CachesOptions): Caches {
  const reflect = <T extends KubeObject>(
    resource: ResourceType,
    onChange: (change: Change<T>) => void,
    extra: { readonly transform?: (object: T) => T; readonly optional?: boolean; readonly namespace?: string } = {},
  ) => new Reflector<T>({ client, resource, clock, log, onChange, ...extra });
  const onCluster = ({ object }: Change<KubeObject>): void => listeners.onCluster(object.metadata.namespace);
  const onNamespace = (change: Change<Namespace>): void => {
    const { object, previous } = change;
    changes.note(change, namespaceStanding);
    if (JSON.stringify(object.metadata.labels) !== JSON.stringify(previous?.metadata.labels))
      // Tests select namespaces by their labels, and namespaces refuse probes by one.
      listeners.onCluster(undefined);
  };
  const onPod = (change: Change<Pod>): void => {
    if (isProbePod(change.object)) {
      listeners.onProbePod(change.object);
      return;
    }
    changes.note(change, podStanding);
    onCluster(change);
  };
  const onService = (change: Change<Service>): void => {
    changes.note(change, serviceStanding);
    onCluster(change);
  };
  const onSlice = (change: Change<EndpointSlice>): void => {
    changes.note(change, sliceStanding);
    onCluster(change);
  };
  const onPolicy = (change: Change<Policy>): void => {
    changes.note(change, policyStanding);
    onCluster(change);
  };
  const onNode = ({ object, previous }: Change<Node>): void => {
    // Kubelets touch their node all the time.
    if (JSON.stringify(object.status) !== JSON.stringify(previous?.status)) listeners.onCalibration();
    const takes = ({ metadata, spec, status }: Node) => JSON.stringify([metadata.labels, spec, status?.conditions]);
    if (previous === undefined || takes(object) !== takes(previous)) listeners.onCluster(undefined);
  };

  const heartbeats = new Heartbeats(clock);
  const onLease = (change: Change<Lease>): void => {
    if (heartbeats.take(change)) listeners.onHeartbeat();
  };

  const tests = reflect<ConnectivityTest>(resources.connectivityTests, (change) => listeners.onTest(change));
  const clusterTests = reflect<ConnectivityTest>(
    resources.clusterConnectivityTests,
    (change) => listeners.onTest(change),
    { transform: withoutNamespace },
  );
  const grants = reflect<ConnectivityGrant>(resources.connectivityGrants, ({ object }) =>
    listeners.onGrant(object.metadata.namespace),
  );
  const calibrations = reflect<Calibration>(resources.calibrations, () => listeners.onCalibration());
  const nodes = reflect<Node>(resources.nodes, onNode, { transform: slimNode });
  const leases = reflect<Lease>(resources.leases, onLease, {
    transform: slimLease,
    optional: true,
    namespace: 'kube-node-lease',
  });
  const pods = reflect<Pod>(resources.pods, onPod, { transform: slimPod });
  const services = reflect<Service>(resources.services, onService);
  const namespaces = reflect<Namespace>(resources.namespaces, onNamespace);
  const endpointSlices = reflect<EndpointSlice>(resources.endpointSlices, onSlice);
  const workloads = {
    Deployment: reflect<Workload>(resources.deployments, onCluster, { transform: slimWorkload }),
    StatefulSet: reflect<Workload>(resources.statefulSets, onCluster, { transform: slimWorkload }),
    DaemonSet: reflect<Workload>(resources.daemonSets, onCluster, { transform: slimWorkload }),
  };
  const reflectPolicies = (resource: ResourceType, optional = true) =>
    reflect<Policy>(resource, onPolicy, { transform: slimPolicy, optional });
  const namespacedPolicies = [
    reflectPolicies(resources.networkPolicies, false),
    reflectPolicies(resources.ciliumNetworkPolicies),
    reflectPolicies(resources.calicoNetworkPolicies),
  ];
  const clusterPolicies = [
    reflectPolicies(resources.ciliumClusterwideNetworkPolicies),
    reflectPolicies(resources.clusterNetworkPolicies),
    reflectPolicies(resources.calicoGlobalNetworkPolicies),
    reflectPolicies(resources.calicoTiers),
  ];
  const policies = [...namespacedPolicies, ...clusterPolicies];
  const all: readonly { run(signal: AbortSignal): Promise<void>; readonly synced: Promise<void> }[] = [
    tests,
    clusterTests,
    grants,
    calibrations,
    nodes,
    leases,
    pods,
    services,
    namespaces,
    endpointSlices,
    ...Object.values(workloads),
    ...policies,
  ];

  return {
    tests: {
      get: (namespace, name) => (namespace === '' ? clusterTests : tests).store.get(namespace, name),
      list: () => [...tests.store.list(), ...clusterTests.store.list()],
    },
    podNamed: (namespace, name) => pods.store.get(namespace, name),
    probePods: () => pods.store.list().filter(isProbePod),
    calibration: () => calibrations.store.get(undefined, calibrationName),
    nodes: () => nodes.store.list(),
    heardOf: (node) => heartbeats.lastOf(node),
    policyKinds: () => ({
      servedGroups: policies
        .filter(({ availability }) => availability === 'served')
        .map(({ resource }) => resource.group),
      forbidden: policies
        .filter(({ availability }) => availability === 'forbidden')
        .map(({ resource: { plural, group } }) => `${plural}.${group}`),
    }),
    pods: (namespace) => pods.store.inNamespace(namespace),
    workload: (kind, namespace, name) => workloads[kind].store.get(namespace, name),
    service: (namespace, name) => services.store.get(namespace, name),
    services: (namespace) => services.store.inNamespace(namespace),
    endpointSlices: (namespace, service) =>
      endpointSlices.store
        .inNamespace(namespace)
        .filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === service),
    hasAddress: (address) =>
      isInUse(address, {
        pods: pods.store.list(),
        services: services.store.list(),
        endpointSlices: endpointSlices.store.list(),
      }),
    endsBehind: (address) =>
      endsBehind(address, {
        pods: pods.store.list(),
        services: services.store.list(),
        endpointSlices: endpointSlices.store.list(),
      }),
    namespace: (name) => namespaces.store.get(undefined, name),
    namespaces: () => namespaces.store.list(),
    grants: (namespace) => grants.store.inNamespace(namespace),
    policies: (namespace) =>
      namespace === undefined
        ? clusterPolicies.flatMap(({ store }) => store.list())
        : namespacedPolicies.flatMap(({ store }) => store.inNamespace(namespace)),
    synced: Promise.all(all.map(({ synced }) => synced)),
    run: async (signal) => {
      await Promise.all(all.map((reflector) => reflector.run(signal)));
    },
  };
}

/** A cluster-scoped test, with the namespace that Kubernetes' own libraries give to such objects. */
function withoutNamespace(test: ConnectivityTest): ConnectivityTest {
  return { ...test, metadata: { ...test.metadata, namespace: '' } };
}
