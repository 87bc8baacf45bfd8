import { type CniName, cniNames } from '../cluster/index.ts';

/**
 * What a trap needs of the cluster to show both of its verdicts. `nothing`: it shows the same however the cluster denies, and
 * whether it does. `silence`: policies are enforced, and denied ingress is not answered. `rejection`: denied egress is answered
 * with ICMP. `refusal`: a denial is a refusal, on either side. `no policies`: none is enforced.
 */
export type Presumption = 'nothing' | 'silence' | 'rejection' | 'refusal' | 'no policies';

const homes: Readonly<Record<Presumption, readonly CniName[]>> = {
  nothing: cniNames,
  silence: ['cilium', 'cilium-rejecting'],
  rejection: ['cilium-rejecting'],
  refusal: ['ptp-refusing'],
  'no policies': ['ptp'],
};

/** Why a trap that was made for another cluster has no meaning on this one. */
const foreign: Readonly<Partial<Record<Presumption, string>>> = {
  rejection: 'denials are not rejected here',
  refusal: 'denials are not refused here',
  'no policies': 'policies are enforced here',
};

/** What a trap has to come to on one cluster. */
export interface Showing {
  /** What must be seen with the guard; if absent, what is right there is not known, only what is wrong everywhere. */
  readonly right?: string;
  /** What must be seen without the guard; absent where something else, too, keeps this cluster from the wrong verdict. */
  readonly wrong?: string;
  /** Why it is not sprung. */
  readonly skipped?: string;
}

/** Where no policy is enforced a Deny that connects fails for that reason, and one that does not is not proved. */
export const openForWantOfPolicies: Showing = { right: 'Failed PolicyNotEnforced' };
export const unprovenForWantOfPolicies: Showing = { right: 'Inconclusive PolicyNotEnforced' };

/** What a trap comes to on clusters that are not as it presumes, or show other verdicts than the usual one. */
export type Elsewhere = Readonly<Partial<Record<CniName, Showing>>>;

interface Presuming {
  readonly presumes?: Presumption;
  readonly elsewhere?: Elsewhere;
}

/** What a trap of a family presumes. */
export function presumptionOf(trap: Presuming, family: Presuming): Presumption {
  return trap.presumes ?? family.presumes ?? 'silence';
}

/** What a trap of a family has to come to on a cluster. */
export function showingOn(
  cni: CniName,
  trap: Presuming & { readonly right: string; readonly wrong: string },
  family: Presuming,
): Showing {
  const stated = (trap.elsewhere ?? family.elsewhere)?.[cni];
  if (stated !== undefined) return stated;
  const presumes = presumptionOf(trap, family);
  if (homes[presumes].includes(cni)) return { right: trap.right, wrong: trap.wrong };
  const skipped = foreign[presumes];
  return skipped === undefined ? {} : { skipped };
}
