import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  type Cluster,
  type Mirror,
  currentCluster,
  ensureCluster,
  removeCurrentCluster,
  startMirror,
} from '../cluster/index.ts';
import { run } from '../cluster/command.ts';
import { images } from '../cluster/versions.ts';

const minuteMs = 60_000;

describe('set-up from registries', () => {
  let mirror: Mirror;
  let environment: NodeJS.ProcessEnv;

  beforeAll(async () => {
    const cluster = currentCluster();
    mirror = await startMirror(cluster);
    environment = {
      ...process.env,
      POSTERN_CLUSTER: `${cluster.name}-pulled`,
      POSTERN_IMAGE_SOURCE: 'registry',
      POSTERN_REGISTRY_MIRROR: mirror.address,
    };
  }, 5 * minuteMs);

  afterAll(async () => {
    await removeCurrentCluster(environment);
    await mirror.stop();
  }, 5 * minuteMs);

  it(
    'brings up a cluster of pulled images that runs a pod',
    async () => {
      const isSealed = currentCluster().imageSource === 'local';
      const pulled = await ensureCluster({ environment, workers: 0, isSealed });
      expect(pulled.imageSource).toBe('registry');
      expect(pulled.name).not.toBe(currentCluster().name);

      await kubectl(pulled, 'run', 'guest', `--image=${images.agnhost}`, '--image-pull-policy=Never', '--', 'pause');
      await kubectl(pulled, 'wait', 'pod/guest', '--for=condition=Ready', '--timeout=60s');
    },
    5 * minuteMs,
  );
});

async function kubectl(cluster: Cluster, ...commandArguments: readonly string[]): Promise<string> {
  return await run(cluster.tools.kubectl, ['--kubeconfig', cluster.kubeconfig, ...commandArguments]);
}
