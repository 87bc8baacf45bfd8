import { FairLine } from '../workqueue/index.ts';
import { type Memory, namespaceOf } from './memory.ts';

/** Most probe pods of tests that may be under way. */
export interface ProbePodLimits {
  readonly inCluster: number;
  /** Of all tests of one namespace. The tests of the whole cluster count as one more namespace. */
  readonly perNamespace: number;
}

/** Lets runs begin while there is room for their probe pods, in turns between namespaces. */
export class Admission {
  readonly #line = new FairLine();
  readonly #memory: Memory;
  readonly #limits: ProbePodLimits;
  readonly #wake: (key: string) => void;

  /** `wake` is told whose turn it is, when somebody else's run has ended. */
  constructor(memory: Memory, limits: ProbePodLimits, wake: (key: string) => void) {
    this.#memory = memory;
    this.#limits = limits;
    this.#wake = wake;
  }

  /** Whether a test may begin a run of so many probe pods now; if not, it stands in line. */
  admits(key: string, pods: number): boolean {
    const namespace = namespaceOf(key);
    if (pods > 0) {
      this.#line.enter(key, namespace, pods);
      if (!this.#next().includes(key)) return false;
    }
    this.#line.serve(key, namespace);
    return true;
  }

  /** A test no longer asks for its turn, which may be that of others now. */
  leave(key: string): void {
    if (this.#line.leave(key, namespaceOf(key))) this.wakeNext();
  }

  /** There may be room. */
  wakeNext(): void {
    for (const key of this.#next()) this.#wake(key);
  }

  #next(): readonly string[] {
    const { inCluster, perNamespace } = this.#limits;
    return this.#line.next({ total: inCluster, perGroup: perNamespace, used: this.#memory.podsInUse() });
  }
}
