import { readFileSync } from 'node:fs';
import path from 'node:path';

import { deliverImages } from './images/deliver.ts';
import { buildImage, contentLabel, inspectImages } from './images/docker.ts';
import { listNodeContainers } from './nodes.ts';
import type { Progress } from './progress.ts';
import type { ClusterRecord } from './state.ts';
import { treeHash } from './toolchain.ts';
import { type Workspace, sha256 } from './workspace.ts';

/** The project's own images, by the names that the nodes know. */
export interface ProjectImages {
  readonly operator: string;
  readonly probe: string;
}

const authorities = '/etc/ssl/certs/ca-certificates.crt';

/** Builds what changed of the project's images and puts it on all nodes. */
export async function supplyProjectImages(
  workspace: Workspace,
  record: ClusterRecord,
  progress: Progress,
): Promise<ProjectImages> {
  const images = projectImages(workspace.repository, record);
  const present = await inspectImages(Object.values(images));
  for (const target of ['probe', 'operator'] as const) {
    const reference = images[target];
    if (present.has(reference)) continue;
    progress.expect(1);
    await progress.step(`image ${reference}`, () => build(workspace.repository, record, target, reference));
  }
  const nodes = (await listNodeContainers(record.name)).map((container) => container.name);
  await deliverImages(nodes, Object.values(images));
  return images;
}

/** Tags by content: an unchanged image is built once, and a node never runs an old one under a new name. */
function projectImages(repository: string, record: ClusterRecord): ProjectImages {
  const common = [
    readFileSync(path.join(repository, 'Dockerfile')),
    readFileSync(path.join(repository, '.dockerignore')),
  ];
  const packages = ['package.json', 'package-lock.json'].map((name) => readFileSync(path.join(repository, name)));
  const tag = (ingredients: readonly (string | Buffer)[]): string =>
    sha256(ingredients.map(sha256).join('')).slice(0, 12);
  const source = path.join(repository, 'src');
  const { base, nodeRuntime } = record.images;
  return {
    operator: `postern/operator:${tag([...common, ...packages, nodeRuntime, treeHash(source, isShipped)])}`,
    probe: `postern/probe:${tag([...common, base, treeHash(path.join(source, 'probe', 'program'), isShipped)])}`,
  };
}

/** Follows .dockerignore: a change in a test is no change of an image. */
function isShipped(file: string): boolean {
  return !file.endsWith('.test.ts') && !file.startsWith(`testing${path.sep}`);
}

async function build(
  repository: string,
  record: ClusterRecord,
  target: keyof ProjectImages,
  reference: string,
): Promise<void> {
  const isLocal = record.imageSource === 'local';
  await buildImage(repository, {
    reference,
    dockerfile: path.join(repository, 'Dockerfile'),
    target,
    // Where images are built here, so are the ways out: this machine's own network, and whom it trusts.
    hostNetwork: isLocal,
    buildArguments: {
      BASE_IMAGE: record.images.base,
      NODE_IMAGE: record.images.nodeRuntime,
      ...(isLocal && target === 'operator' ? { NPM_CONFIG_CAFILE: authorities } : {}),
    },
    labels: { [contentLabel]: reference },
  });
}

/** Builds an image from a folder with a Dockerfile, tagged by the folder's content, and puts it on all nodes. */
export async function supplyVariant(record: ClusterRecord, folder: string, repository: string): Promise<string> {
  const reference = `${repository}:${treeHash(folder).slice(0, 12)}`;
  await buildImage(folder, { reference, dockerfile: path.join(folder, 'Dockerfile') });
  const nodes = (await listNodeContainers(record.name)).map((container) => container.name);
  await deliverImages(nodes, [reference]);
  return reference;
}
