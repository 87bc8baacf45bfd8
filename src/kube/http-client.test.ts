import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { KubeObject } from '../api/objects.ts';
import { ApiServer, eventually, settle, type Fault } from '../testing/index.ts';
import {
  createKubeClient,
  type KubeClient,
  type KubeErrorCode,
  type RequestObservation,
  type ResourceType,
} from './index.ts';

const CONFIG_MAPS: ResourceType = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
};

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

function configMap(name: string): ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'shop' }, data: { a: '1' } };
}

// A busy machine is no failure.
vi.setConfig({ testTimeout: 60_000 });

describe('KubeClient', () => {
  const { signal } = new AbortController();
  let server: ApiServer;
  let client: KubeClient;
  let observed: RequestObservation[];

  beforeEach(async () => {
    server = await ApiServer.start([CONFIG_MAPS]);
    observed = [];
    client = createKubeClient({
      kubeconfigPath: server.kubeconfigPath,
      userAgent: 'postern/1',
      requestTimeoutMs: 30_000,
      onRequest: (request) => observed.push(request),
    });
  });

  afterEach(async () => {
    await client.close();
    await server.stop();
  });

  function fill(count: number): void {
    for (let index = 0; index < count; index += 1) server.write(CONFIG_MAPS, configMap(`map-${index}`));
  }
  const list = (): Promise<{ items: ConfigMap[]; resourceVersion: string }> => client.list(CONFIG_MAPS, { signal });
  const failureOf = (attempt: Promise<unknown>): Promise<unknown> =>
    attempt.then(
      () => 'success',
      (error: unknown) => error,
    );

  describe('on the wire', () => {
    it('applies as server-side apply says', async () => {
      const options = { fieldManager: 'postern', force: true, signal } as const;
      await client.apply(CONFIG_MAPS, configMap('a'), options);
      await client.apply(CONFIG_MAPS, configMap('a'), { ...options, subresource: 'status', force: false });

      const [main, status] = server.requests;
      expect(main).toMatchObject({
        method: 'PATCH',
        path: '/api/v1/namespaces/shop/configmaps/a',
        body: configMap('a'),
      });
      expect(main?.headers['content-type']).toBe('application/apply-patch+yaml');
      expect(main?.query.toString()).toBe('fieldManager=postern&force=true');
      expect(status?.path).toBe('/api/v1/namespaces/shop/configmaps/a/status');
      expect(status?.query.get('force')).toBe('false');
    });

    it('says who it is', async () => {
      await list();

      expect(server.requests[0]?.headers).toMatchObject({
        authorization: 'Bearer test-token',
        'user-agent': 'postern/1',
      });
    });

    it('deletes with what the caller demands, and nothing else', async () => {
      server.write(CONFIG_MAPS, configMap('a'));
      const { uid } = server.find(CONFIG_MAPS, 'shop', 'a')?.metadata ?? {};

      await client.delete(CONFIG_MAPS, { namespace: 'shop', name: 'a', uid, gracePeriodSeconds: 0, signal });
      await client.delete(CONFIG_MAPS, { namespace: 'shop', name: 'a', propagationPolicy: 'Foreground', signal });

      const meta = { apiVersion: 'v1', kind: 'DeleteOptions' };
      expect(server.requests.map(({ body }) => body)).toEqual([
        { ...meta, preconditions: { uid }, gracePeriodSeconds: 0 },
        { ...meta, propagationPolicy: 'Foreground' },
      ]);
    });

    it.each<{ scenario: string; act: () => Promise<unknown> }>([
      { scenario: 'a name', act: () => client.delete(CONFIG_MAPS, { namespace: 'shop', name: '', signal }) },
      { scenario: 'a namespace', act: () => client.delete(CONFIG_MAPS, { name: 'a', signal }) },
      {
        scenario: 'a name that stays in its place',
        act: () => client.get(CONFIG_MAPS, { namespace: '..', name: 'a', signal }),
      },
      {
        scenario: 'a namespace to create in',
        act: () => client.create(CONFIG_MAPS, { ...configMap('a'), metadata: { name: 'a' } }, { signal }),
      },
    ])('sends nothing without $scenario', async ({ act }) => {
      expect(await failureOf(act())).toMatchObject({ code: 'BadRequest' });
      expect(server.requests).toEqual([]);
    });
  });

  describe('listing', () => {
    it('follows the pages, and says what the items are', async () => {
      fill(1_203);

      const { items, resourceVersion } = await list();

      expect(new Set(items.map(({ metadata }) => metadata.name)).size).toBe(1_203);
      expect(items.at(-1)).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' });
      expect(items.map(({ metadata }) => metadata.resourceVersion)).toContain(resourceVersion);
      expect(server.requests.map(({ query }) => query.get('limit'))).toEqual(['500', '500', '500']);
    });

    it('lists in one piece when the version of the pages expires between them', async () => {
      fill(600);
      const compacting = createKubeClient({
        kubeconfigPath: server.kubeconfigPath,
        userAgent: 'postern/1',
        requestTimeoutMs: 30_000,
        onRequest: () => {
          if (server.requests.length === 1) server.compact();
        },
      });

      const { items } = await compacting.list(CONFIG_MAPS, { signal });
      await compacting.close();

      expect(items).toHaveLength(600);
      expect(server.requests.map(({ query }) => query.get('limit'))).toEqual(['500', '500', null]);
    });

    it('transforms each item as it comes', async () => {
      fill(2);

      const { items } = await client.list<ConfigMap>(CONFIG_MAPS, {
        signal,
        transform: ({ apiVersion, kind, metadata }) => ({ apiVersion, kind, metadata }),
      });

      expect(items.map(({ data }) => data)).toEqual([undefined, undefined]);
    });
  });

  describe('failing', () => {
    it.each<{ scenario: string; fault: Fault; code: KubeErrorCode }>([
      { scenario: 'the server hangs up', fault: { type: 'HangUp' }, code: 'Network' },
      { scenario: 'the answer is cut', fault: { type: 'Truncate' }, code: 'Malformed' },
      { scenario: 'the server is broken', fault: { type: 'Status', status: 500 }, code: 'ServerError' },
      {
        scenario: 'the server is busy',
        fault: { type: 'Status', status: 429, retryAfter: '3' },
        code: 'TooManyRequests',
      },
    ])('is $code when $scenario, and the next request works', async ({ fault, code }) => {
      fill(1);
      server.fault(fault);

      expect(await failureOf(list())).toMatchObject({ name: 'KubeError', code, retryable: true });
      expect((await list()).items).toHaveLength(1);
    });

    it('is Timeout when the server never answers, and the next request works', async () => {
      const impatient = createKubeClient({
        kubeconfigPath: server.kubeconfigPath,
        userAgent: 'postern/1',
        requestTimeoutMs: 1_000,
      });
      server.fault({ type: 'Stall' });

      const failure = await failureOf(impatient.list(CONFIG_MAPS, { signal }));
      const { items } = await impatient.list(CONFIG_MAPS, { signal });
      await impatient.close();

      expect(failure).toMatchObject({ code: 'Timeout', retryable: true });
      expect(items).toEqual([]);
    });

    it('is Network when nobody listens', async () => {
      await list();
      await server.stop();

      expect(await failureOf(list())).toMatchObject({ code: 'Network' });
    });

    it('is Credentials when there is no kubeconfig', async () => {
      const lost = createKubeClient({
        kubeconfigPath: '/nowhere/kubeconfig',
        userAgent: 'postern/1',
        requestTimeoutMs: 30_000,
      });

      expect(await failureOf(lost.list(CONFIG_MAPS, { signal }))).toMatchObject({
        code: 'Credentials',
        retryable: true,
      });
    });

    it.each<{ scenario: string; fault: Fault }>([
      { scenario: 'while the server thinks', fault: { type: 'Stall' } },
      { scenario: 'while the server is slow', fault: { type: 'Hold', until: new Promise(() => {}) } },
    ])('is Aborted, at once, when aborted $scenario', async ({ fault }) => {
      server.fault(fault);
      const controller = new AbortController();
      const failing = failureOf(client.list(CONFIG_MAPS, { signal: controller.signal }));
      await eventually(() => server.requests.length === 1, 'the request arrives');

      controller.abort();

      expect(await failing).toMatchObject({ code: 'Aborted', retryable: false });
    });

    it('sends nothing when aborted before', async () => {
      expect(await failureOf(client.list(CONFIG_MAPS, { signal: AbortSignal.abort() }))).toMatchObject({
        code: 'Aborted',
      });
      expect(server.requests).toEqual([]);
    });

    it('never says tokens or bodies', async () => {
      server.fault({ type: 'Truncate' });
      fill(1);

      const error = await failureOf(list());

      expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toMatch(/test-token|"data"/);
    });
  });

  describe('observing', () => {
    it('tells every request with its verb, resource and code', async () => {
      server.fault({ type: 'HangUp' }, { verb: 'create' });
      await list();
      await failureOf(client.get(CONFIG_MAPS, { namespace: 'shop', name: 'nobody', signal }));
      await failureOf(client.create(CONFIG_MAPS, configMap('a'), { signal }));

      expect(observed.map(({ verb, resource, code }) => `${verb} ${resource} ${code}`)).toEqual([
        'list configmaps 200',
        'get configmaps 404',
        'create configmaps Network',
      ]);
      expect(observed.every(({ seconds }) => seconds >= 0 && seconds < 5)).toBe(true);
    });

    it('tells a second observer only the requests of its own client', async () => {
      const own: string[] = [];
      const counted = client.withObserver(({ verb }) => own.push(verb));

      await list();
      await counted.list(CONFIG_MAPS, { signal });
      await counted.close();
      await list();

      expect(own).toEqual(['list']);
      expect(observed).toHaveLength(3);
    });
  });

  describe('connections', () => {
    it('are shared by requests, one after the other', async () => {
      for (let times = 0; times < 200; times += 1) await list();

      // One would do, but undici may open another before it knows that the first is free.
      expect(server.connections).toBeLessThanOrEqual(2);
    });

    it('of watches do not keep requests waiting', async () => {
      const controller = new AbortController();
      const watches = Array.from({ length: 20 }, async () => {
        const events = client.watch(CONFIG_MAPS, {
          resourceVersion: '1000',
          timeoutSeconds: 60,
          idleTimeoutMs: 60_000,
          signal: controller.signal,
        });
        for await (const { type } of events) await Promise.resolve(type);
      });
      await eventually(() => server.openWatches === 20, 'all watches are open');

      await list();

      expect(server.connections).toBe(21);
      controller.abort();
      await Promise.allSettled(watches);
      await eventually(() => server.openWatches === 0, 'all watches are closed');
    });

    it('of a watch are let go when nobody listens any more', async () => {
      const events = client.watch(CONFIG_MAPS, {
        resourceVersion: '1000',
        timeoutSeconds: 60,
        idleTimeoutMs: 60_000,
        signal,
      });
      server.write(CONFIG_MAPS, configMap('a'));

      for await (const { type } of events) if (type === 'Added') break;

      await eventually(() => server.openWatches === 0, 'the watch is closed');
    });

    it('leave nothing behind at the signal of the caller', async () => {
      server.fault({ type: 'HangUp' }, { verb: 'list' });
      server.fault({ type: 'HangUp' }, { verb: 'watch' });
      server.write(CONFIG_MAPS, configMap('a'));
      const watch = async (): Promise<void> => {
        const options = { resourceVersion: '1000', timeoutSeconds: 60, idleTimeoutMs: 60_000, signal };
        for await (const { type } of client.watch(CONFIG_MAPS, options)) if (type === 'Added') break;
      };

      for (const attempt of [list, list, watch, watch]) await failureOf(attempt());

      expect(getEventListeners(signal, 'abort')).toEqual([]);
    });

    it('are all closed in the end', async () => {
      await list();
      await client.close();
      await settle();

      await eventually(() => server.openSockets === 0, 'no socket is open');
      expect(await failureOf(list())).toMatchObject({ name: 'KubeError' });
    });
  });
});
