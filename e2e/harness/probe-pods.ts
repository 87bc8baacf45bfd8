import type { Pod } from '../../src/api/index.ts';
import { probeLabel } from '../../src/plan/index.ts';
import type { Kubectl } from './kubectl.ts';

/** The probe pods of a namespace, whatever their phase. */
export async function probePodsIn(kubectl: Kubectl, namespace: string): Promise<readonly Pod[]> {
  const list = await kubectl.json<{ readonly items: readonly Pod[] }>(
    `get pods -n ${namespace} -l ${probeLabel.key}=${probeLabel.value}`,
  );
  return list.items;
}

/** The calibration's pods: beside them others may dial from node to node, each pinned to its own, when a test asks for that. */
export async function calibrationPodsIn(kubectl: Kubectl, namespace: string): Promise<readonly Pod[]> {
  return (await probePodsIn(kubectl, namespace)).filter(({ spec }) => spec.affinity === undefined);
}
