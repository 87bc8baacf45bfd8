import type {
  ConnectivityGrant,
  EndpointSlice,
  Namespace,
  Node,
  Pod,
  Policy,
  Service,
  Workload,
} from '../api/index.ts';

/** What the plan reads of the cluster: a consistent view over caches, never a call to the API server. */
export interface ClusterView {
  pods(namespace: string): readonly Pod[];
  workload(kind: 'Deployment' | 'StatefulSet' | 'DaemonSet', namespace: string, name: string): Workload | undefined;
  service(namespace: string, name: string): Service | undefined;
  services(namespace: string): readonly Service[];
  endpointSlices(namespace: string, serviceName: string): readonly EndpointSlice[];
  /** Whether a pod, Service or endpoint of any namespace has this address. */
  hasAddress(address: string): boolean;
  nodes(): readonly Node[];
  namespace(name: string): Namespace | undefined;
  namespaces(): readonly Namespace[];
  /** What the namespace grants to tests of others. */
  grants(namespace: string): readonly ConnectivityGrant[];
  /** Policies of every watched kind in the namespace, and those without a namespace for `undefined`. */
  policies(namespace: string | undefined): readonly Policy[];
}

/** The label that every probe pod carries, and nothing else may: it is how they are found and told apart. */
export const probeLabel = { key: 'postern.dev/component', value: 'probe' } as const;

export function isProbePod(pod: Pod): boolean {
  return pod.metadata.labels?.[probeLabel.key] === probeLabel.value;
}

/** Whether a pod is, or is about to be, a working member of its workload. */
export function isLive(pod: Pod): boolean {
  if (pod.metadata.deletionTimestamp !== undefined || isProbePod(pod)) return false;
  return pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed';
}

export function isReady(pod: Pod): boolean {
  return (
    isLive(pod) && pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true
  );
}
