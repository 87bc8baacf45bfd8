import { existsSync, readFileSync } from 'node:fs';

const switchFile = '/proc/sys/net/ipv6/conf/all/disable_ipv6';

/** Why this machine cannot have a cluster with both families of addresses; undefined if nothing is known against it. */
export function ipv6Obstacle(): string | undefined {
  // Elsewhere the engine runs in a machine of its own, which speaks for itself.
  if (process.platform !== 'linux') return undefined;
  return obstacleFrom(existsSync(switchFile) ? readFileSync(switchFile, 'utf8') : undefined);
}

/** The same, from the text of the kernel's switch (ip-sysctl, `disable_ipv6`), which a kernel without IPv6 lacks. */
export function obstacleFrom(disabled: string | undefined): string | undefined {
  if (disabled === undefined)
    return 'This machine has no IPv6: its kernel lacks it, so a cluster with both families cannot be had here. Boot one that has it, or choose another POSTERN_CNI.';
  return disabled.trim() === '0'
    ? undefined
    : 'This machine has IPv6 turned off, so a cluster with both families cannot be had here: run `sysctl -w net.ipv6.conf.all.disable_ipv6=0`, or choose another POSTERN_CNI.';
}
