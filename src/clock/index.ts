/** Time and chance, passed in, so that everything that waits or rolls dice can be tested without waiting or luck. */

import { setTimeout as delay } from 'node:timers/promises';

export interface Clock {
  /** Milliseconds since the Unix epoch, for what is written down. It jumps when somebody sets the machine's clock. */
  now(): number;
  /** Milliseconds from an arbitrary moment, only ever forward: for durations and deadlines within this process. Not to be shown or stored. */
  monotonic(): number;
  /** Resolves after `ms`, or as soon as the signal aborts: abort is not an error, so look at the signal afterwards. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** A number in [0, 1). */
  random(): number;
}

/** Node truncates longer timers to one millisecond. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  random: () => Math.random(),
  sleep: sleepOnTimer,
};

async function sleepOnTimer(ms: number, signal: AbortSignal): Promise<void> {
  let remaining = Math.max(0, ms);
  do {
    const slice = Math.min(remaining, LONGEST_TIMER_MS);
    try {
      await delay(slice, undefined, { signal });
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    remaining -= slice;
  } while (remaining > 0);
}
