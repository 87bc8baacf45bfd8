import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Cluster, deliverVariant } from '../cluster/index.ts';
import { repositoryPath } from '../harness/postern.ts';
import { type Patch, patched } from './patch.ts';

/** The folder whose files are the probe image's program. */
export const probeProgram = 'src/probe/program/';

/** Puts a probe image on the nodes whose program differs by patches, and gives its name. */
export async function probeVariant(cluster: Cluster, image: string, patches: readonly Patch[]): Promise<string> {
  if (patches.length === 0) return image;
  const folder = await mkdtemp(path.join(tmpdir(), 'postern-trap-probe-'));
  try {
    await cp(repositoryPath(probeProgram), path.join(folder, 'program'), { recursive: true });
    for (const patch of patches) {
      const file = path.join(folder, 'program', patch.file.slice(probeProgram.length));
      await writeFile(file, patched(await readFile(file, 'utf8'), patch));
    }
    await writeFile(path.join(folder, 'Dockerfile'), `FROM ${image}\nCOPY program/ /postern/\n`);
    return await deliverVariant(cluster, { folder, repository: 'postern/probe-trap' });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
