import ipaddr from 'ipaddr.js';
import type { EndpointSlice, Pod, Service } from '../api/index.ts';

/** What in a cluster has addresses. */
export interface AddressHolders {
  readonly pods: readonly Pod[];
  readonly services: readonly Service[];
  readonly endpointSlices: readonly EndpointSlice[];
}

/**
 * Whether an address is in use in the cluster: by a pod (on the host network also its node's), a Service, or an endpoint, which
 * the API server is.
 */
export function isInUse(address: string, { pods, services, endpointSlices }: AddressHolders): boolean {
  const wanted = canonical(address);
  const is = (candidate: string | undefined): boolean => candidate !== undefined && canonical(candidate) === wanted;
  return (
    pods.some(({ status }) => is(status?.podIP) || status?.podIPs?.some(({ ip }) => is(ip)) === true) ||
    services.some(({ spec }) => is(spec.clusterIP) || spec.clusterIPs?.some(is) === true) ||
    endpointSlices.some(({ endpoints }) => endpoints?.some(({ addresses }) => addresses.some(is)) === true)
  );
}

/** Where packets to a pod arrive. */
export interface End {
  readonly node: string;
  /** Whether it has its node's own address, so that what gets there has not crossed the pod network. */
  readonly isOnHost: boolean;
}

/**
 * Where packets to an address arrive in the cluster: at the pod that has it, or at a Service's endpoints, by whichever of its
 * addresses. Nowhere if it is nobody's.
 */
export function endsBehind(address: string, { pods, services, endpointSlices }: AddressHolders): readonly End[] {
  const wanted = canonical(address);
  const named = services.filter((service) => addressesOf(service).some((each) => canonical(each) === wanted));
  const endpoints = named.flatMap(({ metadata }) =>
    endpointSlices
      .filter((slice) => slice.metadata.namespace === metadata.namespace && serviceOf(slice) === metadata.name)
      .flatMap((slice) => slice.endpoints ?? [])
      .filter(({ conditions }) => conditions?.ready !== false),
  );
  const living = pods.filter(({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed');
  const endsOf = (held: string): readonly End[] =>
    living.filter((pod) => podAddressesOf(pod).some((each) => canonical(each) === held)).flatMap(endOf);
  return [
    ...endsOf(wanted),
    ...endpoints.flatMap(({ addresses, nodeName }) => {
      const ends = addresses.flatMap((each) => endsOf(canonical(each)));
      // What no pod has is known by its node alone.
      return ends.length > 0 || nodeName === undefined ? ends : [{ node: nodeName, isOnHost: true }];
    }),
  ];
}

/** Where packets to a pod arrive, once it has a node. */
export function endOf({ spec }: Pod): readonly End[] {
  return spec.nodeName === undefined ? [] : [{ node: spec.nodeName, isOnHost: spec.hostNetwork === true }];
}

function podAddressesOf({ status }: Pod): readonly string[] {
  return [...(status?.podIP === undefined ? [] : [status.podIP]), ...(status?.podIPs ?? []).map(({ ip }) => ip)];
}

function addressesOf({ spec, status }: Service): readonly string[] {
  const { clusterIP, clusterIPs = [], externalIPs = [] } = spec;
  const balanced = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []);
  return [...(clusterIP === undefined ? [] : [clusterIP]), ...clusterIPs, ...externalIPs, ...balanced];
}

function serviceOf({ metadata }: EndpointSlice): string | undefined {
  return metadata.labels?.['kubernetes.io/service-name'];
}

/** One notation per address: `::ffff:10.0.0.1` is 10.0.0.1, and IPv6 has many ways to write the same. */
export function canonical(address: string): string {
  return ipaddr.isValid(address) ? ipaddr.process(address).toString() : address;
}
