/** A network plugin that a cluster can have. */
export interface Cni {
  /** Completes the sentence "install …". */
  readonly title: string;
  /** Changes with whatever decides how it is set up. */
  readonly configuration: () => string;
  /** What it needs on every node beside what kindest/node brings. */
  readonly images: readonly string[];
  /** Whether nodes, pods and Services have addresses of IPv4 and of IPv6; else of IPv4 alone. */
  readonly isDualStack?: boolean;
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

/** The IPv4 addresses of all pods. */
export const podSubnet = '10.244.0.0/16';

/** The IPv6 addresses of pods and of Services, where there are any (unique local, RFC 4193). */
export const ipv6Subnets = { pods: 'fd00:10:244::/56', services: 'fd00:10:96::/112' } as const;

/**
 * `cilium` drops what policies deny, `cilium-rejecting` answers denied egress with ICMP, `cilium-dual` has both families of
 * addresses, `ptp` enforces nothing, `ptp-refusing` refuses on either side, and `ptp-half` does so over IPv4 and enforces nothing
 * over IPv6.
 */
export const cniNames = ['cilium', 'cilium-rejecting', 'cilium-dual', 'ptp', 'ptp-refusing', 'ptp-half'] as const;
export type CniName = (typeof cniNames)[number];
