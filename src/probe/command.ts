import type { PlannedCheck } from './plan-text.ts';

/** The command that a person would type in a pod of the source to see what the probe saw. */
export function reproduceCommand(check: PlannedCheck, timeoutSeconds: number): string {
  const host = check.address ?? check.host ?? '';
  if (check.http === undefined) return `nc -zv -w ${timeoutSeconds} ${host} ${check.port}`;
  const authority = host.includes(':') ? `[${host}]` : host;
  const name = check.port === 80 ? check.host : `${check.host}:${check.port}`;
  const header = check.host !== undefined && check.address !== undefined ? ` -H 'Host: ${name}'` : '';
  return `curl -v --max-time ${timeoutSeconds}${header} 'http://${authority}:${check.port}${check.http.path}'`;
}
