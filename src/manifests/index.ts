/** Manifests as text to the cluster that they declare, with the file and line of every field; pure. */
export { clusterOf, type DeclaredCluster } from './cluster.ts';
export { type Inventory, inventoryOf, type Reference } from './inventory.ts';
export type { Origin, Position, Problem } from './origin.ts';
export { type ManifestText, readManifests, type RawObject } from './read.ts';
export { ownerOf, workloadOf } from './workloads.ts';
