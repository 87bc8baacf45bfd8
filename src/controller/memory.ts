import type { ConnectivityTest, Status } from '../api/index.ts';
import type { Probe, Run } from '../runner/index.ts';

/** What the controller remembers of a test between two looks at it; everything else stands in the cluster. */
export interface Remembered {
  readonly uid: string;
  run?: Run;
  /** Since when the observed world deviates from the one of the newest verdicts, by the monotonic clock. */
  noticed: { fingerprint: string; current: number; first: number };
  /** The status written last: the cache may lag behind it, and nobody else writes it. */
  status?: Status;
  /** Runs in a row during which something changed. */
  disturbedRuns: number;
  /** When to probe again what connected too close to a change. Milliseconds of the monotonic clock. */
  repeatAt?: number;
}

/** Remembers, per test. A test that was deleted and made anew under its name starts without memories. */
export class Memory {
  readonly #tests = new Map<string, Remembered>();

  of(key: string, test: ConnectivityTest, now: number): Remembered {
    const known = this.#tests.get(key);
    if (known?.uid === test.metadata.uid) return known;
    const fresh: Remembered = {
      uid: test.metadata.uid,
      noticed: { fingerprint: '', current: now, first: now },
      disturbedRuns: 0,
      // An operator before this one had it to be probed again at once.
      ...(isDelayed(test.status) ? { repeatAt: Number.NEGATIVE_INFINITY } : {}),
    };
    this.#tests.set(key, fresh);
    return fresh;
  }

  peek(key: string): Remembered | undefined {
    return this.#tests.get(key);
  }

  /** Whose run a probe pod belongs to, as a key. */
  keyOfProbe(namespace: string, name: string): string | undefined {
    for (const [key, { run }] of this.#tests) {
      if (run?.probes.some((probe) => probe.name === name && probe.namespace === namespace) === true) return key;
    }
    return undefined;
  }

  forget(key: string): void {
    this.#tests.delete(key);
  }

  /** How many probe pods are under way, by their tests' namespaces. */
  podsInUse(): ReadonlyMap<string, number> {
    const pods = new Map<string, number>();
    for (const [key, { run }] of this.#tests) {
      const namespace = namespaceOf(key);
      if (run !== undefined) pods.set(namespace, (pods.get(namespace) ?? 0) + run.probes.filter(isUnderWay).length);
    }
    return pods;
  }

  runs(): readonly Run[] {
    return [...this.#tests.values()].flatMap(({ run }) => (run === undefined ? [] : [run]));
  }
}

/** A pod that has ended is in nobody's way, though its run waits for a proof from elsewhere. */
function isUnderWay({ report }: Probe): boolean {
  return report === undefined;
}

function isDelayed(status: Status | undefined): boolean {
  return status?.expectations?.some(({ reason }) => reason === 'EnforcementDelayed') === true;
}

/** The namespace in a test's key; empty for tests of the whole cluster. */
export function namespaceOf(key: string): string {
  return key.slice(0, key.indexOf('/'));
}

/** Brings up to date since when the world deviates from the one that the newest verdicts saw. */
export function notice(remembered: Remembered, fingerprint: string, judged: string | undefined, now: number): void {
  const { noticed } = remembered;
  if (fingerprint === noticed.fingerprint) return;
  const wasDeviating = noticed.fingerprint !== '' && noticed.fingerprint !== judged;
  remembered.noticed = { fingerprint, current: now, first: wasDeviating ? noticed.first : now };
}
