import { type Bitset, difference, emptyBitset, fullBitset, intersection, union } from './bitset.ts';
import type { Truth } from './truth.ts';

/** A statement about every pod at once: for whom it is true, and for whom open. Whoever is in none of them: false. */
export interface TruthSet {
  readonly yes: Bitset;
  readonly undefined: Bitset;
  readonly unknown: Bitset;
}

export function everyone(truth: Truth, size: number): TruthSet {
  const none = emptyBitset(size);
  const all = fullBitset(size);
  return {
    yes: truth === 'yes' ? all : none,
    undefined: truth === 'undefined' ? all : none,
    unknown: truth === 'unknown' ? all : none,
  };
}

export function exactly(yes: Bitset): TruthSet {
  const none = new Uint32Array(yes.length);
  return { yes, undefined: none, unknown: none };
}

/** As `and` of single truths: what is not false on either side is as open as the more open side. */
export function andSets(a: TruthSet, b: TruthSet): TruthSet {
  const possible = intersection(possibly(a), possibly(b));
  const unknown = intersection(possible, union(a.unknown, b.unknown));
  return {
    yes: intersection(a.yes, b.yes),
    undefined: difference(intersection(possible, union(a.undefined, b.undefined)), unknown),
    unknown,
  };
}

export function orSets(a: TruthSet, b: TruthSet): TruthSet {
  const yes = union(a.yes, b.yes);
  const unknown = difference(union(a.unknown, b.unknown), yes);
  return { yes, unknown, undefined: difference(difference(union(a.undefined, b.undefined), yes), unknown) };
}

export function notSet(set: TruthSet, size: number): TruthSet {
  return { ...set, yes: difference(fullBitset(size), possibly(set)) };
}

/** Whoever it may be true for. */
export function possibly({ yes, undefined: open, unknown }: TruthSet): Bitset {
  return union(union(yes, open), unknown);
}
