import type { Patch } from './patch.ts';
import type { Elsewhere, Presumption } from './presumption.ts';
import type { Scene } from './scene.ts';

/** A situation in which a naive prober gives a wrong verdict, and the guard that keeps Postern from it. */
export interface Trap {
  /** Unique, in a few words: it is a row of the table. */
  readonly name: string;
  /** What takes the guard out. */
  readonly guard: Patch;
  /** What must be seen with the guard, such as `Inconclusive NoTargetControl`. */
  readonly right: string;
  /** What must be seen without it. */
  readonly wrong: string;
  /** Makes the situation, says what was seen, and leaves the world as it was. */
  readonly spring: (scene: Scene) => Promise<string>;
  /** A fault of the probe that belongs to the situation, with the guard and without it. */
  readonly fault?: Patch;
  /** Settings of the operator that belong to the situation. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What the cluster must be like for the trap to show both verdicts; what its family presumes, if absent. */
  readonly presumes?: Presumption;
  /** What it comes to on other clusters, as far as that is known. */
  readonly elsewhere?: Elsewhere;
  /** It changes nodes or parts of the cluster that other traps need, so it runs alone. */
  readonly isAlone?: boolean;
  /** It belongs to the few that run with every `npm test`. */
  readonly isQuick?: boolean;
}

/** Traps that share a world: a namespace with workloads and policies. */
export interface Family {
  readonly name: string;
  readonly build: (scene: Scene) => Promise<void>;
  /** Takes back what was changed outside of the family's namespace. */
  readonly clear?: (scene: Scene) => Promise<void>;
  /** What its traps presume, where they do not say otherwise; `silence` if absent. */
  readonly presumes?: Presumption;
  /** What its traps come to on other clusters, where they do not say otherwise. */
  readonly elsewhere?: Elsewhere;
  readonly traps: readonly Trap[];
}
