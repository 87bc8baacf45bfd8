import type { Expected } from '../api/index.ts';
import type { Answer, Direction, DirectionDecision, PolicyModel, PolicyPart, Question } from '../policy/index.ts';
import type { Suspicion } from './admit.ts';
import { areEntangled, type Edit } from './edit.ts';
import { type Finding, type FindingCode, findingCodes } from './finding.ts';
import { distanceOf, type FailedPredicate } from './rejection.ts';
import { directions, type Scene, sceneOf, type Sides, type Subject } from './scene.ts';
import type { Side } from './side.ts';
import { closedSuspicions, nearestMisses, openSuspicions } from './suspicions.ts';

/** A rule that did not admit the connection, and every predicate of it that failed. */
export interface RejectedRule extends PolicyPart {
  readonly peerPath?: string;
  readonly portPath?: string;
  readonly distance: number;
  readonly failed: readonly FailedPredicate[];
}

/** What one side's policies say, and by what. */
export interface ExplainedDirection extends DirectionDecision {
  /** Where nothing admits: the nearest rules first. */
  readonly rejected: readonly RejectedRule[];
}

/** Everything that there is to say about one question. */
export interface Explanation {
  readonly question: Question;
  readonly expected: Expected;
  readonly answer: Answer;
  readonly source: Side;
  readonly destination: Side;
  readonly egress: ExplainedDirection;
  readonly ingress: ExplainedDirection;
  /** The most telling first; empty if the answer is what was expected. */
  readonly findings: readonly Finding[];
  /** Edits of several findings, where the first finding's is not enough for the answer that was expected and these are. */
  readonly together?: Edit;
}

/** Explains one question; a few milliseconds at most, whatever the size of the cluster. */
export function explain(model: Pick<PolicyModel, 'world'>, subject: Subject): Explanation {
  const scene = sceneOf(model, subject);
  const { question, expected, decision, sides } = scene;
  const ranked = findingsOf(scene);
  const together = togetherOf(scene, ranked);
  // What is not enough, alone or with others, is of the least use.
  const isPartial = ({ isEnough, edits }: Finding): boolean => !isEnough && edits.length > 0;
  const findings =
    together === undefined ? [...ranked.filter((finding) => !isPartial(finding)), ...ranked.filter(isPartial)] : ranked;
  return {
    question,
    expected,
    answer: decision.answer,
    source: sides.source,
    destination: sides.destination,
    egress: explained(scene, 'egress'),
    ingress: explained(scene, 'ingress'),
    findings,
    ...(together === undefined ? {} : { together }),
  };
}

function explained(scene: Scene, direction: Direction): ExplainedDirection {
  const decision = scene.decision[direction];
  if (decision.answer === 'allow') return { ...decision, rejected: [] };
  const isolating = new Set(decision.isolatedBy.map(({ policy }) => policy.name));
  const rejected = nearestMisses(scene, direction)
    .filter(({ policy }) => isolating.has(policy.name))
    .map((miss) => ({
      policy: miss.policy,
      path: miss.rule.rule.path,
      ...(miss.peer === undefined ? {} : { peerPath: miss.peer.path }),
      ...(miss.port === undefined ? {} : { portPath: miss.port.path }),
      distance: distanceOf(miss),
      failed: miss.failed,
    }));
  return { ...decision, rejected };
}

/** The directions that have to change. One that is closed is enough for a Deny, so either may be. */
function directionsAtFault({ decision, expected }: Pick<Scene, 'decision' | 'expected'>): readonly Direction[] {
  if (expected === 'Allow') return directions.filter((direction) => decision[direction].answer !== 'allow');
  return decision.answer === 'deny' ? [] : ['ingress', 'egress'];
}

/** Edits are tried on the model, which costs a fraction of a millisecond each: more than these nobody would read. */
const mostSuspicions = 8;

