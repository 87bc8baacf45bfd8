/** The command line's composition root: the only reader of arguments, files and standard input. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import manifest from '../../package.json' with { type: 'json' };
import { runCommandLine, type Surroundings, UsageError } from '../cli/index.ts';

const manifestFile = /\.(ya?ml|json)$/i;

function createSurroundings(): Surroundings {
  let standardInput: Promise<string> | undefined;
  const readOne = async (path: string): Promise<readonly { readonly file: string; readonly text: string }[]> => {
    if (path === '-') {
      standardInput ??= text(process.stdin);
      return [{ file: 'standard input', text: await standardInput }];
    }
    const files = await manifestsBelow(path);
    if (files.length === 0) throw new UsageError(`${path} holds no file that ends in .yaml, .yml or .json.`);
    return Promise.all(files.map(async (file) => ({ file, text: await readFile(file, 'utf8') })));
  };
  return {
    version: manifest.version,
    readManifests: async (paths) => {
      const read = await Promise.all([...new Set(paths)].map(readOne)).catch((error: unknown) => {
        throw error instanceof UsageError
          ? error
          : new UsageError(`cannot read: ${reasonOf(error)}.`, { cause: error });
      });
      // A file that is named twice, or lies in a folder that is named too, is one file.
      return [...new Map(read.flat().map((each) => [each.file, each])).values()];
    },
    print: (line) => void process.stdout.write(`${line}\n`),
    say: (line) => void process.stderr.write(`${line}\n`),
  };
}

/** A file as it is named; of a folder everything that looks like a manifest, in a fixed order. */
async function manifestsBelow(path: string): Promise<readonly string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const entries = await readdir(path, { withFileTypes: true });
  const below = entries
    .filter(({ name }) => !name.startsWith('.') && name !== 'node_modules')
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(async (entry) => {
      const inside = join(path, entry.name);
      if (entry.isDirectory()) return manifestsBelow(inside);
      return manifestFile.test(entry.name) ? [inside] : [];
    });
  return (await Promise.all(below)).flat();
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

// A reader that has seen enough (`| head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});
process.exitCode = await runCommandLine(process.argv.slice(2), createSurroundings());
