import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { cniOf } from './cni/index.ts';
import { attempt, run } from './command.ts';
import { stopForwarding } from './dns.ts';
import { ensureEngine } from './engine/engine.ts';
import { deliverImages } from './images/deliver.ts';
import { type ImageSource, chooseSource, doRegistriesAnswer, requestedSource } from './images/source.ts';
import { withLock } from './lock.ts';
import { ipv6Obstacle } from './ipv6.ts';
import { ensureNetwork, removeCompanions, removeNetwork, sealNetwork } from './network.ts';
import { kindConfiguration, listNodeContainers, runKind } from './nodes.ts';
import { type Progress, timingTable } from './progress.ts';
import { type SuppliedImages, planProvision, toolPaths } from './provision.ts';
import {
  type ClusterRecord,
  abandonedRecords,
  configurationHashOf,
  decide,
  kubeconfigFile,
  readAllRecords,
  readRecord,
  removeRecord,
  timingsFile,
  writeRecord,
} from './state.ts';
import { requireGo } from './toolchain.ts';
import { images as imageNames } from './versions.ts';
import type { Workspace } from './workspace.ts';

/** The steps of `createCluster` and of what comes before it. */
const creationSteps = 6;

/** What a cluster is to be like. */
export interface ClusterShape {
  /** Nodes beside the control plane. */
  readonly workers: number;
  /** Whether what pods send stays on this machine; unless said otherwise, where images are built locally. */
  readonly isSealed?: boolean;
}

/** Brings the cluster up, or finds that it is up already. */
export async function setUp(workspace: Workspace, shape: ClusterShape, progress: Progress): Promise<ClusterRecord> {
  const startMs = performance.now();
  const obstacle = cniOf(workspace.cni).isDualStack === true ? ipv6Obstacle() : undefined;
  if (obstacle !== undefined) throw new Error(obstacle);
  await requireGo();
  await ensureEngine(progress);
  return await withLock(
    setUpLock(workspace),
    async () => {
      await removeAbandoned(workspace, progress);
      const record = await bringUp(workspace, shape, progress);
      reportTimings(workspace, progress, (performance.now() - startMs) / 1000);
      return record;
    },
    (text) => progress.note(text),
  );
}

/** Removes a cluster and all that belongs to it in the engine. */
export async function tearDown(workspace: Workspace, clusterName: string): Promise<void> {
  const engine = await attempt('docker', ['version']);
  const wasInterrupted = readRecord(workspace, clusterName)?.phase === 'creating';
  if (engine.code === 0) await removeCluster(clusterName, wasInterrupted);
  removeRecord(workspace, clusterName);
}

/** The lock under which anything shared is built or changed. */
export function setUpLock(workspace: Workspace): string {
  return path.join(workspace.cache, 'set-up.lock');
}

async function bringUp(workspace: Workspace, shape: ClusterShape, progress: Progress): Promise<ClusterRecord> {
  const name = workspace.clusterName;
  const known = readRecord(workspace, name);
  const imageSource = await sourceFor(workspace, known);
  const provision = await planProvision(workspace, imageSource);
  const isSealed = shape.isSealed ?? imageSource === 'local';
  const configuration = kindConfiguration(shape.workers, cniOf(workspace.cni).isDualStack);
  const record: Omit<ClusterRecord, 'phase' | 'images'> = {
    name,
    repository: workspace.repository,
    configurationHash: configurationHashOf({
      nodeImage: provision.nodeKey,
      kind: configuration,
      cni: cniOf(workspace.cni).configuration(),
      imageSource,
    }),
    nodeCount: shape.workers + 1,
    isSealed,
    imageSource,
    kubeconfig: kubeconfigFile(workspace, name),
    tools: toolPaths(workspace),
  };
  let decision = decide(known, await listNodeContainers(name), record.configurationHash);
  progress.expect(provision.stepCount + (decision.action === 'reuse' ? 0 : creationSteps));
  const images = await provision.supply(progress);

  if (decision.action === 'reuse') {
    if (isSealed) await sealNetwork(name, cniOf(workspace.cni).isDualStack);
    if (await isHealthy(record)) {
      const ready = { ...record, images, phase: 'ready' } as const;
      await deliverImages(await nodeNames(name), imagesOnNodes(workspace));
      writeRecord(workspace, ready);
      return ready;
    }
    decision = { action: 'recreate', reason: 'its nodes are not ready' };
    progress.expect(creationSteps);
  }
  if (decision.action === 'recreate') progress.note(`making cluster ${name} anew: ${decision.reason}`);
  return await createCluster(workspace, { ...record, images, phase: 'creating' }, configuration, images, progress);
}