function findingsOf(scene: Scene): readonly Finding[] {
  const { expected } = scene;
  const suspicions = directionsAtFault(scene).flatMap((direction) =>
    expected === 'Allow' ? closedSuspicions(scene, direction) : openSuspicions(scene, direction),
  );
  const ranked = suspicions.toSorted((a, b) => rankOf(a) - rankOf(b)).slice(0, mostSuspicions);
  const tried = ranked.map((suspicion): Finding => {
    const { isForOthers: _, ...finding } = suspicion;
    const edits = finding.edits.filter((edit) => edit.changes.length > 0 && turns(scene, finding.direction, edit));
    if (edits.length > 0 || finding.edits.length === 0) return { ...finding, edits, isEnough: edits.length > 0 };
    // A rule that admits together with others turns nothing alone, and is part of the cure all the same.
    return {
      ...finding,
      edits: expected === 'Allow' ? [] : finding.edits.filter((edit) => isSound(scene, edit)),
      isEnough: false,
    };
  });
  const offered = new Set(suspicions.filter(({ edits }) => edits.length > 0).map(keyOf));
  // Whose edits all failed on trial explains nothing; who never had one may be beyond the policies' reach.
  return tried.filter((finding) => finding.edits.length > 0 || !offered.has(keyOf(finding)));
}

function keyOf({ code, direction, message }: Pick<Finding, 'code' | 'direction' | 'message'>): string {
  return `${code} ${direction} ${message}`;
}

/** Whether an edit makes its direction what was expected; a Deny may be had from either side. */
function turns(scene: Scene, direction: Direction, edit: Edit): boolean {
  if (!isSound(scene, edit)) return false;
  const sides = scene.decisionAfter(edit);
  return isAsExpected(scene.expected, (scene.expected === 'Allow' ? sides[direction] : sides).answer);
}

/** A policy that the API server would refuse is left out by the model, which would then seem to open what it restricts. */
function isSound(scene: Scene, edit: Edit): boolean {
  const refused = ({ findings }: PolicyModel): number => findings.filter(({ code }) => code === 'Rejected').length;
  return refused(scene.modelAfter(edit)) <= refused(scene.model);
}

function isAsExpected(expected: Expected, answer: Answer): boolean {
  return answer === (expected === 'Allow' ? 'allow' : 'deny');
}

const codesInOrder: readonly string[] = Object.keys(findingCodes);

/** How telling a code is, where the distance is the same. */
function strengthOf(code: FindingCode): number {
  return codesInOrder.indexOf(code) / codesInOrder.length;
}

/** Codes that tell of a whole policy, which is not where it should be, and so of more than the predicates that fail. */
const ofWholePolicies: ReadonlySet<FindingCode> = new Set(['SelectorsSwapped', 'DirectionSwapped']);

/** Lower comes first: what is certain, then what one predicate speaks for, then what is probably meant for others. */
function rankOf({ code, distance, isForOthers, direction }: Suspicion): number {
  const step = ofWholePolicies.has(code) ? 1 : isForOthers ? distance + 2 : distance;
  return step * 10 + strengthOf(code) * 5 + (direction === 'ingress' ? 0 : 0.01);
}

/** The edits of several findings at once: one for each closed direction, or one for each rule that admits. */
function togetherOf(scene: Scene, findings: readonly Finding[]): Edit | undefined {
  const { expected } = scene;
  const isCured = (sides: Sides): boolean => isAsExpected(expected, sides.answer);
  const recommended = findings[0]?.edits[0];
  if (recommended !== undefined && isCured(scene.decisionAfter(recommended))) return undefined;
  for (const chosen of combinations(expected, findings)) {
    const changes = chosen.flatMap(({ edits: [edit] }) => edit?.changes ?? []);
    if (chosen.length < 2 || areEntangled(changes)) continue;
    const edit = { summary: chosen.map(({ edits }) => edits[0]?.summary ?? '').join('; '), changes };
    if (isSound(scene, edit) && isCured(scene.decisionAfter(edit))) return edit;
  }
  return undefined;
}

function combinations(expected: Expected, findings: readonly Finding[]): readonly (readonly Finding[])[] {
  const withEdit = findings.filter(({ edits }) => edits.length > 0);
  const of = (direction: Direction) => withEdit.filter((finding) => finding.direction === direction);
  if (expected === 'Deny') return [of('ingress'), of('egress')];
  return [directions.flatMap((direction) => of(direction).slice(0, 1))];
}
