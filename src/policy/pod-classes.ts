import { has } from './bitset.ts';
import type { Population } from './population.ts';
import type { Row, RowsOfPods } from './rows.ts';

/** Splits the pods by their rows, and then by every rule's peers that tells some of them apart. */
export function classesOf(population: Population, rows: RowsOfPods): readonly (readonly number[])[] {
  const { pods } = population;
  const used = new Map<Row, number>();
  const numberOf = (row: Row | undefined): number => {
    if (row === undefined) return 0;
    const found = used.get(row) ?? used.size + 1;
    used.set(row, found);
    return found;
  };
  let classes = numbered(
    pods.map(({ ports, hostNetwork, node }, position) =>
      [
        numberOf(rows.egress[position]),
        numberOf(rows.ingress[position]),
        hostNetwork ? node : '',
        ports
          .map(({ name, protocol, port }) => `${name}/${protocol}/${port}`)
          .toSorted()
          .join(),
      ].join(' '),
    ),
  );
  const rules = new Set(
    [...used.keys()].flatMap(({ subject }) => subject.selected.flatMap(({ section }) => section.rules)),
  );
  for (const rule of rules) {
    for (const hostNetworkIsPod of [true, false]) {
      const { yes, undefined: open, unknown } = population.peersOf(rule, hostNetworkIsPod);
      classes = numbered(
        classes.map((old, position) => {
          const truth = has(yes, position) ? 1 : has(open, position) ? 2 : has(unknown, position) ? 3 : 0;
          return old * 4 + truth;
        }),
      );
    }
  }
  return [...Map.groupBy(classes.keys(), (position) => classes[position]).values()];
}

function numbered(keys: readonly (string | number)[]): readonly number[] {
  const numbers = new Map<string | number, number>();
  return keys.map((key) => {
    const number = numbers.get(key) ?? numbers.size;
    numbers.set(key, number);
    return number;
  });
}
