import type { KubeObject } from '../api/objects.ts';
import type { Clock } from '../clock/index.ts';
import type { InCluster } from './credentials.ts';
import type { ResourceType } from './resource.ts';
import type { RequestObserver } from './transport.ts';
import type { WatchEvent } from './watch-stream.ts';

export interface ListOptions<T extends KubeObject> {
  /** All namespaces if left out. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Applied to each object as its page arrives, so that what it drops does not pile up. */
  readonly transform?: ((object: T) => T) | undefined;
  readonly signal: AbortSignal;
}

export interface GetOptions {
  readonly namespace?: string | undefined;
  readonly name: string;
  readonly signal: AbortSignal;
}

export interface CreateOptions {
  readonly signal: AbortSignal;
}

export interface ApplyOptions {
  readonly fieldManager: string;
  readonly subresource?: 'status' | undefined;
  /** Take over fields that another manager owns; without it they are a `Conflict`. */
  readonly force: boolean;
  readonly signal: AbortSignal;
}

export interface DeleteOptions extends GetOptions {
  /** Delete only the object with this uid; another one is a `Conflict`. */
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly gracePeriodSeconds?: number | undefined;
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground' | undefined;
}

export interface WatchOptions {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly resourceVersion: string;
  /** After this time the server ends the watch. */
  readonly timeoutSeconds: number;
  /** After this time without a byte the watch fails with `Timeout`. Servers send bookmarks about once a minute. */
  readonly idleTimeoutMs: number;
  readonly signal: AbortSignal;
}

/** The Kubernetes API as raw JSON. Every failure is a KubeError; nothing is retried here. */
export interface KubeClient {
  /** Reads all objects, page by page, as of one version. */
  list<T extends KubeObject>(
    resource: ResourceType,
    options: ListOptions<T>,
  ): Promise<{ items: T[]; resourceVersion: string }>;
  /** Reads one object. */
  get<T extends KubeObject>(resource: ResourceType, options: GetOptions): Promise<T>;
  /** Creates an object in the namespace of its metadata. */
  create<T extends KubeObject>(resource: ResourceType, object: T, options: CreateOptions): Promise<T>;
  /** Server-side apply: creates or changes exactly the fields that the object has. */
  apply<T extends KubeObject>(resource: ResourceType, object: T, options: ApplyOptions): Promise<T>;
  /** Deletes an object; that there is none is success. */
  delete(resource: ResourceType, options: DeleteOptions): Promise<void>;
  /** The changes since a version, until the server ends the watch (then it just finishes) or it fails. */
  watch<T extends KubeObject>(resource: ResourceType, options: WatchOptions): AsyncIterable<WatchEvent<T>>;
  /** Whether the API server knows the type: custom kinds may not be installed. */
  isServed(resource: ResourceType, signal: AbortSignal): Promise<boolean>;
  /** The same client and connections with one more observer, for example to count the requests of one run. */
  withObserver(observer: RequestObserver): KubeClient;
  /** Ends all connections, also those of watches. A client made by `withObserver` owns none, and does nothing. */
  close(): Promise<void>;
}

export interface KubeClientOptions {
  /** The kubeconfig to use. Without it and `inCluster`: the one that kubectl would take. */
  readonly kubeconfigPath?: string | undefined;
  /** The context of the kubeconfig, if not its current one. */
  readonly context?: string | undefined;
  /** Use the service account of this pod. */
  readonly inCluster?: InCluster | undefined;
  readonly userAgent: string;
  /** The longest silence before and within an answer. A whole request may take twice as long. */
  readonly requestTimeoutMs: number;
  readonly onRequest?: RequestObserver | undefined;
  readonly clock?: Clock | undefined;
}

/** The `reason` of the `Timeout` that ends a watch which was silent for too long. */
export const WATCH_IDLE = 'WatchIdle';
