import type { ConnectivityTest, EndpointSlice, Expectation, Pod, Protocol, Service } from '../api/index.ts';
import { containerPortNamed } from '../policy/index.ts';
import { familyOf, isNumericHost, type SpecialAddress, specialAddress } from '../probe/index.ts';
import { blockTargets } from './address-block.ts';
import type { Finding } from './finding.ts';
import { podAddresses, serviceAddresses, sliceFamilies, withoutFamily } from './ip-family.ts';
import { type Mesh, meshOf } from './mesh.ts';
import { declaresPort, hasReadinessProbeOn } from './pod-port.ts';
import { describeScopes, notGranted, refusedAddress, resolveTarget, serviceNamedBy } from './reference.ts';
import { describeReferred, describeSelector, describeWanted, podsReferred } from './referred.ts';
import { sampleOf } from './sample.ts';
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
  /** The service mesh that one of these pods is in. */
  readonly mesh?: Mesh;
  /** The node of the one pod that it is. */
  readonly node?: string;
  /** Whether the opposite of the expectation is expected of it, as of what a block of addresses excepts. */
  readonly isExcepted?: boolean;
}

export interface ResolvedTargets {
  readonly targets: readonly Target[];
  /** What the verdict's sentence must add, such as that only some replicas were dialled. */
  readonly note?: string;
}

/** What an expectation's target stands for now, or why it cannot be dialled. */
export function targetsOf(
  test: ConnectivityTest,
  expectation: Expectation,
  view: ClusterView,
): ResolvedTargets | Finding {
  const resolved = resolvedTargets(test, expectation, view);
  if ('reason' in resolved) return resolved;
  const address = addressesOf(resolved).find((each) => isRefused(each, expectation));
  return address === undefined ? resolved : refusal(address, expectation, test.metadata.namespace);
}

function addressesOf({ targets }: ResolvedTargets): readonly string[] {
  return targets.flatMap(({ address }) => (address === undefined ? [] : [address]));
}

/** Whether an address is not to be dialled, though somebody wrote it into a test, an EndpointSlice or a pod's status. */
function isRefused(address: string, { to, expect, udp, http }: Expectation): boolean {
  const special = specialAddress(address);
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
  const resolved = resolveTarget(test, to, view);
  if ('reason' in resolved) return resolved;
  const { namespace } = test.metadata;
  if (to.ip !== undefined) {
    return { targets: [{ address: to.ip, port: Number(portOf(to)), podUids: [], readinessProved: false }] };
  }
  if (to.cidr !== undefined) {
    const sampled = blockTargets(to.cidr, Number(portOf(to)), expectation.expect);
    if ('reason' in sampled) return sampled;
    return refusedAddress(addressesOf(sampled), view) ?? sampled;
  }
  if (to.dns !== undefined && to.service === undefined) {
    return { targets: [{ port: dnsPort, podUids: [], readinessProved: false }] };
  }
  if (to.host !== undefined) return hostTargets(to.host, test, expectation, view);
  if (to.service !== undefined) return serviceTargets(namespace, expectation, view);
  const { scopes, note } = resolved;
  const known = scopes.map((scope) => podsReferred(to, scope, view));
  const pods = known.flatMap((each) => each ?? []);
  if (pods.length === 0 && scopes.some(({ parts }) => parts !== undefined)) {
    const { namespace, namespaces } = to;
    return notGranted(test, { role: 'Target', namespace, namespaces, needs: 'Consent', what: describeReferred(to) });
  }
  const where = describeScopes(scopes);
  if (to.workload !== undefined && known.every((each) => each === undefined)) {
    return {
      reason: 'TargetNotFound',
      message: `There is no ${describeWanted(to.workload)} in ${where}. Correct the name under to.workload or create it.`,
    };
  }
  if (to.workload === undefined && pods.length === 0) {
    return {
      reason: 'TargetNotFound',
      message: `No pod of ${where} matches ${describeSelector(to.pods ?? {})}. Correct the selector or start the pods.`,
    };
  }
  const dialled = podTargets(pods, expectation, namespace);
  if ('reason' in dialled || note === undefined) return dialled;
  return { ...dialled, note: dialled.note === undefined ? note : `${dialled.note} ${note}` };
}

