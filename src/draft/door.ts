import type { Expectation, Pod, Service } from '../api/index.ts';
import type { KnownCluster } from '../prediction/index.ts';
import { backendsOf } from '../policy/index.ts';
import { namedBy, type Workload } from './workload.ts';

/** A port that a workload is said to have: by its containers, or by a Service in front of it. */
export interface Door {
  readonly workload: Workload;
  readonly protocol: 'TCP' | 'UDP';
  readonly port: number;
  /** A Service and its port that lead to this port of every pod of the workload, and nowhere else. */
  readonly service?: { readonly name: string; readonly port: number };
}

/** Every door of the workloads, in a fixed order. SCTP ports are left out: a test has no words for them. */
export function doorsOf(workloads: readonly Workload[], { services, pods }: KnownCluster): readonly Door[] {
  const byNamespace = Map.groupBy(pods, ({ metadata }) => metadata.namespace);
  const fronts = services
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .flatMap((service) => frontsOf(service, byNamespace.get(service.metadata.namespace) ?? []));
  const frontsByPod = Map.groupBy(
    fronts.flatMap((front) => front.backends.map((backend) => ({ front, ...backend }))),
    ({ key }) => key,
  );
  return workloads.flatMap((workload) => {
    const behind = workload.pods.flatMap((pod) => frontsByPod.get(keyOf(pod)) ?? []);
    const declared = workload.pods.flatMap(({ spec }) =>
      spec.containers.flatMap(({ ports = [] }) =>
        ports.map(({ containerPort, protocol = 'TCP' }) => ({ port: containerPort, protocol })),
      ),
    );
    const offered = behind.map(({ port, front }) => ({ port, protocol: front.protocol }));
    const ports = new Map([...declared, ...offered].map((each) => [`${each.protocol} ${each.port}`, each]));
    return [...ports.values()]
      .toSorted((a, b) => a.port - b.port || (a.protocol < b.protocol ? -1 : 1))
      .flatMap(({ port, protocol }): readonly Door[] => {
        if (protocol !== 'TCP' && protocol !== 'UDP') return [];
        const front = behind.find((each) => each.front.protocol === protocol && leadsTo(each.front, workload, port));
        const service = front && { name: front.front.name, port: front.front.port };
        return [{ workload, protocol, port, ...(service === undefined ? {} : { service }) }];
      });
  });
}

interface Front {
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
  readonly backends: readonly { readonly key: string; readonly port: number }[];
}

function frontsOf(service: Service, pods: readonly Pod[]): readonly Front[] {
  const { metadata, spec } = service;
  if (spec.type === 'ExternalName' || spec.internalTrafficPolicy === 'Local') return [];
  return (spec.ports ?? []).map((each) => ({
    name: metadata.name,
    port: each.port,
    protocol: each.protocol ?? 'TCP',
    backends: backendsOf(service, each, pods).backends.flatMap(({ pod, port }) =>
      // Clients of a headless Service dial its pods on the port that they know.
      pod === undefined || (spec.clusterIP === 'None' && port !== each.port)
        ? []
        : [{ key: `${pod.namespace}/${pod.name}`, port }],
    ),
  }));
}

function leadsTo({ backends }: Front, { pods }: Workload, port: number): boolean {
  const own = new Set(pods.map(keyOf));
  return backends.length === own.size && backends.every((backend) => own.has(backend.key) && backend.port === port);
}

function keyOf({ metadata }: Pod): string {
  return `${metadata.namespace}/${metadata.name}`;
}

/**
 * How a test in `namespace` names a door. At home by the workload: every replica is dialled, so that no hole hides behind a
 * Service's choice, and an Allow and a Deny to the same pods prove each other. Elsewhere by the Service where one leads there and
 * nowhere else, since workloads of other namespaces take a ConnectivityGrant.
 */
export function targetFor(
  { workload, port, service }: Door,
  namespace: string,
  { view }: KnownCluster,
): Expectation['to'] | undefined {
  const isAbroad = workload.namespace !== namespace;
  if (isAbroad && service !== undefined) {
    return { service: { name: service.name, namespace: workload.namespace }, port: service.port };
  }
  const named = namedBy(workload, view);
  return named && { ...named, ...(isAbroad ? { namespace: workload.namespace } : {}), port };
}

/** What is said at a door; undefined where nobody can know which datagram is answered there. */
export function spokenAt({ protocol, port }: Door): Pick<Expectation, 'protocol' | 'udp'> | undefined {
  if (protocol === 'TCP') return {};
  if (port === 53) return { protocol, udp: { preset: 'DNS' } };
  return port === 123 ? { protocol, udp: { preset: 'NTP' } } : undefined;
}
