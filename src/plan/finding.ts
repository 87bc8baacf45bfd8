import type { Reason } from '../api/index.ts';

/** Why something cannot be probed. */
export interface Finding {
  readonly reason: Reason;
  readonly message: string;
}

/** Reasons that are no trouble of the run but a refusal to begin it: the conditions say them, too. */
const refusals: readonly Reason[] = ['NotGranted', 'ProbesRefused'];

export function isRefusal({ reason }: Pick<Finding, 'reason'>): boolean {
  return refusals.includes(reason);
}
