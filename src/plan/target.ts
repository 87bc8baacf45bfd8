import type { ConnectivityTest, EndpointSlice, Expectation, Pod, Protocol, Service } from '../api/index.ts';
import { containerPortNamed } from '../policy/index.ts';
import { isNumericHost, type SpecialAddress, specialAddress } from '../probe/index.ts';
import { describeSelector, type Finding, podsMatching, podsOfWorkload } from './identity.ts';
import { declaresPort, hasReadinessProbeOn } from './pod-port.ts';
import { type ClusterView, isReady } from './view.ts';

/** One thing to dial, resolved as far as it can be from outside of the probe pod. */
export interface Target {
  /** Absent for a host name, which the probe resolves itself, and for the source's own resolver. */
  readonly address?: string;
  readonly host?: string;
  readonly port: number;
  /** Pods that may answer, by uid; empty for addresses and host names. */
  readonly podUids: readonly string[];
  /** Whether the kubelet proves, by a readiness probe on that very port, that each of these pods answers there. */
  readonly readinessProved: boolean;
  /** Whether each of these pods is ready and declares that very port. */
  readonly declared?: boolean;
}

export interface ResolvedTargets {
  readonly targets: readonly Target[];
  /** What the verdict's sentence must add, such as that only some replicas were dialled. */
  readonly note?: string;
}

/** Most pods of one target that one expectation dials. */
export const maxPodsPerTarget = 10;

/** What an expectation's target stands for now, or why it cannot be dialled. */
export function targetsOf(
  test: ConnectivityTest,
  expectation: Expectation,
  view: ClusterView,
): ResolvedTargets | Finding {
  const resolved = resolvedTargets(test, expectation, view);
  if ('reason' in resolved) return resolved;
  const address = resolved.targets.map((target) => target.address).find((each) => isRefused(each, expectation));
  return address === undefined ? resolved : refusal(address, expectation, test.metadata.namespace);
}

/** Whether an address is not to be dialled, though somebody wrote it into a test, an EndpointSlice or a pod's status. */
function isRefused(address: string | undefined, { to, expect, udp, http }: Expectation): boolean {
  const special = address === undefined ? undefined : specialAddress(address);
  if (special !== 'Metadata') return special !== undefined;
  // Nodes keep a DNS cache on a link-local address. Anything else there may only be denied, by a connection without a byte.
  if (to.dns !== undefined) return portOf(to) !== dnsPort;
  return expect !== 'Deny' || udp !== undefined || http !== undefined;
}

function refusal(address: string, expectation: Expectation, namespace: string): Finding {
  const name = describeTarget(expectation, namespace);
  const led = expectation.to.ip === undefined ? `${name} leads to ${address},` : `${name} is`;
  const kinds: Readonly<Record<SpecialAddress, string>> = {
    Inside:
      'a loopback, unspecified or multicast address, which probes do not dial. Name a target with an address of its own.',
    Metadata:
      'a link-local or instance metadata address, to which probes send nothing. Write `expect: Deny` without `udp` and `http`, or name another target.',
  };
  return {
    reason: 'AddressNotAllowed',
    message: `${led} ${kinds[specialAddress(address) ?? 'Inside']}`,
  };
}

/** The targets as they are written or stand in the cluster. */
function resolvedTargets(
  test: ConnectivityTest,
  expectation: Expectation,
  view: ClusterView,
): ResolvedTargets | Finding {
  const { to } = expectation;
  const { namespace } = test.metadata;
  if (to.ip !== undefined) {
    return { targets: [{ address: to.ip, port: Number(portOf(to)), podUids: [], readinessProved: false }] };
  }
  if (to.dns !== undefined && to.service === undefined) {
    return { targets: [{ port: dnsPort, podUids: [], readinessProved: false }] };
  }
  if (to.host !== undefined) return hostTargets(to.host, test, expectation, view);
  if (to.service !== undefined) return serviceTargets(namespace, expectation, view);
  const pods =
    to.workload === undefined
      ? podsMatching(namespace, to.pods ?? {}, view)
      : podsOfWorkload(namespace, to.workload.kind, to.workload.name, view);
  if (pods === undefined) {
    return {
      reason: 'TargetNotFound',
      message: `There is no ${describeTarget(expectation, namespace)} in namespace ${namespace}. Correct the name under to.workload or create it.`,
    };
  }
  if (to.workload === undefined && pods.length === 0) {
    return {
      reason: 'TargetNotFound',
      message: `No pod of namespace ${namespace} matches ${describeSelector(to.pods ?? {})}. Correct the selector or start the pods.`,
    };
  }
  return podTargets(pods, expectation, namespace);
}

