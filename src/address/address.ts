import ipaddr from 'ipaddr.js';

/** An address as a number. An IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2) is the IPv4 address that it stands for. */
export interface Address {
  readonly family: 4 | 6;
  readonly value: bigint;
}

/** The address that text stands for. As in the Kubernetes API, leading zeros are decimal and a zone is refused. */
export function addressOf(text: string): Address | undefined {
  return fourPartDecimal(text) ?? (text.includes('%') || !ipaddr.IPv6.isValid(text) ? undefined : sixteenBytes(text));
}

const mappedPrefix = 0xffffn;

function fourPartDecimal(text: string): Address | undefined {
  if (!/^\d+(\.\d+){3}$/.test(text)) return undefined;
  const parts = text.split('.').map(Number);
  if (parts.some((part) => part > 255)) return undefined;
  return { family: 4, value: parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n) };
}

function sixteenBytes(text: string): Address {
  // The library reads an IPv4 address within an IPv6 one as C does, where 010 is 8.
  const decimal = text.replace(/[^:]*\.[^:]*$/, (embedded) => embedded.split('.').map(Number).join('.'));
  const value = ipaddr.IPv6.parse(decimal)
    .toByteArray()
    .reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
  return value >> 32n === mappedPrefix ? { family: 4, value: value & 0xffffffffn } : { family: 6, value };
}
