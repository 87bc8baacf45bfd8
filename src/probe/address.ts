import ipaddr from 'ipaddr.js';

/** Addresses at which clouds answer for themselves beside the link-local ones: Alibaba, Azure, Oracle, AWS over IPv6. */
const metadataAddresses: readonly string[] = ['100.100.100.200', '168.63.129.16', '192.0.0.192', 'fd00:ec2::254'];

/** Whether an address stays on the link, or is a metadata service of a cloud. */
export function isLinkLocalOrMetadata(address: string): boolean {
  const parsed = ipaddr.process(address);
  return parsed.range() === 'linkLocal' || metadataAddresses.includes(parsed.toString());
}

/** Whether text is an address in a notation that all tools read alike: `010.0.0.1` and `12345` are addresses to some. */
export function isAddress(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);
}
