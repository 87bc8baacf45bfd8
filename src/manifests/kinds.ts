/** What an object is to a prediction. */
export type Sort = 'test' | 'grant' | 'policy' | 'workload' | 'pod' | 'service' | 'slice' | 'namespace' | 'other';

/** An object's type: the group is '' for the core API, the version does not matter. */
export interface ObjectKind {
  readonly group: string;
  readonly kind: string;
}

export function objectKind(apiVersion: string, kind: string): ObjectKind {
  return { group: apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '', kind };
}

/** `NetworkPolicy.networking.k8s.io`, as kubectl names kinds unmistakably; the core kinds by their name alone. */
export function kindInWords({ group, kind }: ObjectKind): string {
  return group === '' ? kind : `${kind}.${group}`;
}

const sorts: Readonly<Record<string, Sort>> = {
  'ConnectivityTest.postern.dev': 'test',
  'ClusterConnectivityTest.postern.dev': 'test',
  'ConnectivityGrant.postern.dev': 'grant',
  Pod: 'pod',
  ReplicationController: 'workload',
  'Deployment.apps': 'workload',
  'StatefulSet.apps': 'workload',
  'DaemonSet.apps': 'workload',
  'ReplicaSet.apps': 'workload',
  'Job.batch': 'workload',
  'CronJob.batch': 'workload',
  Service: 'service',
  'EndpointSlice.discovery.k8s.io': 'slice',
  Namespace: 'namespace',
};

/** Groups whose kinds have a say in what may connect, whether or not the policy model knows them: it says which it does not. */
const policyGroups: readonly RegExp[] = [
  /^policy\.networking\.k8s\.io$/,
  /^cilium\.io$/,
  /(^|\.)projectcalico\.org$/,
  /^crd\.antrea\.io$/,
  /^networking\.k8s\.aws$/,
  /^k8s\.ovn\.org$/,
];
const policyKinds = /(NetworkPolicy|EgressFirewall|^Tier|NetworkSet|CIDRGroup)$/;

/** What an object is, by its group and kind, and by its shape where only the shape tells: any kind may hold a pod template. */
export function sortOf(type: ObjectKind, hasPodTemplate: boolean): Sort {
  const name = kindInWords(type);
  const known = Object.hasOwn(sorts, name) ? sorts[name] : undefined;
  if (known !== undefined) return known;
  if (name === 'NetworkPolicy.networking.k8s.io') return 'policy';
  if (policyGroups.some((group) => group.test(type.group)) && policyKinds.test(type.kind)) return 'policy';
  return hasPodTemplate ? 'workload' : 'other';
}

const clusterScoped: ReadonlySet<string> = new Set([
  'Namespace',
  'ClusterNetworkPolicy',
  'AdminNetworkPolicy',
  'BaselineAdminNetworkPolicy',
  'CiliumClusterwideNetworkPolicy',
  'CiliumCIDRGroup',
  'GlobalNetworkPolicy',
  'StagedGlobalNetworkPolicy',
  'GlobalNetworkSet',
  'Tier',
  'ClusterConnectivityTest',
]);

/** Whether objects of this kind stand in a namespace, as far as the kinds that a prediction reads are concerned. */
export function isNamespaced({ kind }: ObjectKind): boolean {
  return !clusterScoped.has(kind);
}
