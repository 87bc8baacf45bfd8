import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { repositoryPath } from '../harness/postern.ts';
import { waitFor } from '../harness/wait.ts';
import { type Patch, patched } from './patch.ts';

/** How an operator differs from the one in the repository. */
export interface OperatorOptions {
  readonly patches: readonly Patch[];
  readonly kubeconfig: string;
  readonly probeImage: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Where what it says goes. */
  readonly logFile: string;
}

/** An operator that runs as a process of this machine. */
export interface Operator {
  signal(name: NodeJS.Signals): void;
  stop(): Promise<void>;
}

/** Runs the sources of this checkout, or a copy of them that differs by patches, until stopped. */
export async function startOperator(options: OperatorOptions): Promise<Operator> {
  const folder = await copyOfSources(options.patches);
  const port = await freePort();
  const log = createWriteStream(options.logFile, { flags: 'a' });
  const clock = new URL('clock-jump.ts', import.meta.url).href;
  const child = spawn(process.execPath, ['--import', clock, path.join(folder, 'src/main/operator.ts')], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: folder,
      HOSTNAME: 'postern-traps',
      KUBECONFIG: options.kubeconfig,
      POSTERN_LISTEN_PORT: String(port),
      POSTERN_PROBE_IMAGE: options.probeImage,
      ...options.environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const endWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', endWithUs);
  const stop = async (): Promise<void> => {
    await end(child);
    process.off('exit', endWithUs);
    log.end();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await waitFor(() => isReady(child, port), { what: 'the operator to be ready', timeoutMs: 60_000, everyMs: 100 });
  } catch (error) {
    await stop();
    throw new Error(`the operator did not start: see ${options.logFile}`, { cause: error });
  }
  return { signal: (name) => void child.kill(name), stop };
}

async function copyOfSources(patches: readonly Patch[]): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'postern-trap-'));
  await cp(repositoryPath('src'), path.join(folder, 'src'), {
    recursive: true,
    filter: (file) => !file.endsWith('.test.ts'),
  });
  await cp(repositoryPath('package.json'), path.join(folder, 'package.json'));
  await symlink(repositoryPath('node_modules'), path.join(folder, 'node_modules'));
  for (const patch of patches) {
    const file = path.join(folder, patch.file);
    await writeFile(file, patched(await readFile(file, 'utf8'), patch));
  }
  return folder;
}

async function isReady(child: ChildProcess, port: number): Promise<boolean> {
  if (child.exitCode !== null) throw new Error(`it ended with exit code ${child.exitCode}`);
  try {
    return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
  } catch {
    return false;
  }
}

/** Asks first: an operator that stops in order deletes its probe pods. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await ended;
  clearTimeout(timer);
}

/**
 * A port that nobody listens on, below those that systems give to outgoing connections (from 32768 with Linux): one of those may be
 * taken again before the operator listens.
 */
async function freePort(): Promise<number> {
  const server = createServer();
  for (;;) {
    const port = randomInt(20_000, 32_000);
    const isFree = once(server, 'listening').then(() => true);
    server.listen(port);
    if (!(await isFree.catch(() => false))) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}
