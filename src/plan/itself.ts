import type { Pod } from '../api/index.ts';
import type { Finding } from './finding.ts';
import type { Target } from './target.ts';

/**
 * Whether whoever wears an identity would connect to itself: one pod is all of both. Network plugins differ on that path, and
 * the API leaves it undefined (kubernetes/kubernetes#95879); a look-alike, being another pod, does not take it at all.
 */
export function isItself(wearers: readonly Pod[] | undefined, { podUids }: Target): boolean {
  return wearers?.length === 1 && podUids.length === 1 && wearers[0]?.metadata.uid === podUids[0];
}

/** Whether a pod of the source may meet itself behind the target, among others. */
export function mayMeetItself(wearers: readonly Pod[] | undefined, { podUids }: Target): boolean {
  return podUids.length > 1 && wearers?.some(({ metadata }) => podUids.includes(metadata.uid ?? '')) === true;
}

/** What a verdict adds that says nothing about that path. */
export const noteOnItself = 'The path of a pod to itself is left out: network policies do not define it.';

export function pathToItself(source: string): Finding {
  return {
    reason: 'PathUndefined',
    message: `The only pod of ${source} is also the only one behind the target: what a pod may send to itself, directly or through its Service, no network policy defines. Start a second replica, or name another source.`,
  };
}
