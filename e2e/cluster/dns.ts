import { run } from './command.ts';

/** Makes CoreDNS answer for the cluster alone: other names fail here instead of being asked of this machine's resolver. */
export async function stopForwarding(kubectl: string, kubeconfig: string): Promise<void> {
  const coredns = ['--kubeconfig', kubeconfig, '-n', 'kube-system', 'configmap/coredns'];
  const corefile = await run(kubectl, ['get', ...coredns, '-o', 'jsonpath={.data.Corefile}']);
  const patch = JSON.stringify({ data: { Corefile: withoutForwarding(corefile) } });
  await run(kubectl, ['patch', ...coredns, '--type', 'merge', '--patch', patch]);
}

/** A Corefile without its `forward` plugin. */
export function withoutForwarding(corefile: string): string {
  return corefile.replace(/^[ \t]*forward \.[^\n{]*(\{[^}]*\})?[ \t]*\n/m, '');
}
