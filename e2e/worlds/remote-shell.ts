import { spawn } from 'node:child_process';

import type { Cluster } from '../cluster/index.ts';

/** A shell in a container that stays open, so that no command pays for a new connection. One command at a time. */
export interface RemoteShell {
  /**
   * What the command wrote to standard output.
   *
   * @throws Error if it ends with another code than 0, or the shell itself ends.
   */
  run(command: string): Promise<string>;
  close(): void;
}

export interface Container {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/** Opens a shell by `kubectl exec`. */
export function openShell(cluster: Cluster, { namespace, pod, container }: Container): RemoteShell {
  const words = ['--kubeconfig', cluster.kubeconfig, 'exec', '-i', '-n', namespace, pod, '-c', container, '--', 'sh'];
  const child = spawn(cluster.tools.kubectl, words, { stdio: ['pipe', 'pipe', 'pipe'] });
  let written = '';
  let complaints = '';
  let end: Error | undefined;
  let look: () => void = () => undefined;
  const endWith = (reason: string): void => {
    end ??= new Error(`the shell in ${namespace}/${pod} ended: ${reason} ${complaints}`.trim());
    look();
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    written += text;
    look();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-2000);
  });
  child.stdin.on('error', (error) => endWith(error.message));
  child.once('error', (error) => endWith(error.message));
  child.once('close', (code) => endWith(`exit code ${code ?? 'none'}.`));

  let count = 0;
  return {
    run(command) {
      count += 1;
      const mark = new RegExp(`^postern-end-${count} (\\d+)\\n`, 'm');
      complaints = '';
      return new Promise((resolve, reject) => {
        look = () => {
          const found = mark.exec(written);
          if (found === null) {
            if (end !== undefined) reject(end);
            return;
          }
          const output = written.slice(0, found.index);
          written = written.slice(found.index + found[0].length);
          look = () => undefined;
          if (found[1] === '0') resolve(output);
          else reject(new Error(`in ${namespace}/${pod} a command ended with ${found[1]}: ${complaints}${output}`));
        };
        // Commands must not read what is meant for the shell.
        child.stdin.write(`( ${command}\n) </dev/null; echo "postern-end-${count} $?"\n`);
        look();
      });
    },
    close: () => void child.kill(),
  };
}
