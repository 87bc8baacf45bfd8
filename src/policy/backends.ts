import type { EndpointSlice, Pod, Service } from '../api/index.ts';
import { selectorMatches } from './labels.ts';
import { defaultNamespace, isPolicyProtocol } from './party.ts';
import type { PolicyProtocol } from './question.ts';

/** One place that a connection to a Service's port may end at. */
export interface Backend {
  /** Absent for an endpoint that is no pod. */
  readonly pod?: { readonly namespace: string; readonly name: string };
  /** Known from an EndpointSlice alone. */
  readonly address?: string;
  /** The port that policies see: after translation. */
  readonly port: number;
  /** Whether connections are sent there now. */
  readonly ready: boolean;
}

export interface Backends {
  readonly backends: readonly Backend[];
  /** Pods behind the Service that do not have the port that its targetPort names, by that name and protocol. */
  readonly withoutPort: readonly { readonly namespace: string; readonly name: string }[];
}

export type ServicePort = NonNullable<Service['spec']['ports']>[number];

/**
 * Everything that may answer for a Service's port: the endpoints of its slices where there are any, otherwise the pods that it
 * selects. `targetPort` may be a number, a name that each pod resolves for itself, or absent and so the Service's own port.
 */
export function backendsOf(
  service: Service,
  servicePort: ServicePort,
  pods: readonly Pod[],
  slices: readonly EndpointSlice[] = [],
): Backends {
  const namespace = service.metadata.namespace ?? defaultNamespace;
  const own = slices.filter(
    ({ metadata, addressType }) =>
      addressType !== 'FQDN' &&
      metadata.namespace === service.metadata.namespace &&
      metadata.labels?.[serviceNameLabel] === service.metadata.name,
  );
  if (own.length > 0)
    return { backends: own.flatMap((slice) => endpointsOf(slice, servicePort, namespace)), withoutPort: [] };
  const { selector } = service.spec;
  // A Service without a selector has the endpoints that somebody writes for it, or none.
  if (service.spec.type === 'ExternalName' || selector === undefined || Object.keys(selector).length === 0) {
    return { backends: [], withoutPort: [] };
  }
  const selected = pods.filter(
    ({ metadata, status }) =>
      (metadata.namespace ?? defaultNamespace) === namespace &&
      selectorMatches({ matchLabels: selector }, metadata.labels) &&
      status?.phase !== 'Succeeded' &&
      status?.phase !== 'Failed',
  );
  const placed = selected.map((pod) => ({
    pod,
    name: { namespace, name: pod.metadata.name },
    port: targetPortOn(pod, servicePort),
  }));
  return {
    backends: placed.flatMap(({ pod, name, port }) =>
      port === undefined ? [] : [{ pod: name, port, ready: isServing(pod, service) }],
    ),
    withoutPort: placed.filter(({ port }) => port === undefined).map(({ name }) => name),
  };
}

const serviceNameLabel = 'kubernetes.io/service-name';

/** The number of a pod's container port by name (several containers may share a name; the first counts, as for a Service). */
export function containerPortNamed(pod: Pod, name: string, protocol: PolicyProtocol): number | undefined {
  for (const { ports } of pod.spec.containers) {
    const port = ports?.find((candidate) => candidate.name === name && (candidate.protocol ?? 'TCP') === protocol);
    if (port !== undefined) return port.containerPort;
  }
  return undefined;
}

function targetPortOn(pod: Pod, { port, targetPort, protocol = 'TCP' }: ServicePort): number | undefined {
  if (typeof targetPort !== 'string') return targetPort ?? port;
  return isPolicyProtocol(protocol) ? containerPortNamed(pod, targetPort, protocol) : undefined;
}

/** As the endpoint controller decides: a Ready pod, or any with an address where not-ready ones are published. */
function isServing({ status, metadata }: Pod, { spec }: Service): boolean {
  if (spec.publishNotReadyAddresses === true) return true;
  // A pod of a manifest has no status: what is asked is what happens once it runs.
  if (status?.conditions === undefined) return true;
  const isReady = status.conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True');
  return isReady && metadata.deletionTimestamp === undefined;
}

function endpointsOf(slice: EndpointSlice, servicePort: ServicePort, namespace: string): readonly Backend[] {
  const { name = '', protocol = 'TCP' } = servicePort;
  const port = slice.ports?.find(
    (offered) => (offered.name ?? '') === name && (offered.protocol ?? 'TCP') === protocol,
  )?.port;
  if (port === undefined) return [];
  return (slice.endpoints ?? []).flatMap(({ addresses, conditions, targetRef }) =>
    addresses.slice(0, 1).map((address) => ({
      ...(targetRef?.kind === 'Pod' && targetRef.name !== undefined
        ? { pod: { namespace: targetRef.namespace ?? namespace, name: targetRef.name } }
        : {}),
      address,
      port,
      ready: conditions?.ready !== false,
    })),
  );
}
