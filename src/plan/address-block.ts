import { createHash } from 'node:crypto';
import ipaddr from 'ipaddr.js';
import type { AddressBlock, Expectation } from '../api/index.ts';
import type { Finding } from './finding.ts';
import type { ResolvedTargets, Target } from './target.ts';

type Bytes = readonly number[];
type Range = ReturnType<typeof ipaddr.parseCIDR>;

/** Addresses that nobody has (RFC 5737, RFC 3849): a block that holds them is sampled there, not at a stranger's host. */
const nobodys: readonly string[] = ['203.0.113.0/24', '2001:db8::/32'];

/** Ranges that no probe dials. */
const undialled: readonly string[] = ['loopback', 'linkLocal', 'multicast', 'unspecified', 'broadcast'];

/**
 * The addresses that stand for a block and for what it excepts. Of an excepted part the opposite is expected; where that is that
 * somebody answers, only a declared address can show it.
 */
export function blockTargets(
  cidr: AddressBlock,
  port: number,
  expect: Expectation['expect'],
): ResolvedTargets | Finding {
  const { block, except = [] } = cidr;
  const inside = cidr.sample ?? sampleOfBlock(block, except);
  if (inside === undefined) {
    return {
      reason: 'TargetNotFound',
      message: `No address of ${block} is left that could be dialled. Except less of it, or write one as \`sample\`.`,
    };
  }
  const [firstPart] = except;
  const derived = expect === 'Allow' && firstPart !== undefined ? sampleOfBlock(firstPart, []) : undefined;
  const outside = cidr.exceptSample ?? derived;
  const targetAt = (address: string): Target => ({ address, port, podUids: [], readinessProved: false });
  return {
    targets: [targetAt(inside), ...(outside === undefined ? [] : [{ ...targetAt(outside), isExcepted: true }])],
    note: noteOn(cidr, inside, outside),
  };
}

function noteOn({ block, except = [] }: AddressBlock, inside: string, outside: string | undefined): string {
  const sampled = `Of ${block}, ${inside} was dialled`;
  if (except.length === 0) return `${sampled}.`;
  return outside === undefined
    ? `${sampled}, and nothing of what it excepts: write an address that answers there as \`exceptSample\`.`
    : `${sampled}, and ${outside} of what it excepts.`;
}

/** An address of a block and of none of these parts, the same each time; undefined if there is none to be dialled. */
export function sampleOfBlock(block: string, except: readonly string[]): string | undefined {
  const ranges = except.map((part) => ipaddr.parseCIDR(part));
  const isLeft = (bytes: Bytes): boolean => {
    const address = ipaddr.fromByteArray([...bytes]);
    return (
      !undialled.includes(address.range()) &&
      // Class E (RFC 1112, 4) is no unicast either.
      !(address.kind() === 'ipv4' && (bytes[0] ?? 0) >= 240) &&
      !ranges.some((range) => range[0].kind() === address.kind() && address.match(range))
    );
  };
  for (const bytes of candidatesOf(block, ranges)) {
    if (isLeft(bytes)) return ipaddr.fromByteArray([...bytes]).toString();
  }
  return undefined;
}

function nobodysPart(block: string): readonly string[] {
  const [network, prefix] = ipaddr.parseCIDR(block);
  return nobodys.filter((part) => {
    const [address, length] = ipaddr.parseCIDR(part);
    return address.kind() === network.kind() && prefix < length && address.match(network, prefix);
  });
}

/** Hosts of a block, best first: of its part that nobody has, then any; spread by its digest, then what parts leave over. */
function* candidatesOf(block: string, except: readonly Range[]): Generator<Bytes, undefined> {
  for (const part of [...nobodysPart(block), block]) {
    const range = ipaddr.parseCIDR(part);
    for (let index = 0; index < 32; index += 1) {
      const bytes = hashedAddress(range, `${part} ${index}`);
      if (isHost(bytes, range)) yield bytes;
    }
    for (const bytes of edgesOf(except)) if (isHost(bytes, range)) yield bytes;
  }
}

function hashedAddress([network, prefix]: Range, text: string): Bytes {
  const digest = createHash('sha256').update(text).digest();
  return network.toByteArray().map((byte, place) => {
    const mask = hostMask(prefix, place);
    return (byte & ~mask) | ((digest[place] ?? 0) & mask);
  });
}

/** The neighbours of each part: where little is left of a block, they are what is left. */
function edgesOf(ranges: readonly Range[]): readonly Bytes[] {
  return ranges.flatMap(([network, prefix]) => {
    const first = network.toByteArray().map((byte, place) => byte & ~hostMask(prefix, place));
    const last = first.map((byte, place) => byte | hostMask(prefix, place));
    return [stepped(first, -1), stepped(last, 1)];
  });
}

/** Whether bytes are an address of a block, and neither its network's own nor its broadcast address. */
function isHost(bytes: Bytes, [network, prefix]: Range): boolean {
  const length = 8 * bytes.length;
  const address = ipaddr.fromByteArray([...bytes]);
  if (address.kind() !== network.kind() || !address.match(network, prefix)) return false;
  // A block of one or two addresses has no others (RFC 3021).
  if (length - prefix <= 1) return true;
  const hosts = bytes.map((byte, place) => byte & hostMask(prefix, place));
  return hosts.some((byte) => byte !== 0) && hosts.some((byte, place) => byte !== hostMask(prefix, place));
}

function hostMask(prefix: number, place: number): number {
  return 2 ** Math.min(8, Math.max(0, 8 * (place + 1) - prefix)) - 1;
}

/** The next address, or the one before. */
function stepped(bytes: Bytes, by: 1 | -1): Bytes {
  const result = [...bytes];
  for (let place = result.length - 1; place >= 0; place -= 1) {
    const sum = (result[place] ?? 0) + by;
    result[place] = (sum + 256) % 256;
    if (sum >= 0 && sum < 256) break;
  }
  return result;
}
