import { run } from '../command.ts';
import { type EngineImage, inspectImages } from './docker.ts';
import { pulledName } from './source.ts';

/** Those of `wanted` that were not pulled from that registry yet. */
export async function imagesToPull(wanted: readonly string[], mirror: string | undefined): Promise<readonly string[]> {
  const present = await inspectImages(wanted.map((image) => pulledName(image, mirror)));
  return wanted.filter((image) => (present.get(pulledName(image, mirror))?.digests.length ?? 0) === 0);
}

/** Pulls an image, from a mirror if there is one, and gives it its upstream name if that is wanted. */
export async function pullImage(image: string, mirror: string | undefined, isRenamed: boolean): Promise<void> {
  const pulled = pulledName(image, mirror);
  await run('docker', ['pull', '--quiet', pulled]);
  if (isRenamed && pulled !== image) await run('docker', ['tag', pulled, image]);
}

/** The name of a pulled image that can never mean another: with its digest. */
export async function pinnedReference(image: string, mirror: string | undefined): Promise<string> {
  const pulled = pulledName(image, mirror);
  const found = (await inspectImages([pulled])).get(pulled);
  if (found === undefined) throw new Error(`${pulled} is not there`);
  return digestOf(pulled, found) ?? pulled;
}

/** An image may have been pulled from several registries: the digest must be the one of this name. */
function digestOf(name: string, image: EngineImage): string | undefined {
  const tag = name.lastIndexOf(':');
  const repository = tag > name.lastIndexOf('/') ? name.slice(0, tag) : name;
  return image.digests.find((digest) => digest.startsWith(`${repository}@`));
}
