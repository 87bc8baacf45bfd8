import type { Clock } from '../clock/index.ts';

/** Works on one key. Throwing means: again later, with backoff. Should return soon once the signal aborts. */
export type Worker = (key: string, signal: AbortSignal) => Promise<void>;

/** Told what the queue does, for metrics. Must not throw. */
export interface WorkQueueObserver {
  /** The number of keys that wait for a worker changed. */
  depth?(depth: number): void;
  /** A key was queued; keys that were queued already are not counted. */
  added?(): void;
  /** A key was scheduled with backoff. */
  retried?(): void;
  /** A worker took a key that had waited so long. */
  waited?(seconds: number): void;
  /** A worker is done with a key. */
  worked?(seconds: number): void;
  /** A worker threw; the key is tried again. */
  failed?(key: string, error: unknown): void;
}

export interface WorkQueueOptions {
  readonly clock: Clock;
  /** The pause after the first failure of a key. Default: 1 s. */
  readonly baseDelayMs?: number | undefined;
  /** The longest pause. Default: 5 min. */
  readonly maxDelayMs?: number | undefined;
  readonly observer?: WorkQueueObserver | undefined;
  /** Whom a key belongs to. Groups take turns, so that many keys of one do not delay another's. Default: all are one group. */
  readonly groupOf?: ((key: string) => string) | undefined;
}

export interface WorkQueueStats {
  /** Keys that wait for a worker. */
  readonly depth: number;
  /** Keys that will be queued at a later time. */
  readonly delayed: number;
  /** Keys that are worked on. */
  readonly running: number;
  /** The sum of the time spent so far on keys that are worked on. */
  readonly unfinishedSeconds: number;
  readonly longestRunningSeconds: number;
}

interface Delay {
  readonly due: number;
  readonly cancel: AbortController;
}

interface Crew {
  readonly worker: Worker;
  readonly concurrency: number;
  readonly signal: AbortSignal;
  readonly onIdle: () => void;
}

