import { attempt, type CommandResult, run } from '../cluster/command.ts';
import type { Cluster } from '../cluster/index.ts';

/** The cluster's own kubectl, as a user would type it. */
export interface Kubectl {
  /** Standard output; throws with the error text if the command fails. */
  (commandLine: string, options?: { readonly input?: string }): Promise<string>;
  /** The result, whatever the exit code. */
  attempt(commandLine: string, options?: { readonly input?: string }): Promise<CommandResult>;
  /** The output of `get … -o json`. */
  json<T>(commandLine: string): Promise<T>;
}

/** Splits a command line at blanks; quotes have no meaning. */
export function kubectlFor(cluster: Cluster): Kubectl {
  const words = (commandLine: string): string[] => ['--kubeconfig', cluster.kubeconfig, ...commandLine.split(/\s+/)];
  const kubectl = (commandLine: string, options = {}) => run(cluster.tools.kubectl, words(commandLine), options);
  return Object.assign(kubectl, {
    attempt: (commandLine: string, options = {}) => attempt(cluster.tools.kubectl, words(commandLine), options),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the caller names what it asked for
    json: async <T>(commandLine: string) => JSON.parse(await kubectl(`${commandLine} -o json`)) as T,
  });
}
