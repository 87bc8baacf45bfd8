import type { Agreement, AgreementCause } from '../api/index.ts';
import type { Answer, Direction } from '../policy/index.ts';
import { type DenialPair, unenforcedSides, type Wire } from '../verdict/index.ts';

/** What one check saw, and what the model says of it. */
export interface Compared {
  readonly wire: Wire;
  /** By the API's documentation. */
  readonly specified: Answer;
  /** By what the network plugin is known to do, where one is known. */
  readonly profiled?: Answer | undefined;
  /** Where the documentation denies it: the directions that do. */
  readonly deniedBy: readonly Direction[];
  /** How this cluster denies what the check speaks, if that was measured. */
  readonly denials?: DenialPair | undefined;
  /** Whether something that the check depends on had been seen to change just before, or changed meanwhile. */
  readonly isRecent: boolean;
}

export interface Comparison {
  readonly agreement: Agreement;
  /** Absent where they agree. */
  readonly cause?: AgreementCause;
}

/**
 * Whether the model of the policies says what the wire said, and if not, which it is: what was measured before what is known of the
 * plugin, and that before what may have been the moment. A connection that outlives the policy which closes it (conntrack) is not
 * among the causes: each attempt of a probe has a socket and a source port of its own.
 */
export function compare({ wire, specified, profiled, deniedBy, denials, isRecent }: Compared): Comparison {
  const seen = wire === 'Connected' ? 'allow' : 'deny';
  if (specified === seen) return { agreement: 'Agrees' };
  if (specified === 'undefined' || specified === 'unknown') {
    return { agreement: 'NoAnswer', cause: causeOfNoAnswer(specified, profiled, seen, isRecent) };
  }
  const agreement = specified === 'deny' ? 'ModelDenies' : 'ModelAllows';
  if (specified === 'deny' && isFutile(deniedBy, denials)) return { agreement, cause: 'NotEnforced' };
  if (profiled === seen) return { agreement, cause: 'PluginAgrees' };
  return { agreement, cause: isRecent ? 'NotYetProgrammed' : 'OutsideTheModel' };
}

function causeOfNoAnswer(
  specified: 'undefined' | 'unknown',
  profiled: Answer | undefined,
  seen: Answer,
  isRecent: boolean,
): AgreementCause {
  if (profiled === 'allow' || profiled === 'deny') {
    if (profiled === seen) return 'PluginAgrees';
    return isRecent ? 'NotYetProgrammed' : 'PluginDiffers';
  }
  return specified === 'undefined' ? 'LeftOpen' : 'NotKnown';
}

/** Whether it is denied on sides alone on which no policy is enforced. */
function isFutile(deniedBy: readonly Direction[], denials: DenialPair | undefined): boolean {
  if (denials === undefined) return false;
  const unenforced = unenforcedSides(denials);
  return deniedBy.length > 0 && deniedBy.every((side) => unenforced.includes(side));
}

/** Whether it shows something that neither the specification nor the plugin's profile says. */
export function isDisagreement({ agreement, cause }: Comparison): boolean {
  return agreement === 'ModelDenies' || agreement === 'ModelAllows' || cause === 'PluginDiffers';
}
