/** What may be handed out of something that there is only so much of. */
export interface Supply {
  readonly total: number;
  readonly perGroup: number;
  /** What is in use now, by group. */
  readonly used: ReadonlyMap<string, number>;
}

/**
 * A line for a limited supply. Groups take turns, so that one with many in line delays another by one of its own at a time. Whose
 * turn it is keeps everybody else waiting until there is enough, but a group at its own limit keeps nobody waiting. What is
 * more than a limit is handed out when nothing else is in use, rather than never.
 */
export class FairLine {
  /** Group → key → size. Groups stand in the order of their turns. */
  readonly #groups = new Map<string, Map<string, number>>();

  /** Puts a key in line, or changes what it asks for; it keeps its place. */
  enter(key: string, group: string, size: number): void {
    const keys = this.#groups.get(group) ?? new Map<string, number>();
    keys.set(key, size);
    this.#groups.set(group, keys);
  }

  /** Takes a key out of the line. Gives whether it stood there. */
  leave(key: string, group: string): boolean {
    const keys = this.#groups.get(group);
    const stood = keys?.delete(key) ?? false;
    if (keys?.size === 0) this.#groups.delete(group);
    return stood;
  }

  /** Takes a key out of the line because it got what it asked for: its group's next turn is after those of all others. */
  serve(key: string, group: string): void {
    this.leave(key, group);
    const keys = this.#groups.get(group);
    if (keys === undefined) return;
    this.#groups.delete(group);
    this.#groups.set(group, keys);
  }

  /** Whose turn it is, as far as the supply goes. */
  next({ total, perGroup, used }: Supply): readonly string[] {
    const usedBy = new Map(used);
    let usedByAll = [...used.values()].reduce((sum, each) => sum + each, 0);
    const turns = [...this.#groups].map(([group, keys]) => ({ group, keys: [...keys] }));
    const served: string[] = [];
    for (let round = turns; round.length > 0; round = round.filter(({ keys }) => keys.length > 0)) {
      const before = served.length;
      for (const { group, keys } of round) {
        const [key, size] = keys[0] ?? ['', 0];
        const usedByGroup = usedBy.get(group) ?? 0;
        if (!fits(size, usedByGroup, perGroup)) continue;
        if (!fits(size, usedByAll, total)) return served;
        served.push(key);
        keys.shift();
        usedBy.set(group, usedByGroup + size);
        usedByAll += size;
      }
      if (served.length === before) return served;
    }
    return served;
  }
}

function fits(size: number, used: number, limit: number): boolean {
  return used === 0 || used + size <= limit;
}
