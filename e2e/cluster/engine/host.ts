import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** What set-up needs to know of the machine that it runs on. */
export interface Host {
  readonly isRoot: boolean;
  readonly isDebian: boolean;
  readonly hasDaemon: boolean;
  readonly hasSystemd: boolean;
  /** Whether CAP_SYS_RESOURCE is within this process's bounding set. */
  readonly canRaiseResourceLimits: boolean;
}

/** What to do where no Docker engine answers. */
export type Remedy = { readonly kind: 'install' | 'start' } | { readonly kind: 'explain'; readonly text: string };

const resourceCapability = 24n;

/** Looks at the machine. */
export function describeHost(): Host {
  return {
    isRoot: process.getuid?.() === 0,
    isDebian: existsSync('/etc/debian_version'),
    hasDaemon: isOnPath('dockerd'),
    hasSystemd: existsSync('/run/systemd/system'),
    canRaiseResourceLimits: existsSync('/proc/self/status')
      ? hasCapability(readFileSync('/proc/self/status', 'utf8'), resourceCapability)
      : true,
  };
}

/** Decides how to get a Docker engine, given what the client said of the one that does not answer. */
export function remedyFor(host: Pick<Host, 'isRoot' | 'isDebian' | 'hasDaemon'>, answer: string): Remedy {
  if (host.isRoot && host.isDebian) return { kind: host.hasDaemon ? 'start' : 'install' };
  const advice = host.isDebian
    ? 'run `sudo apt-get install docker.io`, add yourself to the group `docker`, and log in again'
    : 'install Docker Engine (https://docs.docker.com/engine/install/) or Docker Desktop, and start it';
  return { kind: 'explain', text: `no Docker engine answers (${answer}): ${advice}` };
}

/** Whether the bounding set in the text of `/proc/self/status` holds a capability. */
export function hasCapability(processStatus: string, capability: bigint): boolean {
  const set = /^CapBnd:\s*([0-9a-f]+)$/m.exec(processStatus)?.[1];
  return set === undefined || ((BigInt(`0x${set}`) >> capability) & 1n) === 1n;
}

/** Whether a command of that name can be run. */
export function isOnPath(command: string): boolean {
  return (process.env['PATH'] ?? '').split(path.delimiter).some((directory) => {
    try {
      accessSync(path.join(directory, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
