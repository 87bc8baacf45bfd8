import type { Protocol } from '../api/index.ts';
import type { IpFamily, Outcome } from '../probe/index.ts';

/** What a probe sees of a connection that a policy denies, by the side that denies it; `Connected` where none is enforced. */
export interface DenialPair {
  readonly ingress: Outcome;
  readonly egress: Outcome;
}

/** How this cluster denies, as measured: by family of addresses and protocol, absent where it was not measured. */
export type Denials = { readonly [F in IpFamily]?: { readonly [P in Protocol]?: DenialPair } };

/**
 * How this cluster denies what is dialled over one family, which says nothing about the other: a network plugin may enforce the
 * policies of one alone. Of what may be dialled over either only what both have in common counts.
 */
export function denialOver(denials: Denials, family: IpFamily | undefined, protocol: Protocol): DenialPair | undefined {
  if (family !== undefined) return denials[family]?.[protocol];
  const [first, ...others] = Object.values(denials).map((each) => each[protocol]);
  return others.every((other) => other?.ingress === first?.ingress && other?.egress === first?.egress)
    ? first
    : undefined;
}

/** Outcomes that a policy's denial can have at all; what got any further reached its target. */
const possible: readonly Outcome[] = ['TimedOut', 'Refused', 'Unreachable'];

/** Whether an outcome is how this cluster denies. Which side denied a connection cannot be seen, so either side's will do. */
export function isDenial({ ingress, egress }: DenialPair, outcome: Outcome): boolean {
  return possible.includes(outcome) && (outcome === ingress || outcome === egress);
}

/** The sides on which no policy is enforced. */
export function unenforcedSides(denials: DenialPair): readonly (keyof DenialPair)[] {
  return (['ingress', 'egress'] as const).filter((side) => !possible.includes(denials[side]));
}

/** Whether nothing is enforced on either side, so that no policy can deny anything. */
export function isNothingEnforced(denials: DenialPair): boolean {
  return unenforcedSides(denials).length === 2;
}

/** Whether what is denied meets silence, on both sides. */
export function isDropping({ ingress, egress }: DenialPair): boolean {
  return ingress === 'TimedOut' && egress === 'TimedOut';
}