const dnsPort = 53;

/** The Service that a host name stands for in the cluster's DNS, if it has that form. */
export function serviceNamedBy(host: string): { readonly name: string; readonly namespace: string } | undefined {
  const [, name, namespace] =
    /^([-a-z0-9]+)\.([-a-z0-9]+)\.svc(?:\.cluster\.local)?\.?$/.exec(host.toLowerCase()) ?? [];
  return name === undefined || namespace === undefined ? undefined : { name, namespace };
}

/** A host name is dialled as it is; but where it stands for a Service, what that lacks is no policy's doing. */
function hostTargets(
  host: string,
  test: ConnectivityTest,
  expectation: Expectation,
  view: ClusterView,
): ResolvedTargets | Finding {
  if (isNumericHost(host)) {
    return {
      reason: 'TargetNotSupported',
      message: `The host name ${host} ends in a number, which is an address to some programs. Write the address as \`ip\`.`,
    };
  }
  const port = portOf(expectation.to);
  const service = serviceNamedBy(host);
  const unresolved: ResolvedTargets = {
    targets: [{ host, port: Number(port), podUids: [], readinessProved: false }],
  };
  const known = service === undefined ? undefined : view.service(service.namespace, service.name);
  if (service === undefined || known === undefined || known.spec.type === 'ExternalName') return unresolved;
  const found = serviceTargets(test.metadata.namespace, { ...expectation, to: { service, port } }, view);
  if ('reason' in found) return found;
  const podUids = [...new Set(found.targets.flatMap((target) => target.podUids))].toSorted();
  return { targets: [{ host, port: Number(port), podUids, readinessProved: false }] };
}

/** The port to connect to; name servers have one by default (RFC 1035, 4.2). */
export function portOf({ port }: Expectation['to']): number | string {
  return port ?? dnsPort;
}

/** The transport that an expectation speaks of. */
export function protocolOf({ protocol, to }: Expectation): Protocol {
  return protocol ?? (to.dns === undefined ? 'TCP' : 'UDP');
}

/** The target in words, without its port, as sentences name it. */
export function describeTarget({ to }: Expectation, testNamespace: string): string {
  if (to.workload !== undefined) return `${to.workload.kind} ${to.workload.name}`;
  if (to.pods !== undefined) return `pods ${describeSelector(to.pods)}`;
  if (to.service !== undefined) {
    const namespace = to.service.namespace ?? testNamespace;
    return `Service ${namespace === testNamespace ? '' : `${namespace}/`}${to.service.name}`;
  }
  return to.ip ?? to.host ?? 'its own DNS resolver';
}

/** The port and what is said there, as sentences name it: `TCP port 8080`, `HTTPS port https`, `UDP port 53 for the name example.com`. */
export function describePort(expectation: Expectation): string {
  const { to } = expectation;
  const name = to.dns === undefined ? '' : ` for the name ${to.dns.name}`;
  const spoken = to.dns === undefined ? applicationProtocolOf(expectation) : protocolOf(expectation);
  return `${spoken} port ${portOf(to)}${name}`;
}

/** What is spoken on a connection, as far as it matters to a verdict. */
export type ApplicationProtocol = Protocol | 'HTTP' | 'HTTPS' | 'DNS';

export function applicationProtocolOf({ to, http, protocol }: Expectation): ApplicationProtocol {
  if (to.dns !== undefined) return 'DNS';
  return http === undefined ? (protocol ?? 'TCP') : (http.scheme ?? 'HTTP');
}

