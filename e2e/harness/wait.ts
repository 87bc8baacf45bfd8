import { setTimeout as delay } from 'node:timers/promises';

/** How long to wait, and for what. */
export interface Waiting {
  /** Completes the sentence "waited in vain for …". */
  readonly what: string;
  readonly timeoutMs: number;
  readonly everyMs?: number;
  /** Told at each look that was not the last. */
  readonly onLook?: (elapsedMs: number) => void;
}

/**
 * Looks until there is something to see, and gives it.
 *
 * @throws Error with what was seen last if nothing comes in time.
 */
export async function waitFor<T>(look: () => Promise<T | undefined | false>, waiting: Waiting): Promise<T> {
  const start = performance.now();
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    const elapsedMs = performance.now() - start;
    if (elapsedMs > waiting.timeoutMs) {
      throw new Error(`waited ${Math.round(elapsedMs / 1000)} s in vain for ${waiting.what}`);
    }
    waiting.onLook?.(elapsedMs);
    await delay(waiting.everyMs ?? 500);
  }
}
