import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { KubeErrorCode } from './errors.ts';
import { linesOf, watchEventFrom } from './watch-stream.ts';

// A busy machine is no failure.
vi.setConfig({ testTimeout: 60_000 });

async function* chunksOf(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer, void, void> {
  let start = 0;
  for (let index = 0; start < bytes.length; index += 1) {
    const size = sizes[index % sizes.length] ?? 1;
    yield bytes.subarray(start, start + size);
    start += size;
  }
}

describe('linesOf', () => {
  it('gives the lines however the bytes are cut, and drops what has no line end', async () => {
    const lines = fc.array(fc.string({ unit: 'grapheme' }).filter((line) => line !== '' && !line.includes('\n')));
    const sizes = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(lines, fc.constantFrom('', 'half a lin'), sizes, async (want, rest, cuts) => {
        const text = want.map((line) => `${line}\n`).join('') + rest;

        const got: string[] = [];
        for await (const line of linesOf(chunksOf(Buffer.from(text), cuts))) got.push(line);

        expect(got).toEqual(want);
      }),
    );
  });
});

describe('watchEventFrom', () => {
  const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', resourceVersion: '5' } };

  it.each([
    ['ADDED', { type: 'Added', object }],
    ['MODIFIED', { type: 'Modified', object }],
    ['DELETED', { type: 'Deleted', object }],
  ])('reads %s', (type, want) => {
    expect(watchEventFrom(JSON.stringify({ type, object }), 'Watching pods')).toEqual(want);
  });

  it('reads a bookmark, whose object has no name', () => {
    const line = JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '7' } } });

    expect(watchEventFrom(line, 'Watching pods')).toEqual({ type: 'Bookmark', resourceVersion: '7' });
  });

  it.each<{ what: string; line: string; code: KubeErrorCode }>([
    {
      what: 'the news that the version is gone',
      line: '{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}',
      code: 'Gone',
    },
    {
      what: 'an error of the server',
      line: '{"type":"ERROR","object":{"kind":"Status","code":500}}',
      code: 'ServerError',
    },
    { what: 'an error without a status', line: '{"type":"ERROR"}', code: 'ServerError' },
    { what: 'half a line', line: '{"type":"ADDED","object":{"kin', code: 'Malformed' },
    { what: 'JSON that is no event', line: '[1]', code: 'Malformed' },
    { what: 'an unknown type', line: JSON.stringify({ type: 'RENAMED', object }), code: 'Malformed' },
    { what: 'an object without a name', line: '{"type":"ADDED","object":{"kind":"Pod"}}', code: 'Malformed' },
    { what: 'a bookmark without a version', line: '{"type":"BOOKMARK","object":{}}', code: 'Malformed' },
  ])('throws $code for $what', ({ line, code }) => {
    expect(() => watchEventFrom(line, 'Watching pods')).toThrow(expect.objectContaining({ code }));
  });

  it('does not quote a line that it cannot read', () => {
    expect(() => watchEventFrom('{"data":"c2VjcmV0', 'Watching secrets')).toThrow(
      /^Watching secrets: a line of the stream is not a watch event$/,
    );
  });
});
