import { run } from '../cluster/command.ts';
import type { Cluster } from '../cluster/index.ts';

/**
 * Lets every node deal so with what it forwards to an address, `target` being the words after iptables' `-j`, until taken back; from
 * anywhere, unless a block of addresses is given as `from`. The kubelet's probes of pods on its own node are not forwarded.
 */
export async function raiseFirewall(
  { name, tools }: Cluster,
  address: string,
  target: readonly string[],
  from?: string,
): Promise<() => Promise<void>> {
  const nodes = (await run(tools.kind, ['get', 'nodes', '--name', name])).trim().split('\n');
  const command = address.includes(':') ? 'ip6tables' : 'iptables';
  const rule = [...(from === undefined ? [] : ['-s', from]), '-d', address, '-j', ...target];
  const change = async (action: '-I' | '-D'): Promise<void> => {
    for (const node of nodes) await run('docker', ['exec', node, command, '-w', action, 'FORWARD', ...rule]);
  };
  await change('-I');
  return () => change('-D');
}
