/** Addresses and blocks of addresses, IPv4 and IPv6: parsing as the Kubernetes API parses, and membership. */
export { type Address, addressOf } from './address.ts';
export { type Block, blockContains, blockHolds, blockOf, isStrictlyWithin } from './block.ts';
export { textOf } from './text.ts';
