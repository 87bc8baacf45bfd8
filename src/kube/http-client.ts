import type { KubeObject } from '../api/objects.ts';
import { systemClock } from '../clock/index.ts';
import {
  WATCH_IDLE,
  type ApplyOptions,
  type CreateOptions,
  type DeleteOptions,
  type GetOptions,
  type KubeClient,
  type KubeClientOptions,
  type ListOptions,
  type WatchOptions,
} from './client.ts';
import { inClusterCredentials, kubeconfigCredentials } from './credentials.ts';
import { errorFromFailure, isKubeError, KubeError } from './errors.ts';
import { isObjectOf, isRecord } from './json.ts';
import { listPageFrom } from './list-page.ts';
import { withoutManagedFields } from './managed-fields.ts';
import { apiVersionOf, collectionPath, creationPath, groupPath, objectPath, type ResourceType } from './resource.ts';
import { Transport, type KubeRequest, type RequestObserver } from './transport.ts';
import { linesOf, watchEventFrom, type WatchEvent } from './watch-stream.ts';

/** A client for one API server. Reads no file and opens no connection before the first request. */
export function createKubeClient(options: KubeClientOptions): KubeClient {
  const clock = options.clock ?? systemClock;
  const credentials =
    options.inCluster === undefined
      ? kubeconfigCredentials({ path: options.kubeconfigPath, context: options.context })
      : inClusterCredentials(options.inCluster, clock);
  const transport = new Transport({
    credentials,
    userAgent: options.userAgent,
    requestTimeoutMs: options.requestTimeoutMs,
    clock,
  });
  const observers = options.onRequest === undefined ? [] : [options.onRequest];
  return new TransportClient(transport, observers, () => transport.close());
}

/** As client-go: small enough for the server to serve quickly, large enough for few round trips. */
const PAGE_SIZE = 500;

class TransportClient implements KubeClient {
  readonly #transport: Transport;
  readonly #observers: readonly RequestObserver[];
  readonly #onClose: () => Promise<void>;

  constructor(transport: Transport, observers: readonly RequestObserver[], onClose: () => Promise<void>) {
    this.#transport = transport;
    this.#observers = observers;
    this.#onClose = onClose;
  }

  async list<T extends KubeObject>(
    resource: ResourceType,
    options: ListOptions<T>,
  ): Promise<{ items: T[]; resourceVersion: string }> {
    try {
      return await this.#listPages(resource, options, PAGE_SIZE);
    } catch (error) {
      // The version that the pages belong to expired between them: only a list in one piece is sure to end.
      if (isKubeError(error, 'Gone') && !options.signal.aborted) return this.#listPages(resource, options, undefined);
      throw error;
    }
  }

