import {
  type Calibration,
  calibrationName,
  type ConnectivityTest,
  type EndpointSlice,
  type KubeObject,
  type Namespace,
  type Node,
  type Pod,
  type Policy,
  type Service,
  type Workload,
} from '../api/index.ts';
import type { Clock } from '../clock/index.ts';
import { type Change, type KubeClient, type Log, Reflector, type ResourceType, type Store } from '../kube/index.ts';
import { type ClusterView, isInUse, isProbePod } from '../plan/index.ts';
import { resources } from './resources.ts';
import { slimNode, slimPod, slimWorkload } from './slim.ts';

/** The controller's picture of the cluster, kept by watches. */
export interface Caches extends ClusterView {
  readonly tests: Store<ConnectivityTest>;
  podNamed(namespace: string, name: string): Pod | undefined;
  probePods(): readonly Pod[];
  calibration(): Calibration | undefined;
  nodes(): readonly Node[];
  /** Resolves when every kind has been listed once. */
  readonly synced: Promise<unknown>;
  /** Watches until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

/** Whom to tell. Listeners only enqueue: they must not throw or wait. */
export interface CacheListeners {
  onTest(change: Change<ConnectivityTest>): void;
  onProbePod(pod: Pod): void;
  /** The calibration or a node changed. */
  onCalibration(): void;
  /** Something that verdicts may depend on changed; without a namespace it may concern every test. */
  onCluster(namespace: string | undefined): void;
}

export interface CachesOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly listeners: CacheListeners;
}

export function createCaches({ client, clock, log, listeners }: CachesOptions): Caches {
  const reflect = <T extends KubeObject>(
    resource: ResourceType,
    onChange: (change: Change<T>) => void,
    extra: { readonly transform?: (object: T) => T; readonly optional?: boolean } = {},
  ) => new Reflector<T>({ client, resource, clock, log, onChange, ...extra });
  const onCluster = ({ object }: Change<KubeObject>): void => listeners.onCluster(object.metadata.namespace);
  const onNamespace = ({ object, previous }: Change<Namespace>): void => {
    if (JSON.stringify(object.metadata.labels) !== JSON.stringify(previous?.metadata.labels))
      listeners.onCluster(object.metadata.name);
  };
  const onPod = ({ object }: Change<Pod>): void => {
    if (isProbePod(object)) listeners.onProbePod(object);
    else listeners.onCluster(object.metadata.namespace);
  };

  const onNode = ({ object, previous }: Change<Node>): void => {
    // Kubelets touch their node all the time.
    if (JSON.stringify(object.status) !== JSON.stringify(previous?.status)) listeners.onCalibration();
    const takes = ({ metadata, spec, status }: Node) => JSON.stringify([metadata.labels, spec, status?.conditions]);
    if (previous === undefined || takes(object) !== takes(previous)) listeners.onCluster(undefined);
  };

  const tests = reflect<ConnectivityTest>(resources.connectivityTests, (change) => listeners.onTest(change));
  const calibrations = reflect<Calibration>(resources.calibrations, () => listeners.onCalibration());
  const nodes = reflect<Node>(resources.nodes, onNode, { transform: slimNode });
  const pods = reflect<Pod>(resources.pods, onPod, { transform: slimPod });
  const services = reflect<Service>(resources.services, onCluster);
  const namespaces = reflect<Namespace>(resources.namespaces, onNamespace);
  const endpointSlices = reflect<EndpointSlice>(resources.endpointSlices, onCluster);
  const workloads = {
    Deployment: reflect<Workload>(resources.deployments, onCluster, { transform: slimWorkload }),
    StatefulSet: reflect<Workload>(resources.statefulSets, onCluster, { transform: slimWorkload }),
    DaemonSet: reflect<Workload>(resources.daemonSets, onCluster, { transform: slimWorkload }),
  };
  const namespacedPolicies = [
    reflect<Policy>(resources.networkPolicies, onCluster),
    reflect<Policy>(resources.ciliumNetworkPolicies, onCluster, { optional: true }),
  ];
  const clusterPolicies = reflect<Policy>(resources.ciliumClusterwideNetworkPolicies, onCluster, { optional: true });
  const all: readonly { run(signal: AbortSignal): Promise<void>; readonly synced: Promise<void> }[] = [
    tests,
    calibrations,
    nodes,
    pods,
    services,
    namespaces,
    endpointSlices,
    ...Object.values(workloads),
    ...namespacedPolicies,
    clusterPolicies,
  ];

  return {
    tests: tests.store,
    podNamed: (namespace, name) => pods.store.get(namespace, name),
    probePods: () => pods.store.list().filter(isProbePod),
    calibration: () => calibrations.store.get(undefined, calibrationName),
    nodes: () => nodes.store.list(),
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
    namespace: (name) => namespaces.store.get(undefined, name),
    policies: (namespace) =>
      namespace === undefined
        ? clusterPolicies.store.list()
        : namespacedPolicies.flatMap(({ store }) => store.inNamespace(namespace)),
    synced: Promise.all(all.map(({ synced }) => synced)),
    run: async (signal) => {
      await Promise.all(all.map((reflector) => reflector.run(signal)));
    },
  };
}
