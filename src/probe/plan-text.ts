import { isAddress, isNumericHost } from './address.ts';

/** One line of a probe's plan: one check, as data for the probe program. */
export interface PlannedCheck {
  /** Number of the check, unique in the pod. */
  readonly id: number;
  /**
   * `converge`: retry until it connects (Allow). `guard`: one connection is enough, anything else is looked at twice (Deny).
   * `seal`: retry until it no longer connects (calibration).
   */
  readonly mode: 'converge' | 'guard' | 'seal';
  /** An IP address, or undefined if `host` is to be resolved by the probe. */
  readonly address?: string;
  readonly port: number;
  /** The name to resolve, or the Host header of an HTTP request. */
  readonly host?: string;
  readonly http?: { readonly scheme?: 'HTTP' | 'HTTPS'; readonly path: string; readonly status?: readonly number[] };
  /** A datagram in hexadecimal, to be answered. */
  readonly udp?: { readonly payload: string };
  /** A name to look up, at `address` or, without one, at the pod's own resolver. */
  readonly dns?: { readonly name: string; readonly type: 'A' | 'AAAA'; readonly protocol: 'TCP' | 'UDP' };
}

/** Most checks that one probe pod carries: its result must fit the 4096 bytes of a termination message. */
export const maxWeightPerPod = 96;

/** Room in a pod that a check takes: curl needs four times the memory of nc, and so do the programs of a datagram together. */
export function checkWeight(check: Pick<PlannedCheck, 'http' | 'udp' | 'dns' | 'address'>): number {
  if (check.http !== undefined || check.udp !== undefined || check.dns !== undefined) return 4;
  return check.address === undefined ? 3 : 1;
}

/**
 * The plan in the form that the probe program reads (see program/probe.sh).
 *
 * @throws Error if a field is not what its place is for. The API's own rules refuse such input; a second look costs nothing
 * where text becomes another program's arguments: an address `-e` would be an option of nc, a path `@x` another host.
 */
export function planText(checks: readonly PlannedCheck[]): string {
  return checks.map(line).join('\n');
}

function line({ id, mode, address, port, host, http, udp, dns }: PlannedCheck): string {
  return [
    field(String(id), /^\d+$/),
    mode,
    stageOf({ http, udp, dns }),
    address === undefined ? '-' : addressField(address),
    field(String(port), /^\d+$/),
    dns === undefined ? hostField(host) : nameField(dns.name),
    dns === undefined ? statusField(http?.status) : dnsTypes[dns.type],
    dataField({ http, udp }),
  ].join(' ');
}

type Asked = Pick<{ [K in keyof PlannedCheck]: PlannedCheck[K] | undefined }, 'http' | 'udp' | 'dns'>;

function stageOf({ http, udp, dns }: Asked): string {
  if (dns !== undefined) return dns.protocol === 'UDP' ? 'dnsudp' : 'dnstcp';
  if (udp !== undefined) return 'udp';
  if (http === undefined) return 'tcp';
  return http.scheme === 'HTTPS' ? 'https' : 'http';
}

/** Numbers of the record types (RFC 1035, 3.2.2; RFC 3596, 2.1). */
const dnsTypes = { A: '1', AAAA: '28' } as const;

/** A name that is resolved, or that an HTTP request carries. */
function hostField(host: string | undefined): string {
  return nameField(host !== undefined && isNumericHost(host) ? '' : host);
}

function nameField(name: string | undefined): string {
  return name === undefined ? '-' : field(name, /^[A-Za-z0-9_]([-A-Za-z0-9_.]*[A-Za-z0-9_])?\.?$/);
}

function statusField(status: readonly number[] | undefined): string {
  return status === undefined ? '-' : field(status.join(','), /^\d+(,\d+)*$/);
}

function dataField({ http, udp }: Pick<Asked, 'http' | 'udp'>): string {
  if (udp !== undefined) return field(udp.payload, /^([0-9A-Fa-f]{2}){1,128}$/);
  return http === undefined ? '-' : field(http.path, /^\/[A-Za-z0-9._~!$&()*+,;=:@%/?-]*$/);
}

/** An address without a zone: none leads out of the pod. */
function addressField(text: string): string {
  return field(text, isAddress(text) ? /^[0-9A-Fa-f:.]+$/ : /^$/);
}

function field(text: string, pattern: RegExp): string {
  if (text === '' || !pattern.test(text)) throw new Error(`a probe plan cannot hold ${JSON.stringify(text)}`);
  return text;
}
