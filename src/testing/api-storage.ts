import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { apiVersionOf, type ResourceType } from '../kube/index.ts';
import { DEFAULT_LIST_KEYS, type ListKeys } from './field-ownership.ts';
import { fieldAt, isJsonObject, isStoredObject, type JsonObject, type StoredObject } from './json.ts';
import { applyFields, managedFieldsFrom, ownersAfterWrite, type Owners } from './server-side-apply.ts';

/** A type that the in-process API server serves. */
export interface ServedType {
  readonly resource: ResourceType;
  /** Lists that server-side apply merges by key, by field name, beside the usual ones. */
  readonly listKeys?: ListKeys;
  /** Says why an object is invalid. */
  readonly validate?: (object: StoredObject) => string | undefined;
}

/** A change as watches report it. */
export interface StoredChange {
  readonly revision: number;
  readonly resource: ResourceType;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: StoredObject;
  readonly previous: StoredObject | undefined;
}

/** A refusal, as the Status object of an answer. */
export class Refusal extends Error {
  readonly status: number;
  readonly reason: string;
  readonly details: JsonObject;

  constructor(status: number, reason: string, message: string, details: JsonObject = {}) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.details = details;
  }
}

interface Entry {
  readonly object: StoredObject;
  readonly owners: Owners;
}

interface Collection {
  readonly served: ServedType;
  readonly listKeys: ListKeys;
  readonly entries: Map<string, Entry>;
}

