import { group, version } from '../api/index.ts';
import type { ResourceType } from '../kube/index.ts';

const apps = (plural: string, kind: string): ResourceType => ({
  group: 'apps',
  version: 'v1',
  plural,
  kind,
  namespaced: true,
});

const calico = (plural: string, kind: string, namespaced: boolean): ResourceType => ({
  group: 'crd.projectcalico.org',
  version: 'v1',
  plural,
  kind,
  namespaced,
});

/** The kinds that the controller watches. */
export const resources = {
  connectivityTests: { group, version, plural: 'connectivitytests', kind: 'ConnectivityTest', namespaced: true },
  clusterConnectivityTests: {
    group,
    version,
    plural: 'clusterconnectivitytests',
    kind: 'ClusterConnectivityTest',
    namespaced: false,
  },
  connectivityGrants: { group, version, plural: 'connectivitygrants', kind: 'ConnectivityGrant', namespaced: true },
  calibrations: { group, version, plural: 'calibrations', kind: 'Calibration', namespaced: false },
  nodes: { group: '', version: 'v1', plural: 'nodes', kind: 'Node', namespaced: false },
  leases: { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', kind: 'Lease', namespaced: true },
  pods: { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true },
  services: { group: '', version: 'v1', plural: 'services', kind: 'Service', namespaced: true },
  namespaces: { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace', namespaced: false },
  endpointSlices: {
    group: 'discovery.k8s.io',
    version: 'v1',
    plural: 'endpointslices',
    kind: 'EndpointSlice',
    namespaced: true,
  },
  deployments: apps('deployments', 'Deployment'),
  statefulSets: apps('statefulsets', 'StatefulSet'),
  daemonSets: apps('daemonsets', 'DaemonSet'),
  networkPolicies: {
    group: 'networking.k8s.io',
    version: 'v1',
    plural: 'networkpolicies',
    kind: 'NetworkPolicy',
    namespaced: true,
  },
  ciliumNetworkPolicies: {
    group: 'cilium.io',
    version: 'v2',
    plural: 'ciliumnetworkpolicies',
    kind: 'CiliumNetworkPolicy',
    namespaced: true,
  },
  ciliumClusterwideNetworkPolicies: {
    group: 'cilium.io',
    version: 'v2',
    plural: 'ciliumclusterwidenetworkpolicies',
    kind: 'CiliumClusterwideNetworkPolicy',
    namespaced: false,
  },
  clusterNetworkPolicies: {
    group: 'policy.networking.k8s.io',
    version: 'v1alpha2',
    plural: 'clusternetworkpolicies',
    kind: 'ClusterNetworkPolicy',
    namespaced: false,
  },
  // As Calico stores them: its own API server gives the same objects once more.
  calicoNetworkPolicies: calico('networkpolicies', 'NetworkPolicy', true),
  calicoGlobalNetworkPolicies: calico('globalnetworkpolicies', 'GlobalNetworkPolicy', false),
  calicoTiers: calico('tiers', 'Tier', false),
} as const satisfies Record<string, ResourceType>;

/** What owns the probe pods of a ClusterConnectivityTest in a namespace. It is written, never read. */
export const probeAnchors: ResourceType = {
  group,
  version,
  plural: 'probeanchors',
  kind: 'ProbeAnchor',
  namespaced: true,
};
