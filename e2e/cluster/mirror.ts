import process from 'node:process';

import { GenericContainer, type StartedTestContainer, Wait } from 'testcontainers';

import { attempt, run } from './command.ts';
import { describeLocalImages } from './images/local.ts';
import { pulledName } from './images/source.ts';
import { ownerLabel } from './network.ts';
import type { Progress } from './progress.ts';
import { planBuilds, pulledImages } from './provision.ts';
import type { ClusterRecord } from './state.ts';
import { images } from './versions.ts';
import type { Workspace } from './workspace.ts';

/** A registry on this machine. */
export interface Mirror {
  /** `host:port`, as `POSTERN_REGISTRY_MIRROR` takes it. */
  readonly address: string;
  stop(): Promise<void>;
}

const port = 5000;

/** Starts a registry and fills it from what a cluster was made of. */
export async function runMirror(workspace: Workspace, record: ClusterRecord, progress: Progress): Promise<Mirror> {
  const stock = await stockFor(workspace, record, progress);
  const container = await startRegistry(describeLocalImages(workspace).registry.reference, record.name);
  const address = `127.0.0.1:${container.getMappedPort(port)}`;
  progress.expect(stock.size);
  for (const [image, reference] of stock) {
    await progress.step(`push ${image}`, () => push(reference, pulledName(image, address)));
  }
  return {
    address,
    stop: async () => {
      await container.stop();
      // Pulled again under these names, by tag and by digest.
      for (const image of pulledImages) await attempt('docker', ['image', 'rm', pulledName(image, address)]);
    },
  };
}

/** Upstream names, and what the engine holds in their place. */
async function stockFor(
  workspace: Workspace,
  record: ClusterRecord,
  progress: Progress,
): Promise<ReadonlyMap<string, string>> {
  const { base, nodeRuntime, agnhost, cilium, ciliumOperator, plainNode, registry } = describeLocalImages(workspace);
  const isLocal = record.imageSource === 'local';
  const wanted = isLocal ? [base, nodeRuntime, agnhost, cilium, ciliumOperator, plainNode, registry] : [registry];
  const plan = await planBuilds(workspace, wanted, []);
  progress.expect(plan.stepCount);
  await plan.carryOut(progress);
  const stock = new Map<string, string>(pulledImages.map((image) => [image, image]));
  stock.set(images.base, record.images.base).set(images.nodeRuntime, record.images.nodeRuntime);
  if (isLocal) stock.set(images.node, plainNode.reference);
  return stock;
}

async function startRegistry(image: string, clusterName: string): Promise<StartedTestContainer> {
  // testcontainers' own reaper is an image that cannot be had everywhere; `cluster:down` removes what carries the label.
  process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
  return await new GenericContainer(image)
    .withLabels({ [ownerLabel]: clusterName })
    .withExposedPorts(port)
    .withWaitStrategy(Wait.forHttp('/v2/', port))
    .start();
}

async function push(reference: string, name: string): Promise<void> {
  await run('docker', ['tag', reference, name]);
  await run('docker', ['push', '--quiet', name]);
  // Gone here, so that set-up has to pull it.
  await run('docker', ['image', 'rm', name]);
}
