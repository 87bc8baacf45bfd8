import { apiVersionOf, type ResourceType } from '../kube/index.ts';
import { resourceOf, type ApiRequest } from './api-request.ts';
import { Refusal, storedObjectFrom, type ApiStorage } from './api-storage.ts';
import { fieldAt, isJsonObject, type JsonObject, type StoredObject } from './json.ts';
import { matchesSelectors } from './selectors.ts';

export interface Answer {
  readonly status: number;
  readonly body: object;
}

/** Answers every request but watches. */
export function answerTo(request: ApiRequest, storage: ApiStorage): Answer {
  if (request.verb === 'discover') return discover(request, storage);
  const resource = resourceOf(request, storage.servedTypes());
  switch (request.verb) {
    case 'list':
      return list(request, resource, storage);
    case 'get':
      return get(request, resource, storage);
    case 'create':
      return create(request, resource, storage);
    case 'apply':
      return apply(request, resource, storage);
    case 'delete':
      return remove(request, resource, storage);
    default:
      throw new Refusal(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource');
  }
}

function discover(request: ApiRequest, storage: ApiStorage): Answer {
  const served = storage
    .servedTypes()
    .filter((type) => type.group === request.group && type.version === request.version);
  if (served.length === 0) throw new Refusal(404, 'NotFound', 'the server could not find the requested resource');
  const resources = served.map(({ plural, kind, namespaced }) => ({ name: plural, kind, namespaced }));
  return { status: 200, body: { kind: 'APIResourceList', apiVersion: 'v1', resources } };
}

function list(request: ApiRequest, resource: ResourceType, storage: ApiStorage): Answer {
  const from = continuation(request.query.get('continue'));
  if (from !== undefined && from.revision < storage.compactedRevision) {
    throw new Refusal(410, 'Expired', 'The provided continue parameter is too old');
  }
  const all = storage
    .list(resource)
    .filter((object) => request.namespace === undefined || object.metadata.namespace === request.namespace)
    .filter((object) => matchesSelectors(object, request.query));
  const limit = Number(request.query.get('limit') ?? 0);
  const start = from?.offset ?? 0;
  const end = limit > 0 ? start + limit : all.length;
  const revision = from?.revision ?? storage.revision;
  const next = Buffer.from(JSON.stringify({ revision, offset: end })).toString('base64url');
  return {
    status: 200,
    body: {
      kind: `${resource.kind}List`,
      apiVersion: apiVersionOf(resource),
      metadata: { resourceVersion: String(revision), ...(end < all.length ? { continue: next } : {}) },
      // As real servers: items of a list do not say what they are.
      items: all.slice(start, end).map(({ apiVersion: _apiVersion, kind: _kind, ...item }) => item),
    },
  };
}

function continuation(token: string | null): { revision: number; offset: number } | undefined {
  if (token === null) return undefined;
  const value: unknown = JSON.parse(Buffer.from(token, 'base64url').toString());
  return { revision: Number(fieldAt(value, ['revision'])), offset: Number(fieldAt(value, ['offset'])) };
}

function get(request: ApiRequest, resource: ResourceType, storage: ApiStorage): Answer {
  const { name = '', namespace } = request;
  const found = storage.find(resource, namespace, name);
  if (found === undefined) throw new Refusal(404, 'NotFound', `${resource.plural} "${name}" not found`);
  return { status: 200, body: found };
}

function create(request: ApiRequest, resource: ResourceType, storage: ApiStorage): Answer {
  // The status of a new object is not for its creator to set.
  const { status: _status, ...rest } = bodyFor(request);
  const object = storedObjectFrom(rest);
  const manager = request.query.get('fieldManager') ?? String(request.headers['user-agent']).split('/')[0] ?? 'unknown';
  return { status: 201, body: storage.create(resource, object, manager) };
}

function apply(request: ApiRequest, resource: ResourceType, storage: ApiStorage): Answer {
  if (request.headers['content-type'] !== 'application/apply-patch+yaml') {
    throw new Refusal(415, 'UnsupportedMediaType', 'this server only patches by server-side apply');
  }
  const manager = request.query.get('fieldManager');
  if (manager === null || manager === '')
    throw new Refusal(400, 'BadRequest', 'fieldManager is required for apply patch');
  const object = bodyFor(request);
  if (object.metadata.name !== request.name) throw new Refusal(400, 'BadRequest', 'the name does not match the path');
  if (fieldAt(object, ['metadata', 'managedFields']) !== undefined) {
    throw new Refusal(400, 'BadRequest', 'metadata.managedFields must be nil');
  }
  const existed = storage.find(resource, request.namespace, object.metadata.name) !== undefined;
  const applied = storage.apply(resource, object, {
    manager,
    force: request.query.get('force') === 'true',
    subresource: request.subresource,
  });
  return { status: existed ? 200 : 201, body: applied };
}

function remove(request: ApiRequest, resource: ResourceType, storage: ApiStorage): Answer {
  const { name, namespace } = request;
  if (name === undefined) throw new Refusal(405, 'MethodNotAllowed', 'deleting collections is not served');
  const preconditions = fieldAt(request.body, ['preconditions']);
  const removed = storage.delete(resource, { namespace, name }, isJsonObject(preconditions) ? preconditions : {});
  return { status: 200, body: removed };
}

/** The object in the body, which must be one for the path. */
function bodyFor(request: ApiRequest): StoredObject {
  const object = storedObjectFrom(request.body);
  const { namespace } = object.metadata;
  if (namespace !== undefined && namespace !== request.namespace) {
    throw new Refusal(400, 'BadRequest', 'the namespace of the object does not match the request');
  }
  if (namespace === request.namespace) return object;
  const metadata: JsonObject = { ...object.metadata, namespace: request.namespace };
  return storedObjectFrom({ ...object, metadata });
}
