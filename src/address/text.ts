import type { Address } from './address.ts';

/** An address in the notation that everybody writes alike (RFC 5952, 4). */
export function textOf({ family, value }: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 0xffn)).join('.');
  const groups = Array.from({ length: 8 }, (_, index) => (value >> BigInt(112 - 16 * index)) & 0xffffn);
  const zeros = longestZeros(groups);
  const text = (part: readonly bigint[]): string => part.map((group) => group.toString(16)).join(':');
  if (zeros.length < 2) return text(groups);
  return `${text(groups.slice(0, zeros.start))}::${text(groups.slice(zeros.start + zeros.length))}`;
}

/** The first of the longest runs of zeros. */
function longestZeros(groups: readonly bigint[]): { readonly start: number; readonly length: number } {
  let longest = { start: 0, length: 0 };
  for (const start of groups.keys()) {
    const after = groups.slice(start).findIndex((group) => group !== 0n);
    const length = after === -1 ? groups.length - start : after;
    if (length > longest.length) longest = { start, length };
  }
  return longest;
}
