import type { Cluster } from '../cluster/index.ts';
import { listNodeContainers } from '../cluster/nodes.ts';
import type { Kubectl } from '../harness/kubectl.ts';
import { installNodeService, metadataService, nodeLocalDNS, standInNamespace } from './node-services.ts';
import { installOutsideHost } from './outside-host.ts';
import { installOutsideNames } from './outside-names.ts';
import type { Need } from './scenario.ts';
import type { Undo } from './undo.ts';

/** Puts up what scenarios presume. What it registers takes all of it away again, also after a failure half-way. */
export async function installStandIns(
  cluster: Cluster,
  kubectl: Kubectl,
  wanted: ReadonlySet<Need>,
  undo: Undo,
): Promise<void> {
  const nodes = (await listNodeContainers(cluster.name)).map(({ name }) => name);
  undo(async () => {
    await kubectl(`delete namespace ${standInNamespace} --ignore-not-found --wait`);
  });
  if (wanted.has('outside-host')) await installOutsideHost(cluster, nodes, undo);
  if (wanted.has('outside-names')) await installOutsideNames(kubectl, undo);
  if (wanted.has('metadata-service')) await installNodeService(kubectl, nodes, metadataService(), undo);
  if (wanted.has('node-local-dns')) {
    const nameServer = await kubectl('get service kube-dns -n kube-system -o jsonpath={.spec.clusterIP}');
    await installNodeService(kubectl, nodes, nodeLocalDNS(nameServer), undo);
  }
}

/** What this cluster cannot offer: scenarios that need it are predicted only. */
export async function missingIn(kubectl: Kubectl): Promise<ReadonlySet<Need>> {
  const hasDaemonSet = async (name: string): Promise<boolean> =>
    (await kubectl.attempt(`get daemonset ${name} -n kube-system`)).code === 0;
  const needed = { cilium: 'cilium', 'cilium-proxy': 'cilium-envoy', calico: 'calico-node' } as const;
  const missing = new Set<Need>();
  if (!(await hasDaemonSet(needed.cilium))) missing.add('cilium');
  if (!(await hasDaemonSet(needed['cilium-proxy']))) missing.add('cilium-proxy');
  if (!(await hasDaemonSet(needed.calico))) missing.add('calico');
  return missing;
}
