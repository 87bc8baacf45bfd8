import type { EndpointSlice, Pod } from '../../src/api/index.ts';
import type { Kubectl } from './kubectl.ts';

interface Budget {
  readonly status: {
    readonly disruptionsAllowed: number;
    readonly expectedPods: number;
    readonly currentHealthy: number;
  };
}

/** What must be the same in a namespace before, during and after a run. */
export interface Standing {
  readonly endpoints: readonly string[];
  readonly pods: readonly string[];
  readonly budgets: readonly (Budget['status'] | undefined)[];
}

/** Ready endpoints, pods other than probe pods, and what PodDisruptionBudgets allow. */
export async function standingOf(kubectl: Kubectl, namespace: string): Promise<Standing> {
  const slices = await kubectl.json<{ items: EndpointSlice[] }>(`get endpointslices -n ${namespace}`);
  const pods = await kubectl.json<{ items: Pod[] }>(`get pods -n ${namespace} -l postern.dev/component!=probe`);
  const budgets = await kubectl.json<{ items: Budget[] }>(`get poddisruptionbudgets -n ${namespace}`);
  return {
    endpoints: slices.items
      .flatMap(({ endpoints }) => endpoints ?? [])
      .filter(({ conditions }) => conditions?.ready === true)
      .flatMap(({ addresses }) => addresses)
      .toSorted((a, b) => a.localeCompare(b)),
    pods: pods.items.map(({ metadata }) => metadata.uid ?? '').toSorted((a, b) => a.localeCompare(b)),
    budgets: budgets.items.map(({ status: { disruptionsAllowed, expectedPods, currentHealthy } }) => ({
      disruptionsAllowed,
      expectedPods,
      currentHealthy,
    })),
  };
}