const dnsPort = 53;

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
  const mesh = found.targets.find((target) => target.mesh !== undefined)?.mesh;
  const target = { host, port: Number(port), podUids, readinessProved: false };
  return { targets: [mesh === undefined ? target : { ...target, mesh }] };
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
  if (to.workload !== undefined || to.pods !== undefined) return describeReferred(to);
  if (to.service !== undefined) {
    const namespace = to.service.namespace ?? testNamespace;
    return `Service ${namespace === testNamespace ? '' : `${namespace}/`}${to.service.name}`;
  }
  return to.ip ?? to.host ?? to.cidr?.block ?? 'its own DNS resolver';
}

/** The one of a target's addresses that a check is about, in words. */
export function describeDialled(
  expectation: Expectation,
  { address, isExcepted }: Target,
  testNamespace: string,
): string {
  const { cidr } = expectation.to;
  const isByFamily = expectation.to.ip === undefined && address !== undefined && familyOf(address) === 'IPv6';
  if (cidr === undefined) return `${describeTarget(expectation, testNamespace)}${isByFamily ? ' over IPv6' : ''}`;
  return isExcepted === true ? `${address}, excepted from ${cidr.block},` : `${address} of ${cidr.block}`;
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
  const inOrder = ready.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const sample = sampleOf(inOrder, ({ spec }) => spec.nodeName, 'ready pods');
  for (const pod of sample.members) {
    const port = typeof wanted === 'number' ? wanted : containerPortNamed(pod, wanted, protocol);
    if (port === undefined) {
      return {
        reason: 'PortNotFound',
        message: `Pod ${pod.metadata.name} has no ${protocol} container port named ${wanted}. Write a name from its containers' ports, or the number.`,
      };
    }
    for (const address of podAddresses(pod, expectation.ipFamilies)) {
      targets.push({
        address,
        port,
        podUids: [pod.metadata.uid ?? ''],
        // The kubelet dials the first address alone.
        readinessProved: protocol === 'TCP' && address === pod.status?.podIP && hasReadinessProbeOn(pod, port),
        ...(declaresPort(pod, port, protocol) ? { declared: true } : {}),
        ...(pod.spec.nodeName === undefined ? {} : { node: pod.spec.nodeName }),
        ...inMesh([pod]),
      });
    }
  }
  if (targets.length === 0) return withoutFamily(name, familiesOf(expectation));
  return { targets, ...(sample.note === undefined ? {} : { note: sample.note }) };
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
  const slices = view.endpointSlices(namespace, service.metadata.name);
  const all = readyEndpoints(slices, servicePort.name ?? '', protocol);
  // Behind a cluster address too: what answers there is an endpoint, and whoever may write EndpointSlices chooses it.
  const refused = all.find(({ address }) => isRefused(address, expectation));
  if (refused !== undefined) return refusal(refused.address, expectation, testNamespace);
  const pods = view.pods(namespace);
  const uids = new Set(all.map(({ podUid }) => podUid));
  if (expectation.expect === 'Deny' && pods.some((pod) => uids.has(pod.metadata.uid) && usesHostNetwork(pod))) {
    return onHostNetwork(name);
  }
  const isHeadless = service.spec.clusterIP === undefined || service.spec.clusterIP === 'None';
  const addresses = isHeadless
    ? sliceFamilies(slices, expectation.ipFamilies).map((family) => ({ family, address: undefined }))
    : serviceAddresses(service, expectation.ipFamilies).map((address) => ({ family: familyOf(address), address }));
  if (addresses.length === 0) {
    return all.length === 0
      ? withoutEndpoints(expectation, testNamespace)
      : withoutFamily(name, familiesOf(expectation));
  }
  const targets: Target[] = [];
  const notes = new Set<string>();
  for (const { family, address } of addresses) {
    const endpoints = all.filter((endpoint) => familyOf(endpoint.address) === family);
    const found =
      endpoints.length === 0
        ? withoutEndpoints(expectation, testNamespace)
        : dialledService(address, servicePort.port, endpoints, expectation, pods, testNamespace);
    if ('reason' in found) return found;
    targets.push(...found.targets);
    if (found.note !== undefined) notes.add(found.note);
  }
  return { targets, ...(notes.size === 0 ? {} : { note: [...notes].join(' ') }) };
}

