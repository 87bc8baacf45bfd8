import { readFileSync } from 'node:fs';

import { run } from '../command.ts';
import { listNodeContainers } from '../nodes.ts';
import { assetPath } from '../workspace.ts';
import type { CniTarget } from './cni.ts';

/** A plugin of this project: a shell script that network plugins are chained with. */
export interface Plugin {
  /** What a network configuration calls it. */
  readonly type: string;
  readonly script: string;
}

/** The plugin of that name among the files beside this one. */
export function pluginOf(type: string): Plugin {
  return { type, script: readFileSync(assetPath('cni', `${type}.sh`), 'utf8') };
}

/** Puts a plugin where the container runtimes of all nodes look for it. */
export async function installPlugin(target: CniTarget, { type, script }: Plugin): Promise<void> {
  const file = `/opt/cni/bin/${type}`;
  for (const { name } of await listNodeContainers(target.name)) {
    const install = ['sh', '-euc', `cat >${file} && chmod +x ${file}`];
    await run('docker', ['exec', '-i', name, ...install], { input: script });
  }
}
