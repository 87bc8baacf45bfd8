/** The real cluster that the integration tests, the end-to-end tests and the demonstration run on. */
import process from 'node:process';

import { type CniName, cniNames, cniOf } from './cni/index.ts';
import { withLock } from './lock.ts';
import { type Mirror, runMirror } from './mirror.ts';
import { type OutsideServer, runOutsideServer } from './outside.ts';
import { type ProjectImages, supplyProjectImages, supplyVariant } from './project-images.ts';
import { type Progress, progressOnStandardError, runLanes } from './progress.ts';
import type { ImageSource } from './images/source.ts';
import { setUp, setUpLock, tearDown } from './set-up.ts';
import { type ClusterRecord, readRecord } from './state.ts';
import { binaryPath, buildLanes, requireGo } from './toolchain.ts';
import { type Workspace, openWorkspace } from './workspace.ts';

/** A cluster that is up. */
export interface Cluster {
  readonly name: string;
  readonly kubeconfig: string;
  /** Its network plugin, which decides how it denies, if it does. */
  readonly cni: CniName;
  /** The docker network that the nodes are on; containers on it are outside of the cluster, and within its reach. */
  readonly dockerNetwork: string;
  readonly tools: { readonly kind: string; readonly kubectl: string; readonly helm: string; readonly promtool: string };
  readonly imageSource: ImageSource;
}

/** How a cluster is set up, if not as usual. */
export interface ClusterOptions {
  readonly progress?: Progress;
  /** Nodes beside the control plane; as many as the network plugin wants unless said otherwise. */
  readonly workers?: number;
  /** Whether what pods send stays on this machine; unless said otherwise, where images are built locally. */
  readonly isSealed?: boolean;
  readonly environment?: NodeJS.ProcessEnv;
}

export { type CniName, cniNames, type Mirror, type OutsideServer, type ProjectImages };

/** Brings up the cluster of this clone; takes seconds if it is up already. Shows its progress on standard error. */
export async function ensureCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { environment = process.env, progress = progressOnStandardError(), isSealed } = options;
  const workspace = openWorkspace(environment);
  const { workers = cniOf(workspace.cni).workers } = options;
  const shape = { workers, ...(isSealed === undefined ? {} : { isSealed }) };
  return clusterFrom(await setUp(workspace, shape, progress), workspace);
}

/** The cluster of this clone, which is up. */
export function currentCluster(): Cluster {
  const workspace = openWorkspace(process.env);
  const record = readRecord(workspace, workspace.clusterName);
  if (record?.phase !== 'ready')
    throw new Error(`cluster ${workspace.clusterName} is not up: run \`npm run cluster:up\``);
  return clusterFrom(record, workspace);
}

/** Builds what changed of the operator's and the probe's images and puts it on all nodes; gives their names. */
export async function ensureProjectImages(cluster: Cluster): Promise<ProjectImages> {
  const workspace = openWorkspace(process.env);
  const record = readRecord(workspace, cluster.name);
  if (record === undefined) throw notUp(cluster.name);
  const progress = progressOnStandardError();
  try {
    return await withLock(setUpLock(workspace), () => supplyProjectImages(workspace, record, progress), progressNote);
  } finally {
    progress.close();
  }
}

/** Builds an image from a folder with a Dockerfile, puts it on all nodes, and gives its name. */
export async function deliverVariant(
  cluster: Cluster,
  { folder, repository }: { readonly folder: string; readonly repository: string },
): Promise<string> {
  const workspace = openWorkspace(process.env);
  const record = readRecord(workspace, cluster.name);
  if (record === undefined) throw notUp(cluster.name);
  return await withLock(setUpLock(workspace), () => supplyVariant(record, folder, repository), progressNote);
}

/** Starts the world outside of the cluster: a plain HTTP server on its docker network. */
export async function startOutsideServer(cluster: Cluster): Promise<OutsideServer> {
  return await runOutsideServer(cluster.dockerNetwork);
}

/** Starts a registry on this machine that holds every image which set-up pulls where registries answer. */
export async function startMirror(cluster: Cluster): Promise<Mirror> {
  const workspace = openWorkspace(process.env);
  const record = readRecord(workspace, cluster.name);
  if (record === undefined) throw notUp(cluster.name);
  const progress = progressOnStandardError();
  try {
    return await withLock(setUpLock(workspace), () => runMirror(workspace, record, progress), progressNote);
  } finally {
    progress.close();
  }
}

/** Removes the clusters of this clone, whichever network plugin they have, and gives their names. */
export async function removeAllClusters(environment: NodeJS.ProcessEnv = process.env): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const cni of cniNames) removed.push(await removeCurrentCluster({ ...environment, POSTERN_CNI: cni }));
  return removed;
}

/** Removes the cluster of this clone and says its name. */
export async function removeCurrentCluster(environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  const workspace = openWorkspace(environment);
  await withLock(setUpLock(workspace), () => tearDown(workspace, workspace.clusterName), progressNote);
  return workspace.clusterName;
}

/** A program that needs no cluster, built if it is not there yet. */
export async function ensureTool(name: 'kind' | 'kubectl' | 'helm' | 'promtool' | 'registry'): Promise<string> {
  const workspace = openWorkspace(process.env);
  if (buildLanes(workspace, [name]).length > 0) {
    await requireGo();
    const progress = progressOnStandardError();
    await withLock(setUpLock(workspace), () => buildMissing(workspace, name, progress), progressNote);
    progress.close();
  }
  return binaryPath(workspace, name);
}

async function buildMissing(workspace: Workspace, name: string, progress: Progress): Promise<void> {
  // Asked again under the lock: another process may have built it meanwhile.
  const lanes = buildLanes(workspace, [name]);
  progress.expect(lanes.flat().length);
  await runLanes(lanes, 1, progress);
}

function notUp(clusterName: string): Error {
  return new Error(`cluster ${clusterName} is not up: run \`npm run cluster:up\``);
}

function progressNote(text: string): void {
  process.stderr.write(`${text}\n`);
}

function clusterFrom({ name, kubeconfig, tools, imageSource }: ClusterRecord, { cni }: Workspace): Cluster {
  return { name, kubeconfig, cni, dockerNetwork: name, tools, imageSource };
}
