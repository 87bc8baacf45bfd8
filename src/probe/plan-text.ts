import { isAddress } from './address.ts';

/** One line of a probe's plan: one check, as data for the probe program. */
export interface PlannedCheck {
  /** Number of the check, unique in the pod. */
  readonly id: number;
  /** `converge`: retry until it connects (Allow). `guard`: one connection is enough (Deny). */
  readonly mode: 'converge' | 'guard';
  /** An IP address, or undefined if `host` is to be resolved by the probe. */
  readonly address?: string;
  readonly port: number;
  /** The name to resolve, or the Host header of an HTTP request. */
  readonly host?: string;
  readonly http?: { readonly path: string; readonly status?: readonly number[] };
}

/** Most checks that one probe pod carries: its result must fit the 4096 bytes of a termination message. */
export const maxWeightPerPod = 96;

/** Room in a pod that a check takes: an HTTP check runs curl, which needs four times the memory of nc. */
export function checkWeight(check: Pick<PlannedCheck, 'http' | 'address'>): number {
  if (check.http !== undefined) return 4;
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

function line({ id, mode, address, port, host, http }: PlannedCheck): string {
  const { path, status } = http ?? {};
  return [
    field(String(id), /^\d+$/),
    mode,
    http === undefined ? 'tcp' : 'http',
    address === undefined ? '-' : addressField(address),
    field(String(port), /^\d+$/),
    host === undefined ? '-' : field(host, /^[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?\.?$/),
    status === undefined ? '-' : field(status.join(','), /^\d+(,\d+)*$/),
    path === undefined ? '-' : field(path, /^\/[A-Za-z0-9._~!$&()*+,;=:@%/?-]*$/),
  ].join(' ');
}

/** An address without a zone: none leads out of the pod. */
function addressField(text: string): string {
  return field(text, isAddress(text) ? /^[0-9A-Fa-f:.]+$/ : /^$/);
}

function field(text: string, pattern: RegExp): string {
  if (text === '' || !pattern.test(text)) throw new Error(`a probe plan cannot hold ${JSON.stringify(text)}`);
  return text;
}
