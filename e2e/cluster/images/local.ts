import { readFileSync } from 'node:fs';

import { images, versions } from '../versions.ts';
import { type Workspace, assetPath, sha256 } from '../workspace.ts';
import {
  type Ingredient,
  binaryIngredient,
  ciliumSourceIngredient,
  fileIngredient,
  nodeFilesIngredient,
  nodeRuntimeIngredient,
} from './ingredients.ts';

/** An image that is built on this machine, and what it is made of. */
export interface LocalImage {
  readonly title: string;
  readonly reference: string;
  /** Changes with anything that the image is made of. */
  readonly content: string;
  readonly method: BuildMethod;
  /** The images that must be there before. */
  readonly needs: readonly LocalImage[];
  /** The programs that must be built before. */
  readonly binaries: readonly string[];
}

/** How an image comes about. */
export type BuildMethod =
  | { readonly kind: 'debootstrap' }
  | {
      readonly kind: 'dockerfile';
      readonly dockerfile: string;
      readonly base: string | undefined;
      readonly ingredients: readonly Ingredient[];
    }
  /** A node with images already in its containerd, so that a cluster starts without loading any. */
  | { readonly kind: 'preload'; readonly base: string; readonly carried: readonly string[] };

/** The images that set-up asks for; the others are only on the way to them. */
export interface LocalImages {
  readonly base: LocalImage;
  readonly nodeRuntime: LocalImage;
  readonly agnhost: LocalImage;
  readonly cilium: LocalImage;
  readonly ciliumOperator: LocalImage;
  /** A node that carries every image of a cluster. */
  readonly node: LocalImage;
  /** A node that carries what kindest/node does: the images that kubeadm asks for. */
  readonly plainNode: LocalImage;
  readonly registry: LocalImage;
}

/** All images that are built here, each with what it needs. */
export function describeLocalImages(workspace: Workspace): LocalImages {
  const binary = (name: string, to?: string): Ingredient => binaryIngredient(workspace, name, to);
  const program = (name: string, reference: string): LocalImage =>
    dockerfileImage(name, reference, programDockerfile(name), [binary(name)]);
  const dockerfileOf = (name: string): string =>
    readFileSync(assetPath('images', 'dockerfiles', `${name}.Dockerfile`), 'utf8');
  const from = (
    base: LocalImage,
    name: string,
    reference: string,
    ingredients: readonly Ingredient[] = [],
  ): LocalImage => dockerfileImage(name, reference, dockerfileOf(name), ingredients, base);

  const base = addressed('debian', { method: { kind: 'debootstrap' }, needs: [], binaries: [] }, [
    versions.debian,
    'v1',
  ]);
  const nodeRuntime = from(base, 'node-runtime', own('node'), [nodeRuntimeIngredient(workspace)]);
  const tools = from(base, 'debian-tools', own('debian-tools'));
  const agnhost = from(tools, 'agnhost', images.agnhost, [binary('agnhost')]);
  const nodeBase = from(tools, 'kind-node', own('kind-node-base'), [
    nodeFilesIngredient(),
    ...['containerd', 'ctr', 'containerd-shim-runc-v2', 'kubelet', 'kubeadm', 'kubectl'].map((name) => binary(name)),
    ...['ptp', 'bridge', 'loopback', 'host-local', 'portmap'].map((name) => binary(name, `cni/${name}`)),
  ]);
  const ciliumPrograms = ['cilium-agent', 'cilium-dbg', 'cilium-mount', 'cilium-sysctlfix', 'cilium-cni', 'loopback'];
  const cilium = from(from(tools, 'cilium-tools', own('cilium-tools')), 'cilium', images.cilium, [
    ciliumSourceIngredient(),
    ...ciliumPrograms.map((name) => binary(name)),
  ]);
  const ciliumOperator = program('cilium-operator-generic', images.ciliumOperator);
  const controlPlane = [
    program('kube-apiserver', images.apiServer),
    program('kube-controller-manager', images.controllerManager),
    program('kube-scheduler', images.scheduler),
    program('etcd', images.etcd),
    program('coredns', images.coredns),
  ];
  const onEveryNode = [
    from(tools, 'pause', images.pause),
    from(tools, 'kube-proxy', images.proxy, [binary('kube-proxy')]),
  ];
  const registry = dockerfileImage('registry', own('registry'), dockerfileOf('registry'), [
    binary('registry'),
    fileIngredient(assetPath('images', 'dockerfiles', 'registry.yaml')),
  ]);
  const node = preloaded('kind-node', nodeBase, [...controlPlane, ciliumOperator, ...onEveryNode, cilium, agnhost]);
  const plainNode = preloaded('kind-node-plain', nodeBase, [...controlPlane, ...onEveryNode]);
  return { base, nodeRuntime, agnhost, cilium, ciliumOperator, node, plainNode, registry };
}

/** The images to build so that all of `wanted` are there, each after what it needs. */
export function missingImages(
  wanted: readonly LocalImage[],
  isPresent: (image: LocalImage) => boolean,
): readonly LocalImage[] {
  const missing = new Map<string, LocalImage>();
  const visit = (image: LocalImage): void => {
    if (missing.has(image.reference) || isPresent(image)) return;
    for (const needed of image.needs) visit(needed);
    missing.set(image.reference, image);
  };
  for (const image of wanted) visit(image);
  return [...missing.values()];
}

/** Every image among `wanted` and what they need. */
export function closureOf(wanted: readonly LocalImage[]): readonly LocalImage[] {
  return missingImages(wanted, () => false);
}

function preloaded(title: string, base: LocalImage, carried: readonly LocalImage[]): LocalImage {
  const method: BuildMethod = {
    kind: 'preload',
    base: base.reference,
    carried: carried.map((image) => image.reference),
  };
  const image = addressed(title, { method, needs: [base, ...carried], binaries: [] }, []);
  return { ...image, title: `${title}, with ${carried.length} images on it` };
}

type Unnamed = Pick<LocalImage, 'method' | 'needs' | 'binaries'>;

/** A name of our own still lacks its tag: it is the content, so that clones with other content keep theirs. */
function own(name: string): string {
  return `postern/${name}`;
}

function addressed(title: string, image: Unnamed, keys: readonly string[]): LocalImage {
  return named(title, own(title), image, keys);
}

function named(title: string, name: string, image: Unnamed, keys: readonly string[]): LocalImage {
  const content = sha256([name, ...image.needs.map((needed) => needed.content), ...keys].join('\n')).slice(0, 12);
  return { ...image, title, content, reference: name.startsWith('postern/') ? `${name}:${content}` : name };
}

function dockerfileImage(
  title: string,
  name: string,
  dockerfile: string,
  ingredients: readonly Ingredient[],
  base?: LocalImage,
): LocalImage {
  const method: BuildMethod = { kind: 'dockerfile', dockerfile, base: base?.reference, ingredients };
  const binaries = ingredients.flatMap((ingredient) => ingredient.binary ?? []);
  const needs = base === undefined ? [] : [base];
  return named(title, name, { method, needs, binaries }, [
    dockerfile,
    ...ingredients.map((ingredient) => ingredient.key),
  ]);
}

/** One statically linked program, and nothing else. */
function programDockerfile(name: string): string {
  return [
    'FROM scratch',
    `COPY ${name} /usr/local/bin/${name}`,
    'ENV PATH=/usr/local/bin',
    `ENTRYPOINT ["/usr/local/bin/${name}"]`,
    '',
  ].join('\n');
}
