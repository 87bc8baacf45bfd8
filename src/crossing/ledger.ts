import type { Crossing, CrossingState } from '../verdict/index.ts';

/** What a round found out about one crossing. */
export type Found = Exclude<CrossingState, 'Unknown'>;

/** Most pods of one round: one per node at either end. What finds no room waits for the next round. */
const maxPods = 16;

/** How long a way is asked for, in milliseconds: whoever asked has given up by then. */
const patienceMs = 120_000;

/** How long anything is remembered, in milliseconds: longer than any run lasts. */
const memoryMs = 900_000;

/**
 * Which crossings are asked for, and what was found out when. Moments are milliseconds of the monotonic clock. A finding speaks of
 * the time since its round began, so that whoever began before that may rely on it.
 */
export class CrossingLedger {
  /** What is asked for, since when it has to be found out. */
  readonly #wanted = new Map<string, { readonly crossing: Crossing; readonly since: number; readonly asked: number }>();

  /** What rounds are under way for. */
  readonly #tried = new Set<string>();
  readonly #found = new Map<string, { readonly found: Found; readonly began: number }>();

  /** Asks, at a moment, for what is not known since another one. Says whether there is anything to find out. */
  want(crossings: readonly Crossing[], since: number, now: number): boolean {
    const unknown = crossings.filter((crossing) => this.stateSince(crossing, since) === 'Unknown');
    for (const crossing of unknown) {
      const key = keyOf(crossing);
      const before = this.#wanted.get(key)?.since ?? since;
      this.#wanted.set(key, { crossing, since: Math.max(before, since), asked: now });
    }
    return unknown.length > 0;
  }

  /** Whether nobody asks for anything. */
  isIdle(): boolean {
    return this.#wanted.size === 0;
  }

  /** What a round that began no earlier than that found out. */
  stateSince(crossing: Crossing, since: number): CrossingState {
    const known = this.#found.get(keyOf(crossing));
    return known === undefined || known.began < since ? 'Unknown' : known.found;
  }

  /** Begins a round: what it is to find out, the longest wanted first, as far as pods suffice. Nothing if nothing is to be found. */
  begin(now: number): readonly Crossing[] {
    for (const [key, { asked }] of this.#wanted) if (asked < now - patienceMs) this.#wanted.delete(key);
    const froms = new Set<string>();
    const tos = new Set<string>();
    return [...this.#wanted].flatMap(([key, { crossing }]) => {
      const { from, to } = crossing;
      const pods = froms.size + tos.size + Number(!froms.has(from)) + Number(!tos.has(to));
      if (pods > maxPods || this.#tried.has(key)) return [];
      froms.add(from);
      tos.add(to);
      this.#tried.add(key);
      return [crossing];
    });
  }

  /** Ends a round with what it found out, which holds since that moment. */
  conclude(findings: readonly { readonly crossing: Crossing; readonly found: Found }[], began: number): void {
    for (const { crossing, found } of findings) {
      const key = keyOf(crossing);
      this.#tried.delete(key);
      this.#found.set(key, { found, began });
      // Whoever began after the round did waits for another one.
      if ((this.#wanted.get(key)?.since ?? began) <= began) this.#wanted.delete(key);
    }
    for (const [key, { began: when }] of this.#found) {
      if (when < began - memoryMs) this.#found.delete(key);
    }
  }
}

function keyOf({ from, to, family, protocol }: Crossing): string {
  return JSON.stringify([from, to, family, protocol]);
}
