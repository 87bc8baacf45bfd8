import type { Clock } from '../clock/index.ts';
import type { KubeError } from './errors.ts';

const FIRST_MS = 500;
const LONGEST_MS = 30_000;
/** No server asks for more; a broken clock or header might. */
const LONGEST_RETRY_AFTER_MS = 300_000;

/** How long to stay away after so many failures in a row: doubling, with jitter, and never less than the server asks. */
export function pauseAfterFailure(failures: number, error: KubeError, clock: Clock): number {
  const backoff = Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1)) * (0.5 + clock.random() / 2);
  const asked = Math.min(LONGEST_RETRY_AFTER_MS, (error.retryAfterSeconds ?? 0) * 1000);
  // Everybody was asked to come back then, so come a little later.
  return Math.max(backoff, asked * (1 + clock.random() / 10));
}
