/**
 * Keys to work on: deduplicated, never worked on twice at once, delayed and retried with backoff; after client-go. And a line for
 * what there is only so much of.
 */
export { FairLine, type Supply } from './fair-line.ts';
export {
  WorkQueue,
  type Worker,
  type WorkQueueObserver,
  type WorkQueueOptions,
  type WorkQueueStats,
} from './work-queue.ts';
