/** A set of small whole numbers, one bit each. Sets of one population have the same length and are never changed once shared. */
export type Bitset = Uint32Array;

export function emptyBitset(size: number): Bitset {
  return new Uint32Array((size + 31) >>> 5);
}

export function fullBitset(size: number): Bitset {
  const set = emptyBitset(size).fill(0xffffffff);
  if (size % 32 !== 0) set[set.length - 1] = 2 ** (size % 32) - 1;
  return set;
}

export function add(set: Bitset, member: number): void {
  const word = member >>> 5;
  set[word] = (set[word] ?? 0) | (1 << (member & 31));
}

export function has(set: Bitset, member: number): boolean {
  return (((set[member >>> 5] ?? 0) >>> (member & 31)) & 1) === 1;
}

export function union(a: Bitset, b: Bitset): Bitset {
  return a.map((word, index) => word | (b[index] ?? 0));
}

export function intersection(a: Bitset, b: Bitset): Bitset {
  return a.map((word, index) => word & (b[index] ?? 0));
}

export function difference(a: Bitset, b: Bitset): Bitset {
  return a.map((word, index) => word & ~(b[index] ?? 0));
}

/** Adds the members of another set to this one. */
export function addAll(set: Bitset, others: Bitset): void {
  for (let index = 0; index < set.length; index += 1) set[index] = (set[index] ?? 0) | (others[index] ?? 0);
}

export function membersOf(set: Bitset): readonly number[] {
  const members: number[] = [];
  for (let index = 0; index < set.length; index += 1) {
    for (let word = set[index] ?? 0; word !== 0; word &= word - 1)
      members.push(index * 32 + 31 - Math.clz32(word & -word));
  }
  return members;
}

/** How many bits of a word are set: counted in pairs, then fours, then bytes. */
export function bitsIn(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
