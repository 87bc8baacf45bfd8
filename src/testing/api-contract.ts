import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeObject } from '../api/objects.ts';
import { systemClock } from '../clock/index.ts';
import {
  createEventRecorder,
  isKubeError,
  type KubeClient,
  type KubeErrorCode,
  type ResourceType,
  type WatchEvent,
} from '../kube/index.ts';

const NAMESPACES: ResourceType = {
  group: '',
  version: 'v1',
  plural: 'namespaces',
  kind: 'Namespace',
  namespaced: false,
};
const CONFIG_MAPS: ResourceType = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
};
const SERVICES: ResourceType = { group: '', version: 'v1', plural: 'services', kind: 'Service', namespaced: true };
const POLICIES: ResourceType = {
  group: 'networking.k8s.io',
  version: 'v1',
  plural: 'networkpolicies',
  kind: 'NetworkPolicy',
  namespaced: true,
};
const EVENTS: ResourceType = {
  group: 'events.k8s.io',
  version: 'v1',
  plural: 'events',
  kind: 'Event',
  namespaced: true,
};
const ABSENT: ResourceType = {
  group: 'absent.postern.dev',
  version: 'v1',
  plural: 'absents',
  kind: 'Absent',
  namespaced: true,
};

/** The types that a server must serve for the contract. */
export const CONTRACT_TYPES: readonly ResourceType[] = [NAMESPACES, CONFIG_MAPS, SERVICES, POLICIES, EVENTS];

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

