import type { KubeObject } from '../api/objects.ts';

/** The objects of one type as last seen. Cluster-scoped objects have no namespace. */
export interface Store<T extends KubeObject> {
  get(namespace: string | undefined, name: string): T | undefined;
  list(): readonly T[];
  inNamespace(namespace: string): readonly T[];
  readonly size: number;
}

/** What happened to an object. `previous` is what the store held before, if anything. */
export interface Change<T extends KubeObject> {
  readonly type: 'Added' | 'Modified' | 'Deleted';
  readonly object: T;
  readonly previous?: T;
}

/** A store that says what each write changed, so that news seen twice is told once. */
export class ObjectStore<T extends KubeObject> implements Store<T> {
  #namespaces = new Map<string, Map<string, T>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(namespace: string | undefined, name: string): T | undefined {
    return this.#namespaces.get(namespace ?? '')?.get(name);
  }

  list(): readonly T[] {
    const all: T[] = [];
    for (const objects of this.#namespaces.values()) all.push(...objects.values());
    return all;
  }

  inNamespace(namespace: string): readonly T[] {
    return [...(this.#namespaces.get(namespace)?.values() ?? [])];
  }

  /** Keeps an object and gives what changed by that, which is nothing if this version is known. */
  put(object: T): readonly Change<T>[] {
    const previous = this.get(object.metadata.namespace, object.metadata.name);
    this.#set(object);
    return changesBetween(previous, object);
  }

  /** Drops an object. The change carries the object as it was when it was deleted. */
  delete(object: T): readonly Change<T>[] {
    const { namespace = '', name } = object.metadata;
    const objects = this.#namespaces.get(namespace);
    const previous = objects?.get(name);
    if (objects === undefined || previous === undefined) return [];
    objects.delete(name);
    if (objects.size === 0) this.#namespaces.delete(namespace);
    this.#size -= 1;
    return [{ type: 'Deleted', object, previous }];
  }

  /** Makes these objects the whole content and gives every difference, deletes that no watch told of included. */
  replace(objects: readonly T[]): readonly Change<T>[] {
    const before = new ObjectStore<T>();
    before.#namespaces = this.#namespaces;
    this.#namespaces = new Map();
    this.#size = 0;
    for (const object of objects) this.#set(object);

    const changes: Change<T>[] = [];
    for (const gone of before.list()) {
      if (this.get(gone.metadata.namespace, gone.metadata.name) === undefined) {
        changes.push({ type: 'Deleted', object: gone, previous: gone });
      }
    }
    for (const object of objects) {
      changes.push(...changesBetween(before.get(object.metadata.namespace, object.metadata.name), object));
    }
    return changes;
  }

  #set(object: T): void {
    const { namespace = '', name } = object.metadata;
    const objects = this.#namespaces.get(namespace) ?? new Map<string, T>();
    if (!objects.has(name)) this.#size += 1;
    objects.set(name, object);
    this.#namespaces.set(namespace, objects);
  }
}

function changesBetween<T extends KubeObject>(previous: T | undefined, object: T): readonly Change<T>[] {
  if (previous === undefined) return [{ type: 'Added', object }];
  if (previous.metadata.uid !== object.metadata.uid) {
    // Deleted and created again while nobody watched: two objects that share a name.
    return [
      { type: 'Deleted', object: previous, previous },
      { type: 'Added', object },
    ];
  }
  // Versions are opaque: equality is all that may be asked of them.
  if (previous.metadata.resourceVersion === object.metadata.resourceVersion) return [];
  return [{ type: 'Modified', object, previous }];
}
