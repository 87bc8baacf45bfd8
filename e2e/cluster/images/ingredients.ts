import { existsSync, readFileSync } from 'node:fs';
import { chmod, cp, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { run } from '../command.ts';
import { binaryPath, moduleDirectory, moduleSource, treeHash } from '../toolchain.ts';
import { images, versions } from '../versions.ts';
import { type Workspace, assetPath, sha256 } from '../workspace.ts';

/** A file or folder that an image's build folder holds. */
export interface Ingredient {
  /** Changes with the ingredient's content. */
  readonly key: string;
  /** The program that it is, if it is one of the toolchain's. */
  readonly binary?: string;
  /** Writes it below the build folder. */
  place(folder: string): Promise<void>;
}

/** A program of the toolchain. */
export function binaryIngredient(workspace: Workspace, name: string, to: string = name): Ingredient {
  const source = binaryPath(workspace, name);
  return {
    key: `${to} ${path.basename(path.dirname(source))}`,
    binary: name,
    place: async (folder) => {
      await mkdir(path.dirname(path.join(folder, to)), { recursive: true });
      await cp(source, path.join(folder, to));
    },
  };
}

/** A file of this repository. */
export function fileIngredient(file: string): Ingredient {
  return {
    key: sha256(readFileSync(file)),
    place: async (folder) => {
      await cp(file, path.join(folder, path.basename(file)));
    },
  };
}

/** The files of a node: kind's entry point, units of systemd, containerd's configuration. */
export function nodeFilesIngredient(): Ingredient {
  const source = assetPath('node-image');
  const written = { pause: images.pause, version: versions.kubernetes };
  return {
    key: `${treeHash(source)} ${JSON.stringify(written)}`,
    place: async (folder) => {
      const files = path.join(folder, 'files');
      await cp(source, files, { recursive: true });
      await writeFile(path.join(files, 'kind', 'version'), written.version);
      const configuration = path.join(files, 'etc', 'containerd', 'config.toml');
      const text = await readFile(configuration, 'utf8');
      await writeFile(configuration, text.replace('@PAUSE_IMAGE@', written.pause));
    },
  };
}

/** What Cilium's image holds beside programs: scripts, and the BPF programs that the agent compiles. */
export function ciliumSourceIngredient(): Ingredient {
  return {
    key: treeHash(moduleDirectory('cilium')),
    place: async (folder) => {
      const source = await moduleSource('cilium', 'github.com/cilium/cilium');
      const scripts = [
        'images/cilium/init-container.sh',
        'plugins/cilium-cni/install-plugin.sh',
        'plugins/cilium-cni/cni-uninstall.sh',
      ];
      for (const script of scripts) {
        await cp(path.join(source, script), path.join(folder, path.basename(script)));
        await chmod(path.join(folder, path.basename(script)), 0o755);
      }
      const programs = path.join(source, 'bpf');
      const wanted = (await readdir(programs)).filter((name) => /^Makefile|\.[ch]$|^(include|lib)$/.test(name));
      for (const name of wanted) {
        await cp(path.join(programs, name), path.join(folder, 'bpf', name), { recursive: true });
      }
      // A module's source is read-only, folders included: docker could not clean up after itself.
      await run('chmod', ['-R', 'u+w', folder]);
    },
  };
}

/** Node.js from the project's own packages, and npm from its registry. */
export function nodeRuntimeIngredient(workspace: Workspace): Ingredient {
  const packaged = path.join(workspace.repository, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');
  const program = existsSync(packaged) ? packaged : process.execPath;
  return {
    key: `${process.version} ${versions.npm}`,
    place: async (folder) => {
      await cp(program, path.join(folder, 'node'));
      const npm = ['install', '--prefix', path.join(folder, 'npm'), '--no-audit', '--no-fund', '--no-package-lock'];
      await run('npm', [...npm, '--ignore-scripts', `npm@${versions.npm}`], { directory: folder });
    },
  };
}
