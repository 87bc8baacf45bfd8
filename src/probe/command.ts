import type { PlannedCheck } from './plan-text.ts';

/**
 * The command that a person would type in a pod of the source to see what the probe saw. `name` stands for the address, where
 * that means nothing to a reader.
 */
export function reproduceCommand(check: PlannedCheck, timeoutSeconds: number, name?: string): string {
  const { port, http, udp, dns } = check;
  const address = name ?? check.address;
  if (dns !== undefined) {
    const server = address === undefined ? '' : ` @${address} -p ${port}`;
    return `dig +search +tries=1 +time=${timeoutSeconds}${dns.protocol === 'TCP' ? ' +tcp' : ''}${server} ${dns.name} ${dns.type}`;
  }
  const host = address ?? check.host ?? '';
  if (udp !== undefined) return `echo ${udp.payload} | xxd -r -p | nc -u -w ${timeoutSeconds} ${host} ${port} | xxd`;
  if (http === undefined) return `nc -zv -w ${timeoutSeconds} ${host} ${port}`;
  const scheme = http.scheme === 'HTTPS' ? 'https' : 'http';
  const bracketed = host.includes(':') ? `[${host}]` : host;
  const isNamed = check.host !== undefined && address !== undefined && name === undefined;
  const connect = isNamed ? ` --connect-to ::${bracketed}:${port}` : '';
  const insecure = scheme === 'https' ? ' --insecure' : '';
  return `curl -v --max-time ${timeoutSeconds}${insecure}${connect} '${scheme}://${isNamed ? check.host : bracketed}:${port}${http.path}'`;
}
