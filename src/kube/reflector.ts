import type { KubeObject } from '../api/objects.ts';
import type { Clock } from '../clock/index.ts';
import { pauseAfterFailure } from './backoff.ts';
import { WATCH_IDLE, type KubeClient } from './client.ts';
import { errorFromFailure, KubeError } from './errors.ts';
import type { Log } from './log.ts';
import { withoutManagedFields } from './managed-fields.ts';
import type { ResourceType } from './resource.ts';
import { ObjectStore, type Change, type Store } from './store.ts';
import type { WatchEvent } from './watch-stream.ts';

export interface ReflectorOptions<T extends KubeObject> {
  readonly client: KubeClient;
  readonly resource: ResourceType;
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** Told after the store has changed. Should do no more than enqueue a key. */
  readonly onChange: (change: Change<T>) => void;
  /** Drops what nobody reads before an object is kept. `managedFields` are always dropped. */
  readonly transform?: ((object: T) => T) | undefined;
  /** We may lack the permission to read this kind; that counts as having no objects, as an absent kind does. */
  readonly optional?: boolean | undefined;
  /** How long a watch may be silent. Default: 150 s, which two bookmarks of a healthy server fit into. */
  readonly idleTimeoutMs?: number | undefined;
}

/** Why a watch was opened again. Only `ended` and `idle` happen in a healthy cluster. */
export type ReconnectCause = 'ended' | 'idle' | 'short' | 'gone' | 'throttled' | 'malformed' | 'failed' | 'unavailable';

export interface ReflectorCounters {
  readonly lists: number;
  readonly changes: number;
  readonly parseFailures: number;
  readonly handlerFailures: number;
  readonly reconnects: Readonly<Record<ReconnectCause, number>>;
}

/** Whether the API server lets us see the kind at all. */
export type Availability = 'unknown' | 'served' | 'notServed' | 'forbidden';

const IDLE_TIMEOUT_MS = 150_000;
/** Watches are renewed at random times between one and two of these, so that they spread over servers and time. */
const WATCH_SECONDS = 300;
/** A server that does not end a watch at the time it was told is not waited for much longer. */
const OVERDUE_MS = 30_000;
/** A watch that ends sooner and brought nothing is a fault: opening it again at once would be a hot loop. */
const SHORT_WATCH_MS = 1_000;
/** A watch that held so long shows that the trouble before is over. */
const HEALTHY_WATCH_MS = 10_000;
/** After so many failures in a row the version itself is suspect (a server restored from backup): list again. */
const FAILURES_BEFORE_RELIST = 3;
/** A missed change would stay missed for ever without a list from time to time. */
const RELIST_AFTER_MS = 3_600_000;
const UNAVAILABLE_RETRY_MS = 60_000;
/** A restarting server may deny a kind for a moment; what the store holds is given up only after so many denials. */
const DENIALS_BEFORE_CLEARING = 3;

