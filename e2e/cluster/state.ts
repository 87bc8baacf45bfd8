import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import type { ImageSource } from './images/source.ts';
import type { NodeContainer } from './nodes.ts';
import { type Workspace, sha256 } from './workspace.ts';

/** What is known of a cluster between commands. */
export interface ClusterRecord {
  readonly name: string;
  /** The clone that it belongs to. */
  readonly repository: string;
  readonly phase: 'creating' | 'ready';
  readonly configurationHash: string;
  readonly nodeCount: number;
  /** Whether what pods send stays on this machine. */
  readonly isSealed: boolean;
  readonly imageSource: ImageSource;
  readonly kubeconfig: string;
  readonly tools: { readonly kind: string; readonly kubectl: string; readonly helm: string; readonly promtool: string };
  readonly images: { readonly base: string; readonly nodeRuntime: string };
}

/** What to do about the cluster that is wanted, given what is there. */
export type Decision =
  { readonly action: 'reuse' | 'create' } | { readonly action: 'recreate'; readonly reason: string };

/** Decides whether an existing cluster will do. */
export function decide(
  record: ClusterRecord | undefined,
  containers: readonly NodeContainer[],
  configurationHash: string,
): Decision {
  if (record === undefined) {
    return containers.length === 0 ? { action: 'create' } : { action: 'recreate', reason: 'nothing is known of it' };
  }
  if (containers.length === 0) return { action: 'create' };
  if (record.phase === 'creating') return { action: 'recreate', reason: 'its set-up was interrupted' };
  if (record.configurationHash !== configurationHash)
    return { action: 'recreate', reason: 'its configuration changed' };
  const stopped = containers.filter((container) => !container.isRunning);
  if (stopped.length > 0) {
    return { action: 'recreate', reason: `stopped: ${stopped.map((container) => container.name).join(', ')}` };
  }
  if (containers.length !== record.nodeCount) {
    return { action: 'recreate', reason: `${containers.length} of ${record.nodeCount} nodes are left` };
  }
  return { action: 'reuse' };
}

/** Names what a cluster is made of: another hash, another cluster. */
export function configurationHashOf(configuration: {
  readonly nodeImage: string;
  readonly kind: string;
  readonly cni: string;
  readonly imageSource: ImageSource;
}): string {
  const { nodeImage, kind, cni, imageSource } = configuration;
  return sha256(JSON.stringify([nodeImage, kind, cni, imageSource])).slice(0, 16);
}

/** The records whose clone is gone: nobody will ask for those clusters again. */
export function abandonedRecords(
  records: readonly ClusterRecord[],
  doesExist: (repository: string) => boolean,
): readonly ClusterRecord[] {
  return records.filter((record) => !doesExist(record.repository));
}

/** Reads the record of a cluster. */
export function readRecord(workspace: Workspace, clusterName: string): ClusterRecord | undefined {
  const file = recordFile(workspace, clusterName);
  if (!existsSync(file)) return undefined;
  const content: unknown = JSON.parse(readFileSync(file, 'utf8'));
  return isRecord(content) ? content : undefined;
}

/** Reads the records of all clusters, other clones' included. */
export function readAllRecords(workspace: Workspace): readonly ClusterRecord[] {
  const folder = recordFolder(workspace);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json') && !name.endsWith('.timings.json'))
    .flatMap((name) => readRecord(workspace, path.basename(name, '.json')) ?? []);
}

/** Writes a record. */
export function writeRecord(workspace: Workspace, record: ClusterRecord): void {
  const file = recordFile(workspace, record.name);
  const draft = `${file}.${process.pid}`;
  mkdirSync(recordFolder(workspace), { recursive: true });
  writeFileSync(draft, `${JSON.stringify(record, undefined, 2)}\n`);
  renameSync(draft, file);
}

/** Forgets a cluster. */
export function removeRecord(workspace: Workspace, clusterName: string): void {
  for (const file of [recordFile, kubeconfigFile, timingsFile]) rmSync(file(workspace, clusterName), { force: true });
}

/** Where a cluster's credentials lie. */
export function kubeconfigFile(workspace: Workspace, clusterName: string): string {
  return path.join(recordFolder(workspace), `${clusterName}.kubeconfig`);
}

/** Where it is written how long set-up took. */
export function timingsFile(workspace: Workspace, clusterName: string): string {
  return path.join(recordFolder(workspace), `${clusterName}.timings.json`);
}

/** Records are written by `writeRecord` alone, in one move; one of another release of this project lacks a field. */
function isRecord(content: unknown): content is ClusterRecord {
  if (typeof content !== 'object' || content === null) return false;
  const fields = [
    'name',
    'repository',
    'phase',
    'configurationHash',
    'nodeCount',
    'imageSource',
    'kubeconfig',
    'tools',
    'images',
  ];
  return fields.every((field) => field in content);
}

function recordFile(workspace: Workspace, clusterName: string): string {
  return path.join(recordFolder(workspace), `${clusterName}.json`);
}

function recordFolder(workspace: Workspace): string {
  return path.join(workspace.cache, 'clusters');
}
