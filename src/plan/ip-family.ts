import type { EndpointSlice, Expectation, Pod, Service } from '../api/index.ts';
import { familyOf, type IpFamily } from '../probe/index.ts';
import type { Finding } from './finding.ts';
import type { Target } from './target.ts';

/** The addresses of a pod that an expectation is about: of each family that it has, the one that the kubelet dials first. */
export function podAddresses({ status }: Pod, wanted: Expectation['ipFamilies']): readonly string[] {
  const { podIP, podIPs = [] } = status ?? {};
  const all = [...new Set([...(podIP === undefined ? [] : [podIP]), ...podIPs.map(({ ip }) => ip)])];
  return all.filter((address) => isWanted(familyOf(address), wanted));
}

/** The cluster addresses of a Service that an expectation is about; none if it is headless. */
export function serviceAddresses({ spec }: Service, wanted: Expectation['ipFamilies']): readonly string[] {
  const all = spec.clusterIPs ?? (spec.clusterIP === undefined ? [] : [spec.clusterIP]);
  return all.filter((address) => address !== 'None' && isWanted(familyOf(address), wanted));
}

/** The families in which a headless Service has endpoints that an expectation is about. */
export function sliceFamilies(
  slices: readonly EndpointSlice[],
  wanted: Expectation['ipFamilies'],
): readonly IpFamily[] {
  return (['IPv4', 'IPv6'] as const).filter(
    (family) => isWanted(family, wanted) && slices.some(({ addressType }) => addressType === family),
  );
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