/** Keeps a store equal to what the API server has: lists, watches, and comes back after whatever goes wrong. */
export class Reflector<T extends KubeObject> {
  /** Resolves when the store has been filled for the first time; rejects if the run ends before. */
  readonly synced: Promise<void>;
  readonly #options: ReflectorOptions<T>;
  readonly #store = new ObjectStore<T>();
  readonly #synced = Promise.withResolvers<void>();
  #hasSynced = false;
  #availability: Availability = 'unknown';
  /** Where to watch from; undefined means that a list is due. */
  #version: string | undefined;
  #listedAt = 0;
  #heardAt: number | undefined;
  #failures = 0;
  #denials = 0;
  #lists = 0;
  #changes = 0;
  #parseFailures = 0;
  #handlerFailures = 0;
  readonly #reconnects: Record<ReconnectCause, number> = {
    ended: 0,
    idle: 0,
    short: 0,
    gone: 0,
    throttled: 0,
    malformed: 0,
    failed: 0,
    unavailable: 0,
  };

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.synced = this.#synced.promise;
    // Not everybody waits for it, and nobody should be forced to handle its rejection.
    this.synced.catch(() => {});
  }

  get store(): Store<T> {
    return this.#store;
  }

  get resource(): ResourceType {
    return this.#options.resource;
  }

  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  get availability(): Availability {
    return this.#availability;
  }

  get counters(): ReflectorCounters {
    return {
      lists: this.#lists,
      changes: this.#changes,
      parseFailures: this.#parseFailures,
      handlerFailures: this.#handlerFailures,
      reconnects: { ...this.#reconnects },
    };
  }

  /** Seconds since the server last said anything about this kind, bookmarks included, given the monotonic clock's time; undefined before the first time. */
  secondsSinceLastEvent(now: number): number | undefined {
    return this.#heardAt === undefined ? undefined : Math.max(0, now - this.#heardAt) / 1000;
  }

  /** Runs until the signal aborts. Never rejects: trouble with the API server is waited out. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const pauseMs = await this.#round(signal);
      if (pauseMs > 0 && !signal.aborted) await this.#options.clock.sleep(pauseMs, signal);
    }
    if (!this.#hasSynced) this.#synced.reject(new KubeError('Aborted', `Stopped before ${this.#plural} were listed`));
  }

  /** Lists if due, and watches once. Gives how long to pause before the next round. */
  async #round(signal: AbortSignal): Promise<number> {
    try {
      if (this.#isListDue()) await this.#list(signal);
      if (this.#version === undefined || signal.aborted) return 0;
      const cause = await this.#watch(this.#version, signal);
      if (cause === 'short') throw shortWatch(this.#plural);
      if (!signal.aborted) this.#reconnects[cause] += 1;
      return 0;
    } catch (failure) {
      if (signal.aborted) return 0;
      return this.#pauseAfter(errorFromFailure(`Reflecting ${this.#plural}`, failure));
    }
  }

  #isListDue(): boolean {
    return this.#version === undefined || this.#options.clock.monotonic() - this.#listedAt >= RELIST_AFTER_MS;
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { client, resource, namespace, labelSelector } = this.#options;
    const transform = (object: T): T => this.#transformed(object);
    const { items, resourceVersion } = await client.list<T>(resource, { namespace, labelSelector, transform, signal });
    if (signal.aborted) return;
    this.#version = resourceVersion;
    this.#listedAt = this.#options.clock.monotonic();
    this.#lists += 1;
    this.#denials = 0;
    this.#availability = 'served';
    this.#replace(items);
  }

  /** Follows one watch to its end and gives how it ended; throws if it failed. */
  async #watch(version: string, signal: AbortSignal): Promise<'ended' | 'short'> {
    const { client, resource, namespace, labelSelector, clock } = this.#options;
    const timeoutSeconds = Math.round(WATCH_SECONDS * (1 + clock.random()));
    const watching = new AbortController();
    const stop = (): void => watching.abort();
    signal.addEventListener('abort', stop, { once: true });
    void clock.sleep(timeoutSeconds * 1000 + OVERDUE_MS, watching.signal).then(stop);
    const startedAt = clock.monotonic();
    try {
      const events = client.watch<T>(resource, {
        namespace,
        labelSelector,
        resourceVersion: version,
        timeoutSeconds,
        idleTimeoutMs: this.#options.idleTimeoutMs ?? IDLE_TIMEOUT_MS,
        signal: watching.signal,
      });
      for await (const event of events) {
        if (signal.aborted) return 'ended';
        this.#take(event);
      }
    } catch (error) {
      if (!watching.signal.aborted) throw error;
    } finally {
      signal.removeEventListener('abort', stop);
      stop();
      const heldMs = clock.monotonic() - startedAt;
      if (this.#version !== version || heldMs >= HEALTHY_WATCH_MS) this.#failures = 0;
    }
    const isShort = this.#version === version && clock.monotonic() - startedAt < SHORT_WATCH_MS;
    return isShort ? 'short' : 'ended';
  }

  #take(event: WatchEvent<T>): void {
    this.#heardAt = this.#options.clock.monotonic();
    if (event.type === 'Bookmark') {
      this.#version = event.resourceVersion;
      return;
    }
    const object = this.#transformed(event.object);
    this.#deliver(event.type === 'Deleted' ? this.#store.delete(object) : this.#store.put(object));
    this.#version = event.object.metadata.resourceVersion;
  }

  #pauseAfter(error: KubeError): number {
    const { clock, log } = this.#options;
    if (error.code === 'NotFound') return this.#pauseWhileDenied('notServed', error);
    if (error.code === 'Forbidden' && this.#options.optional === true)
      return this.#pauseWhileDenied('forbidden', error);

    const cause = causeOf(error);
    this.#reconnects[cause] += 1;
    if (cause === 'malformed') this.#parseFailures += 1;
    // Silence is no fault: quiet servers that send no bookmarks exist. And it took too long to make a hot loop.
    if (cause === 'idle') return 0;

    this.#failures += 1;
    const isFirst = this.#failures === 1;
    if (cause === 'gone' || this.#failures >= FAILURES_BEFORE_RELIST) this.#version = undefined;
    const pauseMs = cause === 'gone' && isFirst ? 0 : pauseAfterFailure(this.#failures, error, clock);
    const fields = { resource: this.#plural, failures: this.#failures, pauseMs, code: error.code, err: error.message };
    if (this.#failures >= FAILURES_BEFORE_RELIST) log.warn(fields, 'Watching keeps failing');
    else log.debug(fields, 'Watching failed');
    return pauseMs;
  }

  /** The kind is not installed, or not for us to see: as good as empty, and looked after once in a while. */
  #pauseWhileDenied(availability: 'notServed' | 'forbidden', error: KubeError): number {
    const { clock, log } = this.#options;
    this.#reconnects.unavailable += 1;
    this.#denials += 1;
    this.#version = undefined;
    if (this.#store.size > 0 && this.#denials < DENIALS_BEFORE_CLEARING) {
      return pauseAfterFailure(this.#denials, error, clock);
    }
    if (this.#availability !== availability) {
      this.#availability = availability;
      log.info({ resource: this.#plural, availability }, 'Kind is unavailable and counts as empty');
    }
    this.#replace([]);
    return UNAVAILABLE_RETRY_MS * (0.9 + clock.random() / 5);
  }

  #replace(objects: readonly T[]): void {
    this.#heardAt = this.#options.clock.monotonic();
    this.#deliver(this.#store.replace(objects));
    if (this.#hasSynced) return;
    this.#hasSynced = true;
    this.#synced.resolve();
  }

  #deliver(changes: readonly Change<T>[]): void {
    for (const change of changes) {
      this.#changes += 1;
      try {
        this.#options.onChange(change);
      } catch (error) {
        this.#countHandlerFailure(error);
      }
    }
  }

  #transformed(object: T): T {
    const slim = withoutManagedFields(object);
    try {
      return this.#options.transform?.(slim) ?? slim;
    } catch (error) {
      this.#countHandlerFailure(error);
      return slim;
    }
  }

  #countHandlerFailure(error: unknown): void {
    this.#handlerFailures += 1;
    this.#options.log.warn({ resource: this.#plural, err: error }, 'A handler of changes threw');
  }

  get #plural(): string {
    return this.#options.resource.plural;
  }
}

const SHORT_WATCH = 'WatchShort';

function shortWatch(plural: string): KubeError {
  return new KubeError('Network', `Watching ${plural}: ended at once`, { reason: SHORT_WATCH });
}

function causeOf(error: KubeError): ReconnectCause {
  if (error.reason === SHORT_WATCH) return 'short';
  if (error.reason === WATCH_IDLE) return 'idle';
  if (error.code === 'Gone') return 'gone';
  if (error.code === 'TooManyRequests') return 'throttled';
  return error.code === 'Malformed' ? 'malformed' : 'failed';
}