/** The objects and the history of an in-process API server. */
export class ApiStorage {
  readonly #collections = new Map<string, Collection>();
  readonly #listeners = new Set<(change: StoredChange) => void>();
  readonly #now: () => number;
  #history: StoredChange[] = [];
  // Far from zero, so that nobody takes a version for an index.
  #revision = 1000;
  #compactedRevision = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  get revision(): number {
    return this.#revision;
  }

  /** Changes up to this revision are forgotten. */
  get compactedRevision(): number {
    return this.#compactedRevision;
  }

  serve(served: ServedType): void {
    const listKeys = { ...DEFAULT_LIST_KEYS, ...served.listKeys };
    this.#collections.set(collectionKey(served.resource), { served, listKeys, entries: new Map() });
  }

  unserve(resource: ResourceType): void {
    this.#collections.delete(collectionKey(resource));
  }

  servedTypes(): readonly ResourceType[] {
    return [...this.#collections.values()].map(({ served }) => served.resource);
  }

  list(resource: ResourceType): readonly StoredObject[] {
    const { entries } = this.#collection(resource);
    return [...entries.keys()].toSorted().flatMap((key) => {
      const entry = entries.get(key);
      return entry === undefined ? [] : [visible(entry)];
    });
  }

  find(resource: ResourceType, namespace: string | undefined, name: string): StoredObject | undefined {
    const entry = this.#collection(resource).entries.get(objectKey(namespace, name));
    return entry === undefined ? undefined : visible(entry);
  }

  create(resource: ResourceType, object: StoredObject, manager: string): StoredObject {
    const { entries, listKeys } = this.#collection(resource);
    const { namespace, name } = object.metadata;
    if (entries.has(objectKey(namespace, name))) {
      throw new Refusal(409, 'AlreadyExists', `${resource.plural} "${name}" already exists`);
    }
    const owners = ownersAfterWrite({}, ownable(object), new Map(), { manager, listKeys });
    return this.#commit(resource, undefined, { object: this.#newborn(resource, object), owners });
  }

  /** Creates or replaces an object as some other actor would. */
  write(resource: ResourceType, object: StoredObject, manager: string): StoredObject {
    const { entries, listKeys } = this.#collection(resource);
    const before = entries.get(objectKey(object.metadata.namespace, object.metadata.name));
    if (before === undefined) return this.create(resource, object, manager);
    const next = { ...object, metadata: { ...object.metadata, ...systemMetadata(before.object) } };
    const owners = ownersAfterWrite(ownable(before.object), ownable(next), before.owners, { manager, listKeys });
    return this.#commit(resource, before, { object: next, owners });
  }

  apply(
    resource: ResourceType,
    object: StoredObject,
    by: { readonly manager: string; readonly force: boolean; readonly subresource: string | undefined },
  ): StoredObject {
    const { entries, listKeys } = this.#collection(resource);
    const { namespace, name } = object.metadata;
    const before = entries.get(objectKey(namespace, name));
    if (before === undefined && by.subresource !== undefined) throw notFound(resource, name);
    const { uid, resourceVersion } = object.metadata;
    checkVersion(before?.object, { resourceVersion }, resource);
    if (before !== undefined && uid !== undefined && uid !== before.object.metadata.uid) {
      throw new Refusal(422, 'Invalid', `${resource.plural} "${name}" is invalid: metadata.uid: field is immutable`);
    }
    const start = before?.object ?? this.#newborn(resource, identityOf(object));
    const fields = ownable(object, by.subresource ?? 'main');
    const applied = applyFields(start, before?.owners ?? new Map(), { ...by, fields }, listKeys);
    if (applied.type === 'Conflict') throw new Refusal(409, 'Conflict', applied.message);
    const merged = { ...start, ...applied.object };
    return this.#commit(resource, before, { object: merged, owners: applied.owners });
  }

  delete(
    resource: ResourceType,
    on: { readonly namespace: string | undefined; readonly name: string },
    preconditions: { readonly uid?: unknown; readonly resourceVersion?: unknown } = {},
  ): StoredObject {
    const { entries } = this.#collection(resource);
    const key = objectKey(on.namespace, on.name);
    const before = entries.get(key);
    if (before === undefined) throw notFound(resource, on.name);
    checkVersion(before.object, preconditions, resource);
    const finalizers = fieldAt(before.object, ['metadata', 'finalizers']);
    if (Array.isArray(finalizers) && finalizers.length > 0) {
      const deletionTimestamp = before.object.metadata.deletionTimestamp ?? this.#timestamp();
      const metadata = { ...before.object.metadata, deletionTimestamp };
      return this.#commit(resource, before, { ...before, object: { ...before.object, metadata } });
    }
    entries.delete(key);
    return this.#publish(resource, 'DELETED', before, before);
  }

  /** Forgets the history, so that every version handed out so far is too old to watch or page from. */
  compact(): void {
    this.#revision += 1;
    this.#compactedRevision = this.#revision;
    this.#history = [];
  }

  changesSince(revision: number, resource: ResourceType): readonly StoredChange[] {
    const key = collectionKey(resource);
    return this.#history.filter((change) => change.revision > revision && collectionKey(change.resource) === key);
  }

  /** Calls the listener for every change from now on; gives the way to stop that. */
  listen(listener: (change: StoredChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #commit(resource: ResourceType, before: Entry | undefined, next: Entry): StoredObject {
    const { served, entries } = this.#collection(resource);
    const reason = served.validate?.(next.object);
    if (reason !== undefined) {
      const what = `${resource.kind} "${next.object.metadata.name}" is invalid: ${reason}`;
      throw new Refusal(422, 'Invalid', what);
    }
    const key = objectKey(next.object.metadata.namespace, next.object.metadata.name);
    if (before !== undefined && isDeepStrictEqual(before.object, next.object)) {
      entries.set(key, { object: before.object, owners: next.owners });
      return visible(next);
    }
    const grown = withGeneration(before?.object, next.object);
    const isReleased = grown.metadata.deletionTimestamp !== undefined && !hasFinalizers(grown);
    const entry = { object: grown, owners: next.owners };
    if (isReleased) {
      entries.delete(key);
      return this.#publish(resource, 'DELETED', before, entry);
    }
    return this.#publish(resource, before === undefined ? 'ADDED' : 'MODIFIED', before, entry);
  }

  #publish(resource: ResourceType, type: StoredChange['type'], before: Entry | undefined, next: Entry): StoredObject {
    this.#revision += 1;
    const metadata = { ...next.object.metadata, resourceVersion: String(this.#revision) };
    const entry = { object: { ...next.object, metadata }, owners: next.owners };
    if (type !== 'DELETED') {
      this.#collection(resource).entries.set(objectKey(metadata.namespace, metadata.name), entry);
    }
    const previous = before === undefined ? undefined : visible(before);
    const change = { revision: this.#revision, resource, type, object: visible(entry), previous };
    this.#history.push(change);
    for (const listener of this.#listeners) listener(change);
    return change.object;
  }

  #newborn(resource: ResourceType, object: StoredObject): StoredObject {
    const metadata = {
      ...object.metadata,
      uid: randomUUID(),
      creationTimestamp: this.#timestamp(),
      generation: 1,
    };
    return { ...object, apiVersion: apiVersionOf(resource), kind: resource.kind, metadata };
  }

  #timestamp(): string {
    return new Date(this.#now()).toISOString().replace(/\.\d+Z$/, 'Z');
  }

  #collection(resource: ResourceType): Collection {
    const collection = this.#collections.get(collectionKey(resource));
    if (collection === undefined) {
      throw new Refusal(404, 'NotFound', 'the server could not find the requested resource');
    }
    return collection;
  }
}

function collectionKey(resource: ResourceType): string {
  return `${apiVersionOf(resource)}/${resource.plural}`;
}

function objectKey(namespace: string | undefined, name: string): string {
  return `${namespace ?? ''}/${name}`;
}

function notFound(resource: ResourceType, name: string): Refusal {
  return new Refusal(404, 'NotFound', `${resource.plural} "${name}" not found`);
}

function checkVersion(
  object: StoredObject | undefined,
  wanted: { readonly uid?: unknown; readonly resourceVersion?: unknown },
  resource: ResourceType,
): void {
  for (const field of ['uid', 'resourceVersion'] as const) {
    if (wanted[field] === undefined || wanted[field] === object?.metadata[field]) continue;
    throw new Refusal(
      409,
      'Conflict',
      `Operation cannot be fulfilled on ${resource.plural}: the ${field} does not match`,
    );
  }
}

function visible(entry: Entry): StoredObject {
  const managedFields = managedFieldsFrom(entry.owners, entry.object.apiVersion);
  return {
    ...entry.object,
    metadata: { ...entry.object.metadata, ...(managedFields.length > 0 ? { managedFields } : {}) },
  };
}

const SYSTEM_METADATA = ['uid', 'creationTimestamp', 'generation', 'resourceVersion', 'deletionTimestamp'] as const;

const IDENTITY: ReadonlySet<string> = new Set([...SYSTEM_METADATA, 'name', 'namespace', 'managedFields']);

function systemMetadata(object: StoredObject): JsonObject {
  return Object.fromEntries(
    SYSTEM_METADATA.flatMap((name) => (object.metadata[name] === undefined ? [] : [[name, object.metadata[name]]])),
  );
}

/** What managers can own of an object: not what identifies it, and the status only through its subresource. */
function ownable(object: StoredObject, part: string = 'all'): JsonObject {
  const { apiVersion: _apiVersion, kind: _kind, metadata, status, ...rest } = object;
  const own = Object.fromEntries(Object.entries(metadata).filter(([name]) => !IDENTITY.has(name)));
  const main = { ...(Object.keys(own).length === 0 ? {} : { metadata: own }), ...rest };
  const statusOnly = status === undefined ? {} : { status };
  if (part === 'main') return main;
  return part === 'status' ? statusOnly : { ...main, ...statusOnly };
}

function identityOf(object: StoredObject): StoredObject {
  const { name, namespace } = object.metadata;
  const identity = {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
  };
  if (!isStoredObject(identity)) throw new Error('An object without an identity');
  return identity;
}

function withGeneration(before: StoredObject | undefined, next: StoredObject): StoredObject {
  if (before === undefined || isDeepStrictEqual(desired(before), desired(next))) return next;
  return { ...next, metadata: { ...next.metadata, generation: (before.metadata.generation ?? 0) + 1 } };
}

function desired(object: StoredObject): JsonObject {
  const { metadata: _metadata, status: _status, ...rest } = object;
  return rest;
}

function hasFinalizers(object: StoredObject): boolean {
  const finalizers = fieldAt(object, ['metadata', 'finalizers']);
  return Array.isArray(finalizers) && finalizers.length > 0;
}

/** Parsed JSON as an object to store, or a refusal. */
export function storedObjectFrom(value: unknown): StoredObject {
  if (isStoredObject(value)) return value;
  const hint = isJsonObject(value) ? 'metadata.name, apiVersion or kind is missing' : 'the body is not an object';
  throw new Refusal(400, 'BadRequest', hint);
}
