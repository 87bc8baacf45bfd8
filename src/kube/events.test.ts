import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { KubeObject } from '../api/objects.ts';
import { ApiServer, FakeClock, type StoredObject } from '../testing/index.ts';
import {
  createEventRecorder,
  createKubeClient,
  type EventRecord,
  type KubeClient,
  type ResourceType,
} from './index.ts';

const EVENTS: ResourceType = {
  group: 'events.k8s.io',
  version: 'v1',
  plural: 'events',
  kind: 'Event',
  namespaced: true,
};
const TEST: KubeObject = {
  apiVersion: 'postern.dev/v1alpha1',
  kind: 'ConnectivityTest',
  metadata: { name: 'shop-to-database', namespace: 'shop', uid: 'uid-1', resourceVersion: '7' },
};

// A busy machine is no failure.
vi.setConfig({ testTimeout: 60_000 });

describe('EventRecorder', () => {
  let server: ApiServer;
  let client: KubeClient;
  let clock: FakeClock;
  let logged: string[];

  beforeEach(async () => {
    server = await ApiServer.start([EVENTS]);
    client = createKubeClient({
      kubeconfigPath: server.kubeconfigPath,
      userAgent: 'postern/1',
      requestTimeoutMs: 30_000,
    });
    let dice = 0;
    clock = new FakeClock({ random: () => (dice += 1) / 10_000 });
    logged = [];
  });

  afterEach(async () => {
    await client.close();
    await server.stop();
  });

  async function record(event: Partial<EventRecord> = {}): Promise<readonly StoredObject[]> {
    const log = (level: string) => (_fields: object, message: string) => void logged.push(`${level}: ${message}`);
    const recorder = createEventRecorder({
      client,
      component: 'postern.dev/operator',
      instance: 'postern-0',
      clock,
      log: { debug: log('debug'), info: log('info'), warn: log('warn') },
    });
    const { signal } = new AbortController();
    await recorder.record({
      regarding: TEST,
      type: 'Warning',
      reason: 'UnexpectedlyReachable',
      action: 'Verified',
      note: 'db:5432 answered',
      signal,
      ...event,
    });
    return server.list(EVENTS);
  }

  it('sends what the API demands of an event', async () => {
    const [event] = await record();

    expect(event).toMatchObject({
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { namespace: 'shop', name: expect.stringMatching(/^shop-to-database\.[0-9a-f]+$/) },
      eventTime: '2026-01-01T00:00:00.000000Z',
      reportingController: 'postern.dev/operator',
      reportingInstance: 'postern-0',
      type: 'Warning',
      reason: 'UnexpectedlyReachable',
      action: 'Verified',
      note: 'db:5432 answered',
      regarding: {
        apiVersion: 'postern.dev/v1alpha1',
        kind: 'ConnectivityTest',
        name: 'shop-to-database',
        namespace: 'shop',
        uid: 'uid-1',
        resourceVersion: '7',
      },
    });
  });

  it('makes the note one line of harmless text that fits', async () => {
    const [event] = await record({ note: `\u001b[31mred\u001b[0m\nline\u202e${'ä'.repeat(2_000)}` });

    const note = String(event?.['note']);
    expect(note.startsWith('red lineää')).toBe(true);
    expect(note.endsWith('ä…')).toBe(true);
    expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1_024);
  });

  it('fits the names of objects that are as long as names can be', async () => {
    const [event] = await record({ regarding: { ...TEST, metadata: { ...TEST.metadata, name: 'n'.repeat(253) } } });

    expect(event?.metadata.name.length).toBeLessThanOrEqual(253);
  });

  it('sends events about cluster-scoped objects to the default namespace', async () => {
    const [event] = await record({ regarding: { ...TEST, metadata: { name: 'cluster-wide' } } });

    expect(event?.metadata.namespace).toBe('default');
  });

  it('sends only so many about one object, and more as time passes', async () => {
    const recorder = createEventRecorder({
      client,
      component: 'c',
      instance: 'i',
      clock,
      log: { debug: () => {}, info: () => {}, warn: () => {} },
    });
    const { signal } = new AbortController();
    const send = async (times: number): Promise<number> => {
      for (let time = 0; time < times; time += 1) {
        await recorder.record({ regarding: TEST, type: 'Normal', reason: 'R', action: 'A', note: '', signal });
      }
      return server.list(EVENTS).length;
    };

    expect(await send(30)).toBe(10);
    await clock.advance(120_000);
    expect(await send(30)).toBe(12);
  });

  it('sends only so many about all objects', async () => {
    let sent = 0;
    const counting = client.withObserver(() => (sent += 1));
    const log = { debug: () => {}, info: () => {}, warn: () => {} };
    const recorder = createEventRecorder({ client: counting, component: 'c', instance: 'i', clock, log });
    const { signal } = new AbortController();

    for (let object = 0; object < 150; object += 1) {
      const regarding = { ...TEST, metadata: { name: `test-${object}`, namespace: 'shop' } };
      await recorder.record({ regarding, type: 'Normal', reason: 'R', action: 'A', note: '', signal });
    }

    expect(sent).toBe(100);
  });

  it('logs a failure and never throws', async () => {
    server.fault({ type: 'Status', status: 403 });

    await record();

    expect(logged).toEqual(['warn: Recording an event failed']);
  });

  it('says nothing when it is aborted', async () => {
    await record({ signal: AbortSignal.abort() });

    expect(logged).toEqual([]);
  });
});
