import { setTimeout as delay } from 'node:timers/promises';

import type { Policy } from '../../src/api/index.ts';
import { type Outcome } from '../../src/probe/index.ts';
import type { Cluster } from '../cluster/index.ts';
import { manifests } from '../harness/workloads.ts';
import { openAgents } from './enforcement.ts';
import { type Cell, predict, type Prediction } from './prediction.ts';
import { openProbes } from './probing.ts';
import { labelled, worldLabel } from './random-policies.ts';
import type { Stage } from './stage.ts';
import { agrees, type Finding } from './tally.ts';

/** Puts worlds on the stage, one after another, and looks whether they are as predicted. */
export interface Trial {
  try(world: string, policies: readonly Policy[]): Promise<readonly Finding[]>;
  close(): void;
}

/** For how long a cell that is not as predicted is looked at again. */
const patienceMs = 15_000;

export async function openTrial(cluster: Cluster, stage: Stage): Promise<Trial> {
  const agents = await openAgents(cluster, stage);
  const probes = openProbes(cluster, stage);
  return {
    async try(world, policies) {
      const predictions = predict(stage, policies);
      await agents.enforced(await put(stage, labelled(policies, world)));
      const first = await probes.look(predictions);
      const last = await lookAgain(
        predictions.filter(
          (prediction) => prediction.expected !== undefined && !agrees(prediction, first.get(prediction.cell)),
        ),
        (wrong) => probes.look(wrong),
      );
      return predictions.map((prediction) => {
        const again = last.get(prediction.cell);
        const seen = again ?? first.get(prediction.cell) ?? 'ProbeLost';
        return { prediction, seen, isLate: again !== undefined && agrees(prediction, again) };
      });
    },
    close: () => {
      agents.close();
      probes.close();
    },
  };
}

/** Gives the cluster these policies and takes every other world's; gives their uids. */
async function put({ kubectl }: Stage, policies: readonly Policy[]): Promise<readonly string[]> {
  const world = policies[0]?.metadata.labels?.[worldLabel] ?? 'none';
  const remove = kubectl(`delete networkpolicies -A -l ${worldLabel},${worldLabel}!=${world} --ignore-not-found`);
  if (policies.length === 0) {
    await remove;
    return [];
  }
  const [applied] = await Promise.all([kubectl('apply -f - -o json', { input: manifests(...policies) }), remove]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what kubectl prints of one object, or of several
  const output = JSON.parse(applied) as Policy | { readonly items: readonly Policy[] };
  return ('items' in output ? output.items : [output]).map(({ metadata }) => metadata.uid ?? '');
}

/** What was seen at last of cells that were not as predicted. */
async function lookAgain(
  predictions: readonly Prediction[],
  look: (predictions: readonly Prediction[]) => Promise<ReadonlyMap<Cell, Outcome>>,
): Promise<ReadonlyMap<Cell, Outcome>> {
  const last = new Map<Cell, Outcome>();
  const began = performance.now();
  for (let left = predictions; left.length > 0 && performance.now() - began < patienceMs; await delay(500)) {
    const seen = await look(left);
    for (const [cell, outcome] of seen) last.set(cell, outcome);
    left = left.filter((prediction) => !agrees(prediction, seen.get(prediction.cell)));
  }
  return last;
}
