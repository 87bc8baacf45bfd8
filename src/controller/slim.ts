import type { Lease, Node, ObjectMeta, Pod, PodSpec, Policy, Workload } from '../api/index.ts';
import { meshAnnotations } from '../plan/index.ts';

/**
 * What the caches keep of pods and workloads. A cluster has many of them, and environment variables, volumes and
 * annotations are most of their weight.
 */
export function slimPod(pod: Pod): Pod {
  const { phase, reason, message, podIP, podIPs, conditions, containerStatuses } = pod.status ?? {};
  return {
    apiVersion: pod.apiVersion,
    kind: pod.kind,
    metadata: { ...slimMetadata(pod.metadata), ...defined({ annotations: meshMarks(pod.metadata.annotations) }) },
    spec: slimSpec(pod.spec),
    status: {
      ...defined({ phase, reason, message, podIP, podIPs }),
      conditions: (conditions ?? []).filter(({ type }) => type === 'Ready' || type === 'PodScheduled'),
      containerStatuses: (containerStatuses ?? []).map(({ name, ready, state }) => ({
        name,
        ...defined({ ready, state }),
      })),
    },
  };
}

export function slimWorkload(workload: Workload): Workload {
  const { selector, template } = workload.spec;
  return {
    apiVersion: workload.apiVersion,
    kind: workload.kind,
    metadata: slimMetadata(workload.metadata),
    spec: {
      selector,
      template: { metadata: defined({ labels: template.metadata?.labels }), spec: slimSpec(template.spec) },
    },
  };
}

/** What tells nodes, and states of a node that may deny unlike each other, apart, which pods it takes and where it is. Most of a node is images and heartbeats. */
export function slimNode({ apiVersion, kind, metadata, spec, status }: Node): Node {
  const { kernelVersion, osImage } = status?.nodeInfo ?? {};
  const { taints, unschedulable } = spec ?? {};
  const ready = (status?.conditions ?? []).filter(({ type }) => type === 'Ready');
  return {
    apiVersion,
    kind,
    metadata: slimMetadata(metadata),
    spec: {
      ...defined({ unschedulable }),
      ...(taints === undefined
        ? {}
        : { taints: taints.map(({ key, value, effect }) => ({ key, effect, ...defined({ value }) })) }),
    },
    status: {
      nodeInfo: defined({ kernelVersion, osImage }),
      conditions: ready.map(({ type, status }) => ({ type, status })),
      ...(status?.addresses === undefined
        ? {}
        : { addresses: status.addresses.map(({ type, address }) => ({ type, address })) }),
    },
  };
}

/** What policies say, without what tools and network plugins write down beside it. */
export function slimPolicy({ apiVersion, kind, metadata, spec, specs }: Policy): Policy {
  return { apiVersion, kind, metadata: slimMetadata(metadata), ...defined({ spec, specs }) };
}

export function slimLease({ apiVersion, kind, metadata, spec }: Lease): Lease {
  const { name, namespace, resourceVersion } = metadata;
  return {
    apiVersion,
    kind,
    metadata: { name, ...defined({ namespace, resourceVersion }) },
    spec: defined({ renewTime: spec?.renewTime }),
  };
}

/** The annotations by which a service mesh is recognised, if there are any. */
function meshMarks(annotations: ObjectMeta['annotations'] = {}): ObjectMeta['annotations'] {
  const marks = Object.entries(annotations).filter(([key]) => meshAnnotations.includes(key));
  return marks.length === 0 ? undefined : Object.fromEntries(marks);
}

function slimMetadata(metadata: ObjectMeta): ObjectMeta {
  const { name, namespace, uid, resourceVersion, generation, labels, creationTimestamp } = metadata;
  const { deletionTimestamp, ownerReferences } = metadata;
  return {
    name,
    ...defined({
      namespace,
      uid,
      resourceVersion,
      generation,
      labels,
      creationTimestamp,
      deletionTimestamp,
      ownerReferences,
    }),
  };
}

function slimSpec(spec: PodSpec): PodSpec {
  const { hostNetwork, nodeName, serviceAccountName, nodeSelector, tolerations } = spec;
  const { dnsPolicy, dnsConfig, hostAliases, imagePullSecrets } = spec;
  // Only those that run beside the application: among them are the proxies of service meshes.
  const sidecars = (spec.initContainers ?? [])
    .filter(({ restartPolicy }) => restartPolicy === 'Always')
    .map(({ name, restartPolicy }) => ({ name, ...defined({ restartPolicy }) }));
  return {
    containers: spec.containers.map(({ name, ports, readinessProbe }) => ({
      name,
      ...defined({ ports, readinessProbe }),
    })),
    ...defined({
      initContainers: sidecars.length === 0 ? undefined : sidecars,
      hostNetwork,
      nodeName,
      serviceAccountName,
      nodeSelector,
      tolerations,
      dnsPolicy,
      dnsConfig,
      hostAliases,
      imagePullSecrets,
    }),
  };
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** The members that have a value: an absent field and one set to undefined are different things to JSON and to the compiler. */
function defined<T extends object>(members: T): Defined<T> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.entries forgets which keys it had
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Defined<T>;
}
