import { stringify } from 'yaml';

import { ipv6Subnets, podSubnet } from './cni/cni.ts';
import { attempt, run } from './command.ts';

/** kind's own label on the containers that are nodes. */
const clusterLabel = 'io.x-k8s.kind.cluster';

/** A node as Docker sees it. */
export interface NodeContainer {
  readonly name: string;
  readonly isRunning: boolean;
}

/** The containers that are a cluster's nodes, stopped ones included. */
export async function listNodeContainers(clusterName: string): Promise<readonly NodeContainer[]> {
  const output = await run('docker', [
    'ps',
    '--all',
    '--filter',
    `label=${clusterLabel}=${clusterName}`,
    '--format',
    '{{.Names}}\t{{.State}}',
  ]);
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'))
    .map(([name = '', state = '']) => ({ name, isRunning: state === 'running' }))
    .toSorted((one, other) => one.name.localeCompare(other.name));
}

/** The first family is that of pods' first addresses (KEP-563). */
const dualStack = {
  ipFamily: 'dual',
  podSubnet: `${podSubnet},${ipv6Subnets.pods}`,
  serviceSubnet: `10.96.0.0/16,${ipv6Subnets.services}`,
};

/** What `kind create cluster` is told: one control plane, and workers. */
export function kindConfiguration(workers: number, isDualStack = false): string {
  const kubeadmPatch = (kind: string, fields: object): string => stringify({ kind, ...fields });
  return stringify({
    kind: 'Cluster',
    apiVersion: 'kind.x-k8s.io/v1alpha4',
    networking: {
      disableDefaultCNI: true,
      apiServerAddress: '127.0.0.1',
      ...(isDualStack ? dualStack : { podSubnet }),
    },
    kubeadmConfigPatches: [
      // Hosts with cgroup v1 are welcome, and so are those that may not lower an OOM score.
      kubeadmPatch('KubeletConfiguration', { failCgroupV1: false }),
      kubeadmPatch('KubeProxyConfiguration', { oomScoreAdj: 0 }),
    ],
    nodes: [{ role: 'control-plane' }, ...Array.from({ length: workers }, () => ({ role: 'worker' }))],
  });
}

/** Runs kind on a docker network of the cluster's own. */
export async function runKind(
  kind: string,
  clusterName: string,
  commandArguments: readonly string[],
  input?: string,
): Promise<void> {
  const environment = {
    ...process.env,
    KIND_EXPERIMENTAL_PROVIDER: 'docker',
    KIND_EXPERIMENTAL_DOCKER_NETWORK: clusterName,
  };
  const options = { environment, isBound: true, ...(input === undefined ? {} : { input }) };
  // Nor may kind go on creating a cluster when set-up is killed, which leaves it no time to end anything.
  const canTie = (await attempt('setpriv', ['--pdeathsig', 'KILL', 'true'])).code === 0;
  const tie = canTie ? ['setpriv', '--pdeathsig', 'KILL'] : [];
  const [command, ...rest] = [...tie, kind, ...commandArguments, '--name', clusterName];
  await run(command, rest, options);
}
