import { attempt, run } from '../command.ts';
import { describeHost, isOnPath } from './host.ts';

/** Installs Debian packages; of `optional` those that this release has. */
export async function installDebianPackages(
  packages: readonly string[],
  optional: readonly string[] = [],
): Promise<void> {
  const environment = {
    ...process.env,
    DEBIAN_FRONTEND: 'noninteractive',
    // Without systemd as init, services are ours to start: keeps a package from doing it on its own terms.
    ...(describeHost().hasSystemd ? {} : { RUNLEVEL: '1' }),
  };
  await run('apt-get', ['update', '-qq'], { environment });
  const known: string[] = [];
  for (const name of optional) {
    const result = await attempt('apt-cache', ['policy', name], { environment });
    if (/Candidate: \d/.test(result.stdout)) known.push(name);
  }
  const names = [...packages, ...known];
  await run('apt-get', ['install', '-qq', '--yes', '--no-install-recommends', ...names], { environment });
}

/** Makes sure that a command is there, installing the Debian package that brings it. */
export async function ensureDebianCommand(command: string, packageName: string): Promise<void> {
  if (isOnPath(command)) return;
  const { isRoot, isDebian } = describeHost();
  if (!isRoot || !isDebian)
    throw new Error(`\`${command}\` is missing: install it (Debian: apt-get install ${packageName})`);
  await installDebianPackages([packageName]);
}
