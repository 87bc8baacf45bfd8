import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Cluster, ensureProjectImages } from '../cluster/index.ts';
import { installPostern, posternNamespace } from '../harness/postern.ts';
import { type Kubectl, kubectlFor } from '../harness/kubectl.ts';
import { waitFor } from '../harness/wait.ts';
import { type Observer, startObserver } from './observer.ts';
import { type Operator, startOperator } from './operator.ts';
import type { Patch } from './patch.ts';
import { probeProgram, probeVariant } from './probe-variant.ts';
import { createScene, type Scene } from './scene.ts';
import type { Finding } from './table.ts';
import type { Family, Trap } from './trap.ts';

/** Traps that look on at a time; each waits most of its time. */
const parallelTraps = 8;

/** A trap in its world. */
interface Placed {
  readonly trap: Trap;
  readonly family: string;
  readonly scene: Scene;
}

/** Traps that one operator serves. */
interface Batch {
  readonly title: string;
  readonly guard: Patch | undefined;
  readonly placed: readonly Placed[];
}

/**
 * Springs every trap twice, with its guard and without, and gives what was seen. With `isGuardedOnly` it does not take guards out:
 * whether a trap catches something without its guard depends on the network, whether the guard holds must not.
 */
export async function springAll(
  cluster: Cluster,
  families: readonly Family[],
  say: (text: string) => void,
  isGuardedOnly = false,
): Promise<readonly Finding[]> {
  const stage = await openStage(cluster, say);
  const scenes: [Family, Scene][] = [];
  try {
    say(`Building ${families.length} worlds`);
    await inParallel(families, 3, async (family) => {
      const scene = await createScene(family.name, { cluster, observer: stage.observer });
      scenes.push([family, scene]);
      await family.build(scene);
    });
    const placed = scenes.flatMap(([family, scene]) =>
      family.traps.map((trap): Placed => ({ trap, family: family.name, scene })),
    );
    const withGuard = new Map<Trap, string>();
    const withoutGuard = new Map<Trap, string>();
    for (const batch of batchesOf(placed)) {
      if (isGuardedOnly && batch.guard !== undefined) continue;
      await stage.play(batch, batch.guard === undefined ? withGuard : withoutGuard);
    }
    return placed.map(({ trap, family }) => ({
      trap,
      family,
      withGuard: withGuard.get(trap) ?? 'nothing',
      ...(isGuardedOnly ? {} : { withoutGuard: withoutGuard.get(trap) ?? 'nothing' }),
    }));
  } finally {
    for (const [family, scene] of scenes) await family.clear?.(scene);
    await Promise.all(scenes.map(([, scene]) => scene.destroy()));
    await stage.close();
  }
}

/** First everything with all guards in place, then guard by guard without it. */
function batchesOf(placed: readonly Placed[]): readonly Batch[] {
  const worldOf = ({ trap }: Placed) => JSON.stringify([trap.fault, trap.environment]);
  const guarded = [...Map.groupBy(placed, worldOf).values()];
  const unguarded = [...Map.groupBy(placed, (each) => JSON.stringify([each.trap.guard, worldOf(each)])).values()];
  return [
    ...guarded.map((group) => ({ title: 'all guards in place', guard: undefined, placed: group })),
    ...unguarded.map((group) => ({
      title: `without a guard of ${group[0]?.trap.guard.file}`,
      guard: group[0]?.trap.guard,
      placed: group,
    })),
  ];
}

interface Stage {
  readonly observer: Observer;
  play(batch: Batch, seen: Map<Trap, string>): Promise<void>;
  close(): Promise<void>;
}

/** Takes the place of the operator in the cluster: its roles, its images, its custom resources. */
async function openStage(cluster: Cluster, say: (text: string) => void): Promise<Stage> {
  const kubectl = kubectlFor(cluster);
  // The chart's admission policy is a second guard around the operator, which would hide what the first ones prevent.
  await installPostern(cluster, ['admissionPolicy.enabled=false']);
  const images = await ensureProjectImages(cluster);
  await stopOperator(kubectl);
  const folder = await mkdtemp(path.join(tmpdir(), 'postern-traps-'));
  const kubeconfig = path.join(folder, 'kubeconfig');
  await writeFile(kubeconfig, await operatorKubeconfig(kubectl), { mode: 0o600 });
  const logFile = path.join(folder, 'operator.log');
  say(`The operators' logs: ${logFile}`);
  const observer = await startObserver(cluster.kubeconfig);
  let operator: Operator | undefined;

  return {
    observer,
    play: async ({ title, guard, placed }, seen) => {
      const { fault, environment = {} } = placed[0]?.trap ?? {};
      const patches = [guard, fault].filter((patch) => patch !== undefined);
      say(`${title}: ${placed.map(({ trap }) => trap.name).join('; ')}`);
      const ofProbe = patches.filter(({ file }) => file.startsWith(probeProgram));
      const probeImage = await probeVariant(cluster, images.probe, ofProbe);
      const ofOperator = patches.filter((patch) => !ofProbe.includes(patch));
      const start = async (): Promise<void> => {
        operator = await startOperator({ patches: ofOperator, kubeconfig, probeImage, environment, logFile });
      };
      await start();
      try {
        const spring = async ({ trap, scene, family }: Placed): Promise<void> => {
          const wanted = guard === undefined ? trap.right : trap.wrong;
          let what = await attempt(trap, scene);
          // What a guard prevents may depend on timing; that it is prevented may not.
          if (guard !== undefined && what !== wanted) what = await attempt(trap, scene);
          seen.set(trap, what);
          say(`  ${what === wanted ? 'ok    ' : 'BROKEN'}  ${family}: ${trap.name}: ${what}`);
        };
        await inParallel(
          placed.filter(({ trap }) => trap.isAlone !== true),
          parallelTraps,
          spring,
        );
        await inParallel(
          placed.filter(({ trap }) => trap.isAlone === true),
          1,
          spring,
        );
      } finally {
        await operator?.stop();
        operator = undefined;
      }
    },
    close: async () => {
      await observer.stop();
      await installPostern(cluster);
    },
  };
}

async function attempt(trap: Trap, scene: Scene): Promise<string> {
  try {
    return await trap.spring(scene);
  } catch (error) {
    return `error: ${error instanceof Error ? error.message : String(error)}`;
  }
}

async function stopOperator(kubectl: Kubectl): Promise<void> {
  await kubectl(`scale deployment postern -n ${posternNamespace} --replicas=0`);
  await waitFor(
    async () => {
      const pods = await kubectl(`get pods -n ${posternNamespace} -l app.kubernetes.io/name=postern -o name`);
      return pods.trim() === '';
    },
    { what: 'the operator in the cluster to stop', timeoutMs: 60_000 },
  );
}

interface Kubeconfig {
  readonly users: readonly { readonly name: string }[];
}

/** A kubeconfig with the operator's own service account: the traps run under exactly the roles that the chart ships. */
async function operatorKubeconfig(kubectl: Kubectl): Promise<string> {
  const token = await kubectl(`create token postern -n ${posternNamespace} --duration=6h`);
  const config = await kubectl.json<Kubeconfig>('config view --raw --minify');
  const users = config.users.map(({ name }) => ({ name, user: { token: token.trim() } }));
  return JSON.stringify({ ...config, users });
}

async function inParallel<T>(items: readonly T[], width: number, action: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const work = async (): Promise<void> => {
    for (const item of queue) await action(item);
  };
  await Promise.all(Array.from({ length: width }, work));
}
