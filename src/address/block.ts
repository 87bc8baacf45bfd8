import { type Address, addressOf } from './address.ts';

/** A block of addresses (CIDR): all from `first` to `last`, host bits masked. */
export interface Block {
  readonly family: 4 | 6;
  readonly first: bigint;
  readonly last: bigint;
}

/** The block that `10.0.0.0/8` or `2001:db8::/32` stands for; host bits are ignored, an address alone is no block. */
export function blockOf(text: string): Block | undefined {
  const [, start = '', length = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const address = addressOf(start);
  if (address === undefined) return undefined;
  const width = address.family === 4 ? 32 : 128;
  // A block of IPv4-mapped addresses is written with 96 bits more.
  const prefix = Number(length) - (address.family === 4 && start.includes(':') ? 96 : 0);
  if (prefix < 0 || prefix > width) return undefined;
  const hosts = (1n << BigInt(width - prefix)) - 1n;
  const last = address.value | hosts;
  return { family: address.family, first: last - hosts, last };
}

export function blockContains({ family, first, last }: Block, address: Address): boolean {
  return address.family === family && address.value >= first && address.value <= last;
}

/** Whether a block holds all of another, be it itself. */
export function blockHolds(outer: Block, inner: Block): boolean {
  return inner.family === outer.family && inner.first >= outer.first && inner.last <= outer.last;
}

/** Whether a block lies within another and is smaller. */
export function isStrictlyWithin(inner: Block, outer: Block): boolean {
  return blockHolds(outer, inner) && inner.last - inner.first < outer.last - outer.first;
}
