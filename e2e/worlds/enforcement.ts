import { setTimeout as delay } from 'node:timers/promises';

import type { Pod } from '../../src/api/index.ts';
import type { Cluster } from '../cluster/index.ts';
import { openShell, type RemoteShell } from './remote-shell.ts';
import { namespaceNames, type Stage } from './stage.ts';

/** The agents of Cilium on the nodes of the stage, each by an open shell. */
export interface Agents {
  /**
   * Waits until, of the stage's namespaces, exactly these NetworkPolicies (by their uid) are in every agent's repository, and
   * all of its endpoints have the repository's revision in their datapath.
   *
   * @throws Error if that does not come in a minute.
   */
  enforced(uids: readonly string[]): Promise<void>;
  close(): void;
}

const timeoutMs = 60_000;

export async function openAgents(cluster: Cluster, { kubectl, pods }: Stage): Promise<Agents> {
  const { items } = await kubectl.json<{ readonly items: readonly Pod[] }>('get pods -n kube-system -l k8s-app=cilium');
  const nodes = new Set(pods.map(({ spec }) => spec.nodeName));
  const shells = items
    .filter(({ spec }) => nodes.has(spec.nodeName))
    .map(({ metadata }) =>
      openShell(cluster, { namespace: 'kube-system', pod: metadata.name, container: 'cilium-agent' }),
    );
  if (shells.length !== nodes.size) throw new Error('not every node of the stage has an agent of Cilium');
  return {
    async enforced(uids) {
      await Promise.all(shells.map((shell) => enforcedBy(shell, new Set(uids))));
    },
    close: () => {
      for (const shell of shells) shell.close();
    },
  };
}

async function enforcedBy(agent: RemoteShell, uids: ReadonlySet<string>): Promise<void> {
  const began = performance.now();
  for (;;) {
    const { uids: known, revision } = repositoryIn(await agent.run('cilium-dbg policy get -o json'));
    if (isSame(known, uids)) {
      const seconds = Math.round(timeoutMs / 1000);
      await agent.run(`cilium-dbg policy wait ${revision} --max-wait-time ${seconds} --fail-wait-time ${seconds}`);
      return;
    }
    if (performance.now() - began > timeoutMs) {
      throw new Error(`an agent of Cilium did not take in the world's policies: it knows ${[...known].join(', ')}`);
    }
    await delay(100);
  }
}

interface CiliumRule {
  readonly Labels: readonly { readonly key: string; readonly value: string }[];
}

/** The policies of the stage in an agent's repository, by the labels that Cilium gives the rules of each, and its revision. */
function repositoryIn(output: string): { readonly uids: ReadonlySet<string>; readonly revision: number } {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the model Policy of Cilium's API
  const { policy, revision } = JSON.parse(output) as { readonly policy: string; readonly revision: number };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the rules of its repository
  const rules = JSON.parse(policy) as readonly CiliumRule[];
  const labels = rules.map(({ Labels }) => new Map(Labels.map(({ key, value }) => [key, value])));
  const own = labels.filter((of) => namespaceNames.includes(of.get('io.cilium.k8s.policy.namespace') ?? ''));
  return { uids: new Set(own.map((of) => of.get('io.cilium.k8s.policy.uid') ?? '')), revision };
}

function isSame(left: ReadonlySet<string>, right: ReadonlySet<string>): boolean {
  return left.size === right.size && [...left].every((member) => right.has(member));
}
