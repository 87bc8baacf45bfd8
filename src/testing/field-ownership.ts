import { isJsonObject, type JsonObject } from './json.ts';

/**
 * Lists that are merged by key instead of replaced as a whole, by the name of their field. Built-in types and CRDs say
 * this in their schemas; here it goes by name. An empty key means a set.
 */
export type ListKeys = Readonly<Record<string, readonly string[]>>;

export const DEFAULT_LIST_KEYS: ListKeys = {
  conditions: ['type'],
  containers: ['name'],
  env: ['name'],
  finalizers: [],
  initContainers: ['name'],
  ownerReferences: ['uid'],
  volumes: ['name'],
};

/**
 * Where a value is, in the notation of `managedFields`: `f:name` for a field, `k:{"type":"Ready"}` for the list item with
 * that key, `v:"x"` for a member of a set.
 */
export type FieldPath = readonly string[];

/** The leaves of an object: what a manager that applies it owns. */
export function leavesOf(value: unknown, listKeys: ListKeys, at: FieldPath = []): Map<string, unknown> {
  const leaves = new Map<string, unknown>();
  for (const [segment, child] of childrenOf(value, at, listKeys) ?? []) {
    const path = [...at, segment];
    const below = leavesOf(child, listKeys, path);
    if (below.size === 0) leaves.set(JSON.stringify(path), child);
    for (const [key, leaf] of below) leaves.set(key, leaf);
  }
  return leaves;
}

/** The parts that a value is merged by; undefined for what is replaced as a whole. */
function childrenOf(value: unknown, at: FieldPath, listKeys: ListKeys): [string, unknown][] | undefined {
  if (isJsonObject(value)) return Object.entries(value).map(([name, child]) => [`f:${name}`, child]);
  const keys = Array.isArray(value) ? listKeys[at.at(-1)?.replace(/^f:/, '') ?? ''] : undefined;
  if (!Array.isArray(value) || keys === undefined) return undefined;
  return value.map((item: unknown) => [segmentOfItem(item, keys), item]);
}

function segmentOfItem(item: unknown, keys: readonly string[]): string {
  if (keys.length === 0) return `v:${JSON.stringify(item)}`;
  const key = keys.map((name) => [name, isJsonObject(item) ? item[name] : undefined]);
  return `k:${JSON.stringify(Object.fromEntries(key))}`;
}

/** The value with another one at the path; `undefined` removes it, and what becomes empty by that. */
export function withValueAt(value: unknown, path: FieldPath, leaf: unknown): unknown {
  const [segment, ...rest] = path;
  if (segment === undefined) return leaf;
  return segment.startsWith('f:')
    ? withField(value, segment.slice(2), rest, leaf)
    : withItem(Array.isArray(value) ? value : [], segment, rest, leaf);
}

function withField(value: unknown, name: string, rest: FieldPath, leaf: unknown): unknown {
  const { [name]: child, ...others } = isJsonObject(value) ? value : {};
  const next = withValueAt(child, rest, leaf);
  if (next !== undefined) return { ...(isJsonObject(value) ? value : {}), [name]: next };
  return Object.keys(others).length === 0 ? undefined : others;
}

function withItem(list: readonly unknown[], segment: string, rest: FieldPath, leaf: unknown): unknown {
  const keys = segment.startsWith('k:') ? Object.keys(jsonObjectFrom(segment.slice(2))) : [];
  const index = list.findIndex((item) => segmentOfItem(item, keys) === segment);
  const isKey = keys.some((name) => rest[0] === `f:${name}`);
  const next = leaf === undefined && isKey ? itemWithoutKey(list[index], keys) : withValueAt(list[index], rest, leaf);
  if (index === -1) return next === undefined ? list : [...list, next];
  const items = next === undefined ? list.toSpliced(index, 1) : list.with(index, next);
  return items.length === 0 ? undefined : items;
}

// An item is nothing without its key, and keeps it while it has anything else.
function itemWithoutKey(item: unknown, keys: readonly string[]): unknown {
  return isJsonObject(item) && Object.keys(item).some((name) => !keys.includes(name)) ? item : undefined;
}

/** Whether a path leads to a key field of a list item, which can only go after the other fields. */
export function isKeyField(path: FieldPath): boolean {
  const item = path.at(-2);
  return (
    item?.startsWith('k:') === true &&
    Object.keys(jsonObjectFrom(item.slice(2))).some((name) => path.at(-1) === `f:${name}`)
  );
}

function jsonObjectFrom(text: string): JsonObject {
  const value: unknown = JSON.parse(text);
  return isJsonObject(value) ? value : {};
}

/** Paths as the nested `fieldsV1` of `managedFields`. */
export function fieldsV1From(paths: Iterable<string>): unknown {
  let fields: unknown = {};
  for (const path of paths) fields = nested(fields, parsePath(path));
  return fields;
}

function nested(fields: unknown, path: FieldPath): JsonObject {
  const [segment, ...rest] = path;
  const known = isJsonObject(fields) ? fields : {};
  return segment === undefined ? known : { ...known, [segment]: nested(known[segment], rest) };
}

/** The inverse of the text form of a path. */
export function parsePath(text: string): FieldPath {
  const path: unknown = JSON.parse(text);
  return Array.isArray(path) ? path.map(String) : [];
}
