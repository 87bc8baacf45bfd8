import type { KubeObject } from '../api/objects.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** An object as the in-process API server keeps it: all fields, whatever they are. */
export type StoredObject = KubeObject & JsonObject;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The field at a path of an object, or undefined. */
export function fieldAt(value: unknown, path: readonly string[]): unknown {
  let current = value;
  for (const name of path) current = isJsonObject(current) ? current[name] : undefined;
  return current;
}

/** Whether JSON has what every Kubernetes object needs. */
export function isStoredObject(value: unknown): value is StoredObject {
  return (
    isJsonObject(value) &&
    typeof value['apiVersion'] === 'string' &&
    typeof value['kind'] === 'string' &&
    typeof fieldAt(value, ['metadata', 'name']) === 'string'
  );
}