/** A queue of keys. Keys added while they are worked on are queued again when that is done. */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #baseDelayMs: number;
  readonly #maxDelayMs: number;
  readonly #observer: WorkQueueObserver;
  readonly #groupOf: (key: string) => string;
  /** Key → since when it waits. */
  readonly #waiting = new Map<string, number>();
  /** The keys that wait by group, first come first served; the groups stand in the order of their turns. */
  readonly #turns = new Map<string, Set<string>>();
  /** Key → since when it is worked on. */
  readonly #running = new Map<string, number>();
  /** Keys that were added while they were worked on. */
  readonly #dirty = new Map<string, number>();
  readonly #delayed = new Map<string, Delay>();
  readonly #failures = new Map<string, number>();
  #crew: Crew | undefined;
  #stopped = false;

  constructor(options: WorkQueueOptions) {
    this.#clock = options.clock;
    this.#baseDelayMs = options.baseDelayMs ?? 1_000;
    this.#maxDelayMs = options.maxDelayMs ?? 300_000;
    this.#observer = options.observer ?? {};
    this.#groupOf = options.groupOf ?? (() => '');
  }

  /** Queues a key. Does nothing if it is queued already. */
  add(key: string): void {
    if (this.#stopped || this.#waiting.has(key) || this.#dirty.has(key)) return;
    this.#observer.added?.();
    if (this.#running.has(key)) {
      this.#dirty.set(key, this.#clock.monotonic());
      return;
    }
    this.#enqueue(key, this.#clock.monotonic());
  }

  /** Queues a key after a time. Of several times the earliest counts. */
  addAfter(key: string, ms: number): void {
    if (this.#stopped) return;
    if (!(ms > 0)) {
      this.add(key);
      return;
    }
    const due = this.#clock.monotonic() + ms;
    const earlier = this.#delayed.get(key);
    if (earlier !== undefined && earlier.due <= due) return;
    earlier?.cancel.abort();
    const delay = { due, cancel: new AbortController() };
    this.#delayed.set(key, delay);
    void this.#addWhenDue(key, delay, ms);
  }

  /** Queues a key after a time that doubles with every call until the key is forgotten. */
  addRateLimited(key: string): void {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.#observer.retried?.();
    const backoff = Math.min(this.#maxDelayMs, this.#baseDelayMs * 2 ** failures);
    this.addAfter(key, backoff * (0.5 + this.#clock.random() / 2));
  }

  /** Starts the backoff of a key from the beginning. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /**
   * Drops what is kept about a key whose object is gone: its backoff and its delayed add. If the key was added without
   * delay it is still handed out, because that may be the news of a new object of the same name.
   */
  remove(key: string): void {
    this.forget(key);
    this.#delayed.get(key)?.cancel.abort();
    this.#delayed.delete(key);
  }

  /** How often in a row a key was rate limited. */
  failuresOf(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** What the queue holds at the moment. */
  stats(): WorkQueueStats {
    const now = this.#clock.monotonic();
    const seconds = [...this.#running.values()].map((since) => Math.max(0, now - since) / 1000);
    return {
      depth: this.#waiting.size,
      delayed: this.#delayed.size,
      running: this.#running.size,
      unfinishedSeconds: seconds.reduce((sum, each) => sum + each, 0),
      longestRunningSeconds: Math.max(0, ...seconds),
    };
  }

  /**
   * Hands keys to the worker, at most `concurrency` at once, until the signal aborts; then waits for those under way.
   * A worker that returns without having rate limited its key forgets the key's backoff.
   */
  async run(worker: Worker, options: { readonly concurrency: number; readonly signal: AbortSignal }): Promise<void> {
    if (this.#crew !== undefined || this.#stopped) throw new Error('A work queue runs once');
    const { signal, concurrency } = options;
    const idle = Promise.withResolvers<void>();
    this.#crew = { worker, concurrency, signal, onIdle: idle.resolve };
    const stop = (): void => this.#stop(idle.resolve);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    this.#startWork();
    await idle.promise;
  }

  #stop(onIdle: () => void): void {
    this.#stopped = true;
    for (const delay of this.#delayed.values()) delay.cancel.abort();
    this.#delayed.clear();
    this.#waiting.clear();
    this.#turns.clear();
    this.#dirty.clear();
    this.#observer.depth?.(0);
    if (this.#running.size === 0) onIdle();
  }

  async #addWhenDue(key: string, delay: Delay, ms: number): Promise<void> {
    await this.#clock.sleep(ms, delay.cancel.signal);
    if (this.#delayed.get(key) !== delay) return;
    this.#delayed.delete(key);
    this.add(key);
  }

  #enqueue(key: string, since: number): void {
    this.#waiting.set(key, since);
    const group = this.#groupOf(key);
    this.#turns.set(group, (this.#turns.get(group) ?? new Set()).add(key));
    this.#observer.depth?.(this.#waiting.size);
    this.#startWork();
  }

  #startWork(): void {
    const crew = this.#crew;
    if (crew === undefined || this.#stopped) return;
    while (this.#running.size < crew.concurrency) {
      const key = this.#takeTurn();
      if (key === undefined) return;
      const since = this.#waiting.get(key) ?? this.#clock.now();
      this.#waiting.delete(key);
      this.#running.set(key, this.#clock.monotonic());
      this.#observer.depth?.(this.#waiting.size);
      this.#observer.waited?.(Math.max(0, this.#clock.monotonic() - since) / 1000);
      void this.#work(key, crew);
    }
  }

  /** The first key of the group whose turn it is; that group's next turn is after those of all others. */
  #takeTurn(): string | undefined {
    for (const [group, keys] of this.#turns) {
      this.#turns.delete(group);
      const [key] = keys;
      if (key === undefined) continue;
      keys.delete(key);
      if (keys.size > 0) this.#turns.set(group, keys);
      return key;
    }
    return undefined;
  }

  async #work(key: string, crew: Crew): Promise<void> {
    const startedAt = this.#clock.monotonic();
    const failuresBefore = this.failuresOf(key);
    try {
      // Whoever adds a key goes on first.
      await Promise.resolve();
      await crew.worker(key, crew.signal);
      if (this.failuresOf(key) === failuresBefore) this.forget(key);
    } catch (error) {
      if (!crew.signal.aborted) {
        this.#observer.failed?.(key, error);
        this.addRateLimited(key);
      }
    }
    this.#observer.worked?.(Math.max(0, this.#clock.monotonic() - startedAt) / 1000);
    this.#running.delete(key);
    this.#workDone(key, crew);
  }

  #workDone(key: string, crew: Crew): void {
    if (this.#stopped) {
      if (this.#running.size === 0) crew.onIdle();
      return;
    }
    const dirtySince = this.#dirty.get(key);
    this.#dirty.delete(key);
    if (dirtySince !== undefined) this.#enqueue(key, dirtySince);
    else this.#startWork();
  }
}
