import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Cluster, ensureProjectImages } from '../cluster/index.ts';
import { installPostern, posternNamespace } from '../harness/postern.ts';
import { type Kubectl, kubectlFor } from '../harness/kubectl.ts';
import { waitFor } from '../harness/wait.ts';
import { interruption } from './interruption.ts';
import { type Observer, startObserver } from './observer.ts';
import { type Operator, startOperator } from './operator.ts';
import type { Patch } from './patch.ts';
import { probeProgram, probeVariant } from './probe-variant.ts';
import { createScene, type Scene } from './scene.ts';
import { type Finding, isCaught } from './table.ts';
import { presumptionOf, type Showing, showingOn } from './presumption.ts';
import type { Family, Trap } from './trap.ts';

/** Traps that look on at a time; each waits most of its time. */
const parallelTraps = 8;

/** A trap in its world. */
interface Placed {
  readonly trap: Trap;
  readonly family: Family;
  readonly showing: Showing;
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
  const showingOf = (trap: Trap, family: Family): Showing => showingOn(cluster.cni, trap, family);
  const isSprung = (trap: Trap, family: Family): boolean => showingOf(trap, family).skipped === undefined;
  const stage = await openStage(cluster, say);
  const scenes: [Family, Scene][] = [];
  try {
    const played = families.filter((family) => family.traps.some((trap) => isSprung(trap, family)));
    say(`Building ${played.length} worlds`);
    await inParallel(played, 3, async (family) => {
      if (interruption.aborted) return;
      const { observer, operator } = stage;
      const scene = await createScene(family.name, { cluster, observer, operator });
      scenes.push([family, scene]);
      await family.build(scene);
    });
    const placed = scenes.flatMap(([family, scene]) =>
      family.traps
        .filter((trap) => isSprung(trap, family))
        .map((trap): Placed => ({ trap, family, showing: showingOf(trap, family), scene })),
    );
    const withGuard = new Map<Trap, string>();
    const withoutGuard = new Map<Trap, string>();
    for (const batch of batchesOf(placed, isGuardedOnly)) {
      if (interruption.aborted) break;
      await stage.play(batch, batch.guard === undefined ? withGuard : withoutGuard);
    }
    return families.flatMap((family) =>
      family.traps.map((trap): Finding => {
        const showing = showingOf(trap, family);
        const finding = { trap, family: family.name, presumes: presumptionOf(trap, family), showing };
        if (!isSprung(trap, family)) return finding;
        return {
          ...finding,
          withGuard: withGuard.get(trap) ?? 'nothing',
          ...(isGuardedOnly || showing.wrong === undefined
            ? {}
            : { withoutGuard: withoutGuard.get(trap) ?? 'nothing' }),
        };
      }),
    );
  } finally {
    // Each as far as it goes: what one family leaves behind must not keep the operator away.
    const tidyings = scenes.map(async ([family, scene]) => {
      await family.clear?.(scene);
      await scene.destroy();
    });
    for (const outcome of await Promise.allSettled(tidyings)) {
      if (outcome.status === 'rejected') say(`Could not tidy up: ${String(outcome.reason)}`);
    }
    await stage.close();
  }
}

/** First everything with all guards in place, then guard by guard without it, where that would show anything. */
function batchesOf(placed: readonly Placed[], isGuardedOnly: boolean): readonly Batch[] {
  const worldOf = ({ trap }: Placed) => JSON.stringify([trap.fault, trap.environment]);
  const guarded = [...Map.groupBy(placed, worldOf).values()];
  const showing = isGuardedOnly ? [] : placed.filter(({ showing }) => showing.wrong !== undefined);
  const unguarded = [...Map.groupBy(showing, (each) => JSON.stringify([each.trap.guard, worldOf(each)])).values()];
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
  readonly operator: () => Operator;
  play(batch: Batch, seen: Map<Trap, string>): Promise<void>;
  close(): Promise<void>;
}

/** Takes the place of the operator in the cluster: its roles, its images, its custom resources. */
async function openStage(cluster: Cluster, say: (text: string) => void): Promise<Stage> {
  const kubectl = kubectlFor(cluster);
  // The chart's admission policy is a second guard around the operator, which would hide what the first ones prevent.
  await installPostern(cluster, ['admissionPolicy.enabled=false']);
  const images = await ensureProjectImages(cluster);
  try {
    await stopOperator(kubectl);
    return await raiseStage(cluster, { kubectl, images, say });
  } catch (error) {
    await installPostern(cluster);
    throw error;
  }
}

interface StageParts {
  readonly kubectl: Kubectl;
  readonly images: Awaited<ReturnType<typeof ensureProjectImages>>;
  readonly say: (text: string) => void;
}

async function raiseStage(cluster: Cluster, { kubectl, images, say }: StageParts): Promise<Stage> {
  const folder = await mkdtemp(path.join(tmpdir(), 'postern-traps-'));
  const kubeconfig = path.join(folder, 'kubeconfig');
  await writeFile(kubeconfig, await operatorKubeconfig(kubectl), { mode: 0o600 });
  const logFile = path.join(folder, 'operator.log');
  say(`The operators' logs: ${logFile}`);
  const observer = await startObserver(cluster.kubeconfig);
  let operator: Operator | undefined;

  return {
    observer,
    operator: () => {
      if (operator === undefined) throw new Error('no operator runs');
      return operator;
    },
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
        // A trap that breaks the network would keep it from being measured.
        await kubectl('wait calibration/cluster --for=condition=Calibrated --timeout=120s');
        const spring = async ({ trap, scene, family, showing }: Placed): Promise<void> => {
          if (interruption.aborted) return;
          const isOk = (what: string): boolean =>
            guard === undefined
              ? isCaught({ trap, family: family.name, presumes: presumptionOf(trap, family), showing, withGuard: what })
              : what === showing.wrong;
          let what = await attempt(trap, scene);
          if (!isOk(what) && isWorthAnother(what, guard) && !interruption.aborted) what = await attempt(trap, scene);
          seen.set(trap, what);
          say(`  ${isOk(what) ? 'ok    ' : 'BROKEN'}  ${family.name}: ${trap.name}: ${what}`);
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

/**
 * What a guard prevents may depend on timing; that it is prevented may not. With every guard in place only a machine that was too
 * busy for a probe or a trap gets a second try: a verdict stands.
 */
function isWorthAnother(what: string, guard: Patch | undefined): boolean {
  return guard !== undefined || /^(error: |Inconclusive (ProbeNotStarted|ProbeLost)$)/.test(what);
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
