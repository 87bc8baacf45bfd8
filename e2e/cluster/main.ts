import process from 'node:process';

import { currentCluster, ensureCluster, removeAllClusters, removeCurrentCluster } from './index.ts';
import { progressOnStandardError } from './progress.ts';

const usage = 'usage: main.ts up | down | status';

/**
 * `up`, `down` and `status` of the cluster that belongs to this clone; `POSTERN_CNI` chooses its network plugin. Without it `down`
 * removes the clusters with all of them.
 */
async function main(command: string | undefined): Promise<void> {
  switch (command) {
    case 'up': {
      const progress = progressOnStandardError();
      await ensureCluster({ progress });
      progress.close();
      print(describe());
      return;
    }
    case 'down': {
      const isChosen = process.env['POSTERN_CNI'] !== undefined;
      const removed = isChosen ? [await removeCurrentCluster()] : await removeAllClusters();
      print(`removed cluster ${removed.join(', ')}`);
      return;
    }
    case 'status':
      print(describe());
      return;
    default:
      throw new Error(usage);
  }
}

function describe(): string {
  const cluster = currentCluster();
  return [
    `cluster     ${cluster.name}`,
    `images      ${cluster.imageSource === 'local' ? 'built on this machine; network sealed' : 'from their registries'}`,
    `kubeconfig  ${cluster.kubeconfig}`,
    `kubectl     ${cluster.tools.kubectl}`,
    `export KUBECONFIG=${cluster.kubeconfig}`,
  ].join('\n');
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    process.stderr.write('\ninterrupted: what is done is kept, the same command goes on from there\n');
    process.exit(130);
  });
}

try {
  await main(process.argv[2]);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
