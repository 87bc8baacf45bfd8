import type { ParseArgsOptionsConfig } from 'node:util';
import type { ManifestText } from '../manifests/index.ts';

/** What a command may touch; the composition root gives it, so that nothing else reads files, arguments or the environment. */
export interface Surroundings {
  readonly version: string;
  /** The texts of files, of every manifest in folders, and of standard input for `-`. Throws a UsageError that says what is wrong. */
  readManifests(paths: readonly string[]): Promise<readonly ManifestText[]>;
  /** Results, to standard output. */
  print(text: string): void;
  /** Progress, warnings and errors, to standard error. */
  say(text: string): void;
}

/** How a command ends; `inconclusive` is also the end of one that could not run. */
export const exitCodes = { passed: 0, violated: 1, usage: 2, inconclusive: 3, nothingSelected: 4 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What stands after the command's name, such as `-f TESTS -p MANIFESTS`. */
  readonly usage: string;
  readonly description: string;
  readonly examples: readonly string[];
  readonly options: Readonly<Record<string, Option>>;
  run(given: Given, surroundings: Surroundings): Promise<ExitCode>;
}

export type Option = ParseArgsOptionsConfig[string] & {
  /** What stands for the value in the help; absent for a switch. */
  readonly value?: string;
  readonly description: string;
};

/** The arguments of a command. */
export interface Given {
  readonly positionals: readonly string[];
  flag(name: string): boolean;
  text(name: string): string | undefined;
  texts(name: string): readonly string[];
}

/** A mistake of whoever called: a sentence that says what to write instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
