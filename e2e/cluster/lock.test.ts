import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { isAlive, parseOwner, startTimeOf, withLock } from './lock.ts';

const ignore = (): void => undefined;

describe('withLock', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'postern-test-'));
    file = path.join(folder, 'deep', 'lock');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('names its owner while it is held, and leaves nothing behind', async () => {
    const owner = await withLock(file, async () => parseOwner(readFileSync(file, 'utf8')), ignore);
    expect(owner).toEqual({ processId: process.pid, startedAt: startTimeOf(process.pid) });
    expect(existsSync(file)).toBe(false);
  });

  it('is free again after a failure', async () => {
    await expect(withLock(file, () => Promise.reject(new Error('no')), ignore)).rejects.toThrow('no');
    expect(await withLock(file, () => Promise.resolve('yes'), ignore)).toBe('yes');
  });

  it('lets one in at a time, and says who is waited for', async () => {
    const events: string[] = [];
    const notes: string[] = [];
    const visit = (name: string): Promise<void> =>
      withLock(
        file,
        async () => {
          events.push(`${name} in`);
          await delay(20);
          events.push(`${name} out`);
        },
        (text) => notes.push(text),
      );
    await Promise.all([visit('first'), visit('second')]);
    expect(events).toEqual(['first in', 'first out', 'second in', 'second out']);
    expect(notes).toEqual([expect.stringContaining(`process ${process.pid}`)]);
  });

  it.each([
    ['a process that is gone', '4194305 1'],
    ['a process whose number another one has now', `${process.pid} 1`],
    ['nobody', ''],
  ])('is taken over from %s', async (_, content) => {
    await withLock(file, async () => undefined, ignore);
    writeFileSync(file, content);
    expect(await withLock(file, () => Promise.resolve('mine'), ignore)).toBe('mine');
  });
});

describe('isAlive', () => {
  it('takes a process with another start time for another process', () => {
    const owner = { processId: 7, startedAt: '100' };
    expect(isAlive(owner, '100')).toBe(true);
    expect(isAlive(owner, '101')).toBe(false);
    expect(isAlive(owner, undefined)).toBe(false);
  });
});
