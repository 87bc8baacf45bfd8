import { cniOf } from './cni/index.ts';
import { buildLocalImage } from './images/build.ts';
import { inspectImages } from './images/docker.ts';
import { type LocalImage, closureOf, describeLocalImages, missingImages } from './images/local.ts';
import { imagesToPull, pinnedReference, pullImage } from './images/pull.ts';
import { type ImageSource, pulledName } from './images/source.ts';
import { type Lane, type Progress, runLanes } from './progress.ts';
import { binaryPath, buildLanes, hostTools } from './toolchain.ts';
import { images, workloadImages } from './versions.ts';
import type { Workspace } from './workspace.ts';

/** The images that a cluster is made from, and the work that is left until they are there. */
export interface Provision {
  /** Names the node image before it is there. */
  readonly nodeKey: string;
  readonly stepCount: number;
  /** Does what is left. */
  supply(progress: Progress): Promise<SuppliedImages>;
}

/** The images by the names that the engine has for them. */
export interface SuppliedImages {
  readonly node: string;
  readonly base: string;
  readonly nodeRuntime: string;
}

/** Two steps at once keep two cores busy where one links and the other compiles; more would only contend. */
const buildWidth = 2;

/** Finds out what is missing, for either source of images. */
export async function planProvision(workspace: Workspace, source: ImageSource): Promise<Provision> {
  return source === 'local' ? await planLocal(workspace) : await planRegistry(workspace);
}

/** The programs that set-up and tests call, by name. */
export function toolPaths(workspace: Workspace): Readonly<Record<(typeof hostTools)[number], string>> {
  return {
    kind: binaryPath(workspace, 'kind'),
    kubectl: binaryPath(workspace, 'kubectl'),
    helm: binaryPath(workspace, 'helm'),
    promtool: binaryPath(workspace, 'promtool'),
  };
}

/** What is pulled where registries answer. */
export const pulledImages = [images.node, images.base, images.nodeRuntime, ...workloadImages] as const;

async function planRegistry(workspace: Workspace): Promise<Provision> {
  const mirror = workspace.environment['POSTERN_REGISTRY_MIRROR'];
  const workloads = new Set<string>(workloadImages);
  const pulls: Lane = (await imagesToPull(pulledImages, mirror)).map((image) => ({
    title: `pull ${image}`,
    // Nodes know their images by the upstream names.
    work: () => pullImage(image, mirror, workloads.has(image)),
  }));
  const builds = buildLanes(workspace, hostTools);
  return {
    nodeKey: pulledName(images.node, mirror),
    stepCount: pulls.length + builds.flat().length,
    supply: async (progress) => {
      // Pulling waits for the network while building keeps the processor busy.
      await runLanes([pulls, ...builds], buildWidth + 1, progress);
      return {
        node: await pinnedReference(images.node, mirror),
        base: await pinnedReference(images.base, mirror),
        nodeRuntime: await pinnedReference(images.nodeRuntime, mirror),
      };
    },
  };
}

async function planLocal(workspace: Workspace): Promise<Provision> {
  const { base, nodeRuntime, agnhost, node: fullNode, plainNode } = describeLocalImages(workspace);
  // A node's images are copied to every container that it becomes.
  const node = cniOf(workspace.cni).images.length > 0 ? fullNode : plainNode;
  const plan = await planBuilds(workspace, [base, nodeRuntime, agnhost, node], hostTools);
  return {
    nodeKey: node.reference,
    stepCount: plan.stepCount,
    supply: async (progress) => {
      await plan.carryOut(progress);
      return { node: node.reference, base: base.reference, nodeRuntime: nodeRuntime.reference };
    },
  };
}

/** Builds that are left to do. */
export interface BuildPlan {
  readonly stepCount: number;
  carryOut(progress: Progress): Promise<void>;
}

/** Finds out what is to be built so that images and programs are there. */
export async function planBuilds(
  workspace: Workspace,
  wanted: readonly LocalImage[],
  tools: readonly string[],
): Promise<BuildPlan> {
  const present = await inspectImages(closureOf(wanted).map((image) => image.reference));
  const missing = missingImages(wanted, (image) => present.get(image.reference)?.content === image.content);
  const programs = new Set<string>([...tools, ...missing.flatMap((image) => image.binaries)]);
  const builds = buildLanes(workspace, [...programs]);
  const step = (image: LocalImage): Lane[number] => ({
    title: `image ${image.title}`,
    work: () => buildLocalImage(image),
  });
  const early = missing.filter(isMadeOfPackagesAlone);
  const late = missing.filter((image) => !early.includes(image));
  return {
    stepCount: missing.length + builds.flat().length,
    carryOut: async (progress) => {
      // Installing packages waits for the network while building keeps the processor busy.
      await runLanes([early.map(step), ...builds], buildWidth + 1, progress);
      await runLanes([late.map(step)], 1, progress);
    },
  };
}

function isMadeOfPackagesAlone(image: LocalImage): boolean {
  return image.binaries.length === 0 && image.needs.every(isMadeOfPackagesAlone);
}
