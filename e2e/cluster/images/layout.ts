import { mkdir, open, readFile, realpath, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { sha256 } from '../workspace.ts';
import { fullName } from './source.ts';

/** Images as an OCI image layout, of which a node that holds some blobs already needs only the others. */
export interface Layout {
  readonly folder: string;
  /** The files of the layout but for the blobs of these digests, relative to its folder. */
  filesWithout(digests: ReadonlySet<string>): readonly string[];
}

/** One entry of the `manifest.json` in what `docker save` writes. */
interface SavedImage {
  readonly Config: string;
  readonly RepoTags: readonly string[] | null;
  readonly Layers: readonly string[];
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

const gzipMagic = Buffer.from([0x1f, 0x8b]);
const mediaType = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
} as const;

/**
 * Turns an unpacked `docker save` into an OCI image layout beside it. Its own format has no digests of layers in older
 * engines, and an import of it must hold every layer.
 */
export async function layOut(saved: string): Promise<Layout> {
  const folder = path.join(saved, 'layout');
  const blobs = path.join('blobs', 'sha256');
  await mkdir(path.join(folder, blobs), { recursive: true });
  const digests = new Set<string>();
  const keep = (digest: string): string => {
    digests.add(digest);
    return path.join(folder, blobs, digest.replace(/^sha256:/, ''));
  };
  const keepText = async (text: string, type: string): Promise<Descriptor> => {
    const digest = `sha256:${sha256(text)}`;
    await writeFile(keep(digest), text);
    return { mediaType: type, digest, size: Buffer.byteLength(text) };
  };

  const manifests: Descriptor[] = [];
  const placed = new Map<string, Descriptor>();
  for (const image of parseSavedImages(await readFile(path.join(saved, 'manifest.json'), 'utf8'))) {
    const configuration = await readFile(path.join(saved, image.Config), 'utf8');
    const layers: Descriptor[] = [];
    for (const [index, contentDigest] of parseContentDigests(configuration).entries()) {
      let layer = placed.get(contentDigest);
      if (layer === undefined) {
        // Older engines write a layer that images share once, and links to it.
        const file = await realpath(path.join(saved, image.Layers[index] ?? ''));
        layer = await describeLayer(file, contentDigest);
        await rename(file, keep(layer.digest));
        placed.set(contentDigest, layer);
      }
      layers.push(layer);
    }
    const config = await keepText(configuration, mediaType.config);
    const content = { schemaVersion: 2, mediaType: mediaType.manifest, config, layers };
    const manifest = await keepText(JSON.stringify(content), mediaType.manifest);
    for (const name of image.RepoTags ?? []) {
      manifests.push({ ...manifest, annotations: { 'io.containerd.image.name': fullName(name) } });
    }
  }
  await writeFile(path.join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  await writeFile(path.join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
  return {
    folder,
    filesWithout: (held) => [
      'oci-layout',
      'index.json',
      ...[...digests]
        .filter((digest) => !held.has(digest))
        .map((digest) => path.join(blobs, digest.replace(/^sha256:/, ''))),
    ],
  };
}

/** A layer that is kept as it is has the digest of its content; newer engines name a file by its digest instead. */
async function describeLayer(file: string, contentDigest: string): Promise<Descriptor> {
  const { size } = await stat(file);
  const isBlob = /^[0-9a-f]{64}$/.test(path.basename(file));
  const digest = isBlob ? `sha256:${path.basename(file)}` : contentDigest;
  return { mediaType: (await isGzip(file)) ? `${mediaType.layer}+gzip` : mediaType.layer, digest, size };
}

async function isGzip(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { buffer } = await handle.read(Buffer.alloc(gzipMagic.length), 0, gzipMagic.length, 0);
    return buffer.equals(gzipMagic);
  } finally {
    await handle.close();
  }
}

function parseSavedImages(text: string): readonly SavedImage[] {
  const content: unknown = JSON.parse(text);
  if (!Array.isArray(content)) throw new Error('docker save wrote no manifest.json that is a list');
  return content;
}

/** The digests of an image's layers, uncompressed, from its configuration. */
function parseContentDigests(configuration: string): readonly string[] {
  const content: { readonly rootfs?: { readonly diff_ids?: readonly string[] } } = JSON.parse(configuration);
  return content.rootfs?.diff_ids ?? [];
}