function podTargets(pods: readonly Pod[], expectation: Expectation, namespace: string): ResolvedTargets | Finding {
  const name = describeTarget(expectation, namespace);
  const ready = pods.filter((pod) => isReady(pod) && pod.status?.podIP !== undefined);
  if (ready.length === 0) {
    return {
      reason: 'TargetNotReady',
      message:
        pods.length === 0
          ? `${name} has no pods, so there is nothing to dial. Scale it up; the verdict comes when a pod is ready.`
          : `Of ${name}, no pod is ready (0 of ${pods.length}), so there is nothing to dial. The verdict comes when one is ready.`,
    };
  }
  if (expectation.expect === 'Deny' && ready.some(usesHostNetwork)) return onHostNetwork(name);
  const wanted = portOf(expectation.to);
  const protocol = protocolOf(expectation);
  const targets: Target[] = [];
  for (const pod of ready.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1)).slice(0, maxPodsPerTarget)) {
    const port = typeof wanted === 'number' ? wanted : containerPortNamed(pod, wanted, protocol);
    if (port === undefined) {
      return {
        reason: 'PortNotFound',
        message: `Pod ${pod.metadata.name} has no ${protocol} container port named ${wanted}. Write a name from its containers' ports, or the number.`,
      };
    }
    targets.push({
      address: pod.status?.podIP ?? '',
      port,
      podUids: [pod.metadata.uid ?? ''],
      readinessProved: protocol === 'TCP' && hasReadinessProbeOn(pod, port),
      ...(declaresPort(pod, port, protocol) ? { declared: true } : {}),
    });
  }
  return ready.length > targets.length
    ? { targets, note: `${targets.length} of ${ready.length} ready pods were dialled.` }
    : { targets };
}

function serviceTargets(testNamespace: string, expectation: Expectation, view: ClusterView): ResolvedTargets | Finding {
  const name = describeTarget(expectation, testNamespace);
  const reference = expectation.to.service;
  const namespace = reference?.namespace ?? testNamespace;
  const service = view.service(namespace, reference?.name ?? '');
  if (service === undefined) {
    return {
      reason: 'TargetNotFound',
      message: `There is no ${name}. Correct the name or namespace under to.service, or create it.`,
    };
  }
  if (service.spec.type === 'ExternalName') {
    return {
      reason: 'TargetNotSupported',
      message: `${name} is only an alias (ExternalName): write the name that it stands for as \`host\`.`,
    };
  }
  const wanted = portOf(expectation.to);
  const protocol = protocolOf(expectation);
  const servicePort = servicePortOf(service, expectation);
  if (servicePort === undefined) {
    const ports = (service.spec.ports ?? []).map(({ port, name, protocol: offered = 'TCP' }) =>
      name === undefined ? `${offered} ${port}` : `${offered} ${port} (${name})`,
    );
    return {
      reason: 'PortNotFound',
      message:
        // What another namespace offers is for its own people to list.
        namespace === testNamespace
          ? `${name} has no ${protocol} port ${wanted}; its ports are ${ports.join(', ') || 'none'}.`
          : `${name} has no ${protocol} port ${wanted}. Write one of the ports that it has.`,
    };
  }
  if (expectation.expect === 'Deny' && service.spec.internalTrafficPolicy === 'Local') {
    return {
      reason: 'TargetNotSupported',
      message: `${name} serves only clients on the nodes of its own pods (internalTrafficPolicy: Local): elsewhere its silence is no policy's doing. Name the pods behind it instead.`,
    };
  }
  const endpoints = readyEndpoints(
    view.endpointSlices(namespace, service.metadata.name),
    servicePort.name ?? '',
    protocol,
  );
  if (endpoints.length === 0) {
    return {
      reason: 'TargetNotReady',
      message: `${name} has no ready endpoint behind port ${wanted}, so it is not dialled. The verdict comes when one is ready.`,
    };
  }
  // Behind a cluster address too: what answers there is an endpoint, and whoever may write EndpointSlices chooses it.
  const refused = endpoints.find(({ address }) => isRefused(address, expectation));
  if (refused !== undefined) return refusal(refused.address, expectation, testNamespace);
  const pods = view.pods(namespace);
  const uids = new Set(endpoints.map(({ podUid }) => podUid));
  if (expectation.expect === 'Deny' && pods.some((pod) => uids.has(pod.metadata.uid) && usesHostNetwork(pod))) {
    return onHostNetwork(name);
  }
  return dialledService(service, servicePort.port, endpoints, expectation, pods);
}

