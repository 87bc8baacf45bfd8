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
