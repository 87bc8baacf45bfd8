import type { Pod } from '../../src/api/index.ts';
import { familyOf, type IpFamily } from '../../src/probe/index.ts';
import { currentCluster } from '../cluster/index.ts';
import { type Kubectl, kubectlFor } from './kubectl.ts';
import { manifests, namespace } from './workloads.ts';

/** A namespace of a suite's own on the running cluster. */
export interface World {
  readonly kubectl: Kubectl;
  readonly namespace: string;
  apply(...objects: readonly object[]): Promise<void>;
  /** Waits until these Deployments have all of their replicas ready. */
  ready(...deployments: readonly string[]): Promise<void>;
  /** The address of the first pod labelled `app: NAME`: its primary one, or that of a family. */
  addressOf(app: string, family?: IpFamily): Promise<string>;
  destroy(): Promise<void>;
}

interface PodList {
  readonly items: readonly { readonly status: Pod['status'] }[];
}

/** Makes the namespace anew: one that an interrupted run left behind is deleted first. */
export async function createWorld(name: string, labels: Readonly<Record<string, string>> = {}): Promise<World> {
  const kubectl = kubectlFor(currentCluster());
  const destroy = async (): Promise<void> => {
    await kubectl(`delete namespace ${name} --ignore-not-found --wait --timeout=120s`);
  };
  await destroy();
  const apply = async (...objects: readonly object[]): Promise<void> => {
    await kubectl('apply -f -', { input: manifests(...objects) });
  };
  await apply(namespace(name, labels));
  return {
    kubectl,
    namespace: name,
    apply,
    ready: async (...deployments) => {
      for (const deployment of deployments)
        await kubectl(`rollout status deployment/${deployment} -n ${name} --timeout=120s`);
    },
    addressOf: async (app, family) => {
      const { items } = await kubectl.json<PodList>(`get pods -n ${name} -l app=${app}`);
      const { podIP, podIPs = [] } = items[0]?.status ?? {};
      const address = family === undefined ? podIP : podIPs.map(({ ip }) => ip).find((ip) => familyOf(ip) === family);
      if (address === undefined) throw new Error(`${app} has no pod with an address`);
      return address;
    },
    destroy,
  };
}
