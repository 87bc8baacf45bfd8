import { describe, expect, it } from 'vitest';

import { attempt, run, runPipe } from './command.ts';

describe('run', () => {
  it('gives the standard output, and takes input', async () => {
    expect(await run('cat', [], { input: 'text' })).toBe('text');
  });

  it('says what failed, and how', async () => {
    await expect(run('sh', ['-c', 'echo why >&2; exit 3'])).rejects.toThrow(/^sh -c echo why[^]*exit code 3:\nwhy$/);
  });
});

describe('attempt', () => {
  it('gives the exit code', async () => {
    expect(await attempt('sh', ['-c', 'exit 3'])).toMatchObject({ code: 3 });
  });

  it('has a code for a command that is not there', async () => {
    expect(await attempt('no-such-command-here', [])).toMatchObject({ code: 127 });
  });
});

describe('runPipe', () => {
  it('succeeds when both do', async () => {
    await runPipe(['echo', 'text'], ['grep', 'text']);
  });

  it('succeeds when the consumer has enough before the end', async () => {
    await runPipe(['sh', '-c', 'head -c 10000000 /dev/zero'], ['head', '-c', '1']);
  });

  it.each([
    ['the producer', ['sh', '-c', 'exit 4'], ['cat'], /exit code 4/],
    ['the consumer', ['echo', 'text'], ['sh', '-c', 'exit 5'], /exit code 5/],
  ])('fails when %s does', async (_, producer, consumer, reason) => {
    await expect(runPipe(producer, consumer)).rejects.toThrow(reason);
  });
});
