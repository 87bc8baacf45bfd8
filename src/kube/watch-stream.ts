import type { KubeObject } from '../api/objects.ts';
import { errorFromAnswer, KubeError } from './errors.ts';
import { isObjectOf, isRecord } from './json.ts';

/** A change that a watch reports, or the news that nothing changed up to a version. */
export type WatchEvent<T extends KubeObject> =
  | { readonly type: 'Added' | 'Modified' | 'Deleted'; readonly object: T }
  | { readonly type: 'Bookmark'; readonly resourceVersion: string };

/** Far above what etcd stores for one object: only a stream without line ends gets there. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;

/**
 * The complete lines of a stream. What follows the last line end is dropped: a watch that ends in the middle of an event
 * is resumed from the version before it.
 */
export async function* linesOf(bytes: AsyncIterable<Buffer>): AsyncGenerator<string, void, void> {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  for await (const chunk of bytes) {
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
      pending.push(chunk.subarray(start, end));
      // Decoded as a whole: a chunk may end inside a character.
      const line = Buffer.concat(pending).toString('utf8');
      pending = [];
      pendingBytes = 0;
      start = end + 1;
      if (line !== '') yield line;
    }
    pending.push(chunk.subarray(start));
    pendingBytes += chunk.length - start;
    if (pendingBytes > MAX_LINE_BYTES) throw new KubeError('Malformed', 'A line of the watch does not end');
  }
}

/**
 * The event on a line of a watch. Throws `Malformed` for a line that makes no sense, so that no change is lost silently,
 * and the server's own error for an `ERROR` event.
 */
export function watchEventFrom<T extends KubeObject>(line: string, attempted: string): WatchEvent<T> {
  const event = parsed(line);
  if (!isRecord(event)) throw malformed(attempted);
  const { type, object } = event;
  if (type === 'ERROR') throw errorFromAnswer(attempted, { status: 500, body: object, now: 0 });
  if (type === 'BOOKMARK') {
    const metadata = isRecord(object) ? object['metadata'] : undefined;
    const version = isRecord(metadata) ? metadata['resourceVersion'] : undefined;
    if (typeof version !== 'string' || version === '') throw malformed(attempted);
    return { type: 'Bookmark', resourceVersion: version };
  }
  const change = typeof type === 'string' ? CHANGES.get(type) : undefined;
  if (change === undefined || !isObjectOf<T>(object)) throw malformed(attempted);
  return { type: change, object };
}

const CHANGES: ReadonlyMap<string, 'Added' | 'Modified' | 'Deleted'> = new Map([
  ['ADDED', 'Added'],
  ['MODIFIED', 'Modified'],
  ['DELETED', 'Deleted'],
]);

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function malformed(attempted: string): KubeError {
  return new KubeError('Malformed', `${attempted}: a line of the stream is not a watch event`);
}
