import * as fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FakeClock, settle } from '../testing/index.ts';
import { WorkQueue, type Worker, type WorkQueueOptions } from './index.ts';

// A busy machine is no failure.
vi.setConfig({ testTimeout: 60_000 });

/** A worker that holds every key until it is told to finish it. */
class HeldWork {
  readonly started: string[] = [];
  readonly #held = new Map<string, () => void>();
  mostAtOnce = 0;

  readonly worker: Worker = async (key) => {
    this.started.push(key);
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.#held.has(key)) throw new Error(`two workers on ${key}`);
    this.#held.set(key, resolve);
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#held.size);
    await promise;
  };

  get held(): readonly string[] {
    return [...this.#held.keys()];
  }

  async finish(key: string): Promise<void> {
    const resolve = this.#held.get(key);
    this.#held.delete(key);
    resolve?.();
    await settle();
  }
}

describe('WorkQueue', () => {
  let stop: (() => Promise<void>) | undefined;

  afterEach(async () => {
    await stop?.();
    stop = undefined;
  });

  function start(worker: Worker, options: Partial<WorkQueueOptions> & { concurrency?: number } = {}) {
    const clock = new FakeClock();
    const queue = new WorkQueue({ clock, ...options });
    const controller = new AbortController();
    const running = queue.run(worker, { concurrency: options.concurrency ?? 2, signal: controller.signal });
    stop = async () => {
      controller.abort();
      await running;
    };
    return { queue, clock, controller, running };
  }

  describe('adding', () => {
    it('hands out a key that was added many times only once', async () => {
      const work = new HeldWork();
      const { queue } = start(work.worker, { concurrency: 1 });
      queue.add('busy');
      await settle();

      for (let times = 0; times < 3; times += 1) queue.add('key');
      await work.finish('busy');
      await work.finish('key');

      expect(work.started).toEqual(['busy', 'key']);
    });

    it('hands out a key again that was added while it was worked on, but not before that is done', async () => {
      const work = new HeldWork();
      const { queue } = start(work.worker);
      queue.add('key');
      await settle();

      queue.add('key');
      queue.add('key');
      await settle();
      expect(work.started).toEqual(['key']);
      await work.finish('key');
      await work.finish('key');

      expect(work.started).toEqual(['key', 'key']);
    });

    it('hands out keys in the order of their coming, and no more at once than it may', async () => {
      const work = new HeldWork();
      const { queue } = start(work.worker, { concurrency: 2 });
      for (const key of ['a', 'b', 'c', 'd']) queue.add(key);
      await settle();
      expect(work.held).toEqual(['a', 'b']);

      await work.finish('b');

      expect(work.held).toEqual(['a', 'c']);
      for (const key of ['a', 'c', 'd']) await work.finish(key);
      expect(work.mostAtOnce).toBe(2);
    });

    it('takes turns between groups, so that one with many keys delays others by one', async () => {
      const work = new HeldWork();
      const { queue } = start(work.worker, { concurrency: 1, groupOf: (key) => key.slice(0, 1) });
      for (const key of ['a0', 'a1', 'a2', 'a3', 'b1', 'c1', 'b2']) queue.add(key);
      await settle();

      for (let index = 0; index < 7; index += 1) await work.finish(work.started[index] ?? '');

      expect(work.started).toEqual(['a0', 'a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
    });

    it('keeps what was added before it runs', async () => {
      const queue = new WorkQueue({ clock: new FakeClock() });
      const controller = new AbortController();
      const seen: string[] = [];
      queue.add('early');

      const running = queue.run(async (key) => void seen.push(key), { concurrency: 1, signal: controller.signal });
      await settle();
      controller.abort();
      await running;

      expect(seen).toEqual(['early']);
    });
  });

  describe('adding later', () => {
    it.each<{ scenario: string; delays: readonly number[]; wantMs: number }>([
      { scenario: 'the earlier time counts when it comes last', delays: [5_000, 1_000], wantMs: 1_000 },
      { scenario: 'the earlier time counts when it comes first', delays: [1_000, 5_000], wantMs: 1_000 },
      { scenario: 'no delay is now', delays: [0], wantMs: 0 },
      { scenario: 'a delay that makes no sense is now', delays: [Number.NaN], wantMs: 0 },
    ])('$scenario', async ({ delays, wantMs }) => {
      const seen: number[] = [];
      const { queue, clock } = start(async () => void seen.push(clock.now()));
      const startedAt = clock.now();

      for (const delay of delays) queue.addAfter('key', delay);
      await clock.advance(60_000);

      expect(seen).toEqual([startedAt + wantMs]);
    });

    it('goes by the time that passes, not by what somebody sets the clock to', async () => {
      const seen: number[] = [];
      const { queue, clock } = start(async () => void seen.push(clock.monotonic()));
      const startedAt = clock.monotonic();
      queue.addAfter('key', 5_000);

      clock.jump(3_600_000);
      queue.addAfter('key', 1_000);
      await clock.advance(1_000);

      expect(seen).toEqual([startedAt + 1_000]);
    });

    it('keeps a planned time although the key is handed out before', async () => {
      const seen: number[] = [];
      const { queue, clock } = start(async () => void seen.push(clock.now()));
      const startedAt = clock.now();
      queue.addAfter('key', 10_000);

      queue.add('key');
      await clock.advance(60_000);

      expect(seen).toEqual([startedAt, startedAt + 10_000]);
    });

    it('forgets the planned time and the backoff of a removed key, but not that it was added', async () => {
      const seen: string[] = [];
      const { queue, clock } = start(async (key) => void seen.push(key));
      queue.addAfter('planned', 10_000);
      queue.addRateLimited('failed');
      queue.add('added');

      for (const key of ['planned', 'failed', 'added']) queue.remove(key);
      await clock.advance(600_000);

      expect(seen).toEqual(['added']);
      expect(queue.failuresOf('failed')).toBe(0);
    });
  });

  describe('failing', () => {
    it('tries a key again with a backoff that doubles up to a limit, and starts afresh after success', async () => {
      const failuresLeft = { key: 5 };
      const at: number[] = [];
      const { queue, clock } = start(
        async () => {
          at.push(clock.now());
          if (failuresLeft.key-- > 0) throw new Error('not yet');
        },
        { baseDelayMs: 1_000, maxDelayMs: 4_000 },
      );

      queue.add('key');
      await clock.advance(600_000);

      const gaps = at.slice(1).map((time, index) => time - (at[index] ?? 0));
      // Three quarters of 1, 2, 4, 4, 4 seconds: the dice show the middle.
      expect(gaps).toEqual([750, 1_500, 3_000, 3_000, 3_000]);
      expect(queue.failuresOf('key')).toBe(0);
    });

    it('spreads retries between half and the whole of the backoff', async () => {
      const clock = new FakeClock({ random: () => 0 });
      const queue = new WorkQueue({ clock, baseDelayMs: 1_000 });

      queue.addRateLimited('key');

      expect(clock.sleeps).toEqual([500]);
      queue.remove('key');
    });

    it('keeps the backoff of a worker that rate limits its key by itself', async () => {
      const { queue, clock } = start(async (key) => queue.addRateLimited(key), { baseDelayMs: 1_000 });

      queue.add('key');
      await clock.advance(5_000);

      expect(queue.failuresOf('key')).toBeGreaterThan(1);
    });

    it('tells the observer which key failed', async () => {
      const failed: string[] = [];
      const { queue } = start(() => Promise.reject(new Error('broken')), {
        observer: { failed: (key, error) => failed.push(`${key}: ${String(error)}`) },
      });

      queue.add('key');
      await settle();

      expect(failed).toEqual(['key: Error: broken']);
    });
  });

  describe('stopping', () => {
    it('waits for the keys under way and starts no others', async () => {
      const work = new HeldWork();
      const { queue, controller, running, clock } = start(work.worker, { concurrency: 1 });
      queue.add('under way');
      queue.add('waiting');
      queue.addAfter('later', 1_000);
      await settle();
      let isDone = false;
      const done = running.then(() => (isDone = true));

      controller.abort();
      queue.add('too late');
      queue.addAfter('too late', 1);
      await clock.advance(60_000);
      expect(isDone).toBe(false);
      await work.finish('under way');
      await done;

      expect(work.started).toEqual(['under way']);
      expect(clock.sleeps).toEqual([]);
    });

    it('does not retry what failed because of the stop', async () => {
      const failed: string[] = [];
      const { queue, controller, running, clock } = start(
        (_key, signal) =>
          new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('stopped')))),
        { observer: { failed: (key) => failed.push(key) } },
      );
      queue.add('key');
      await settle();

      controller.abort();
      await running;

      expect(failed).toEqual([]);
      expect(clock.sleeps).toEqual([]);
    });

    it('returns at once if it was stopped before it ran', async () => {
      const queue = new WorkQueue({ clock: new FakeClock() });

      await queue.run(() => Promise.resolve(), { concurrency: 1, signal: AbortSignal.abort() });

      expect(queue.stats().running).toBe(0);
    });
  });

  it('tells the observer depth, adds, retries and times', async () => {
    const told: string[] = [];
    const work = new HeldWork();
    const { queue, clock } = start(work.worker, {
      concurrency: 1,
      observer: {
        depth: (depth) => told.push(`depth ${depth}`),
        added: () => told.push('added'),
        retried: () => told.push('retried'),
        waited: (seconds) => told.push(`waited ${seconds}`),
        worked: (seconds) => told.push(`worked ${seconds}`),
      },
    });

    queue.add('a');
    queue.add('b');
    queue.add('b');
    await clock.advance(2_000);
    expect(queue.stats()).toEqual({ depth: 1, delayed: 0, running: 1, unfinishedSeconds: 2, longestRunningSeconds: 2 });
    await work.finish('a');
    await work.finish('b');
    queue.addRateLimited('c');

    expect(told).toEqual([
      'added',
      'depth 1',
      'depth 0',
      'waited 0',
      'added',
      'depth 1',
      'worked 2',
      'depth 0',
      'waited 2',
      'worked 0',
      'retried',
    ]);
  });

  describe('whatever happens', () => {
    const keys = fc.constantFrom('a', 'b', 'c');
    const commands = fc.array(
      fc.oneof(
        fc.record({ do: fc.constant('add' as const), key: keys }),
        fc.record({ do: fc.constant('addAfter' as const), key: keys, ms: fc.integer({ min: 0, max: 5_000 }) }),
        fc.record({ do: fc.constant('addRateLimited' as const), key: keys }),
        fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 2_000 }) }),
      ),
      { maxLength: 40 },
    );
    const shapes = fc.record({
      concurrency: fc.integer({ min: 1, max: 3 }),
      workMs: fc.array(fc.integer({ min: 0, max: 1_500 }), { minLength: 1, maxLength: 5 }),
      failEvery: fc.integer({ min: 2, max: 5 }),
    });

    it('never works on a key twice at once, never exceeds its concurrency, and loses no key', async () => {
      await fc.assert(
        fc.asyncProperty(commands, shapes, async (script, { concurrency, workMs, failEvery }) => {
          const clock = new FakeClock();
          const queue = new WorkQueue({ clock, baseDelayMs: 100, maxDelayMs: 1_000 });
          const controller = new AbortController();
          const atWork = new Set<string>();
          /** Keys that somebody asked for and no work was started on since. */
          const owed = new Set<string>();
          const faults: string[] = [];
          let runs = 0;
          const worker: Worker = async (key) => {
            if (atWork.has(key)) faults.push(`two workers on ${key}`);
            atWork.add(key);
            if (atWork.size > concurrency) faults.push('too many at once');
            owed.delete(key);
            runs += 1;
            const run = runs;
            await clock.sleep(workMs[run % workMs.length] ?? 0, controller.signal);
            atWork.delete(key);
            if (run % failEvery === 0) {
              owed.add(key);
              throw new Error('failed');
            }
          };
          const running = queue.run(worker, { concurrency, signal: controller.signal });

          for (const step of script) {
            if (step.do === 'advance') {
              await clock.advance(step.ms);
              continue;
            }
            owed.add(step.key);
            if (step.do === 'addAfter') queue.addAfter(step.key, step.ms);
            else queue[step.do](step.key);
          }
          await clock.advance(120_000);

          expect(faults).toEqual([]);
          expect([...owed]).toEqual([]);
          expect(queue.stats()).toMatchObject({ depth: 0, delayed: 0, running: 0 });
          controller.abort();
          await running;
        }),
        { numRuns: 60 },
      );
    });
  });
});
