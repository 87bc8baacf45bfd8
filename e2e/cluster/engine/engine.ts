import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { attempt } from '../command.ts';
import { installDebianPackages } from './debian.ts';
import type { Progress } from '../progress.ts';
import { assetPath } from '../workspace.ts';
import { type Host, describeHost, remedyFor } from './host.ts';

const stateDirectory = '/var/lib/postern/docker';
const startTimeoutMs = 60_000;

/** Makes sure that a Docker engine answers; on Debian, root gets one installed and started. */
export async function ensureEngine(progress: Progress): Promise<void> {
  const answer = await engineAnswer();
  if (answer === undefined) return;
  const host = describeHost();
  const remedy = remedyFor(host, answer);
  if (remedy.kind === 'explain') throw new Error(remedy.text);
  if (remedy.kind === 'install') {
    await progress.step('install the Docker engine', () =>
      installDebianPackages(['docker.io', 'iptables', 'iproute2', 'kmod', 'jq'], ['docker-cli']),
    );
  }
  await progress.step('start the Docker engine', () => startEngine(host));
}

/** `undefined` if the engine answers, else what the client said. */
async function engineAnswer(): Promise<string | undefined> {
  const result = await attempt('docker', ['version', '--format', '{{.Server.Version}}'], { timeoutMs: 15_000 });
  return result.code === 0 ? undefined : result.stderr.trim();
}

async function startEngine(host: Host): Promise<void> {
  if (host.hasSystemd) {
    await attempt('systemctl', ['start', 'docker']);
  } else {
    launchDaemon(host);
  }
  const deadline = performance.now() + startTimeoutMs;
  while ((await engineAnswer()) !== undefined) {
    if (performance.now() > deadline) {
      throw new Error(
        `the Docker engine does not answer ${startTimeoutMs / 1000} s after its start; see ${daemonLog()}`,
      );
    }
    await delay(500);
  }
}

/** Starts a daemon that outlives this process. */
function launchDaemon(host: Host): void {
  mkdirSync(stateDirectory, { recursive: true });
  // Nodes mount it, and a minimal host may lack it.
  mkdirSync('/lib/modules', { recursive: true });
  const processFile = path.join(stateDirectory, 'pid');
  forgetDeadDaemon(processFile);
  const flags = [
    '--data-root',
    path.join(stateDirectory, 'data'),
    '--exec-root',
    '/run/postern-docker',
    '--pidfile',
    processFile,
    ...(host.canRaiseResourceLimits ? [] : runtimeFlags()),
  ];
  const log = openSync(daemonLog(), 'a');
  spawn('dockerd', flags, { detached: true, stdio: ['ignore', log, log] }).unref();
}

/** The daemon refuses to start while its process file names any living process, and numbers are used again after a reboot. */
function forgetDeadDaemon(processFile: string): void {
  if (!existsSync(processFile)) return;
  const commandFile = `/proc/${readFileSync(processFile, 'utf8').trim()}/comm`;
  const isDaemon = existsSync(commandFile) && readFileSync(commandFile, 'utf8').trim() === 'dockerd';
  if (!isDaemon) rmSync(processFile);
}

function runtimeFlags(): readonly string[] {
  // A copy: the daemon must not depend on this clone, which may be deleted while it runs.
  const runtime = path.join(stateDirectory, 'runc-within-bounds');
  copyFileSync(assetPath('engine', 'runc-within-bounds'), runtime);
  return ['--add-runtime', `runc-within-bounds=${runtime}`, '--default-runtime', 'runc-within-bounds'];
}

function daemonLog(): string {
  return path.join(stateDirectory, 'log');
}
