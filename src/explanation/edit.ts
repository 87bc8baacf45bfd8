import type { KubeObject } from '../api/index.ts';
import { segmentsOf } from '../policy/index.ts';

/** One object by type and name; the group is '' for the core API. */
export interface ObjectReference {
  readonly group: string;
  readonly kind: string;
  readonly namespace?: string | undefined;
  readonly name: string;
}

/**
 * One field of one object, before and after. An absent `before` adds the field, an absent `after` removes it; the empty path
 * is the object itself.
 */
export interface Change {
  readonly object: ObjectReference;
  readonly path: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** Changes that belong together, and what they do, in words. */
export interface Edit {
  readonly summary: string;
  readonly changes: readonly Change[];
}

/** The objects as they are once an edit is applied. Objects that did not change are the same ones. */
export function applyEdit<T extends KubeObject>(objects: readonly T[], { changes }: Edit): readonly T[] {
  return changes.reduce(applyChange, objects);
}

function applyChange<T extends KubeObject>(objects: readonly T[], change: Change): readonly T[] {
  const key = keyOf(change.object);
  if (change.path !== '') {
    return objects.map((object) =>
      keyOf(objectReference(object)) === key ? withValue(object, segmentsOf(change.path), change.after) : object,
    );
  }
  const others = objects.filter((object) => keyOf(objectReference(object)) !== key);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a whole object is replaced by one of its kind
  return change.after === undefined ? others : [...others, change.after as T];
}

export function objectReference({ apiVersion, kind, metadata: { namespace, name } }: KubeObject): ObjectReference {
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  return { group, kind, ...(namespace === undefined ? {} : { namespace }), name };
}

export function keyOf({ group, kind, namespace = '', name }: ObjectReference): string {
  return [group, kind, namespace, name].join('/');
}

/** Whether one change replaces what another one changes: a list that lost an item has others at the places that follow. */
export function areEntangled(changes: readonly Change[]): boolean {
  const places = changes.map(({ object, path }) => [keyOf(object), ...segmentsOf(path)]);
  return places.some((place, index) =>
    places.some((other, at) => at !== index && place.every((segment, depth) => other[depth] === segment)),
  );
}

/** `NetworkPolicy web`: an object in a sentence that is shown with its place. */
export function objectInWords({ kind, name }: ObjectReference): string {
  return `${kind} ${name}`;
}

/** What stands at a path, or undefined. */
export function valueAt(object: unknown, path: string): unknown {
  return segmentsOf(path).reduce<unknown>(memberOf, object);
}

function memberOf(value: unknown, segment: string): unknown {
  if (Array.isArray(value)) return value[Number(segment)];
  return isRecord(value) && Object.hasOwn(value, segment) ? value[segment] : undefined;
}

/** A copy with another value at a path; undefined removes the field. Maps on the way are made where there are none. */
function withValue<T>(object: T, segments: readonly string[], after: unknown): T {
  const [first, ...rest] = segments;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the fields of a copy are those of the original
  if (first === undefined) return after as T;
  const member = withValue(memberOf(object, first), rest, after);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
  if (Array.isArray(object)) return object.with(Number(first), member) as T;
  const members = isRecord(object) ? object : {};
  const others = Object.fromEntries(Object.entries(members).filter(([name]) => name !== first));
  // A field that was there keeps its place.
  const changed =
    member === undefined
      ? others
      : Object.hasOwn(members, first)
        ? Object.fromEntries(Object.entries(members).map(([name, value]) => [name, name === first ? member : value]))
        : { ...others, [first]: member };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
  return changed as T;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
