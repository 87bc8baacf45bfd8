import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubeObject } from '../api/objects.ts';
import type { ResourceType } from '../kube/index.ts';
import { FaultPlan, WatchWriter, type Fault, type FaultScope } from './api-faults.ts';
import { answerTo } from './api-answers.ts';
import { readRequest, resourceOf, type ApiRequest } from './api-request.ts';
import { ApiStorage, Refusal, storedObjectFrom, type ServedType, type StoredChange } from './api-storage.ts';
import type { StoredObject } from './json.ts';
import { matchesSelectors } from './selectors.ts';

interface OpenWatch {
  readonly resource: ResourceType;
  readonly request: ApiRequest;
  readonly writer: WatchWriter;
  readonly response: ServerResponse;
}

/**
 * An API server in the test's own process, over plain HTTP/1.1: lists in pages, watches with bookmarks, server-side apply
 * with ownership, and every fault that a test plans. The same contract suite runs against it and against real clusters.
 */
export class ApiServer {
  /** Every request so far, as received. */
  readonly requests: ApiRequest[] = [];
  /** How many connections were ever opened. */
  connections = 0;
  readonly #storage: ApiStorage;
  readonly #faults = new FaultPlan();
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #watches = new Set<OpenWatch>();
  #directory = '';

  private constructor(now: () => number) {
    this.#storage = new ApiStorage(now);
    this.#storage.listen((change) => this.#tellWatches(change));
    this.#server = createServer((message, response) => void this.#handle(message, response));
    this.#server.on('connection', (socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  /** Starts a server for some types. */
  static async start(types: readonly (ResourceType | ServedType)[], now: () => number = Date.now): Promise<ApiServer> {
    const server = new ApiServer(now);
    for (const type of types) server.serve(type);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    server.#directory = await mkdtemp(join(tmpdir(), 'postern-api-'));
    await writeFile(server.kubeconfigPath, server.#kubeconfig());
    return server;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('The server does not listen');
    return `http://127.0.0.1:${address.port}`;
  }

  get kubeconfigPath(): string {
    return join(this.#directory, 'kubeconfig');
  }

  get openSockets(): number {
    return this.#sockets.size;
  }

  get openWatches(): number {
    return this.#watches.size;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.dropConnections();
    await closed;
    await rm(this.#directory, { recursive: true, force: true });
  }

  serve(type: ResourceType | ServedType): void {
    this.#storage.serve('resource' in type ? type : { resource: type });
  }

  /** Makes a type unknown, as when its CRD is deleted. */
  unserve(resource: ResourceType): void {
    this.#storage.unserve(resource);
    for (const watch of this.#watches) if (watch.resource.plural === resource.plural) watch.response.end();
  }

  /** Creates or replaces an object, status included, as another actor would. */
  write(resource: ResourceType, object: KubeObject): StoredObject {
    return this.#storage.write(resource, storedObjectFrom(object), 'another-actor');
  }

  /** Deletes an object as another actor would. */
  remove(resource: ResourceType, namespace: string | undefined, name: string): void {
    this.#storage.delete(resource, { namespace, name });
  }

  find(resource: ResourceType, namespace: string | undefined, name: string): StoredObject | undefined {
    return this.#storage.find(resource, namespace, name);
  }

  list(resource: ResourceType): readonly StoredObject[] {
    return this.#storage.list(resource);
  }

  fault(fault: Fault, scope: FaultScope = {}): void {
    this.#faults.add(fault, scope);
  }

  clearFaults(): void {
    this.#faults.clear();
  }

  /** Forgets the history: older versions are gone. */
  compact(): void {
    this.#storage.compact();
  }

  /** Tells the open watches the current version, as real servers do about once a minute. */
  bookmark(): void {
    const resourceVersion = String(this.#storage.revision);
    for (const { request, resource, writer } of this.#watches) {
      if (request.query.get('allowWatchBookmarks') !== 'true') continue;
      writer.send({ type: 'BOOKMARK', object: { kind: resource.kind, metadata: { resourceVersion } } });
    }
  }

  /** Ends all watches properly, as a server does when their time is over. */
  endWatches(): void {
    for (const { response } of this.#watches) response.end();
  }

  /** Cuts all connections, as a server that dies. */
  dropConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async #handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const request = await readRequest(message);
      this.requests.push(request);
      const fault = this.#faults.take(request.verb, request.plural);
      if (await this.#isSpoiledAtOnce(fault, response)) return;
      if (request.verb === 'watch') this.#watch(request, response, fault);
      else this.#answer(request, response, fault);
    } catch (error) {
      refuse(response, error instanceof Refusal ? error : new Refusal(500, 'InternalError', String(error)));
    }
  }

  async #isSpoiledAtOnce(fault: Fault | undefined, response: ServerResponse): Promise<boolean> {
    switch (fault?.type) {
      case 'Hold':
        await fault.until;
        return false;
      case 'Stall':
        return true;
      case 'HangUp':
        response.destroy();
        return true;
      case 'Status':
        if (fault.retryAfter !== undefined) response.setHeader('retry-after', fault.retryAfter);
        throw new Refusal(
          fault.status,
          fault.reason ?? 'Injected',
          fault.message ?? 'an injected fault',
          fault.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: fault.retryAfterSeconds },
        );
      default:
        return false;
    }
  }

  #answer(request: ApiRequest, response: ServerResponse, fault: Fault | undefined): void {
    const answer = answerTo(request, this.#storage);
    const text = JSON.stringify(answer.body);
    send(response, answer.status, fault?.type === 'Truncate' ? text.slice(0, text.length / 2) : text);
  }

  #watch(request: ApiRequest, response: ServerResponse, fault: Fault | undefined): void {
    const resource = resourceOf(request, this.#storage.servedTypes());
    const watch = { resource, request, response, writer: new WatchWriter(response, fault) };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const since = Number(request.query.get('resourceVersion') ?? 0);
    if (fault?.type === 'GoneEvent' || since < this.#storage.compactedRevision) {
      const refusal = new Refusal(410, 'Expired', 'too old resource version');
      new WatchWriter(response, undefined).send({ type: 'ERROR', object: statusFrom(refusal) });
      response.end();
      return;
    }
    if (fault?.type === 'End') {
      response.end();
      return;
    }
    this.#watches.add(watch);
    const seconds = Number(request.query.get('timeoutSeconds') ?? 3600);
    const timer = setTimeout(() => response.end(), seconds * 1000);
    response.on('close', () => {
      clearTimeout(timer);
      this.#watches.delete(watch);
    });
    for (const change of this.#storage.changesSince(since, resource)) tell(watch, change);
  }

  #tellWatches(change: StoredChange): void {
    const isOfKind = ({ resource: { plural, group } }: OpenWatch): boolean =>
      plural === change.resource.plural && group === change.resource.group;
    for (const watch of this.#watches) if (isOfKind(watch)) tell(watch, change);
  }

  #kubeconfig(): string {
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'test',
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      // Client-node refuses plain HTTP without this.
      clusters: [{ name: 'test', cluster: { server: this.url, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'test', user: { token: 'test-token' } }],
    });
  }
}

/** Sends a change to a watch in the terms of its selectors: what stops to match is deleted as far as it can see. */
function tell({ request, writer }: OpenWatch, change: StoredChange): void {
  const { object, previous } = change;
  if (request.namespace !== undefined && object.metadata.namespace !== request.namespace) return;
  const matches = change.type !== 'DELETED' && matchesSelectors(object, request.query);
  const matched = previous !== undefined && matchesSelectors(previous, request.query);
  if (matches) writer.send({ type: matched ? 'MODIFIED' : 'ADDED', object });
  else if (matched) writer.send({ type: 'DELETED', object });
}

function refuse(response: ServerResponse, refusal: Refusal): void {
  send(response, refusal.status, JSON.stringify(statusFrom(refusal)));
}

function send(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(text);
}

function statusFrom(refusal: Refusal): object {
  const { status, reason, message, details } = refusal;
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, reason, code: status, details };
}
