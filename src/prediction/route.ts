import type { ConnectivityTest, Expectation, Pod, Service } from '../api/index.ts';
import { type Backend, backendsOf, type Check, portOf, protocolOf, serviceNamedBy } from '../plan/index.ts';
import type { Endpoint, PolicyProtocol } from '../policy/index.ts';
import { clusterResolver, type PredictionWorld } from './world.ts';

/** One connection that a check makes: to its target, or before that to the resolver of a host name. */
export interface Route {
  readonly stage: 'Resolve' | 'Connect';
  readonly destination: Endpoint;
  /** The destination in words, such as `pod shop/api-0`. */
  readonly name: string;
  readonly protocol: PolicyProtocol;
  readonly port: number;
  /** The destination is some address, and which one is not known: only what holds for any address can be said. */
  readonly isAnyAddress?: true;
}

/** Where a check leads, as far as it is known. */
export interface Routes {
  readonly routes: readonly Route[];
  /** Why the destination itself is not known, in a sentence that says how to make it known. */
  readonly unknown?: string;
  /** What was taken for granted. */
  readonly assumptions: readonly string[];
}

/** Every connection that a check may make. A Service leads to each of its endpoints, and a host name to the resolver first. */
export function routesOf(
  test: ConnectivityTest,
  expectation: Expectation,
  check: Check,
  world: PredictionWorld,
): Routes {
  const { to } = expectation;
  if (to.dns !== undefined && to.service === undefined && to.ip === undefined) {
    return resolverRoutes(check, world, protocolOf(expectation), 'Connect');
  }
  if (to.host !== undefined) return hostRoutes(to.host, expectation, check, world);
  if (to.service !== undefined) {
    const namespace = to.service.namespace ?? test.metadata.namespace;
    const service = world.view.service(namespace, to.service.name);
    return service === undefined ? nowhere : serviceRoutes(service, expectation, check, world);
  }
  if (to.ip !== undefined) return addressRoutes(to.ip, expectation, world);
  if (to.cidr !== undefined) {
    const { address } = check;
    return address === undefined ? nowhere : addressRoutes(address, expectation, world);
  }
  const [uid] = check.target.podUids;
  const pod = world.pods.find(({ metadata }) => metadata.uid === uid);
  return pod === undefined ? nowhere : found([podRoute(pod, check.port, protocolOf(expectation))]);
}

const nowhere: Routes = { routes: [], unknown: 'The target is not among the pods that are known.', assumptions: [] };

function found(routes: readonly Route[], assumptions: readonly string[] = []): Routes {
  return { routes, assumptions };
}

function podRoute({ metadata }: Pod, port: number, protocol: PolicyProtocol, stage: Route['stage'] = 'Connect'): Route {
  const { namespace = '', name } = metadata;
  return { stage, destination: { kind: 'pod', namespace, name }, name: `pod ${namespace}/${name}`, protocol, port };
}

function addressRoute(
  address: string,
  port: number,
  protocol: PolicyProtocol,
  stage: Route['stage'] = 'Connect',
): Route {
  return { stage, destination: { kind: 'address', address }, name: address, protocol, port };
}

function serviceRoutes(service: Service, expectation: Expectation, check: Check, { view }: PredictionWorld): Routes {
  const backends = backendsOf(service, expectation, view);
  // A check of a headless Service dials one of its endpoints, the check of a cluster address may meet any.
  const met = service.spec.clusterIP === 'None' ? backends.filter((each) => isDialled(each, check)) : backends;
  const protocol = protocolOf(expectation);
  return met.length === 0
    ? nowhere
    : found(
        met.map(({ pod, address = '', port }) =>
          pod === undefined ? addressRoute(address, port, protocol) : podRoute(pod, port, protocol),
        ),
      );
}

function isDialled({ pod, address }: Backend, { target }: Check): boolean {
  if (target.host !== undefined) return true;
  return pod === undefined ? address === target.address : target.podUids.includes(pod.metadata.uid ?? '');
}

