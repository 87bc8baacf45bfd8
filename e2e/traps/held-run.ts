/** Runs that stay under way until told otherwise: one of their probe pods waits for a node. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Pod } from '../../src/api/index.ts';
import { declaring, deployment, expectationOf, hasEnded, workload } from './situations.ts';
import type { Scene } from './scene.ts';

const gate = 'trap.postern.dev/gate';

/** Long enough for a watch to tell everybody. */
const settledMs = 1_500;

/** A source whose probe pods start only while the gate is open. The gate must be open when it is built. */
export function gatedSource(namespace: string): object {
  return workload(namespace, 'gated', { pod: { nodeSelector: { [gate]: 'open' } } });
}

export async function openGate({ kubectl, workers }: Scene): Promise<void> {
  await kubectl(`label node ${workers[0]} ${gate}=open --overwrite`);
}

export async function closeGate({ kubectl, workers }: Scene): Promise<void> {
  await kubectl(`label node ${workers[0]} ${gate}-`);
}

/** What is done during the runs of a test, one action per run. */
export interface HeldRuns {
  readonly expectations: readonly object[];
  /** Called when the run's probe pods have ended, but for the one that is held. */
  readonly during: readonly ((run: number) => Promise<void>)[];
  /** Whether the expectations are probed from the held pod itself, so that actions come before it starts. */
  readonly isHeldItself?: boolean;
}

/** Holds one run after the other, and gives the first expectation's verdict after as many finished runs. */
export async function holding(scene: Scene, held: HeldRuns, finishedRuns: number): Promise<string> {
  // What a pod sends to itself is not probed, so the held pod is there for another one.
  const holder = expectationOf('Deny', deployment('gated'), { ...deployment('client'), port: 9 }, { name: 'holder' });
  const expectations = held.isHeldItself === true ? held.expectations : [...held.expectations, holder];
  await closeGate(scene);
  return await declaring(scene, expectations, async (test) => {
    const known = new Set<string>();
    for (const [run, act] of held.during.entries()) {
      const isNew = ({ metadata }: Pod): boolean => !known.has(metadata.uid ?? '');
      const isGated = ({ metadata }: Pod): boolean => metadata.labels?.['app'] === 'gated';
      const waiting = await scene.probePod(test, (pod) => isNew(pod) && isGated(pod), `held in run ${run}`);
      if (held.isHeldItself !== true) {
        const other = await scene.probePod(
          test,
          (pod) => isNew(pod) && !isGated(pod) && hasEnded(pod),
          `finished in run ${run}`,
        );
        known.add(other.metadata.uid ?? '');
      }
      known.add(waiting.metadata.uid ?? '');
      await act(run);
      await delay(settledMs);
      await openGate(scene);
      await scene.probePod(
        test,
        ({ metadata, spec }) => metadata.uid === waiting.metadata.uid && spec.nodeName !== undefined,
        `let go in run ${run}`,
      );
      await closeGate(scene);
    }
    return await scene.verdict(test, finishedRuns);
  });
}
