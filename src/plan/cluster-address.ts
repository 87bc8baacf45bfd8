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

/**
 * The nodes of the pods that an address leads to: the one whose pod has it, or those of a Service's endpoints. None for what is
 * nobody's in the cluster.
 */
export function nodesBehind(address: string, { pods, services, endpointSlices }: AddressHolders): readonly string[] {
  const wanted = canonical(address);
  const is = (candidate: string | undefined): boolean => candidate !== undefined && canonical(candidate) === wanted;
  const holders = pods.filter(({ status }) => is(status?.podIP) || status?.podIPs?.some(({ ip }) => is(ip)) === true);
  const named = services.filter(({ spec }) => is(spec.clusterIP) || spec.clusterIPs?.some(is) === true);
  const endpoints = named.flatMap(({ metadata }) =>
    endpointSlices
      .filter((slice) => slice.metadata.namespace === metadata.namespace && serviceOf(slice) === metadata.name)
      .flatMap((slice) => slice.endpoints ?? [])
      .filter(({ conditions }) => conditions?.ready !== false),
  );
  return [...holders.map(({ spec }) => spec.nodeName), ...endpoints.map(({ nodeName }) => nodeName)].filter(
    (node) => node !== undefined,
  );
}

function serviceOf({ metadata }: EndpointSlice): string | undefined {
  return metadata.labels?.['kubernetes.io/service-name'];
}

/** One notation per address: `::ffff:10.0.0.1` is 10.0.0.1, and IPv6 has many ways to write the same. */
export function canonical(address: string): string {
  return ipaddr.isValid(address) ? ipaddr.process(address).toString() : address;
}
