import type { Kubectl } from '../harness/kubectl.ts';
import { manifests } from '../harness/workloads.ts';
import { outsideAddresses } from './outside-host.ts';
import type { Undo } from './undo.ts';

/** Teaches the cluster's name servers the names that the examples presume outside. */
export async function installOutsideNames(kubectl: Kubectl, undo: Undo): Promise<void> {
  const { data } = await kubectl.json<{ readonly data: { readonly Corefile: string } }>(
    'get configmap coredns -n kube-system',
  );
  undo(() => writeCorefile(kubectl, data.Corefile));
  await writeCorefile(kubectl, withHosts(data.Corefile));
}

/** A Corefile whose server for all names knows the partner and the other host. */
function withHosts(corefile: string): string {
  const { partner, other } = outsideAddresses;
  const entries = [`${partner} partner.example`, `${other} other.example`, 'fallthrough'];
  return corefile.replace(/^\.:53 \{$/m, (line) => [line, 'hosts {', ...entries, '}'].join('\n'));
}

async function writeCorefile(kubectl: Kubectl, corefile: string): Promise<void> {
  const metadata = { name: 'coredns', namespace: 'kube-system' };
  const configuration = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { Corefile: corefile } };
  await kubectl('apply --server-side --force-conflicts -f -', { input: manifests(configuration) });
  // The servers look at their configuration every half a minute; a restart is sooner.
  await kubectl('rollout restart deployment/coredns -n kube-system');
  await kubectl('rollout status deployment/coredns -n kube-system --timeout=120s');
}
