import { isIP } from 'node:net';
import { type Address, addressOf, type Block, blockContains, blockHolds, blockOf, textOf } from '../address/index.ts';

/** What rules calculate with: JSON, and addresses. */
export type Value = string | number | boolean | readonly Value[] | object;

export function isValue(value: unknown): value is Value {
  return value !== undefined && value !== null && typeof value !== 'function';
}

export function isTruth(value: Value): boolean {
  if (typeof value !== 'boolean') throw new Error('a rule decides by what is neither true nor false');
  return value;
}

/** Calls a function, or a method with its subject as the first argument. Throws for those that no rule uses yet. */
export function call(name: string, [subject = '', argument = '']: readonly Value[]): Value {
  switch (name) {
    case 'size':
      return sizeOf(subject);
    case 'type':
      return Number.isInteger(subject) ? typeNamed('int') : typeNamed(typeof subject);
    case 'string':
      return isAddress(subject) ? textOf(subject) : textIn(subject);
    case 'matches':
      return new RegExp(textIn(argument)).test(textIn(subject));
    case 'startsWith':
      return textIn(subject).startsWith(textIn(argument));
    case 'lowerAscii':
      return textIn(subject).replace(/[A-Z]/g, (letter) => letter.toLowerCase());
    case 'isIP':
      return addressIn(subject) !== undefined;
    case 'ip':
      return addressIn(subject) ?? fail(`${textIn(subject)} is no address`);
    case 'isLoopback':
      return isWithin(subject, loopback);
    case 'isUnspecified':
      return isWithin(subject, unspecified);
    case 'isLinkLocalUnicast':
      return isWithin(subject, linkLocalUnicast);
    case 'isLinkLocalMulticast':
      return isWithin(subject, linkLocalMulticast);
    case 'isCIDR':
      return blockIn(subject) !== undefined;
    case 'cidr':
      return blockIn(subject) ?? fail(`${textIn(subject)} is no block of addresses`);
    case 'containsIP':
      return blockContains(asBlock(subject), addressIn(argument) ?? fail(`${textIn(argument)} is no address`));
    case 'containsCIDR':
      return blockHolds(asBlock(subject), blockIn(argument) ?? fail(`${textIn(argument)} is no block of addresses`));
    default:
      return fail(`a rule calls ${name}, which is not known here`);
  }
}

/** What `int` and its like stand for in `type(self) == int`. */
export function typeNamed(name: string): Value {
  return `type ${name}`;
}

// As Go's net/netip has them, on which the API server's functions rest.
const loopback = blocks('127.0.0.0/8', '::1/128');
const unspecified = blocks('0.0.0.0/32', '::/128');
const linkLocalUnicast = blocks('169.254.0.0/16', 'fe80::/10');
const linkLocalMulticast = blocks('224.0.0.0/24', 'ff02::/16');

function blocks(...texts: readonly string[]): readonly Block[] {
  return texts.map(blockOf).filter((block) => block !== undefined);
}

/** The API server's `isIP`: no leading zeros, no zone, no IPv4 within IPv6 (k8s.io/apiserver, cel/library/ip.go). */
function addressIn(value: Value): Address | undefined {
  const text = textIn(value);
  const isPlain = isIP(text) !== 0 && !text.includes('%');
  const address = isPlain ? addressOf(text) : undefined;
  return address?.family === 4 && text.includes(':') ? undefined : address;
}

/** The API server's `isCIDR`, as strict about the address (k8s.io/apiserver, cel/library/cidr.go). */
function blockIn(value: Value): Block | undefined {
  const text = textIn(value);
  const [start = '', length = ''] = text.split('/');
  return addressIn(start) === undefined || !/^(0|[1-9]\d*)$/.test(length) ? undefined : blockOf(text);
}

function asBlock(value: Value): Block {
  return typeof value === 'object' && 'first' in value && 'last' in value
    ? // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only `cidr` makes objects with these fields
      (value as Block)
    : fail('a rule asks of what is no block of addresses');
}

function isAddress(value: Value): value is Address {
  return typeof value === 'object' && 'family' in value && 'value' in value;
}

function isWithin(value: Value, members: readonly Block[]): boolean {
  if (!isAddress(value)) return fail('a rule asks of what is no address');
  return members.some((block) => blockContains(block, value));
}

function sizeOf(value: Value): number {
  if (typeof value === 'string') return [...value].length;
  return Object.keys(Object(value)).length;
}

function textIn(value: Value): string {
  return typeof value === 'string' ? value : fail('a rule reads what is no text');
}

function fail(message: string): never {
  throw new Error(message);
}
