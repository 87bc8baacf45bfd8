import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { KubeObject } from '../api/objects.ts';
import { ObjectStore, type Change } from './store.ts';

// A busy machine is no failure.
vi.setConfig({ testTimeout: 60_000 });

function pod(name: string, version: string, options: { uid?: string; namespace?: string } = {}): KubeObject {
  const { uid = `uid-of-${name}`, namespace = 'shop' } = options;
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, uid, resourceVersion: version } };
}

function told(changes: readonly Change<KubeObject>[]): string[] {
  return changes.map(({ type, object }) => `${type} ${object.metadata.name}@${object.metadata.resourceVersion}`);
}

describe('ObjectStore', () => {
  it('finds objects by namespace and name, and cluster-scoped ones without a namespace', () => {
    const store = new ObjectStore();
    const node: KubeObject = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node' } };
    store.put(pod('a', '1'));
    store.put(pod('a', '1', { namespace: 'other' }));
    store.put(node);

    expect(store.get('shop', 'a')?.metadata.namespace).toBe('shop');
    expect(store.get(undefined, 'node')).toBe(node);
    expect(store.get('shop', 'node')).toBeUndefined();
    expect(store.inNamespace('shop')).toHaveLength(1);
    expect(store.inNamespace('empty')).toEqual([]);
    expect(store.size).toBe(3);
    expect(store.list()).toHaveLength(3);
  });

  it.each<{ scenario: string; put: KubeObject; want: string[] }>([
    { scenario: 'a new object', put: pod('b', '1'), want: ['Added b@1'] },
    { scenario: 'a new version', put: pod('a', '2'), want: ['Modified a@2'] },
    { scenario: 'the same version, which is no news', put: pod('a', '1'), want: [] },
    {
      scenario: 'another object of the same name',
      put: pod('a', '2', { uid: 'another' }),
      want: ['Deleted a@1', 'Added a@2'],
    },
  ])('tells of $scenario', ({ put, want }) => {
    const store = new ObjectStore();
    store.put(pod('a', '1'));

    expect(told(store.put(put))).toEqual(want);
  });

  it('tells the object before with a change and with a delete', () => {
    const store = new ObjectStore();
    const first = pod('a', '1');
    const last = pod('a', '2');
    store.put(first);

    expect(store.put(last)).toEqual([{ type: 'Modified', object: last, previous: first }]);
    expect(store.delete(pod('a', '3'))).toEqual([{ type: 'Deleted', object: pod('a', '3'), previous: last }]);
    expect(store.delete(pod('a', '3'))).toEqual([]);
    expect(store.size).toBe(0);
  });

  it('tells every difference when its content is replaced', () => {
    const store = new ObjectStore();
    for (const name of ['same', 'changed', 'gone', 'reborn']) store.put(pod(name, '1'));

    const changes = store.replace([
      pod('same', '1'),
      pod('changed', '2'),
      pod('reborn', '2', { uid: 'another' }),
      pod('new', '2'),
    ]);

    expect(told(changes)).toEqual([
      'Deleted gone@1',
      'Modified changed@2',
      'Deleted reborn@1',
      'Added reborn@2',
      'Added new@2',
    ]);
    expect(store.size).toBe(4);
  });

  it('tells enough to keep a copy equal to it', () => {
    const objects = fc
      .record({
        name: fc.constantFrom('a', 'b', 'c'),
        namespace: fc.constantFrom('x', 'y'),
        version: fc.constantFrom('1', '2', '3'),
        uid: fc.constantFrom('u', 'v'),
      })
      .map(({ name, version, uid, namespace }) => pod(name, version, { uid, namespace }));
    const steps = fc.oneof(
      fc.record({ do: fc.constantFrom('put' as const, 'delete' as const), object: objects }),
      fc.record({
        do: fc.constant('replace' as const),
        objects: fc.uniqueArray(objects, { selector: ({ metadata }) => `${metadata.namespace}/${metadata.name}` }),
      }),
    );
    fc.assert(
      fc.property(fc.array(steps), (script) => {
        const store = new ObjectStore();
        const copy = new Map<string, string>();
        for (const step of script) {
          for (const { type, object } of step.do === 'replace'
            ? store.replace(step.objects)
            : store[step.do](step.object)) {
            const key = `${object.metadata.namespace}/${object.metadata.name}`;
            expect(copy.has(key)).toBe(type !== 'Added');
            if (type === 'Deleted') copy.delete(key);
            else copy.set(key, `${object.metadata.uid}@${object.metadata.resourceVersion}`);
          }
        }
        const held = store
          .list()
          .map(({ metadata: { namespace, name, uid, resourceVersion } }) => [
            `${namespace}/${name}`,
            `${uid}@${resourceVersion}`,
          ]);
        expect(Object.fromEntries(copy)).toEqual(Object.fromEntries(held));
        expect(store.size).toBe(copy.size);
      }),
    );
  });
});
