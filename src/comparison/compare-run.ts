import type { ConnectivityTest, ExplanationStatus } from '../api/index.ts';
import type { Check, Line } from '../plan/index.ts';
import type { Observation } from '../probe/index.ts';
import type { JudgedCheck, JudgedLine } from '../verdict/index.ts';
import { type Compared, type Comparison, compare, isDisagreement } from './compare.ts';
import { type Opinion, opinionOf } from './opinion.ts';
import type { PoliciesOfRun } from './policies-of-run.ts';
import { type Explained, shortExplanation } from './short-explanation.ts';
import { sightOf } from './sight.ts';

/** What the model says beside the evidence of a run. */
export interface RunComparison {
  /** One per check of which the wire said something beyond doubt. */
  readonly comparisons: readonly Comparison[];
  /** By the name of the expectation: where it failed, or model and wire disagree. */
  readonly explanations: ReadonlyMap<string, ExplanationStatus>;
}

/** Mistakes are looked for in so many rows of a run: where more fail at once, they seldom have as many causes. */
const mostFindings = 8;

/** Compares the model with what a run saw. `isRecent` tells whether something that a check depends on had just changed. */
export function compareRun(
  test: ConnectivityTest,
  lines: readonly JudgedLine[],
  policies: PoliciesOfRun,
  isRecent: (line: Line, check: Check, observation: Observation) => boolean,
): RunComparison {
  const comparisons = new Map<number, Comparison>();
  const explanations = new Map<string, ExplanationStatus>();
  const sight = sightOf(test, policies.world);
  for (const { line, judged, decisive } of lines) {
    const explained = judged.flatMap((each) => {
      const { check } = each;
      if (check === undefined) return [];
      const opinion = opinionOn(line, check, each, policies);
      const comparison = comparisonOf(line, each, opinion, isRecent);
      // Expectations that ask the same share a check.
      if (comparison !== undefined) comparisons.set(check.id, comparison);
      return [{ test, line, check, judged: each, opinion, comparison }];
    });
    const shown = worthShowing(explained, decisive);
    if (shown === undefined) continue;
    const withFinding = explanations.size < mostFindings;
    explanations.set(line.expectation.name, shortExplanation(shown, policies, sight, withFinding));
  }
  return { comparisons: [...comparisons.values()], explanations };
}

/** Whether the policies let a check pass, by their documentation and by what the network plugin is known to do. */
export function isAdmitted(line: Line, check: Check, policies: PoliciesOfRun): boolean {
  const { specified, profiled } = opinionOn(line, check, undefined, policies);
  return specified === 'allow' && profiled === 'allow';
}

function opinionOn(line: Line, check: Check, judged: JudgedCheck | undefined, policies: PoliciesOfRun): Opinion {
  const [kind] = policies.inForce.unreadKinds;
  if (kind !== undefined) {
    const obstacle = `Postern may not list ${kind}. Let its ClusterRole list and watch them.`;
    return { specified: 'unknown', profiled: 'unknown', deniedBy: [], obstacle };
  }
  const observation = judged?.observation;
  const stage = observation?.stage === 'dns' && check.dns === undefined ? 'Resolve' : 'Connect';
  return opinionOf(policies.asked(line, check, observation), stage, check.mode === 'guard' ? 'deny' : 'allow');
}

function comparisonOf(
  line: Line,
  { wire, check, observation, denials }: JudgedCheck,
  { specified, profiled, deniedBy }: Opinion,
  isRecent: (line: Line, check: Check, observation: Observation) => boolean,
): Comparison | undefined {
  if (wire === undefined || check === undefined || observation === undefined) return undefined;
  const compared: Compared = {
    wire,
    specified,
    profiled,
    deniedBy,
    denials,
    isRecent: isRecent(line, check, observation),
  };
  return compare(compared);
}

/** What failed, or else a disagreement that a pass would hide. */
function worthShowing(explained: readonly Explained[], decisive: JudgedCheck): Explained | undefined {
  const deciding = explained.find(({ judged }) => judged === decisive);
  if (deciding?.judged.verdict === 'Failed') return deciding;
  return [...(deciding === undefined ? [] : [deciding]), ...explained].find(
    ({ comparison }) => comparison !== undefined && isDisagreement(comparison),
  );
}
