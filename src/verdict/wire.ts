import type { Check } from '../plan/index.ts';
import type { Observation } from '../probe/index.ts';
import { transportOf } from './control.ts';
import { type DenialPair, isDenial } from './denial.ts';
import type { Judgement } from './judge.ts';

/** What the wire says about a connection itself, whatever was expected: it stood, or it was denied as this cluster denies. */
export type Wire = 'Connected' | 'Denied';

/** What there is to tell a denial from mere silence. */
export interface WireProofs {
  readonly denials?: DenialPair;
  readonly targetControl?: string;
  readonly sourceControl?: string;
  readonly targetStands: boolean;
  readonly isCrossingProved: boolean;
}

/** What of a check the wire is read by. */
type Read = Pick<Check, 'udp' | 'dns' | 'mode'> & { readonly target: Pick<Check['target'], 'readinessProved'> };

/**
 * What the wire says beyond doubt; undefined where it does not. A denial takes the proofs that pass a Deny, also where an Allow was
 * expected: silence alone is no policy's doing. Only for its nodes a failed Allow does not wait, so that its target is believed Ready
 * by the kubelet's last word, nor for the ways between nodes. A mesh's proxy in doubt leaves the wire in doubt.
 */
export function wireOf(
  check: Read,
  { reason }: Judgement,
  observation: Observation | undefined,
  { denials, targetControl, sourceControl, targetStands, isCrossingProved }: WireProofs,
): Wire | undefined {
  if (observation === undefined || reason === 'ThroughMesh' || reason === 'MeshIdentityNotWorn') return undefined;
  const { outcome, stage, firstOutcome, attempts } = observation;
  if (outcome === 'ProbeLost' || outcome === 'ProbeNotStarted') return undefined;
  if (outcome === 'Connected' || outcome === 'Reset' || stage === 'tls' || stage === 'http') return 'Connected';
  // A name server that answered, be it that there is no such name, was reached.
  if (stage === 'dns') return check.dns === undefined ? undefined : 'Connected';
  // Over TCP this rests on the model itself, which must not confirm itself.
  if (reason === 'ReachedClosedPort') return transportOf(check) === 'UDP' ? 'Connected' : undefined;
  const isSteady = firstOutcome === outcome && attempts >= 2;
  const isAllow = check.mode === 'converge';
  const hasTarget = targetControl !== undefined || (isAllow && check.target.readinessProved);
  const hasPath = isCrossingProved || isAllow || outcome === 'Refused';
  const isProved = hasTarget && hasPath && sourceControl !== undefined && targetStands;
  return denials !== undefined && isDenial(denials, outcome) && isSteady && isProved ? 'Denied' : undefined;
}