async function createCluster(
  workspace: Workspace,
  record: ClusterRecord,
  configuration: string,
  images: SuppliedImages,
  progress: Progress,
): Promise<ClusterRecord> {
  const { name, kubeconfig, tools, isSealed } = record;
  const wasInterrupted = readRecord(workspace, name)?.phase === 'creating';
  writeRecord(workspace, record);
  await progress.step('prepare the network', async () => {
    await removeCluster(name, wasInterrupted);
    await ensureNetwork(name, cniOf(workspace.cni).isDualStack);
    if (isSealed) await sealNetwork(name, cniOf(workspace.cni).isDualStack);
  });
  const create = ['create', 'cluster', '--image', images.node, '--kubeconfig', kubeconfig, '--config', '-'];
  await progress.step(`create ${record.nodeCount} nodes`, () => runKind(tools.kind, name, create, configuration));
  const cni = cniOf(workspace.cni);
  await progress.step('load images onto the nodes', async () =>
    deliverImages(await nodeNames(name), imagesOnNodes(workspace)),
  );
  await progress.step(`install ${cni.title}`, async () => {
    await cni.install({ ...tools, name, kubeconfig });
    if (isSealed) await stopForwarding(tools.kubectl, kubeconfig);
  });
  const kubectl = ['--kubeconfig', kubeconfig];
  await progress.step('wait for the nodes', () =>
    run(tools.kubectl, [...kubectl, 'wait', 'node', '--all', '--for=condition=Ready', '--timeout=300s']),
  );
  await progress.step('wait for the network and DNS', async () => {
    for (const workload of [...cni.workloads, 'deployment/coredns']) {
      await run(tools.kubectl, [...kubectl, '-n', 'kube-system', 'rollout', 'status', workload, '--timeout=180s']);
    }
  });
  const ready = { ...record, phase: 'ready' } as const;
  writeRecord(workspace, ready);
  return ready;
}

async function sourceFor(workspace: Workspace, known: ClusterRecord | undefined): Promise<ImageSource> {
  const requested = requestedSource(workspace.environment);
  const recorded = known?.phase === 'ready' ? known.imageSource : undefined;
  const mustAsk = requested === undefined && recorded === undefined;
  return chooseSource(requested, recorded, mustAsk && (await doRegistriesAnswer()));
}

async function isHealthy(record: Pick<ClusterRecord, 'kubeconfig' | 'tools'>): Promise<boolean> {
  const wait = ['wait', 'node', '--all', '--for=condition=Ready', '--timeout=30s'];
  const result = await attempt(record.tools.kubectl, ['--kubeconfig', record.kubeconfig, ...wait]);
  return result.code === 0;
}

/** What the nodes must hold beside the images that kindest/node brings. */
function imagesOnNodes({ cni }: Workspace): readonly string[] {
  return [...cniOf(cni).images, imageNames.agnhost];
}

async function nodeNames(clusterName: string): Promise<readonly string[]> {
  return (await listNodeContainers(clusterName)).map((container) => container.name);
}

async function removeCluster(clusterName: string, wasInterrupted: boolean): Promise<void> {
  // Of a set-up that was killed, the engine may still be creating a node.
  const settleMs = wasInterrupted ? 2_000 : 0;
  for (let isGone = false; !isGone;) {
    const containers = await nodeNames(clusterName);
    if (containers.length > 0) await run('docker', ['rm', '--force', '--volumes', ...containers]);
    await delay(settleMs);
    isGone = (await nodeNames(clusterName)).length === 0;
  }
  await removeCompanions(clusterName);
  await removeNetwork(clusterName);
}

/** Clones come and go; a cluster whose clone is gone would run for ever. */
async function removeAbandoned(workspace: Workspace, progress: Progress): Promise<void> {
  for (const record of abandonedRecords(readAllRecords(workspace), existsSync)) {
    progress.note(`removing cluster ${record.name}: its clone ${record.repository} is gone`);
    await tearDown(workspace, record.name);
  }
}

function reportTimings(workspace: Workspace, progress: Progress, totalSeconds: number): void {
  const timings = progress.timings();
  if (timings.length === 0) return;
  progress.note(`\n${timingTable(timings, totalSeconds)}\n`);
  const content = JSON.stringify({ totalSeconds: Math.round(totalSeconds), steps: timings }, undefined, 2);
  writeFileSync(timingsFile(workspace, workspace.clusterName), `${content}\n`);
}
