/** Ctrl-C in the middle: what runs is given up, and everything that was changed is taken back before the process ends. */
import process from 'node:process';

const controller = new AbortController();

/** Aborts at the first signal to end. */
export const interruption = controller.signal;

/** From now on a first signal to end only interrupts; a second one ends the process at once. */
export function heedSignals(say: (text: string) => void): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (interruption.aborted) process.exit(130);
      say('Interrupted: putting the cluster back in order. Once more to leave it as it is.');
      controller.abort(new Error('interrupted'));
    });
  }
}
