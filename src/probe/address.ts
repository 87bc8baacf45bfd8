import ipaddr from 'ipaddr.js';

/** Whether text is an address in a notation that all tools read alike: `010.0.0.1` and `12345` are addresses to some. */
export function isAddress(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);
}
