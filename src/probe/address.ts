import ipaddr from 'ipaddr.js';

/**
 * Whether text is an address in a notation that all tools read alike: `010.0.0.1` and `12345` are addresses to some, and a zone
 * (RFC 4007, 11) means something on one host only.
 */
export function isAddress(text: string): boolean {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return true;
  // The library reads an IPv4 address within an IPv6 one as C does, where 010 is 8.
  const embedded = /[^:]*\.[^:]*$/.exec(text)?.[0];
  if (embedded !== undefined && !ipaddr.IPv4.isValidFourPartDecimal(embedded)) return false;
  return !text.includes('%') && ipaddr.IPv6.isValid(text);
}

/** Whether a host name is an address in disguise: C libraries read a last label that is a number as one of inet_aton(3). */
export function isNumericHost(name: string): boolean {
  return /(^|\.)(0x[0-9a-f]*|\d+)\.?$/i.test(name);
}

/** What an address is that a probe does not dial like any other. */
export type SpecialAddress = 'Inside' | 'Metadata';

/** Loopback, unspecified, multicast and broadcast: nothing that is one host elsewhere (RFC 6890, RFC 5771, RFC 4291). */
const inside = cidrs('127.0.0.0/8', '0.0.0.0/8', '224.0.0.0/4', '255.255.255.255/32', '::/128', '::1/128', 'ff00::/8');

/** Link-local addresses, and those outside of them where clouds keep what a pod must not have: AWS, Google, Alibaba, Azure, Oracle. */
const metadata = cidrs(
  '169.254.0.0/16',
  'fe80::/10',
  'fd00:ec2::254/128',
  'fd20:ce::254/128',
  '100.100.100.200/32',
  '168.63.129.16/32',
  '192.0.0.192/32',
);

/** IPv6 addresses that stand for an IPv4 one in their last four bytes: mapped, compatible (RFC 4291, 2.5.5), NAT64 (RFC 6052). */
const embedding = cidrs('::ffff:0:0/96', '::/96', '64:ff9b::/96');

/**
 * What kind of special address this is, in whatever way it is written; undefined for one to be dialled, and for what is no address.
 * The probe program looks at the addresses of host names in the same way (`is_forbidden` in program/probe.sh).
 */
export function specialAddress(text: string): SpecialAddress | undefined {
  if (!isAddress(text)) return undefined;
  const written = ipaddr.parse(text);
  const forms = isWithin(written, embedding) ? [written, new ipaddr.IPv4(written.toByteArray().slice(12))] : [written];
  if (forms.some((form) => isWithin(form, inside))) return 'Inside';
  return forms.some((form) => isWithin(form, metadata)) ? 'Metadata' : undefined;
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = [Address, number];

function cidrs(...texts: readonly string[]): readonly Range[] {
  return texts.map((text) => ipaddr.parseCIDR(text));
}

function isWithin(address: Address, ranges: readonly Range[]): boolean {
  return ranges.some((range) => range[0].kind() === address.kind() && address.match(range));
}
