/** Whether two words differ only as a slip of the finger makes them: in case, or in a letter or two of a longer word. */
export function isSlip(a: string, b: string): boolean {
  if (a === b) return false;
  if (a.toLowerCase() === b.toLowerCase()) return true;
  // api-1 and api-2, v1 and v2 are two things, not one mistyped.
  if (a.replaceAll(/\d+/g, '#') === b.replaceAll(/\d+/g, '#')) return false;
  const longer = Math.max(a.length, b.length);
  if (Math.abs(a.length - b.length) > 2) return false;
  return distance(a, b) <= Math.min(2, Math.floor(longer / 3));
}

/** Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment). */
function distance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  const at = (row: number, column: number): number => rows[row]?.[column] ?? 0;
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    rows.push(current);
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current[column] = Math.min(
        at(row - 1, column) + 1,
        (current[column - 1] ?? 0) + 1,
        at(row - 1, column - 1) + (same ? 0 : 1),
        swapped ? at(row - 2, column - 2) + 1 : Infinity,
      );
    }
  }
  return at(a.length, b.length);
}

/** Keys that different conventions use for one thing. */
const conventions = [
  ['app', 'app.kubernetes.io/name', 'k8s-app', 'name'],
  ['component', 'app.kubernetes.io/component', 'role', 'tier'],
  ['instance', 'app.kubernetes.io/instance', 'release'],
];

export function isSameConvention(a: string, b: string): boolean {
  return conventions.some((keys) => keys.includes(a) && keys.includes(b));
}
