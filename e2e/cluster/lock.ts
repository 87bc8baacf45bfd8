import { linkSync, mkdirSync, readFileSync, readlinkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Who holds a lock. The start time tells a process from a later one with the same number. */
export interface LockOwner {
  readonly processId: number;
  readonly startedAt: string;
}

const pollMs = 500;
const reminderMs = 15_000;

/** Runs `work` while no other process does anything under the same lock; a lock whose owner died is taken over. */
export async function withLock<T>(file: string, work: () => Promise<T>, note: (text: string) => void): Promise<T> {
  mkdirSync(path.dirname(file), { recursive: true });
  await acquire(file, note);
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

async function acquire(file: string, note: (text: string) => void): Promise<void> {
  let remindedAtMs = Number.NEGATIVE_INFINITY;
  while (!claim(file)) {
    const content = contentOf(file);
    const owner = parseOwner(content);
    if (owner === undefined || !isAlive(owner, startTimeOf(owner.processId))) {
      removeStale(file, content);
      continue;
    }
    if (performance.now() - remindedAtMs > reminderMs) {
      note(
        `waiting for ${whereabouts(owner.processId)}, where process ${owner.processId} is setting up (lock ${file})`,
      );
      remindedAtMs = performance.now();
    }
    await delay(pollMs);
  }
}

/** Whether the process that took the lock still runs, given the start time of the process that has its number now. */
export function isAlive(owner: LockOwner, startTimeNow: string | undefined): boolean {
  return startTimeNow !== undefined && startTimeNow === owner.startedAt;
}

/** Reads a lock's content; `undefined` if it is none. */
export function parseOwner(content: string | undefined): LockOwner | undefined {
  const [, processId, startedAt] = /^(\d+) (\S+)$/.exec(content ?? '') ?? [];
  return processId === undefined || startedAt === undefined ? undefined : { processId: Number(processId), startedAt };
}

/** When a process started, in the kernel's ticks; `undefined` if there is none. Elsewhere than on Linux only whether it runs. */
export function startTimeOf(processId: number): string | undefined {
  if (process.platform !== 'linux') return isRunning(processId) ? 'running' : undefined;
  const stat = contentOf(`/proc/${processId}/stat`);
  // The second field, the name in parentheses, may hold spaces; the start time is the 20th after it.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

/** The folder in which a process works, to tell one checkout from another. */
function whereabouts(processId: number): string {
  try {
    return readlinkSync(`/proc/${processId}/cwd`);
  } catch {
    return 'another checkout';
  }
}

/** A link appears together with its content, so that nobody sees a lock without an owner. */
function claim(file: string): boolean {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${process.pid} ${startTimeOf(process.pid) ?? 'unknown'}`);
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Two processes may find the same stale lock: only what was seen is removed, a fresh lock is put back. */
function removeStale(file: string, seen: string | undefined): void {
  const aside = `${file}.stale.${process.pid}`;
  try {
    renameSync(file, aside);
    if (contentOf(aside) === seen) rmSync(aside);
    else renameSync(aside, file);
  } catch {
    // Another process was faster.
  }
}

function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch {
    return false;
  }
}

function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
