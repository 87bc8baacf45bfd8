import { KubeError } from './errors.ts';

/** What the client must know about a kind to address it. `group` is empty for the core group. */
export interface ResourceType {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** The `apiVersion` that objects of this type carry. */
export function apiVersionOf(resource: ResourceType): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

/** The path under which the API server lists the resources of this group and version. */
export function groupPath(resource: ResourceType): string {
  return resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
}

/** The path of all objects of a type, in one namespace or in all of them. */
export function collectionPath(resource: ResourceType, namespace: string | undefined): string {
  const scope = resource.namespaced && namespace !== undefined ? `/namespaces/${segment(namespace, 'namespace')}` : '';
  return `${groupPath(resource)}${scope}/${resource.plural}`;
}

/** The path under which an object is created, which is never the one of all namespaces. */
export function creationPath(resource: ResourceType, namespace: string | undefined): string {
  if (resource.namespaced && namespace === undefined) throw missing('namespace');
  return collectionPath(resource, namespace);
}

/** The path of one object. */
export function objectPath(resource: ResourceType, namespace: string | undefined, name: string): string {
  return `${creationPath(resource, namespace)}/${segment(name, 'name')}`;
}

// An empty name would turn "delete this object" into "delete the whole collection".
function segment(value: string, what: string): string {
  if (value === '' || value === '.' || value === '..') throw missing(what);
  return encodeURIComponent(value);
}

function missing(what: string): KubeError {
  return new KubeError('BadRequest', `A request to the API server needs a ${what}`);
}
