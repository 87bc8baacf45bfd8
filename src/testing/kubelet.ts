import type { KubeObject } from '../api/index.ts';
import { resources } from '../controller/resources.ts';
import type { ApiServer } from './api-server.ts';
import { fieldAt, isJsonObject, type StoredObject } from './json.ts';

/** What a probe sees of one check, by the letters of program/probe.sh; the address decides, and the port. */
export type Answer = (check: { readonly address: string; readonly port: string }) => 'C' | 'R' | 'T';

/** The termination message of a probe pod that ran to its end. */
export function resultOf(pod: KubeObject, answer: Answer): string {
  const nonce = environmentOf(pod, 'POSTERN_NONCE');
  const checks = environmentOf(pod, 'POSTERN_PLAN')
    .split('\n')
    .map((line) => line.split(' '));
  const seen = checks.map(([id, , , address = '', port = '']) => {
    const letter = answer({ address, port });
    return `${id} ${letter}c ${letter === 'C' ? '1 1' : '2 401'} ${letter}c -`;
  });
  return [`postern/1 ${nonce} ${checks.length}`, ...seen, `end ${nonce} A`, ''].join('\n');
}

/** Writes the end of a pod's only container, as the kubelet of its node does. */
export function terminate(server: ApiServer, pod: StoredObject, message: string): void {
  const terminated = { exitCode: 0, message, startedAt: '2026-01-01T00:00:01Z', finishedAt: '2026-01-01T00:00:02Z' };
  const status = { phase: 'Succeeded', containerStatuses: [{ name: 'probe', state: { terminated } }] };
  const ended = { ...pod, status };
  server.write(resources.pods, ended);
}

/** Whether the kubelet has nothing more to do with a pod. */
export function isTerminated(pod: StoredObject): boolean {
  return fieldAt(pod, ['status', 'phase']) === 'Succeeded';
}

function environmentOf(pod: KubeObject, variable: string): string {
  const containers = fieldAt(pod, ['spec', 'containers']);
  const environment = fieldAt(Array.isArray(containers) ? containers[0] : undefined, ['env']);
  const entries: readonly unknown[] = Array.isArray(environment) ? environment : [];
  const found = entries.find((entry) => isJsonObject(entry) && entry['name'] === variable);
  return String(fieldAt(found, ['value']));
}
