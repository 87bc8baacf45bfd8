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
 * @throws Error if a field holds anything but the characters of addresses, names and URL paths. The API's own rules refuse
 * such input; a second look costs nothing where text becomes another program's arguments.
 */
export function planText(checks: readonly PlannedCheck[]): string {
  return checks.map(line).join('\n');
}

function line(check: PlannedCheck): string {
  const fields = [
    String(check.id),
    check.mode,
    check.http === undefined ? 'tcp' : 'http',
    check.address ?? '-',
    String(check.port),
    check.host ?? '-',
    check.http?.status?.join(',') ?? '-',
    check.http?.path ?? '-',
  ];
  for (const field of fields) {
    if (!/^[A-Za-z0-9._~!$&()*+,;=:@%/?-]+$/.test(field))
      throw new Error(`a probe plan cannot hold ${JSON.stringify(field)}`);
  }
  return fields.join(' ');
}
