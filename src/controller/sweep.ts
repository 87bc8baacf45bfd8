import { group } from '../api/index.ts';
import { isKubeError, type KubeClient, type Log } from '../kube/index.ts';
import type { Batch } from '../runner/index.ts';
import type { Caches } from './caches.ts';
import { resources } from './resources.ts';

const ownerKinds: readonly string[] = ['ConnectivityTest', 'ConnectivityGrant', 'ProbeAnchor', 'Calibration'];

/**
 * Deletes probe pods that no run knows of: those of an operator that died, and those whose deletion failed. Pods that carry
 * the probe label but are not owned by one of our kinds are somebody else's and are left alone.
 */
export async function sweepOrphans(
  { client, caches, batches, log }: { client: KubeClient; caches: Caches; batches: readonly Batch[]; log: Log },
  signal: AbortSignal,
): Promise<void> {
  const claimed = new Set(batches.flatMap(({ probes }) => probes.map(({ namespace, name }) => `${namespace}/${name}`)));
  for (const { metadata } of caches.probePods()) {
    const { namespace = '', name, uid } = metadata;
    const isOurs = metadata.ownerReferences?.some(
      ({ kind, apiVersion }) => ownerKinds.includes(kind) && apiVersion.startsWith(`${group}/`),
    );
    if (isOurs !== true || claimed.has(`${namespace}/${name}`) || metadata.deletionTimestamp !== undefined) continue;
    log.info({ namespace, pod: name }, 'Deleting orphaned probe pod');
    try {
      await client.delete(resources.pods, { namespace, name, ...(uid === undefined ? {} : { uid }), signal });
    } catch (error) {
      if (!isKubeError(error)) throw error;
      log.warn({ namespace, pod: name, code: error.code }, 'Could not delete orphaned probe pod');
    }
  }
}
