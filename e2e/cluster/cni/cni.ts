/** A network plugin that a cluster can have. */
export interface Cni {
  /** Completes the sentence "install …". */
  readonly title: string;
  /** Changes with whatever decides how it is set up. */
  readonly configuration: () => string;
  /** What it needs on every node beside what kindest/node brings. */
  readonly images: readonly string[];
  /** Nodes beside the control plane, unless said otherwise. */
  readonly workers: number;
  /** What must have rolled out in `kube-system` before pods have a network. */
  readonly workloads: readonly string[];
  readonly install: (target: CniTarget) => Promise<void>;
}

/** The cluster that a network plugin is installed on. */
export interface CniTarget {
  readonly name: string;
  readonly helm: string;
  readonly kubectl: string;
  readonly kubeconfig: string;
}

/** The addresses of all pods. */
export const podSubnet = '10.244.0.0/16';

/**
 * `cilium` drops what policies deny, `cilium-rejecting` answers denied egress with ICMP, `ptp` enforces nothing, and
 * `ptp-refusing` refuses on either side.
 */
export const cniNames = ['cilium', 'cilium-rejecting', 'ptp', 'ptp-refusing'] as const;
export type CniName = (typeof cniNames)[number];
