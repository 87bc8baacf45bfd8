/** Most pods or endpoints of one target that one expectation dials. */
export const maxPodsPerTarget = 10;

/** Some of many, and what to say about the rest. */
export interface Sample<T> {
  readonly members: readonly T[];
  /** Absent where nothing was left out. */
  readonly note?: string;
}

/**
 * At most ten of what may be dialled, the same ones each time: in turn from each node, since a policy that one node does not
 * enforce is a hole, and within a node in the order given. `noun` completes "10 of 13 … were dialled".
 */
export function sampleOf<T>(members: readonly T[], nodeOf: (member: T) => string | undefined, noun: string): Sample<T> {
  if (members.length <= maxPodsPerTarget) return { members };
  const byNode = [...Map.groupBy(members, (member) => nodeOf(member) ?? '')]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, group]) => group);
  const rounds = Array.from({ length: maxPodsPerTarget }, (_, round) => byNode.map((group) => group[round]));
  const inTurn = rounds.flatMap((round) => round.filter((member) => member !== undefined));
  const chosen = new Set<T>(inTurn.slice(0, maxPodsPerTarget));
  const nodes = new Set([...chosen].map(nodeOf)).size;
  const where = byNode.length > 1 ? `, on ${nodes} of ${byNode.length} nodes` : '';
  return {
    members: members.filter((member) => chosen.has(member)),
    note: `${chosen.size} of ${members.length} ${noun} were dialled${where}.`,
  };
}