  async get<T extends KubeObject>(resource: ResourceType, options: GetOptions): Promise<T> {
    return this.#object<T>({
      verb: 'get',
      resource: resource.plural,
      attempted: attempt('Reading', resource, options),
      method: 'GET',
      path: objectPath(resource, options.namespace, options.name),
      signal: options.signal,
    });
  }

  async create<T extends KubeObject>(resource: ResourceType, object: T, options: CreateOptions): Promise<T> {
    return this.#object<T>({
      verb: 'create',
      resource: resource.plural,
      attempted: attempt('Creating', resource, object.metadata),
      method: 'POST',
      path: creationPath(resource, object.metadata.namespace),
      body: object,
      signal: options.signal,
    });
  }

  async apply<T extends KubeObject>(resource: ResourceType, object: T, options: ApplyOptions): Promise<T> {
    const subresource = options.subresource === undefined ? '' : `/${options.subresource}`;
    return this.#object<T>({
      verb: 'apply',
      resource: resource.plural,
      attempted: attempt(
        `Applying${subresource === '' ? '' : ` the ${options.subresource} of`}`,
        resource,
        object.metadata,
      ),
      method: 'PATCH',
      path: objectPath(resource, object.metadata.namespace, object.metadata.name) + subresource,
      query: { fieldManager: options.fieldManager, force: String(options.force) },
      // JSON is YAML, and the only form that every API server takes.
      contentType: 'application/apply-patch+yaml',
      // The API server refuses an apply that carries them, and every object that was read does.
      body: withoutManagedFields(object),
      signal: options.signal,
    });
  }

  async delete(resource: ResourceType, options: DeleteOptions): Promise<void> {
    const preconditions = {
      ...(options.uid === undefined ? {} : { uid: options.uid }),
      ...(options.resourceVersion === undefined ? {} : { resourceVersion: options.resourceVersion }),
    };
    try {
      await this.#json({
        verb: 'delete',
        resource: resource.plural,
        attempted: attempt('Deleting', resource, options),
        method: 'DELETE',
        path: objectPath(resource, options.namespace, options.name),
        body: {
          apiVersion: 'v1',
          kind: 'DeleteOptions',
          ...(Object.keys(preconditions).length === 0 ? {} : { preconditions }),
          ...(options.gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds: options.gracePeriodSeconds }),
          ...(options.propagationPolicy === undefined ? {} : { propagationPolicy: options.propagationPolicy }),
        },
        signal: options.signal,
      });
    } catch (error) {
      if (!isKubeError(error, 'NotFound')) throw error;
    }
  }

  async *watch<T extends KubeObject>(
    resource: ResourceType,
    options: WatchOptions,
  ): AsyncGenerator<WatchEvent<T>, void, void> {
    const attempted = attempt('Watching', resource, options);
    const stream = await this.#transport.stream(
      {
        verb: 'watch',
        resource: resource.plural,
        attempted,
        method: 'GET',
        path: collectionPath(resource, options.namespace),
        query: {
          watch: 'true',
          allowWatchBookmarks: 'true',
          resourceVersion: options.resourceVersion,
          timeoutSeconds: String(options.timeoutSeconds),
          labelSelector: options.labelSelector,
          fieldSelector: options.fieldSelector,
        },
        signal: options.signal,
      },
      this.#observers,
      options.idleTimeoutMs,
    );
    try {
      for await (const line of linesOf(stream.bytes)) yield watchEventFrom<T>(line, attempted);
    } catch (error) {
      throw streamError(error, attempted, options.signal);
    } finally {
      stream.release();
    }
  }

  async isServed(resource: ResourceType, signal: AbortSignal): Promise<boolean> {
    try {
      const found = await this.#json({
        verb: 'discover',
        resource: resource.plural,
        attempted: `Discovering ${apiVersionOf(resource)}`,
        method: 'GET',
        path: groupPath(resource),
        signal,
      });
      const served = isRecord(found) && Array.isArray(found['resources']) ? found['resources'] : [];
      return served.some((each: unknown) => isRecord(each) && each['name'] === resource.plural);
    } catch (error) {
      if (isKubeError(error, 'NotFound')) return false;
      throw error;
    }
  }

  withObserver(observer: RequestObserver): KubeClient {
    return new TransportClient(this.#transport, [...this.#observers, observer], () => Promise.resolve());
  }

  async close(): Promise<void> {
    await this.#onClose();
  }

  async #listPages<T extends KubeObject>(
    resource: ResourceType,
    options: ListOptions<T>,
    pageSize: number | undefined,
  ): Promise<{ items: T[]; resourceVersion: string }> {
    const items: T[] = [];
    const attempted = attempt('Listing', resource, options);
    let next: string | undefined;
    for (;;) {
      const answer = await this.#json({
        verb: 'list',
        resource: resource.plural,
        attempted,
        method: 'GET',
        path: collectionPath(resource, options.namespace),
        query: {
          limit: pageSize?.toString(),
          continue: next,
          labelSelector: options.labelSelector,
          fieldSelector: options.fieldSelector,
        },
        signal: options.signal,
      });
      const page = listPageFrom<T>(answer, resource, attempted);
      for (const item of page.items) items.push(options.transform?.(item) ?? item);
      next = page.next;
      if (next === undefined) return { items, resourceVersion: page.resourceVersion };
    }
  }

  async #object<T extends KubeObject>(request: KubeRequest): Promise<T> {
    const answer = await this.#json(request);
    if (!isObjectOf<T>(answer)) throw new KubeError('Malformed', `${request.attempted}: the answer is not an object`);
    return answer;
  }

  async #json(request: KubeRequest): Promise<unknown> {
    return this.#transport.json(request, this.#observers);
  }
}

function streamError(failure: unknown, attempted: string, signal: AbortSignal): KubeError {
  if (signal.aborted) return new KubeError('Aborted', `${attempted}: aborted`);
  const error = errorFromFailure(attempted, failure);
  if (error.code !== 'Timeout' || error.status !== undefined) return error;
  return new KubeError('Timeout', error.message, { reason: WATCH_IDLE, cause: failure });
}

function attempt(
  doing: string,
  resource: ResourceType,
  on: { readonly namespace?: string | undefined; readonly name?: string | undefined },
): string {
  const place = [on.namespace, on.name].filter((part) => part !== undefined).join('/');
  return `${doing} ${resource.plural}${place === '' ? '' : ` ${place}`}`;
}
