import type { Check } from '../plan/index.ts';
import { hasNetworkAtOnce, type ProbeFacts } from './control.ts';

/** The nodes of the pods behind a check's target; none for addresses and names. */
export type NodesOf = (check: Check) => readonly string[];

/**
 * Whether a broken path between two nodes would look like the denial: the target's pods stand on another node than the probe, and
 * in this run nothing was seen to cross between the two, in either direction.
 */
export function isPathUnseen(
  check: Check,
  probe: ProbeFacts,
  probes: readonly ProbeFacts[],
  nodesOf: NodesOf,
): boolean {
  const { node } = probe;
  if (node === undefined) return false;
  return nodesOf(check).some((far) => far !== node && !hasCrossed(node, far, probes, nodesOf));
}

function hasCrossed(one: string, other: string, probes: readonly ProbeFacts[], nodesOf: NodesOf): boolean {
  return probes.some(({ node, checks, observations }) => {
    if (node !== one && node !== other) return false;
    const far = node === one ? other : one;
    return checks.some((check) => {
      const seen = observations.get(check.id);
      const ends = nodesOf(check);
      // Behind a Service any of its pods may have answered.
      return seen !== undefined && hasNetworkAtOnce(seen, check) && ends.length > 0 && ends.every((end) => end === far);
    });
  });
}
