import { clusterOf, inventoryOf, readManifests } from '../../manifests/index.ts';
import type { Inventory } from '../../manifests/index.ts';
import type { KnownCluster } from '../../prediction/index.ts';

/** The cluster that texts declare, and whatever is wrong with them. */
export function declaredIn(...texts: readonly string[]): {
  readonly cluster: KnownCluster;
  readonly inventory: Inventory;
  readonly problems: readonly string[];
} {
  const read = texts.map((text, index) => readManifests({ file: `${index}.yaml`, text }));
  const inventory = inventoryOf(
    read.flatMap(({ objects }) => objects),
    'default',
  );
  const problems = [...read.flatMap((each) => each.problems), ...inventory.problems]
    .filter(({ severity }) => severity === 'error')
    .map(({ message }) => message);
  return { cluster: clusterOf(inventory), inventory, problems };
}

/** Objects as a text that kubectl would read. */
export function manifestsOf(objects: readonly object[]): string {
  return objects.map((object) => JSON.stringify(object)).join('\n---\n');
}
