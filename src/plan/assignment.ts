import { checkWeight, maxWeightPerPod, type PlannedCheck } from '../probe/index.ts';
import type { Identity } from './identity.ts';

interface Worn extends PlannedCheck {
  readonly identity: Identity;
}

/** Connections that a further pod of an identity tries as well, so that it too can show that its network works. */
const companionsPerPod = 2;

/**
 * One pod per identity, and more only where its checks do not fit one. The seam must not show: silence counts only in a pod
 * whose network was seen to work, so a further pod with nothing but Denies repeats connections that must succeed.
 */
export function assign<T extends Worn>(
  checks: readonly T[],
): readonly { readonly identity: Identity; readonly checks: readonly T[] }[] {
  return [...Map.groupBy(checks, ({ identity }) => identity.key).values()].flatMap((own) => podsFor(own));
}

function podsFor<T extends Worn>(own: readonly T[]) {
  const companions = own
    .filter(({ mode }) => mode === 'converge')
    .toSorted((a, b) => checkWeight(a) - checkWeight(b))
    .slice(0, companionsPerPod);
  const isSplit = weightOf(own) > maxWeightPerPod;
  const capacity = maxWeightPerPod - (isSplit ? weightOf(companions) : 0);
  const pods: { identity: Identity; checks: T[] }[] = [];
  let room = 0;
  for (const check of own) {
    const weight = checkWeight(check);
    if (weight > room) {
      room = capacity;
      pods.push({ identity: check.identity, checks: [] });
    }
    pods.at(-1)?.checks.push(check);
    room -= weight;
  }
  return pods.map(({ identity, checks }) => {
    const proves = checks.some(({ mode }) => mode === 'converge');
    return { identity, checks: proves ? checks : [...checks, ...companions] };
  });
}

function weightOf(checks: readonly PlannedCheck[]): number {
  return checks.reduce((sum, check) => sum + checkWeight(check), 0);
}
