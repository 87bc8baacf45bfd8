/** Keys to work on: deduplicated, never worked on twice at once, delayed and retried with backoff; after client-go. */

export {
  WorkQueue,
  type Worker,
  type WorkQueueObserver,
  type WorkQueueOptions,
  type WorkQueueStats,
} from './work-queue.ts';
