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

/** Plugins that compare blocks with the packet's addresses, after translation. */
const byAddress: Reading = {
  blockMatchesPods: 'yes',
  blockMatchesNodes: 'yes',
  hostNetworkIsPod: 'no',
  selfAllowed: 'yes',
  ownNodeAllowed: 'no',
  honoursPolicyTypes: true,
};

/** How the keys begin that Cilium leaves out of identities by default, so that no selector sees them (its setting `labels`). */
const hiddenByCilium =
  /^(io\.kubernetes|kubernetes\.io|statefulset\.kubernetes\.io\/pod-name|apps\.kubernetes\.io\/pod-index|batch\.kubernetes\.io\/(job-completion-index|controller-uid)|.*beta\.kubernetes\.io|k8s\.io|pod-template-(generation|hash)|controller-(revision-hash|uid)|annotation|etcd_node|topology\.kubernetes\.io)/;

/**
 * What is known of network plugins, from their sources, documentation and issues (guide to each line: the decision on profiles
 * in ARCHITECTURE.md). Linux delivers a pod's connection to its own address within the pod, so that no plugin sees it.
 */
export const profiles: Readonly<Record<ProfileName, Reading>> = {
  // Selection goes by identity, not by address (cilium#9209), and a rules section alone isolates (cilium#48703).
  cilium: {
    blockMatchesPods: 'no',
    blockMatchesNodes: 'no',
    hostNetworkIsPod: 'no',
    selfAllowed: 'yes',
    ownNodeAllowed: 'no',
    honoursPolicyTypes: false,
    hidesLabel: (key) => hiddenByCilium.test(key),
  },
  calico: byAddress,
  kindnet: byAddress,
  // Nodes are let through whatever a block says (aws-network-policy-agent#65), as far as is known their own alone.
  aws: {
    ...byAddress,
    blockMatchesNodes: 'undefined',
    ownNodeAllowed: 'yes',
    honoursPolicyTypes: false,
    coversOnlyOwnedPods: true,
  },
};