function addressRoutes(address: string, expectation: Expectation, world: PredictionWorld): Routes {
  const service = world.services.find(({ spec }) => spec.clusterIP === address || spec.clusterIPs?.includes(address));
  const port = Number(portOf(expectation.to));
  if (service === undefined)
    return found([addressRoute(address, port, protocolOf(expectation))], [outsideWords(address)]);
  const backends = backendsOf(service, { ...expectation, to: { port } }, world.view);
  const protocol = protocolOf(expectation);
  const routes = backends.flatMap(({ pod, port }) => (pod === undefined ? [] : [podRoute(pod, port, protocol)]));
  return routes.length === 0 ? nowhere : found(routes);
}

function hostRoutes(host: string, expectation: Expectation, check: Check, world: PredictionWorld): Routes {
  const resolved = resolverRoutes(check, world, 'UDP', 'Resolve');
  const behind = behindHost(host, expectation, check, world);
  const unknown = resolved.unknown ?? behind.unknown;
  return {
    routes: [...resolved.routes, ...behind.routes],
    ...(unknown === undefined ? {} : { unknown }),
    assumptions: [...resolved.assumptions, ...behind.assumptions],
  };
}

function behindHost(host: string, expectation: Expectation, check: Check, world: PredictionWorld): Routes {
  const reference = serviceNamedBy(host);
  const service = reference && world.view.service(reference.namespace, reference.name);
  if (service !== undefined && service.spec.type !== 'ExternalName') {
    const port = portOf(expectation.to);
    return serviceRoutes(service, { ...expectation, to: { port } }, check, world);
  }
  const address = world.addressOf(host);
  if (address !== undefined) return addressRoutes(address, expectation, world);
  if (reference !== undefined && service === undefined) {
    const unknown = `There is no Service ${reference.namespace}/${reference.name} in view, so its pods are not known.`;
    return { routes: [], unknown, assumptions: [] };
  }
  const anywhere = addressRoute(documentationAddress, Number(portOf(expectation.to)), protocolOf(expectation));
  return found([{ ...anywhere, name: host, isAnyAddress: true }], [outsideWords(host)]);
}

/** TEST-NET-1 (RFC 5737): an address that nobody has. */
const documentationAddress = '192.0.2.1';

function outsideWords(name: string): string {
  return `${name} is taken to be outside of the cluster.`;
}

/** To whom a pod's names go (Pod, spec.dnsPolicy). */
function resolverRoutes(
  { identity }: Check,
  { view }: PredictionWorld,
  protocol: PolicyProtocol,
  stage: Route['stage'],
): Routes {
  const { dnsPolicy, dnsConfig } = identity.pod;
  if (dnsPolicy === 'Default') {
    const unknown = "The source asks its node's resolver (dnsPolicy: Default), whose address is not known.";
    return { routes: [], unknown, assumptions: [] };
  }
  if (dnsPolicy === 'None') {
    const servers = nameserversOf(dnsConfig);
    const unknown = 'The source names no resolver (dnsPolicy: None without dnsConfig.nameservers).';
    return servers.length === 0
      ? { routes: [], unknown, assumptions: [] }
      : found(servers.map((address) => addressRoute(address, dnsPort, protocol, stage)));
  }
  const { pods, assumed } = clusterResolver(view);
  const assumptions = assumed
    ? ['The cluster’s resolver is assumed to be pods labelled k8s-app=kube-dns in kube-system, on port 53.']
    : [];
  return found(
    pods.map((pod) => podRoute(pod, resolverPort(pod, protocol), protocol, stage)),
    assumptions,
  );
}

const dnsPort = 53;

/** CoreDNS often listens on another port than its Service offers, and then names it. */
function resolverPort({ spec }: Pod, protocol: PolicyProtocol): number {
  const ports = spec.containers.flatMap(({ ports }) => ports ?? []);
  const named = ports.find(
    ({ name = '', protocol: offered = 'TCP' }) => /^dns(-tcp)?$/.test(name) && offered === protocol,
  );
  return named?.containerPort ?? dnsPort;
}

function nameserversOf(dnsConfig: unknown): readonly string[] {
  if (typeof dnsConfig !== 'object' || dnsConfig === null || !('nameservers' in dnsConfig)) return [];
  const { nameservers } = dnsConfig;
  return Array.isArray(nameservers) ? nameservers.filter((each) => typeof each === 'string') : [];
}
