/** The families of addresses, as Services name them (core/v1 IPFamily). */
export type IpFamily = 'IPv4' | 'IPv6';

export function familyOf(address: string): IpFamily {
  return address.includes(':') ? 'IPv6' : 'IPv4';
}
