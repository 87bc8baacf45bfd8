import { runCommandLine } from '../cli/index.ts';

export interface Ended {
  readonly code: number;
  /** Standard output. */
  readonly printed: string;
  /** Standard error. */
  readonly said: string;
}

/** Runs a command over files that exist only here; a folder is the beginning of their paths, `-` is standard input. */
export async function runWith(words: readonly string[], files: Readonly<Record<string, string>>): Promise<Ended> {
  const printed: string[] = [];
  const said: string[] = [];
  const code = await runCommandLine(words, {
    version: '0.0.0',
    readManifests: (paths) => {
      const found = Object.entries(files).filter(([file]) =>
        paths.some((path) => file === path || file.startsWith(path)),
      );
      return Promise.resolve(found.map(([file, text]) => ({ file: file === '-' ? 'standard input' : file, text })));
    },
    print: (text) => printed.push(text),
    say: (text) => said.push(text),
  });
  return { code, printed: printed.join('\n'), said: said.join('\n') };
}
