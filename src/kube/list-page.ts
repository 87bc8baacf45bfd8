import type { KubeObject } from '../api/objects.ts';
import { KubeError } from './errors.ts';
import { isObjectOf, isRecord } from './json.ts';
import { apiVersionOf, type ResourceType } from './resource.ts';

export interface ListPage<T extends KubeObject> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  /** Where the next page starts, if there is one. */
  readonly next: string | undefined;
}

/** The page in the answer to a list request. Items get the `apiVersion` and `kind` that lists leave out of them. */
export function listPageFrom<T extends KubeObject>(
  answer: unknown,
  resource: ResourceType,
  attempted: string,
): ListPage<T> {
  const metadata = isRecord(answer) ? answer['metadata'] : undefined;
  if (!isRecord(answer) || !isRecord(metadata) || typeof metadata['resourceVersion'] !== 'string') {
    throw malformed(attempted);
  }
  // Some servers send null for no items.
  const items: unknown = answer['items'] ?? [];
  if (!Array.isArray(items)) throw malformed(attempted);
  const typeMeta = { apiVersion: apiVersionOf(resource), kind: resource.kind };
  const next = metadata['continue'];
  return {
    items: items.map((item: unknown) => {
      const object = isRecord(item) ? { ...item, ...typeMeta } : undefined;
      if (!isObjectOf<T>(object)) throw malformed(attempted);
      return object;
    }),
    resourceVersion: metadata['resourceVersion'],
    next: typeof next === 'string' && next !== '' ? next : undefined,
  };
}

function malformed(attempted: string): KubeError {
  return new KubeError('Malformed', `${attempted}: the answer is not a list`);
}
