import type { Truth } from './truth.ts';

export type ProfileName = 'cilium' | 'calico' | 'kindnet' | 'aws';

/**
 * How the points that the API leaves open are read, and where a network plugin deviates. The specification leaves them
 * `undefined`; a profile settles them.
 */
export interface Reading {
  /** Whether an ipBlock matches pods, and nodes, whose addresses lie in it. */
  readonly blockMatchesPods: Truth;
  readonly blockMatchesNodes: Truth;
  /** Whether a pod of the host network counts as a pod with labels (`yes`) or as its node (`no`). */
  readonly hostNetworkIsPod: Truth;
  /** A pod's connection to its own address. */
  readonly selfAllowed: Truth;
  /** Whether a pod's connection to its own node is exempt from egress policy. */
  readonly ownNodeAllowed: Truth;
  /** Whether rules of a direction that policyTypes does not list are ignored. */
  readonly honoursPolicyTypes: boolean;
  /** Whether the plugin hides a pod label from selectors. */
  readonly hidesLabel?: (key: string) => boolean;
  /** Whether pods without an owner are out of reach of every policy. */
  readonly coversOnlyOwnedPods?: boolean;
}

/** The API documentation's reading. */
export const specification: Reading = {
  blockMatchesPods: 'undefined',
  blockMatchesNodes: 'undefined',
  hostNetworkIsPod: 'undefined',
  selfAllowed: 'undefined',
  ownNodeAllowed: 'yes',
  honoursPolicyTypes: true,
};

/** Known network plugins; the sources of each line are in ARCHITECTURE.md's decision on profiles. */
export const profiles: Readonly<Record<ProfileName, Reading>> = {
  cilium: {
    ...specification,
    blockMatchesPods: 'no',
    blockMatchesNodes: 'no',
    hostNetworkIsPod: 'no',
    selfAllowed: 'yes',
    ownNodeAllowed: 'no',
    honoursPolicyTypes: false,
    hidesLabel: hiddenByCilium,
  },
  calico: {
    ...specification,
    blockMatchesPods: 'yes',
    blockMatchesNodes: 'yes',
    hostNetworkIsPod: 'no',
    selfAllowed: 'yes',
    ownNodeAllowed: 'no',
  },
  kindnet: {
    ...specification,
    blockMatchesPods: 'yes',
    blockMatchesNodes: 'yes',
    hostNetworkIsPod: 'no',
    selfAllowed: 'yes',
    ownNodeAllowed: 'no',
  },
  aws: {
    ...specification,
    blockMatchesPods: 'yes',
    hostNetworkIsPod: 'no',
    selfAllowed: 'yes',
    honoursPolicyTypes: false,
    coversOnlyOwnedPods: true,
  },
};

/** Labels that Cilium does not make part of an identity by default (its `labels` setting), so that no selector sees them. */
function hiddenByCilium(key: string): boolean {
  return key === 'pod-template-hash';
}
