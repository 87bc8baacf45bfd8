import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { KubeObject } from '../api/objects.ts';
import { ApiServer, eventually, FakeClock, settle, type Fault } from '../testing/index.ts';
import {
  createKubeClient,
  Reflector,
  type Change,
  type KubeClient,
  type ReconnectCause,
  type ReflectorOptions,
  type ResourceType,
} from './index.ts';

const PODS: ResourceType = { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true };

interface Pod extends KubeObject {
  readonly spec?: { readonly nodeName?: string; readonly heavy?: string };
}

function pod(name: string, spec: Pod['spec'] = {}, labels: Record<string, string> = {}): Pod {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'shop', labels }, spec };
}

// A busy machine is no failure.
vi.setConfig({ testTimeout: 60_000 });

describe('Reflector', () => {
  let server: ApiServer;
  let client: KubeClient;
  let clock: FakeClock;
  let controller: AbortController;
  let running: Promise<void>;
  let told: string[];
  let logged: string[];

  beforeEach(async () => {
    server = await ApiServer.start([PODS]);
    client = createKubeClient({
      kubeconfigPath: server.kubeconfigPath,
      userAgent: 'postern/1',
      requestTimeoutMs: 30_000,
    });
    clock = new FakeClock();
    controller = new AbortController();
    running = Promise.resolve();
    told = [];
    logged = [];
  });

  afterEach(async () => {
    controller.abort();
    await running;
    await client.close();
    await server.stop();
  });

  function create(options: Partial<ReflectorOptions<Pod>> = {}): Reflector<Pod> {
    const log = (level: string) => (_fields: object, message: string) => void logged.push(`${level}: ${message}`);
    return new Reflector<Pod>({
      client,
      resource: PODS,
      clock,
      log: { debug: log('debug'), info: log('info'), warn: log('warn') },
      onChange: ({ type, object }) => told.push(`${type} ${object.metadata.name}`),
      ...options,
    });
  }

  async function start(options: Partial<ReflectorOptions<Pod>> = {}): Promise<Reflector<Pod>> {
    const reflector = create(options);
    running = reflector.run(controller.signal);
    await eventually(() => reflector.hasSynced && server.openWatches === 1, 'it is synced and watches');
    return reflector;
  }

  /** Lets fake time pass in small steps until something is true. */
  async function passUntil(isTrue: () => boolean, what: string): Promise<void> {
    for (let steps = 0; !isTrue(); steps += 1) {
      if (steps > 2_000) throw new Error(`Waited in vain for: ${what}`);
      await clock.advance(100);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  const names = (reflector: Reflector<Pod>): string[] =>
    reflector.store
      .list()
      .map(({ metadata }) => metadata.name)
      .toSorted();

  const reconnects = ({ counters }: Reflector<Pod>): number =>
    Object.values(counters.reconnects).reduce((sum, each) => sum + each, 0);

  describe('in good times', () => {
    it('fills the store, says so, and then tells what happens', async () => {
      server.write(PODS, pod('a'));
      const reflector = await start();
      await reflector.synced;
      expect(told).toEqual(['Added a']);

      server.write(PODS, pod('b'));
      server.write(PODS, pod('a', { nodeName: 'node' }));
      server.remove(PODS, 'shop', 'b');
      await eventually(() => told.length === 4, 'three changes are told');

      expect(told.slice(1)).toEqual(['Added b', 'Modified a', 'Deleted b']);
      expect(reflector.store.get('shop', 'a')).toMatchObject({
        apiVersion: 'v1',
        kind: 'Pod',
        spec: { nodeName: 'node' },
      });
      expect(names(reflector)).toEqual(['a']);
      expect(reflector.availability).toBe('served');
    });

    it('has the store filled before the first change is told', async () => {
      server.write(PODS, pod('a'));
      server.write(PODS, pod('b'));
      const sizes: number[] = [];
      const reflector: Reflector<Pod> = create({ onChange: () => void sizes.push(reflector.store.size) });
      running = reflector.run(controller.signal);

      await reflector.synced;

      expect(sizes).toEqual([2, 2]);
    });

    it('tells the object as it was before', async () => {
      const changes: Change<Pod>[] = [];
      server.write(PODS, pod('a', { nodeName: 'one' }));
      await start({ onChange: (change) => changes.push(change) });

      server.write(PODS, pod('a', { nodeName: 'two' }));
      await eventually(() => changes.length === 2, 'the change is told');

      expect(changes[1]).toMatchObject({
        previous: { spec: { nodeName: 'one' } },
        object: { spec: { nodeName: 'two' } },
      });
    });

    it('keeps neither managed fields nor what the transform drops, from lists and from watches', async () => {
      server.write(PODS, pod('listed', { nodeName: 'node', heavy: 'x' }));
      const reflector = await start({
        transform: (object) => ({ ...object, spec: { nodeName: object.spec?.nodeName ?? '' } }),
      });
      server.write(PODS, pod('watched', { nodeName: 'node', heavy: 'x' }));
      await eventually(() => told.length === 2, 'both are told');

      for (const object of reflector.store.list()) {
        expect(object.metadata).not.toHaveProperty('managedFields');
        expect(object.spec).toEqual({ nodeName: 'node' });
      }
      expect(server.find(PODS, 'shop', 'watched')?.metadata).toHaveProperty('managedFields');
    });

    it('sees what its selector selects', async () => {
      server.write(PODS, pod('in', {}, { app: 'shop' }));
      server.write(PODS, pod('out', {}, { app: 'other' }));
      const reflector = await start({ labelSelector: 'app=shop' });

      server.write(PODS, pod('in', {}, { app: 'other' }));
      await eventually(() => told.length === 2, 'the change is told');

      expect(told).toEqual(['Added in', 'Deleted in']);
      expect(names(reflector)).toEqual([]);
    });

    it('resumes where it was when the watch ends, without a list', async () => {
      const reflector = await start();
      server.write(PODS, pod('before'));
      await eventually(() => told.length === 1, 'the change is told');

      server.endWatches();
      server.write(PODS, pod('between'));
      await eventually(() => told.length === 2, 'the change between is told');

      expect(reflector.counters).toMatchObject({ lists: 1, reconnects: { ended: 1 } });
    });

    it('resumes from a bookmark, so that a quiet kind does not fall behind the history', async () => {
      const reflector = await start();
      server.write(PODS, pod('a'));
      await eventually(() => told.length === 1, 'the change is told');
      server.compact();
      server.bookmark();
      await settle();
      await eventually(() => reflector.secondsSinceLastEvent(clock.monotonic()) === 0, 'the bookmark came');
      await clock.advance(2_000);

      server.endWatches();
      await eventually(() => server.requests.filter(({ verb }) => verb === 'watch').length === 2, 'it watches again');
      server.write(PODS, pod('b'));
      await eventually(() => told.length === 2, 'the change is told');

      expect(reflector.counters).toMatchObject({ lists: 1, reconnects: { gone: 0 } });
    });

    it('lists again from time to time, and tells nothing about that if nothing was missed', async () => {
      server.write(PODS, pod('a'));
      const reflector = await start();

      await clock.advance(3_600_000);
      server.endWatches();
      await passUntil(() => reflector.counters.lists === 2, 'it lists again');

      expect(told).toEqual(['Added a']);
    });

    it('says how long it has heard nothing', async () => {
      const reflector = create();
      expect(reflector.secondsSinceLastEvent(clock.monotonic())).toBeUndefined();
      running = reflector.run(controller.signal);
      await eventually(() => server.openWatches === 1, 'it watches');

      await clock.advance(42_000);

      expect(reflector.secondsSinceLastEvent(clock.monotonic())).toBe(42);
    });

    it('ends a watch that the server should have ended long ago', async () => {
      const reflector = await start();

      await clock.advance(480_000);
      await eventually(() => server.requests.filter(({ verb }) => verb === 'watch').length === 2, 'it watches again');

      expect(reflector.counters.reconnects).toMatchObject({ ended: 1, failed: 0 });
    });
  });

  describe('in bad times', () => {
    interface Chaos {
      readonly scenario: string;
      readonly fault: Fault;
      readonly cause: ReconnectCause;
      readonly wantLists: number;
    }

    it.each<Chaos>([
      {
        scenario: 'the stream breaks inside of an event',
        fault: { type: 'DropMidLine' },
        cause: 'failed',
        wantLists: 1,
      },
      { scenario: 'an event is cut', fault: { type: 'BrokenLine' }, cause: 'malformed', wantLists: 1 },
    ])('misses nothing when $scenario', async ({ fault, cause, wantLists }) => {
      server.fault(fault, { verb: 'watch' });
      const reflector = await start();

      server.write(PODS, pod('a'));
      server.write(PODS, pod('b'));
      await passUntil(() => told.length === 2, 'both changes are told');

      expect(told).toEqual(['Added a', 'Added b']);
      expect(reflector.counters.lists).toBe(wantLists);
      expect(reflector.counters.reconnects[cause]).toBe(1);
      expect(reflector.counters.parseFailures).toBe(cause === 'malformed' ? 1 : 0);
    });

    it.each<Chaos>([
      { scenario: 'as a status', fault: { type: 'Status', status: 410, reason: 'Gone' }, cause: 'gone', wantLists: 2 },
      { scenario: 'as an event', fault: { type: 'GoneEvent' }, cause: 'gone', wantLists: 2 },
    ])('lists again at once when the version is gone $scenario', async ({ fault, cause, wantLists }) => {
      server.fault(fault, { verb: 'watch' });
      const reflector = create();
      running = reflector.run(controller.signal);

      await eventually(() => server.openWatches === 1, 'it watches, without any time passing');

      expect(reflector.counters.lists).toBe(wantLists);
      expect(reflector.counters.reconnects[cause]).toBe(1);
    });

    it('does not list in a hot loop when the version is always gone', async () => {
      server.fault({ type: 'GoneEvent' }, { verb: 'watch', times: 1_000 });
      const reflector = create();
      running = reflector.run(controller.signal);

      await eventually(() => reflector.counters.reconnects.gone === 2, 'the second time');
      await settle();

      expect(clock.sleeps).toEqual([750]);
      expect(reflector.counters.lists).toBe(2);
    });

    it('tells the deletes that happened while it could not see', async () => {
      server.write(PODS, pod('stays'));
      server.write(PODS, pod('goes'));
      const reflector = await start();
      server.fault({ type: 'HangUp' }, { verb: 'watch' });
      server.dropConnections();

      server.remove(PODS, 'shop', 'goes');
      server.write(PODS, pod('comes'));
      server.compact();
      await passUntil(() => told.length === 4, 'both changes are told');

      expect(told.slice(2)).toEqual(['Deleted goes', 'Added comes']);
      expect(names(reflector)).toEqual(['comes', 'stays']);
      expect(reflector.counters).toMatchObject({ lists: 2, reconnects: { gone: 1 } });
    });

    it.each<{ form: string; fault: Fault; wantMs: number }>([
      { form: 'seconds', fault: { type: 'Status', status: 429, retryAfter: '7' }, wantMs: 7_350 },
      {
        form: 'a date',
        fault: { type: 'Status', status: 429, retryAfter: new Date(Date.now() + 3_600_000).toUTCString() },
        wantMs: 315_000,
      },
      { form: 'seconds in the body', fault: { type: 'Status', status: 429, retryAfterSeconds: 9 }, wantMs: 9_450 },
      {
        form: 'seconds of an overloaded server',
        fault: { type: 'Status', status: 503, retryAfter: '4' },
        wantMs: 4_200,
      },
      { form: 'nothing', fault: { type: 'Status', status: 429 }, wantMs: 375 },
    ])('stays away as long as it is told by $form', async ({ fault, wantMs }) => {
      server.fault(fault, { verb: 'list' });
      const reflector = create();
      running = reflector.run(controller.signal);
      await eventually(() => clock.sleeps.length === 1, 'it pauses');
      expect(clock.sleeps).toEqual([wantMs]);
      expect(reflector.hasSynced).toBe(false);

      await clock.advance(wantMs);

      await reflector.synced;
    });

    it('backs off longer and longer while the server is down, says so, and recovers', async () => {
      server.fault({ type: 'Status', status: 500 }, { verb: 'list', times: 8 });
      const reflector = create();
      running = reflector.run(controller.signal);

      const pauses: number[] = [];
      while (pauses.length < 8) {
        await eventually(() => clock.sleeps.length === 1, 'it pauses');
        pauses.push(clock.sleeps[0] ?? 0);
        await clock.advance(clock.sleeps[0] ?? 0);
      }
      await reflector.synced;

      // Three quarters of 0.5, 1, 2, … and at most 30 seconds.
      expect(pauses).toEqual([375, 750, 1_500, 3_000, 6_000, 12_000, 22_500, 22_500]);
      expect(logged.filter((line) => line.startsWith('warn'))).toHaveLength(6);
    });

    it('starts with a short pause again after a watch that held', async () => {
      server.fault({ type: 'Status', status: 500 }, { verb: 'list', times: 4 });
      const reflector = create();
      running = reflector.run(controller.signal);
      await passUntil(() => reflector.hasSynced && server.openWatches === 1, 'it recovers');
      await clock.advance(20_000);

      server.dropConnections();
      await eventually(() => reflector.counters.reconnects.failed === 5, 'it notices');
      await settle();

      expect(clock.sleeps).toEqual([375]);
    });

    it('backs off from a server that ends every watch at once, and suspects its version in the end', async () => {
      server.fault({ type: 'End' }, { verb: 'watch', times: 3 });
      const reflector = create();
      running = reflector.run(controller.signal);
      await eventually(() => clock.sleeps.includes(375), 'it pauses');

      await passUntil(() => server.openWatches === 1, 'it watches');

      expect(reflector.counters).toMatchObject({ lists: 2, reconnects: { short: 3, ended: 0 } });
    });

    it('gives a silent stream up, and resumes without a pause', async () => {
      server.fault({ type: 'Silent' }, { verb: 'watch' });
      const reflector = await start({ idleTimeoutMs: 1_000 });

      server.write(PODS, pod('a'));
      await eventually(() => told.length === 1, 'the change is told, without any fake time passing');

      expect(reflector.counters).toMatchObject({ lists: 1, reconnects: { idle: 1, failed: 0 } });
    });

    it('waits out a list that is too slow', async () => {
      server.write(PODS, pod('a'));
      server.fault({ type: 'Stall' }, { verb: 'list' });
      const impatient = createKubeClient({
        kubeconfigPath: server.kubeconfigPath,
        userAgent: 'postern/1',
        requestTimeoutMs: 1_000,
      });
      const reflector = create({ client: impatient });
      running = reflector.run(controller.signal);

      await eventually(() => clock.sleeps.includes(375), 'it pauses');
      await passUntil(() => reflector.hasSynced, 'it is synced');
      controller.abort();
      await running;
      await impatient.close();

      expect(names(reflector)).toEqual(['a']);
    });

    it('waits for a list that is slow but not too slow', async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.fault({ type: 'Hold', until: promise }, { verb: 'list' });
      const reflector = create();
      running = reflector.run(controller.signal);
      await eventually(() => server.requests.length === 1, 'it lists');
      expect(reflector.hasSynced).toBe(false);

      resolve();
      await reflector.synced;

      expect(reflector.counters.reconnects.failed).toBe(0);
    });

    it('survives a handler and a transform that throw', async () => {
      server.write(PODS, pod('a'));
      const reflector = await start({
        onChange: () => {
          throw new Error('handler');
        },
        transform: () => {
          throw new Error('transform');
        },
      });
      server.write(PODS, pod('b'));
      await eventually(() => reflector.counters.changes === 2, 'the change is told');

      expect(names(reflector)).toEqual(['a', 'b']);
      expect(reflector.counters.handlerFailures).toBe(4);
      expect(reflector.counters.reconnects.failed).toBe(0);
    });
  });

  describe('of a kind that cannot be seen', () => {
    it('counts as empty, and sees the kind when it is installed', async () => {
      server.unserve(PODS);
      const reflector = create();
      running = reflector.run(controller.signal);
      await reflector.synced;
      expect(reflector.availability).toBe('notServed');
      await clock.advance(180_000);
      expect(server.requests.length).toBeLessThanOrEqual(4);
      expect(logged).toEqual(['info: Kind is unavailable and counts as empty']);

      server.serve(PODS);
      server.write(PODS, pod('a'));
      await passUntil(() => told.length === 1, 'the object is told');

      expect(reflector.availability).toBe('served');
    });

    it('gives up what it had only after some denials, and then tells the deletes', async () => {
      server.write(PODS, pod('a'));
      const reflector = await start();
      await clock.advance(20_000);

      server.unserve(PODS);
      await eventually(() => reflector.counters.reconnects.unavailable === 1, 'the first denial');
      expect(names(reflector)).toEqual(['a']);
      await passUntil(() => reflector.availability === 'notServed', 'it gives up');

      expect(told).toEqual(['Added a', 'Deleted a']);
      expect(reflector.counters.reconnects.unavailable).toBe(3);
    });

    it.each([
      { optional: true, wantSynced: true, wantAvailability: 'forbidden' },
      { optional: false, wantSynced: false, wantAvailability: 'unknown' },
    ])('for lack of permission is $wantAvailability if optional is $optional', async (wanted) => {
      server.fault({ type: 'Status', status: 403, reason: 'Forbidden' }, { verb: 'list', times: 1_000 });
      const reflector = create({ optional: wanted.optional });
      running = reflector.run(controller.signal);
      await eventually(() => clock.sleeps.length === 1, 'it pauses');
      await settle();

      expect(reflector.hasSynced).toBe(wanted.wantSynced);
      expect(reflector.availability).toBe(wanted.wantAvailability);
    });
  });

  describe('stopped', () => {
    it.each<{ when: string; fault: Fault; verb: string }>([
      { when: 'while it lists', fault: { type: 'Stall' }, verb: 'list' },
      { when: 'while it opens a watch', fault: { type: 'Stall' }, verb: 'watch' },
      { when: 'while it pauses', fault: { type: 'Status', status: 500 }, verb: 'list' },
      { when: 'while it watches', fault: { type: 'Silent' }, verb: 'watch' },
    ])('$when ends at once, without another request or a complaint', async ({ fault, verb }) => {
      server.fault(fault, { verb, times: 10 });
      const reflector = create();
      running = reflector.run(controller.signal);
      await eventually(() => server.requests.some((request) => request.verb === verb), 'the request arrives');
      await settle();
      const requests = server.requests.length;
      const complaints = logged.length;

      controller.abort();
      await running;
      await clock.advance(600_000);

      expect(server.requests).toHaveLength(requests);
      expect(logged).toHaveLength(complaints);
      expect(clock.sleeps).toEqual([]);
      await eventually(() => server.openWatches === 0, 'no watch is open');
    });

    it('before it was synced, it says so to whoever waits', async () => {
      server.fault({ type: 'Stall' }, { verb: 'list' });
      const reflector = create();
      running = reflector.run(controller.signal);

      controller.abort();

      await expect(reflector.synced).rejects.toMatchObject({ code: 'Aborted' });
    });

    it('by a handler of the first list opens no watch', async () => {
      server.write(PODS, pod('a'));
      const reflector = create({ onChange: () => controller.abort() });

      await reflector.run(controller.signal);

      expect(server.requests.map(({ verb }) => verb)).toEqual(['list']);
    });

    it('in the middle of events tells no more of them', async () => {
      server.write(PODS, pod('a'));
      server.write(PODS, pod('b'));
      await start({
        onChange: ({ object }) => {
          told.push(object.metadata.name);
          if (object.metadata.name === 'c') controller.abort();
        },
      });

      for (const name of ['c', 'd', 'e']) server.write(PODS, pod(name));
      await running;

      expect(told).toEqual(['a', 'b', 'c']);
    });
  });

  it('leaves no sockets, timers or listeners behind over many reconnects', async () => {
    const reflector = await start();

    for (let times = 1; times <= 200; times += 1) {
      server.write(PODS, pod(`pod-${times % 5}`, { nodeName: String(times) }));
      await passUntil(() => reflector.counters.changes === times, 'the change is told');
      if (times % 3 === 0) server.dropConnections();
      else server.endWatches();
    }
    await passUntil(() => reconnects(reflector) >= 200 && server.openWatches === 1, 'it watches again');

    expect(server.openSockets).toBeLessThanOrEqual(3);
    // The one that waits for an overdue watch.
    expect(clock.sleeps).toHaveLength(1);
    expect(getEventListeners(controller.signal, 'abort').length).toBeLessThanOrEqual(2);
    expect(reflector.counters.changes).toBe(200);
  });
});
