import type { KubeObject } from '../api/objects.ts';

/** Whether parsed JSON is an object, so that its fields may be looked at. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Whether parsed JSON is a Kubernetes object. That it is one of the type that was asked for is taken on trust: the API
 * server validates what it stores.
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- callers name the type that they asked for
export function isObjectOf<T extends KubeObject>(value: unknown): value is T {
  return (
    isRecord(value) &&
    typeof value['apiVersion'] === 'string' &&
    typeof value['kind'] === 'string' &&
    isRecord(value['metadata']) &&
    typeof value['metadata']['name'] === 'string'
  );
}
