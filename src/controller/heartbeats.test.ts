import { describe, expect, it } from 'vitest';
import type { Lease } from '../api/index.ts';
import type { Change } from '../kube/index.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { Heartbeats } from './heartbeats.ts';

interface News {
  /** Seconds on the operator's clock, and on the node's, which is another. */
  readonly at: number;
  readonly renewed?: number;
  readonly type?: Change<Lease>['type'];
}

async function heardAfter(all: readonly News[]): Promise<number | undefined> {
  const clock = new FakeClock();
  const began = clock.monotonic();
  const heartbeats = new Heartbeats(clock);
  for (const { at, renewed, type = 'Modified' } of all) {
    await clock.advance(began + 1000 * at - clock.monotonic());
    const spec =
      renewed === undefined ? {} : { renewTime: new Date(Date.UTC(2031, 0, 1) + 1000 * renewed).toISOString() };
    const metadata = { name: 'node-1', namespace: 'kube-node-lease' };
    heartbeats.take({ type, object: { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec } });
  }
  const heard = heartbeats.lastOf('node-1');
  return heard === undefined ? undefined : (heard - began) / 1000;
}

describe('a node', () => {
  it.each<[string, readonly News[], number | undefined]>([
    ['nobody has seen', [], undefined],
    ['whose Lease is only listed: who knows when it was renewed', [{ at: 1, renewed: 0, type: 'Added' }], undefined],
    [
      'that renews its Lease',
      [
        { at: 1, renewed: 0, type: 'Added' },
        { at: 9, renewed: 10 },
      ],
      9,
    ],
    [
      'whose Lease changed otherwise',
      [
        { at: 1, renewed: 0 },
        { at: 9, renewed: 10 },
        { at: 15, renewed: 10 },
      ],
      9,
    ],
    [
      'of whose renewal a late list tells',
      [
        { at: 1, renewed: 0 },
        { at: 10, renewed: 10 },
        { at: 50, renewed: 30 },
      ],
      10,
    ],
    [
      'that renews its Lease after such a list',
      [
        { at: 1, renewed: 0 },
        { at: 50, renewed: 30 },
        { at: 51, renewed: 40 },
      ],
      51,
    ],
    [
      'whose clock was set back, one renewal later',
      [
        { at: 1, renewed: 0 },
        { at: 11, renewed: 10 },
        { at: 21, renewed: -3600 },
        { at: 31, renewed: -3590 },
      ],
      31,
    ],
    [
      'whose Lease is gone',
      [
        { at: 1, renewed: 0 },
        { at: 9, renewed: 10 },
        { at: 10, renewed: 10, type: 'Deleted' },
      ],
      undefined,
    ],
    ['whose Lease was never renewed', [{ at: 1 }, { at: 2 }], undefined],
  ])('%s', async (_, news, seconds) => {
    expect(await heardAfter(news)).toBe(seconds);
  });
});
