import type { EndpointSlice, Expectation, Pod, Service } from '../api/index.ts';
import { familyOf, type IpFamily, isAddress } from '../probe/index.ts';
import type { Finding } from './finding.ts';
import type { Target } from './target.ts';

/** The addresses of a pod that an expectation is about: of each family that it has, the one that the kubelet dials first. */
export function podAddresses({ status }: Pod, wanted: Expectation['ipFamilies']): readonly string[] {
  const { podIP, podIPs = [] } = status ?? {};
  const all = [...new Set([...(podIP === undefined ? [] : [podIP]), ...podIPs.map(({ ip }) => ip)])];
  return all.filter((address) => isAddressWanted(address, wanted));
}

/** The cluster addresses of a Service that an expectation is about; none if it is headless. */
export function serviceAddresses({ spec }: Service, wanted: Expectation['ipFamilies']): readonly string[] {
  const all = spec.clusterIPs ?? (spec.clusterIP === undefined ? [] : [spec.clusterIP]);
  return all.filter((address) => address !== 'None' && isAddressWanted(address, wanted));
}

/** The families in which a headless Service has endpoints that an expectation is about. */
export function sliceFamilies(
  slices: readonly EndpointSlice[],
  wanted: Expectation['ipFamilies'],
): readonly IpFamily[] {
  return (['IPv4', 'IPv6'] as const).filter((family) =>
    slices.some(
      ({ addressType, endpoints = [] }) =>
        addressType === family &&
        (isWanted(family, wanted) || endpoints.some(({ addresses }) => addresses.some((each) => !isAddress(each)))),
    ),
  );
}

/** What stands for an address that is not known yet, where a cluster is only predicted, may be of any family. */
function isAddressWanted(address: string, wanted: Expectation['ipFamilies']): boolean {
  return !isAddress(address) || isWanted(familyOf(address), wanted);
}

function isWanted(family: IpFamily, wanted: Expectation['ipFamilies']): boolean {
  return wanted === undefined || wanted.includes(family);
}

/** Whether pods of a source have no address of the family that a target of the cluster is dialled by. */
export function lacksFamily(wearers: readonly Pod[] | undefined, { address, podUids }: Target): boolean {
  if (wearers === undefined || address === undefined || podUids.length === 0) return false;
  const own = wearers.flatMap((pod) => podAddresses(pod, undefined));
  return own.length > 0 && !own.some((each) => familyOf(each) === familyOf(address));
}

export function withoutFamily(whose: string, families: string): Finding {
  return {
    reason: 'FamilyUnavailable',
    message: `No address of ${whose} is of the family ${families}, so nothing is dialled there. Leave it out of \`ipFamilies\`, or give the Service or the pods such an address.`,
  };
}