type ServicePort = NonNullable<Service['spec']['ports']>[number];

/** The port of a Service that an expectation asks for, by number or by name. */
export function servicePortOf({ spec }: Service, expectation: Expectation): ServicePort | undefined {
  const wanted = portOf(expectation.to);
  const protocol = protocolOf(expectation);
  return spec.ports?.find(
    ({ port, name, protocol: offered }) =>
      (offered ?? 'TCP') === protocol && (typeof wanted === 'number' ? port === wanted : name === wanted),
  );
}

function usesHostNetwork({ spec }: Pod): boolean {
  return spec.hostNetwork === true;
}

function onHostNetwork(name: string): Finding {
  return {
    reason: 'TargetNotSupported',
    message: `The host network is used by ${name}: network policies have no say there, so a Deny cannot be their doing.`,
  };
}

interface Endpoint {
  readonly address: string;
  readonly port: number;
  readonly podUid?: string;
}

function readyEndpoints(slices: readonly EndpointSlice[], portName: string, protocol: Protocol): readonly Endpoint[] {
  return slices
    .filter(({ addressType }) => addressType !== 'FQDN')
    .flatMap((slice) => {
      const port = slice.ports?.find(
        ({ name, protocol: offered }) => (name ?? '') === portName && (offered ?? 'TCP') === protocol,
      )?.port;
      if (port === undefined) return [];
      return (slice.endpoints ?? [])
        .filter(({ conditions }) => conditions?.ready !== false)
        .flatMap(({ addresses, targetRef }) =>
          addresses.slice(0, 1).map((address) => ({
            address,
            port,
            ...(targetRef?.uid === undefined ? {} : { podUid: targetRef.uid }),
          })),
        );
    });
}

function dialledService(
  service: Service,
  servicePort: number,
  endpoints: readonly Endpoint[],
  expectation: Expectation,
  pods: readonly Pod[],
): ResolvedTargets {
  const podOf = ({ podUid }: Endpoint) => pods.find(({ metadata }) => metadata.uid === podUid);
  const proved = (endpoint: Endpoint) => {
    const pod = podOf(endpoint);
    return (
      protocolOf(expectation) === 'TCP' && pod !== undefined && isReady(pod) && hasReadinessProbeOn(pod, endpoint.port)
    );
  };
  const declares = (endpoint: Endpoint) => {
    const pod = podOf(endpoint);
    return pod !== undefined && isReady(pod) && declaresPort(pod, endpoint.port, protocolOf(expectation));
  };
  const clusterAddress = service.spec.clusterIP;
  const uids = (among: readonly Endpoint[]) =>
    among.flatMap(({ podUid }) => (podUid === undefined ? [] : [podUid])).toSorted();
  if (clusterAddress !== undefined && clusterAddress !== 'None') {
    const several = `Behind it are ${endpoints.length} endpoints, of which each attempt meets one; name the workload to dial each.`;
    return {
      ...(expectation.expect === 'Deny' && endpoints.length > 1 ? { note: several } : {}),
      targets: [
        {
          address: clusterAddress,
          port: servicePort,
          podUids: uids(endpoints),
          readinessProved: endpoints.every(proved),
          ...(endpoints.every(declares) ? { declared: true } : {}),
        },
      ],
    };
  }
  // Clients of a headless Service get pod addresses from DNS and use the port that they know; only a lookup by the port's
  // name (an SRV record) tells them the endpoint's port.
  const isByNumber = typeof portOf(expectation.to) === 'number';
  const targets = endpoints
    .toSorted((a, b) => (a.address < b.address ? -1 : 1))
    .slice(0, maxPodsPerTarget)
    .map((endpoint) => ({
      address: endpoint.address,
      port: isByNumber ? servicePort : endpoint.port,
      podUids: uids([endpoint]),
      readinessProved: proved(endpoint) && (!isByNumber || servicePort === endpoint.port),
      ...(declares(endpoint) && (!isByNumber || servicePort === endpoint.port) ? { declared: true } : {}),
    }));
  return endpoints.length > targets.length
    ? { targets, note: `${targets.length} of ${endpoints.length} ready endpoints were dialled.` }
    : { targets };
}
