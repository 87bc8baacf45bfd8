import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { createProgress, formatDuration, runLanes, timingTable } from './progress.ts';

describe('createProgress', () => {
  let lines: string[];
  let nowMs: number;
  const start = (isTerminal: boolean): ReturnType<typeof createProgress> =>
    createProgress({ write: (text) => lines.push(text), isTerminal, nowMs: () => nowMs });
  beforeEach(() => {
    vi.useFakeTimers();
    lines = [];
    nowMs = 0;
  });
  afterEach(() => vi.useRealTimers());

  it('counts steps as they end', async () => {
    const progress = start(false);
    progress.expect(12);
    await progress.step('build kind', async () => void (nowMs += 13_000));
    expect(lines).toEqual(['[ 1/12] build kind … 13s\n']);
    expect(progress.timings()).toEqual([{ title: 'build kind', seconds: 13 }]);
    progress.close();
  });

  it('gives a log a sign of life during a long step', async () => {
    const progress = start(false);
    progress.expect(2);
    const { promise, resolve } = Promise.withResolvers<void>();
    const step = progress.step('build kubelet', () => promise);
    nowMs = 15_000;
    vi.advanceTimersByTime(15_000);
    expect(lines).toEqual(['[1/2] build kubelet 15s … (15s in all)\n']);
    resolve();
    await step;
    vi.advanceTimersByTime(60_000);
    expect(lines.length).toBe(2);
    progress.close();
  });

  it('rewrites a line of a terminal', async () => {
    const progress = start(true);
    progress.expect(1);
    await progress.step('wait', async () => undefined);
    expect(lines.join('')).toMatch(/^\r\S+\[1\/1\] wait 0s … \(0s in all\)\r\S+\[1\/1\] wait … 0s\n$/);
    progress.close();
  });

  it('passes a failure on, and does not lose count', async () => {
    const progress = start(false);
    await expect(progress.step('fail', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(lines).toEqual(['[1/1] fail … 0s\n']);
    progress.close();
  });
});

describe('runLanes', () => {
  const progress = createProgress({ write: () => undefined, isTerminal: false, nowMs: () => 0 });
  const step = (title: string, log: string[]) => ({
    title,
    work: async () => {
      log.push(`${title} begins`);
      await Promise.resolve();
      log.push(`${title} ends`);
    },
  });

  it('keeps the order within a lane while lanes run side by side', async () => {
    const log: string[] = [];
    await runLanes([[step('a1', log), step('a2', log)], [step('b1', log)]], 2, progress);
    expect(log.indexOf('a1 ends')).toBeLessThan(log.indexOf('a2 begins'));
    expect(log.indexOf('b1 begins')).toBeLessThan(log.indexOf('a1 ends'));
  });

  it('begins nothing after a failure', async () => {
    const log: string[] = [];
    const failing = { title: 'fails', work: () => Promise.reject(new Error('no')) };
    await expect(runLanes([[failing, step('after', log)], [step('other', log)]], 1, progress)).rejects.toThrow('no');
    expect(log).toEqual([]);
  });
});

describe('text', () => {
  it('shows durations in minutes from one on', () => {
    expect(formatDuration(3_400)).toBe('3s');
    expect(formatDuration(80_000)).toBe('1m20s');
  });

  it('shows the longest step first, with its share', () => {
    const table = timingTable(
      [
        { title: 'short', seconds: 10 },
        { title: 'long', seconds: 30 },
      ],
      40,
    );
    expect(table.split('\n').map((row) => row.trim().replaceAll(/ +/g, ' '))).toEqual([
      'long 30.0 s 75 %',
      'short 10.0 s 25 %',
      'total 40.0 s 100 %',
    ]);
  });
});
