import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Cluster } from '../../cluster/index.ts';

/** The API server without credentials, on a port of this machine's loopback. */
export interface ApiProxy {
  /** Such as `http://127.0.0.1:40123`. */
  readonly url: string;
  close(): Promise<void>;
}

/** `kubectl proxy`: hundreds of requests by one process, with the bodies as they are. */
export async function openApiProxy({ tools, kubeconfig }: Cluster): Promise<ApiProxy> {
  const child = spawn(tools.kubectl, ['--kubeconfig', kubeconfig, 'proxy', '--port=0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) {
    const address = /127[.]0[.]0[.]1:\d+/.exec(line)?.[0];
    if (address === undefined) continue;
    return {
      url: `http://${address}`,
      close: async () => {
        child.kill();
        await ended;
      },
    };
  }
  throw new Error('kubectl proxy ended before it said where it listens');
}
