import { isDeepStrictEqual } from 'node:util';
import { fieldsV1From, isKeyField, leavesOf, parsePath, withValueAt, type ListKeys } from './field-ownership.ts';
import { isJsonObject, type JsonObject } from './json.ts';

/** Who owns which fields: manager and way of writing → paths. */
export type Owners = ReadonlyMap<string, ReadonlySet<string>>;

/** What a manager applies. `fields` is the object without what identifies it. */
export interface Application {
  readonly manager: string;
  readonly subresource: string | undefined;
  readonly force: boolean;
  readonly fields: JsonObject;
}

export type Applied =
  | { readonly type: 'Merged'; readonly object: JsonObject; readonly owners: Owners }
  | { readonly type: 'Conflict'; readonly message: string };

/**
 * Server-side apply: sets the given fields, removes those that the manager applied before and does not any more, and
 * refuses to change what others own unless forced.
 */
export function applyFields(live: JsonObject, owners: Owners, application: Application, listKeys: ListKeys): Applied {
  const me = ownerKey(application.manager, 'Apply', application.subresource);
  const wanted = leavesOf(application.fields, listKeys);
  const present = leavesOf(live, listKeys);
  const conflicts = [...wanted].filter(([path, value]) => !isDeepStrictEqual(present.get(path), value));
  const others = [...owners].filter(([owner]) => owner !== me);

  for (const [path] of conflicts) {
    const holder = others.find(([, paths]) => paths.has(path));
    if (holder !== undefined && !application.force) {
      const field = parsePath(path)
        .map((segment) => segment.replace(/^f:/, '.'))
        .join('');
      return {
        type: 'Conflict',
        message: `Apply failed with 1 conflict: conflict with "${managerOf(holder[0])}": ${field}`,
      };
    }
  }

  const taken = new Set(conflicts.map(([path]) => path));
  const next = new Map(others.map(([owner, paths]) => [owner, without(paths, taken)] as const));
  let object: unknown = live;
  const abandoned = [...(owners.get(me) ?? [])]
    .filter((path) => !wanted.has(path) && ![...next.values()].some((paths) => paths.has(path)))
    .map(parsePath)
    .toSorted((a, b) => Number(isKeyField(a)) - Number(isKeyField(b)));
  for (const path of abandoned) object = withValueAt(object, path, undefined);
  for (const [path, value] of wanted) object = withValueAt(object, parsePath(path), value);
  next.set(me, new Set(wanted.keys()));
  return { type: 'Merged', object: isJsonObject(object) ? object : {}, owners: withoutEmpty(next) };
}

/** The owners after a manager wrote a whole object: it owns what it changed. */
export function ownersAfterWrite(
  before: JsonObject,
  after: JsonObject,
  owners: Owners,
  write: { readonly manager: string; readonly listKeys: ListKeys },
): Owners {
  const old = leavesOf(before, write.listKeys);
  const changed = new Set<string>();
  const present = leavesOf(after, write.listKeys);
  for (const [path, value] of present) if (!isDeepStrictEqual(old.get(path), value)) changed.add(path);
  const gone = new Set([...old.keys()].filter((path) => !present.has(path)));
  const next = new Map(
    [...owners].map(([owner, paths]) => [owner, without(paths, new Set([...changed, ...gone]))] as const),
  );
  const me = ownerKey(write.manager, 'Update', undefined);
  next.set(me, new Set([...(next.get(me) ?? []), ...changed]));
  return withoutEmpty(next);
}

/** The owners as the API shows them. */
export function managedFieldsFrom(owners: Owners, apiVersion: string): readonly JsonObject[] {
  return [...owners].map(([owner, paths]) => {
    const [manager, operation, subresource] = owner.split('\n');
    return {
      manager,
      operation,
      ...(subresource === '' ? {} : { subresource }),
      apiVersion,
      fieldsType: 'FieldsV1',
      fieldsV1: fieldsV1From(paths),
    };
  });
}

function without(paths: ReadonlySet<string>, taken: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...paths].filter((path) => !taken.has(path)));
}

function ownerKey(manager: string, operation: 'Apply' | 'Update', subresource: string | undefined): string {
  return [manager, operation, subresource ?? ''].join('\n');
}

function managerOf(owner: string): string {
  return owner.split('\n')[0] ?? '';
}

function withoutEmpty(owners: Owners): Owners {
  return new Map([...owners].filter(([, paths]) => paths.size > 0));
}
