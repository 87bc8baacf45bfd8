import { attempt, run } from './command.ts';
import { bridgeNameFor } from './workspace.ts';

/** The label on everything in the engine that belongs to a cluster of this project. */
export const ownerLabel = 'dev.postern.cluster';

const bridgeOption = 'com.docker.network.bridge.name';

/** Makes the cluster's docker network, of the cluster's name, if it is not there. */
export async function ensureNetwork(clusterName: string): Promise<void> {
  const existing = await attempt('docker', ['network', 'inspect', clusterName]);
  if (existing.code === 0) return;
  await run('docker', [
    'network',
    'create',
    '--label',
    `${ownerLabel}=${clusterName}`,
    '--opt',
    `${bridgeOption}=${bridgeNameFor(clusterName)}`,
    clusterName,
  ]);
}

/**
 * Keeps everything that a pod sends on this machine. A packet to a ClusterIP without endpoints, or to an outside address, would
 * otherwise take the nodes' default route and be masqueraded to the world. A reject rather than a drop: what is outside
 * stays distinguishable from what a policy denies.
 */
export async function sealNetwork(clusterName: string): Promise<void> {
  const present = await attempt('iptables', ['-w', '-C', ...sealRule(clusterName)]);
  if (present.code !== 0) await run('iptables', ['-w', '-I', ...sealRule(clusterName)]);
}

/** Removes the network and its seal. */
export async function removeNetwork(clusterName: string): Promise<void> {
  await attempt('iptables', ['-w', '-D', ...sealRule(clusterName)]);
  const listed = await run('docker', ['network', 'ls', '--quiet', '--filter', `label=${ownerLabel}=${clusterName}`]);
  if (listed.trim() !== '') await run('docker', ['network', 'rm', clusterName]);
}

/** Removes containers that were started beside the cluster's nodes. */
export async function removeCompanions(clusterName: string): Promise<void> {
  const listed = await run('docker', ['ps', '--all', '--quiet', '--filter', `label=${ownerLabel}=${clusterName}`]);
  const containers = listed.split('\n').filter((line) => line !== '');
  if (containers.length > 0) await run('docker', ['rm', '--force', '--volumes', ...containers]);
}

/** The arguments after `-I`, `-C` or `-D`. */
export function sealRule(clusterName: string): readonly string[] {
  const bridge = bridgeNameFor(clusterName);
  return ['DOCKER-USER', '-i', bridge, '!', '-o', bridge, '-j', 'REJECT', '--reject-with', 'icmp-net-prohibited'];
}
