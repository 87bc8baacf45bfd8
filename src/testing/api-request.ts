import type { IncomingMessage } from 'node:http';
import type { ResourceType } from '../kube/index.ts';
import { Refusal } from './api-storage.ts';

/** What a request asks for, by its method and path. */
export interface ApiRequest {
  readonly verb: string;
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
  readonly group: string;
  readonly version: string;
  /** Empty for discovery. */
  readonly plural: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

/** Reads a request with its body. */
export async function readRequest(message: IncomingMessage): Promise<ApiRequest> {
  const url = new URL(message.url ?? '/', 'http://localhost');
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(Buffer.from(chunk));
  const method = message.method ?? 'GET';
  const place = placeOf(url.pathname);
  return {
    ...place,
    verb: verbOf(method, place, url.searchParams),
    method,
    path: url.pathname,
    query: url.searchParams,
    headers: message.headers,
    body: bodyFrom(Buffer.concat(chunks).toString('utf8')),
  };
}

/** The type that a request addresses, among those that are served. */
export function resourceOf(request: ApiRequest, served: readonly ResourceType[]): ResourceType {
  const found = served.find(
    ({ group, version, plural }) => group === request.group && version === request.version && plural === request.plural,
  );
  if (found === undefined) throw new Refusal(404, 'NotFound', 'the server could not find the requested resource');
  return found;
}

type Place = Pick<ApiRequest, 'group' | 'version' | 'plural' | 'namespace' | 'name' | 'subresource'>;

function placeOf(path: string): Place {
  const [, root, ...segments] = path.split('/').map(decodeURIComponent);
  const group = root === 'apis' ? (segments.shift() ?? '') : '';
  const version = segments.shift() ?? '';
  // "namespaces/x" alone is the object x; with more behind it, it is a scope.
  const isScoped = segments[0] === 'namespaces' && segments.length > 2 && segments[2] !== 'status';
  const namespace = isScoped ? segments[1] : undefined;
  const [plural = '', name, subresource] = isScoped ? segments.slice(2) : segments;
  return { group, version, plural, namespace, name, subresource };
}

function verbOf(method: string, place: Place, query: URLSearchParams): string {
  if (place.plural === '') return 'discover';
  switch (method) {
    case 'GET':
      if (place.name !== undefined) return 'get';
      return query.get('watch') === 'true' ? 'watch' : 'list';
    case 'POST':
      return 'create';
    case 'PATCH':
      return 'apply';
    case 'DELETE':
      return 'delete';
    default:
      return method.toLowerCase();
  }
}

function bodyFrom(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal(400, 'BadRequest', 'the body is not JSON');
  }
}
