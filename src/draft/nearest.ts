import type { Workload } from './workload.ts';

/** Most Denies at one door from workloads of its own namespace, and from those of all others together. */
const mostDenies = { own: 3, other: 1 } as const;

/**
 * Of the workloads that a door of `namespace` is closed to, those to which a slip would open it first: those that pass another
 * door of the same workload, then those whose labels are most like the admitted ones'. A full matrix would bury them.
 */
export function nearestOf(
  refused: readonly Workload[],
  admitted: readonly Workload[],
  namespace: string,
): readonly Workload[] {
  const known = new Set(admitted);
  const theirs = [...new Map([...known].map(({ labels }) => [JSON.stringify(labels), labels])).values()];
  const likeness = new Map(refused.map((each) => [each, likenessOf(each.labels, theirs)]));
  const inOrder = refused.toSorted(
    (a, b) =>
      Number(known.has(b)) - Number(known.has(a)) ||
      (likeness.get(b) ?? 0) - (likeness.get(a) ?? 0) ||
      (a.words < b.words ? -1 : 1),
  );
  const isOwn = (each: Workload): boolean => each.namespace === namespace;
  return [
    ...inOrder.filter(isOwn).slice(0, mostDenies.own),
    ...inOrder.filter((each) => !isOwn(each)).slice(0, mostDenies.other),
  ];
}

type Labels = Workload['labels'];

/** The most labels that are in common with one of several. */
function likenessOf(labels: Labels, others: readonly Labels[]): number {
  const entries = Object.entries(labels);
  return others
    .map((other) => entries.filter(([key, value]) => Object.hasOwn(other, key) && other[key] === value).length)
    .reduce((most, count) => Math.max(most, count), 0);
}