interface Service extends KubeObject {
  readonly spec?: unknown;
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

interface NetworkPolicy extends KubeObject {
  readonly spec: unknown;
}

/** A connection to a server to hold to the contract. */
export interface ContractTarget {
  readonly client: KubeClient;
  readonly close: () => Promise<void>;
}

/**
 * What our client expects of an API server. Run against the in-process server and against real clusters, so that the
 * one cannot drift from the others.
 */
export function describeApiContract(name: string, connect: () => Promise<ContractTarget>): void {
  describe(`API contract of ${name}`, () => {
    const namespace = `postern-contract-${process.pid}-${Math.trunc(performance.now())}`;
    const { signal } = new AbortController();
    let target: ContractTarget;
    let client: KubeClient;

    function configMap(mapName: string, data: Record<string, string>, labels?: Record<string, string>): ConfigMap {
      // Not even empty labels by default: real servers drop them, and then every other manager of them is a conflict.
      const metadata = { name: mapName, namespace, ...(labels === undefined ? {} : { labels }) };
      return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
    }
    function apply(object: ConfigMap, fieldManager: string, force = false): Promise<ConfigMap> {
      return client.apply(CONFIG_MAPS, object, { fieldManager, force, signal });
    }

    beforeAll(async () => {
      target = await connect();
      ({ client } = target);
      await client.create(
        NAMESPACES,
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
        { signal },
      );
    });

    afterAll(async () => {
      await client.delete(NAMESPACES, { name: namespace, signal });
      await target.close();
    });

    describe('reading and writing', () => {
      it('creates an object and reads it back with what the server adds', async () => {
        const created = await client.create(CONFIG_MAPS, configMap('created', { a: '1' }), { signal });

        const read = await client.get<ConfigMap>(CONFIG_MAPS, { namespace, name: 'created', signal });

        expect(read).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', data: { a: '1' } });
        expect(read.metadata.uid).toBe(created.metadata.uid);
        expect(read.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      });

      it('keeps fields whose names are reserved words', async () => {
        const from = [{ podSelector: { matchLabels: { app: 'client' } } }];
        const policy: NetworkPolicy = {
          apiVersion: 'networking.k8s.io/v1',
          kind: 'NetworkPolicy',
          metadata: { name: 'from', namespace },
          spec: { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ from }] },
        };
        await client.create(POLICIES, policy, { signal });

        const read = await client.get<NetworkPolicy>(POLICIES, { namespace, name: 'from', signal });

        expect(read.spec).toMatchObject({ ingress: [{ from }] });
      });

      it.each<{ scenario: string; code: KubeErrorCode; act: () => Promise<unknown> }>([
        {
          scenario: 'reading what is not there',
          code: 'NotFound',
          act: () => client.get(CONFIG_MAPS, { namespace, name: 'nobody', signal }),
        },
        {
          scenario: 'reading a kind that is not served',
          code: 'NotFound',
          act: () => client.list(ABSENT, { namespace, signal }),
        },
        {
          scenario: 'creating what exists',
          code: 'AlreadyExists',
          act: () =>
            client.create(
              NAMESPACES,
              { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
              { signal },
            ),
        },
        {
          scenario: 'deleting another object of the same name',
          code: 'Conflict',
          act: async () => {
            await apply(configMap('bystander', {}), 'contract');
            return client.delete(CONFIG_MAPS, { namespace, name: 'bystander', uid: 'another-uid', signal });
          },
        },
        {
          scenario: 'applying at a version that is not the current one',
          code: 'Conflict',
          act: async () => {
            await apply(configMap('versioned', {}), 'contract');
            const object = configMap('versioned', { a: '1' });
            return apply({ ...object, metadata: { ...object.metadata, resourceVersion: '1' } }, 'contract');
          },
        },
      ])('$scenario fails as $code', async ({ code, act }) => {
        const failure: unknown = await act().catch((error: unknown) => error);

        expect(isKubeError(failure, code), String(failure)).toBe(true);
      });

      it('deletes an object, and takes its absence for success', async () => {
        await apply(configMap('doomed', {}), 'contract');

        await client.delete(CONFIG_MAPS, { namespace, name: 'doomed', gracePeriodSeconds: 0, signal });
        await client.delete(CONFIG_MAPS, { namespace, name: 'doomed', propagationPolicy: 'Background', signal });

        const { items } = await client.list(CONFIG_MAPS, { namespace, fieldSelector: 'metadata.name=doomed', signal });
        expect(items).toEqual([]);
      });

      it('lists by labels, and says what the items are', async () => {
        await apply(configMap('red', {}, { colour: 'red' }), 'contract');
        await apply(configMap('blue', {}, { colour: 'blue' }), 'contract');

        const { items } = await client.list<ConfigMap>(CONFIG_MAPS, {
          namespace,
          labelSelector: 'colour in (red)',
          signal,
        });

        expect(items).toMatchObject([{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'red' } }]);
      });

      it('takes the events of our recorder', async () => {
        const failures: unknown[] = [];
        const log = { debug: () => {}, info: () => {}, warn: (fields: object) => void failures.push(fields) };
        const recorder = createEventRecorder({
          client,
          component: 'postern.dev/contract',
          instance: 'contract',
          clock: systemClock,
          log,
        });
        const regarding = await apply(configMap('eventful', {}), 'contract');

        await recorder.record({
          regarding,
          type: 'Warning',
          reason: 'Tested',
          action: 'Testing',
          note: 'ä'.repeat(2_000),
          signal,
        });

        expect(failures).toEqual([]);
        const { items } = await client.list(EVENTS, { namespace, signal });
        expect(items).toMatchObject([{ reason: 'Tested', regarding: { name: 'eventful' } }]);
      });

      it('knows which kinds are served', async () => {
        expect(await client.isServed(POLICIES, signal)).toBe(true);
        expect(await client.isServed(CONFIG_MAPS, signal)).toBe(true);
        expect(await client.isServed(ABSENT, signal)).toBe(false);
        expect(await client.isServed({ ...POLICIES, plural: 'absents' }, signal)).toBe(false);
      });
    });

    describe('server-side apply', () => {
      it('creates, changes, and removes what is not applied any more', async () => {
        await apply(configMap('applied', { a: '1', b: '1' }), 'contract');

        const changed = await apply(configMap('applied', { a: '2' }), 'contract');

        expect(changed.data).toEqual({ a: '2' });
      });

      it('does not change the version when nothing changes', async () => {
        const first = await apply(configMap('same', { a: '1' }), 'contract');

        const second = await apply(configMap('same', { a: '1' }), 'contract');

        expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
      });

      it('takes what was read, although that carries managed fields', async () => {
        await apply(configMap('read', { a: '1' }), 'contract');
        const read = await client.get<ConfigMap>(CONFIG_MAPS, { namespace, name: 'read', signal });

        const applied = await apply({ ...read, data: { a: '2' } }, 'contract');

        expect(applied.data).toEqual({ a: '2' });
      });

      it('leaves the fields of other managers alone', async () => {
        await apply(configMap('shared', { theirs: '1' }), 'someone-else');

        const merged = await apply(configMap('shared', { ours: '1' }), 'contract');

        expect(merged.data).toEqual({ theirs: '1', ours: '1' });
      });

      it('refuses to take over fields unless forced', async () => {
        await apply(configMap('contended', { a: 'theirs' }), 'someone-else');

        const refused: unknown = await apply(configMap('contended', { a: 'ours' }), 'contract').catch(
          (e: unknown) => e,
        );
        const forced = await apply(configMap('contended', { a: 'ours' }), 'contract', true);

        expect(isKubeError(refused, 'Conflict')).toBe(true);
        expect(forced.data).toEqual({ a: 'ours' });
      });

      it('refuses to apply to an object that has another uid', async () => {
        const made = await apply(configMap('made-anew', { a: '1' }), 'contract');
        const uid = '00000000-0000-4000-8000-000000000000';
        const other = { ...configMap('made-anew', { a: '2' }), metadata: { name: 'made-anew', namespace, uid } };
        const refused: unknown = await apply(other, 'contract').catch((e: unknown) => e);

        expect(made.metadata.uid).not.toBe(uid);
        expect(isKubeError(refused, 'Invalid')).toBe(true);
      });

      it('applies the status apart from the rest, condition by condition', async () => {
        const metadata = { name: 'with-status', namespace };
        const service = { apiVersion: 'v1', kind: 'Service', metadata } as const;
        const spec = { clusterIP: 'None', ports: [{ name: 'http', port: 80, protocol: 'TCP' }] };
        const created = await client.apply<Service>(
          SERVICES,
          { ...service, spec },
          { fieldManager: 'contract', force: false, signal },
        );
        const condition = (type: string) => ({
          type,
          status: 'True',
          reason: 'Tested',
          message: '',
          lastTransitionTime: '2026-01-01T00:00:00Z',
        });
        const applyStatus = (fieldManager: string, type: string): Promise<Service> =>
          client.apply<Service>(
            SERVICES,
            { ...service, status: { conditions: [condition(type)] } },
            { fieldManager, subresource: 'status', force: true, signal },
          );

        await applyStatus('contract', 'postern.dev/Ours');
        const both = await applyStatus('someone-else', 'postern.dev/Theirs');
        const again = await applyStatus('contract', 'postern.dev/Renamed');

        expect(both.spec).toEqual(created.spec);
        expect(both.status?.conditions?.map(({ type }) => type)).toEqual(['postern.dev/Ours', 'postern.dev/Theirs']);
        expect(again.status?.conditions?.map(({ type }) => type).toSorted()).toEqual([
          'postern.dev/Renamed',
          'postern.dev/Theirs',
        ]);
      });
    });

    describe('watching', () => {
      async function collect(resourceVersion: string, count: number, labelSelector?: string): Promise<string[]> {
        const seen: string[] = [];
        const events: AsyncIterable<WatchEvent<ConfigMap>> = client.watch(CONFIG_MAPS, {
          namespace,
          labelSelector,
          resourceVersion,
          timeoutSeconds: 30,
          idleTimeoutMs: 20_000,
          signal,
        });
        for await (const event of events) {
          if (event.type !== 'Bookmark') seen.push(`${event.type} ${event.object.metadata.name}`);
          if (seen.length === count) break;
        }
        return seen;
      }

      it('tells all changes since a version, in order', async () => {
        const { resourceVersion } = await client.list(CONFIG_MAPS, { namespace, signal });
        await apply(configMap('watched', { a: '1' }), 'contract');
        const watching = collect(resourceVersion, 3);

        await apply(configMap('watched', { a: '2' }), 'contract');
        await client.delete(CONFIG_MAPS, { namespace, name: 'watched', signal });

        expect(await watching).toEqual(['Added watched', 'Modified watched', 'Deleted watched']);
      });

      it('tells an object that stops to match the selector as deleted', async () => {
        const { resourceVersion } = await client.list(CONFIG_MAPS, { namespace, signal });
        const watching = collect(resourceVersion, 2, 'shape=round');

        await apply(configMap('shaped', {}, { shape: 'round' }), 'contract');
        await apply(configMap('shaped', {}, { shape: 'square' }), 'contract');

        expect(await watching).toEqual(['Added shaped', 'Deleted shaped']);
      });

      it('ends the watch at its time without an error, after a bookmark', async () => {
        const { resourceVersion } = await client.list(CONFIG_MAPS, { namespace, signal });
        const events = client.watch(CONFIG_MAPS, {
          namespace,
          resourceVersion,
          timeoutSeconds: 1,
          idleTimeoutMs: 20_000,
          signal,
        });

        const types: string[] = [];
        for await (const event of events) types.push(event.type);

        expect(types.filter((type) => type !== 'Bookmark')).toEqual([]);
      });

      it('stops at once when aborted', async () => {
        const { resourceVersion } = await client.list(CONFIG_MAPS, { namespace, signal });
        const controller = new AbortController();
        const events = client.watch(CONFIG_MAPS, {
          namespace,
          resourceVersion,
          timeoutSeconds: 300,
          idleTimeoutMs: 200_000,
          signal: controller.signal,
        });
        const seen: string[] = [];
        const following = (async () => {
          for await (const { type } of events) seen.push(type);
        })();

        await apply(configMap('noise', {}), 'contract');
        controller.abort();

        await expect(following).rejects.toMatchObject({ code: 'Aborted' });
      });
    });
  });
}
