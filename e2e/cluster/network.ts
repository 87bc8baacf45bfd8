import { attempt, run } from './command.ts';
import { bridgeNameFor, sha256 } from './workspace.ts';

/** The label on everything in the engine that belongs to a cluster of this project. */
export const ownerLabel = 'dev.postern.cluster';

const bridgeOption = 'com.docker.network.bridge.name';

/** Makes the cluster's docker network, of the cluster's name, if it is not there. */
export async function ensureNetwork(clusterName: string, isDualStack = false): Promise<void> {
  const existing = await attempt('docker', ['network', 'inspect', clusterName]);
  if (existing.code === 0) return;
  await run('docker', [
    'network',
    'create',
    '--label',
    `${ownerLabel}=${clusterName}`,
    '--opt',
    `${bridgeOption}=${bridgeNameFor(clusterName)}`,
    // Engines have no pool of IPv6 addresses of their own unless told so.
    ...(isDualStack ? ['--ipv6', '--subnet', ipv6SubnetFor(clusterName)] : []),
    clusterName,
  ]);
}

/** Addresses of a cluster's nodes: a unique local subnet (RFC 4193) that another name hardly has. */
export function ipv6SubnetFor(clusterName: string): string {
  const digits = sha256(clusterName);
  return `fd${digits.slice(0, 2)}:${digits.slice(2, 6)}:${digits.slice(6, 10)}::/64`;
}

/**
 * Keeps everything that a pod sends on this machine. A packet to a ClusterIP without endpoints, or to an outside address, would
 * otherwise take the nodes' default route and be masqueraded to the world. A reject rather than a drop: what is outside
 * stays distinguishable from what a policy denies.
 */
export async function sealNetwork(clusterName: string, isDualStack = false): Promise<void> {
  await seal('iptables', sealRule(clusterName));
  if (isDualStack) await seal('ip6tables', ipv6SealRule(clusterName, await ipv6SealChain()));
}

async function seal(command: string, rule: readonly string[]): Promise<void> {
  const present = await attempt(command, ['-w', '-C', ...rule]);
  if (present.code !== 0) await run(command, ['-w', '-I', ...rule]);
}

/** Engines that manage ip6tables have a chain for others' rules, as for IPv4; what the rest forwards is not filtered at all. */
async function ipv6SealChain(): Promise<string> {
  const listed = await attempt('ip6tables', ['-w', '-S', 'DOCKER-USER']);
  return listed.code === 0 ? 'DOCKER-USER' : 'FORWARD';
}

/** Removes the network and its seal. */
export async function removeNetwork(clusterName: string): Promise<void> {
  await attempt('iptables', ['-w', '-D', ...sealRule(clusterName)]);
  for (const chain of ['DOCKER-USER', 'FORWARD'])
    await attempt('ip6tables', ['-w', '-D', ...ipv6SealRule(clusterName, chain)]);
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

/** The same for ip6tables, in a chain that its engine has. */
export function ipv6SealRule(clusterName: string, chain: string): readonly string[] {
  const bridge = bridgeNameFor(clusterName);
  return [chain, '-i', bridge, '!', '-o', bridge, '-j', 'REJECT', '--reject-with', 'icmp6-adm-prohibited'];
}