function familiesOf({ ipFamilies }: Expectation): string {
  return ipFamilies?.join(' or ') ?? 'IPv4 or IPv6';
}

function withoutEndpoints(expectation: Expectation, testNamespace: string): Finding {
  return {
    reason: 'TargetNotReady',
    message: `${describeTarget(expectation, testNamespace)} has no ready endpoint behind port ${portOf(expectation.to)}, so it is not dialled. The verdict comes when one is ready.`,
  };
}

/** The mesh of the first of these pods that is in one. */
function inMesh(pods: readonly (Pod | undefined)[]): Pick<Target, 'mesh'> {
  const [mesh] = pods.map((pod) => (pod === undefined ? undefined : meshOf(pod))).filter((each) => each !== undefined);
  return mesh === undefined ? {} : { mesh };
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
  readonly isTerminating: boolean;
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
        .flatMap(({ addresses, targetRef, conditions }) =>
          addresses.slice(0, 1).map((address) => ({
            address,
            port,
            isTerminating: conditions?.terminating === true,
            ...(targetRef?.uid === undefined ? {} : { podUid: targetRef.uid }),
          })),
        );
    });
}

/** One cluster address, or the endpoints of one family where there is none. */
function dialledService(
  clusterAddress: string | undefined,
  servicePort: number,
  endpoints: readonly Endpoint[],
  expectation: Expectation,
  pods: readonly Pod[],
  testNamespace: string,
): ResolvedTargets | Finding {
  const podOf = ({ podUid }: Endpoint) => pods.find(({ metadata }) => metadata.uid === podUid);
  const proved = (endpoint: Endpoint) => {
    const pod = podOf(endpoint);
    return (
      protocolOf(expectation) === 'TCP' &&
      pod !== undefined &&
      isReady(pod) &&
      endpoint.address === pod.status?.podIP &&
      hasReadinessProbeOn(pod, endpoint.port)
    );
  };
  const declares = (endpoint: Endpoint) => {
    const pod = podOf(endpoint);
    return pod !== undefined && isReady(pod) && declaresPort(pod, endpoint.port, protocolOf(expectation));
  };
  const uids = (among: readonly Endpoint[]) =>
    among.flatMap(({ podUid }) => (podUid === undefined ? [] : [podUid])).toSorted();
  if (clusterAddress !== undefined) {
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
          ...inMesh(endpoints.map(podOf)),
        },
      ],
    };
  }
  // One that is published though it is going away may fall silent at any moment. Behind a cluster address it cannot be avoided,
  // and there it is not Ready, so that it proves nothing.
  const standing = endpoints.filter(({ isTerminating }) => !isTerminating);
  if (standing.length === 0) return withoutEndpoints(expectation, testNamespace);
  // Clients of a headless Service get pod addresses from DNS and use the port that they know; only a lookup by the port's
  // name (an SRV record) tells them the endpoint's port.
  const isByNumber = typeof portOf(expectation.to) === 'number';
  const inOrder = standing.toSorted((a, b) => (a.address < b.address ? -1 : 1));
  const sample = sampleOf(inOrder, (endpoint) => podOf(endpoint)?.spec.nodeName, 'ready endpoints');
  const targets = sample.members.map((endpoint) => ({
    address: endpoint.address,
    port: isByNumber ? servicePort : endpoint.port,
    podUids: uids([endpoint]),
    readinessProved: proved(endpoint) && (!isByNumber || servicePort === endpoint.port),
    ...(declares(endpoint) && (!isByNumber || servicePort === endpoint.port) ? { declared: true } : {}),
    ...inMesh([podOf(endpoint)]),
  }));
  return { targets, ...(sample.note === undefined ? {} : { note: sample.note }) };
}
