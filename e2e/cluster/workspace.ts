import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

import { type CniName, cniNames } from './cni/cni.ts';

/** Where this clone's cluster keeps its things, and under which names. */
export interface Workspace {
  readonly repository: string;
  readonly cache: string;
  readonly clusterName: string;
  /** The network plugin of the cluster. */
  readonly cni: CniName;
  readonly environment: NodeJS.ProcessEnv;
}

/**
 * The workspace of the clone that this file belongs to. A cluster with another network plugin than usual lives beside the usual
 * one, under a name of its own.
 */
export function openWorkspace(environment: NodeJS.ProcessEnv): Workspace {
  const repository = realpathSync(path.join(import.meta.dirname, '..', '..'));
  const cni = chosenCni(environment['POSTERN_CNI']);
  const name = environment['POSTERN_CLUSTER'] ?? clusterNameFor(repository);
  const cacheHome = environment['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache');
  return {
    repository,
    cache: path.join(cacheHome, 'postern'),
    clusterName: cni === 'cilium' ? name : `${name}-${cni}`,
    cni,
    environment,
  };
}

function chosenCni(wanted: string = 'cilium'): CniName {
  const cni = cniNames.find((name) => name === wanted);
  if (cni === undefined) throw new Error(`POSTERN_CNI is ${wanted}: choose one of ${cniNames.join(', ')}`);
  return cni;
}

/** Clones in different folders get different clusters. */
export function clusterNameFor(repository: string): string {
  return `postern-${sha256(repository).slice(0, 6)}`;
}

/** A Linux interface name holds 15 characters at most, a cluster name more. */
export function bridgeNameFor(clusterName: string): string {
  return `postern-${sha256(clusterName).slice(0, 6)}`;
}

/** The hexadecimal SHA-256 of `text`. */
export function sha256(text: string | Buffer): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The folder of this module's files that are not TypeScript: Dockerfiles, Go modules, chart values. */
export function assetPath(...segments: readonly string[]): string {
  return path.join(import.meta.dirname, ...segments);
}
