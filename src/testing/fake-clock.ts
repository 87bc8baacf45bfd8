import type { Clock } from '../clock/index.ts';

interface Sleeper {
  readonly due: number;
  readonly wake: () => void;
}

const monotonicOrigin = Date.UTC(2025, 11, 31);

/** A clock that stands still until it is told to advance. Its dice always show the middle unless told otherwise. */
export class FakeClock implements Clock {
  readonly #sleepers = new Set<Sleeper>();
  readonly #random: () => number;
  #now: number;
  #jumpedMs = 0;

  constructor(options: { readonly startMs?: number; readonly random?: () => number } = {}) {
    this.#now = options.startMs ?? Date.UTC(2026, 0, 1);
    this.#random = options.random ?? (() => 0.5);
  }

  now(): number {
    return this.#now + this.#jumpedMs;
  }

  /** Of another order than the time since the epoch, so that whatever takes one for the other goes wrong. */
  monotonic(): number {
    return this.#now - monotonicOrigin;
  }

  /** Somebody sets the machine's clock. */
  jump(ms: number): void {
    this.#jumpedMs += ms;
  }

  random(): number {
    return this.#random();
  }

  /** The pending sleeps, as milliseconds from now, shortest first. */
  get sleeps(): readonly number[] {
    return [...this.#sleepers].map(({ due }) => due - this.#now).toSorted((a, b) => a - b);
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#sleepers.delete(sleeper);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const sleeper = { due: this.#now + Math.max(0, ms), wake };
      this.#sleepers.add(sleeper);
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  /** Lets time pass: wakes sleepers in the order of their times, and lets each act before the next wakes. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await settle();
      const [next] = [...this.#sleepers].filter(({ due }) => due <= end).toSorted((a, b) => a.due - b.due);
      if (next === undefined) break;
      this.#now = Math.max(this.#now, next.due);
      next.wake();
    }
    this.#now = end;
    await settle();
  }
}

/** Lets everything run that needs neither time nor the network. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
}

/** Waits until something becomes true in real time: for what sockets do, which no fake clock controls. */
export async function eventually(isTrue: () => boolean, what: string, withinMs = 30_000): Promise<void> {
  const end = performance.now() + withinMs;
  while (!isTrue()) {
    if (performance.now() > end) throw new Error(`Waited in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
