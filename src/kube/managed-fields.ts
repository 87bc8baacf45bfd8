import type { KubeObject } from '../api/objects.ts';

/** The object without the bookkeeping of server-side apply: often its largest part, and of use to nobody here. */
export function withoutManagedFields<T extends KubeObject>(object: T): T {
  if (!('managedFields' in object.metadata)) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
