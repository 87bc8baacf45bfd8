import type { ConnectivityTest, Expectation, ExpectationStatus, Reason, Verdict } from '../api/index.ts';
import {
  applicationProtocolOf,
  type Check,
  describeSource,
  describePort,
  describeDialled,
  type Line,
} from '../plan/index.ts';
import { type Observation, type Outcome, reproduceCommand } from '../probe/index.ts';
import { plainText } from '../text/index.ts';
import { disproofOf, sourceControlOf, sourceNamesOf, targetControlOf, transportOf } from './control.ts';
import { type Crossing, type CrossingState, type EndsOf, unseenCrossings, worstCrossing } from './crossing.ts';
import { type DenialPair, denialOver, type Denials } from './denial.ts';
import { isExcusable, isExhausted, maxExcusedRuns } from './excuse.ts';
import { familyDialled, familySeen, ofFamily } from './family.ts';
import { judge, worst } from './judge.ts';
import { type FactsInMesh, meshDoubt, meshPathOf, withoutProxied } from './mesh.ts';
import { sentenceFor, type Subject } from './sentence.ts';
import { type Wire, wireOf } from './wire.ts';

/** What one probe pod brought back: facts, or why there are none. */
export interface ProbeReport extends FactsInMesh {
  readonly trouble?: { readonly reason: Reason; readonly message: string };
}

/** What a finished run is judged by. */
export interface RunEvidence {
  readonly lines: readonly Line[];
  readonly reports: readonly ProbeReport[];
  readonly disturbed: boolean;
  /** How this cluster denies, as far as it was measured. */
  readonly denials: Denials;
  /** Whether a check connected so close to an observed change that the cluster may not have caught up with it. */
  readonly isDelayed: (line: Line, check: Check, connection: Observation) => boolean;
  /** Whether the pods behind a check's target stand as they stood when the run began. */
  readonly targetStands: (check: Check) => boolean;
  /** Whether the nodes of a check's target were heard of after the check, which took so long, had begun. */
  readonly isNodeHeard: (check: Check, elapsedMs: number) => boolean;
  readonly endsOf: EndsOf;
  /** What Postern's own pods found out since the run began about a way between two nodes that the run itself did not show. */
  readonly crossingOf: (crossing: Crossing) => CrossingState;
  /**
   * Whether policies admit what a check dials, by the model of them. Asked of one thing alone: whether a refusal came from behind
   * them (see judge.ts).
   */
  readonly isAdmitted?: (line: Line, check: Check) => boolean;
}

/** Room that the resource has for a row's texts (src/api/status.ts), which counts characters where this counts bytes. */
const maxMessageBytes = 1024;
const maxControlBytes = 256;
interface ProvedEvidence extends RunEvidence {
  /** The reports as far as they prove anything to others. */
  readonly proofs: readonly FactsInMesh[];
}

/** A row of the status, still without the time since when it holds. */
export type Row = Omit<ExpectationStatus, 'since'>;

/** What one check came to, or one obstacle to it. */
export interface JudgedCheck {
  readonly verdict: Verdict;
  readonly reason: Reason;
  readonly message: string;
  readonly check?: Check;
  readonly observation?: Observation;
  readonly control?: string;
  /** What the wire says of the connection, as far as that is beyond doubt. */
  readonly wire?: Wire;
  /** How this cluster denies what the check speaks, if that was measured. */
  readonly denials?: DenialPair;
  /** The ways between nodes whose proof it lacks; the verdict may turn when they are seen to be whole. */
  readonly crossings?: readonly Crossing[];
}

/** What the parts of an expectation came to. */
export interface JudgedLine {
  readonly line: Line;
  readonly judged: readonly JudgedCheck[];
  /** The one that decides for the whole expectation. */
  readonly decisive: JudgedCheck;
}

/** One row per expectation, in the order of the spec. */
export function concludeRun(test: ConnectivityTest, evidence: RunEvidence): readonly Row[] {
  return judgeRun(test, evidence).map((line) => rowOf(test, line));
}

/** What every check of a run came to, by expectation. */
export function judgeRun(test: ConnectivityTest, evidence: RunEvidence): readonly JudgedLine[] {
  const names = sourceNamesOf(evidence.lines);
  const proved = { ...evidence, proofs: withoutProxied(evidence.reports) };
  return evidence.lines.map((line) => judgeLine(test, line, proved, names));
}

/** Rows for a test that is not run at all. */
export function skippedRows(test: ConnectivityTest, reason: Reason, message: string): readonly Row[] {
  return test.spec.expectations.map(({ name, expect }) => ({ name, expect, verdict: 'Skipped', reason, message }));
}

function judgeLine(
  test: ConnectivityTest,
  line: Line,
  evidence: ProvedEvidence,
  names: ReadonlyMap<number, string>,
): JudgedLine {
  const previous = previousRow(test, line);
  const judged: JudgedCheck[] = [
    ...line.findings.map(({ reason, message }) => ({ verdict: verdictOn(reason), reason, message })),
    ...holesFirst(line.checks).map((check) => judgeCheck(test, { line, check, previous }, evidence, names)),
  ];
  const decisive = worst(slowestFirst(judged)) ?? {
    verdict: 'Inconclusive' as const,
    reason: 'NotProbed' as const,
    message: 'Nothing was probed.',
  };
  return { line, judged, decisive };
}

function previousRow({ status }: ConnectivityTest, { expectation }: Line): ExpectationStatus | undefined {
  return status?.expectations?.find(({ name }) => name === expectation.name);
}

/** What the status says of an expectation. */
export function rowOf(test: ConnectivityTest, { line, judged, decisive }: JudgedLine): Row {
  const { expectation } = line;
  const previous = previousRow(test, line);
  const isExcused = judged.some(({ reason, check }) => reason === 'EnforcementDelayed' && check?.mode === 'guard');
  const notes = decisive.check === undefined ? [] : line.notes;
  const message = [decisive.message, ...notes].join(' ');
  const row = {
    name: expectation.name,
    expect: expectation.expect,
    verdict: decisive.verdict,
    reason: decisive.reason,
    message: plainText(message, maxMessageBytes),
    ...(decisive.observation === undefined ? {} : observationFacts(decisive.observation, decisive.reason)),
    ...(isExcused ? { excusedRuns: (previous?.excusedRuns ?? 0) + 1 } : {}),
    ...(decisive.control === undefined ? {} : { control: plainText(decisive.control, maxControlBytes) }),
    ...(decisive.check === undefined ? {} : { command: commandFor(test, expectation, decisive.check) }),
  };
  if (expectation.dryRun !== true) return row;
  return {
    ...row,
    verdict: 'Skipped',
    reason: 'DryRun',
    message: plainText(`Would be ${row.verdict} (${row.reason}): ${message}`, maxMessageBytes),
  };
}

/** What must not connect before what must: of a block and what it excepts a hole is the worse of two failures. */
function holesFirst(checks: readonly Check[]): readonly Check[] {
  return [...checks.filter(({ mode }) => mode === 'guard'), ...checks.filter(({ mode }) => mode !== 'guard')];
}

/** Of an Allow's checks that passed, the slowest tells how long the whole expectation took; of a block's, the exception says more. */
function slowestFirst(judged: readonly JudgedCheck[]): readonly JudgedCheck[] {
  const took = ({ reason, observation }: JudgedCheck): number =>
    reason === 'Reachable' ? (observation?.elapsedMs ?? 0) : Number.POSITIVE_INFINITY;
  return judged.toSorted((a, b) => (took(a) === took(b) ? 0 : took(b) - took(a)));
}

function observationFacts({ outcome, firstOutcome, elapsedMs }: Observation, reason: Reason): Partial<Row> {
  const converged = reason === 'Reachable' ? { convergedAfterMilliseconds: elapsedMs } : {};
  return { outcome, firstObserved: firstOutcome, ...converged };
}

interface Judged {
  readonly line: Line;
  readonly check: Check;
  /** What the status says of the expectation so far. */
  readonly previous: ExpectationStatus | undefined;
}

function judgeCheck(
  test: ConnectivityTest,
  { line, check, previous }: Judged,
  evidence: ProvedEvidence,
  names: ReadonlyMap<number, string>,
): JudgedCheck {
  const { expectation } = line;
  const report = evidence.reports.find(({ checks }) => checks.includes(check));
  const stated = report?.observations.get(check.id);
  const { proofs } = evidence;
  const expected = check.mode === 'guard' ? 'Deny' : 'Allow';
  const disproof = expected === 'Deny' ? disproofOf(check, stated, proofs) : undefined;
  // One connection is enough to fail a Deny, whichever expectation it was made for; no statement stays no statement.
  const observation = stated === undefined || isAnswer(stated) ? stated : (disproof ?? stated);
  const isReached = observation === undefined || isAnswer(observation);
  const trouble = report?.trouble;
  const isNodeHeard = evidence.isNodeHeard(check, stated?.elapsedMs ?? 0);
  const mode = expectation.control?.mode;
  const targetControl = targetControlOf(check, observation, proofs, { sourceNames: names, isNodeHeard, mode });
  const alike = ofFamily(familySeen(check, report), proofs);
  const facts = alike.find(({ checks }) => checks.includes(check));
  const sourceControl = facts === undefined ? undefined : sourceControlOf(facts, alike);
  const unseen =
    facts === undefined || isReached ? [] : unseenCrossings(check, observation, facts, alike, evidence.endsOf);
  const crossings = unseen.filter((crossing) => evidence.crossingOf(crossing) !== 'Crossed');
  const isCrossingProved = crossings.length === 0;
  const transport = transportOf(check);
  const family = familyDialled(check, report);
  const denials = denialOver(evidence.denials, family, transport);
  const isOneOfTwo = Object.keys(evidence.denials).some((each) => each !== family);
  const isDelayed = evidence.disturbed || (observation !== undefined && evidence.isDelayed(line, check, observation));
  const targetStands = evidence.targetStands(check);
  const measured = {
    ...(targetControl === undefined ? {} : { targetControl }),
    ...(sourceControl === undefined ? {} : { sourceControl }),
    ...(denials === undefined ? {} : { denials }),
  };
  const plain = judge({
    expected,
    observation: observation ?? { missing: trouble?.reason ?? 'ProbeLost' },
    isDatagram: transport === 'UDP',
    unreachableIsEnough: mode === 'UnreachableIsEnough',
    mustAnswer: expectation.udp?.payload === undefined,
    targetStands,
    isCrossingProved,
    disturbed: evidence.disturbed,
    excused: isDelayed && isExcusable(test, previous),
    isAdmitted: () => check.target.podUids.length > 0 && evidence.isAdmitted?.(line, check) === true,
    ...measured,
  });
  const doubt = meshDoubt(plain, expected, check, observation, meshPathOf(check, report));
  const judgement = doubt === undefined ? plain : { verdict: 'Inconclusive' as const, reason: doubt.reason };
  const subject: Subject = {
    source: sourceOf(expectation, check),
    target: `${describeDialled(expectation, check.target, test.metadata.namespace)} on ${describePort(expectation)}`,
    namespace: check.identity.namespace,
    protocol: applicationProtocolOf(expectation),
    hasPods: !['ip', 'host', 'cidr', 'dns'].some((kind) => Object.hasOwn(expectation.to, kind)),
    crossing: worstCrossing(crossings.map((crossing) => evidence.crossingOf(crossing))),
    isNodeLost: check.target.readinessProved && !isNodeHeard,
    ...(isOneOfTwo ? { family: family ?? 'either' } : {}),
    ...(doubt === undefined ? {} : { mesh: doubt.mesh.name, expected }),
    ...measured,
    ...(observation?.httpStatus === undefined ? {} : { httpStatus: observation.httpStatus }),
    ...(observation === undefined
      ? {}
      : { outcome: connectOutcome(observation), firstOutcome: observation.firstOutcome }),
    ...(observation === undefined ? {} : { elapsedMs: observation.elapsedMs }),
    ...(isDelayed && isExhausted(previous) ? { excusedRuns: maxExcusedRuns } : {}),
    ...(trouble === undefined || trouble.message === '' ? {} : { trouble: trouble.message }),
  };
  const wire = wireOf(check, judgement, observation, { targetStands, isCrossingProved, ...measured });
  return {
    ...judgement,
    message: sentenceFor(judgement.reason, subject),
    check,
    ...(wire === undefined ? {} : { wire }),
    ...(denials === undefined ? {} : { denials }),
    ...(observation === undefined ? {} : { observation }),
    ...(judgement.reason === 'NoPathControl' ? { crossings } : {}),
    ...(judgement.reason === 'Denied' && targetControl !== undefined ? { control: targetControl } : {}),
  };
}

/** What cannot be probed is unproven; only of a path that is not defined there is nothing to prove. */
function verdictOn(finding: Reason): Verdict {
  return finding === 'PathUndefined' ? 'Skipped' : 'Inconclusive';
}

/** The source, and where it stood if that was asked for. */
function sourceOf(expectation: Expectation, { identity }: Check): string {
  const source = describeSource(expectation);
  if (identity.path === undefined) return source;
  return `${source} on ${identity.path === 'SameNode' ? 'the same node' : 'another node'}`;
}

/** Whether a check itself states an answer, be it about its name: what others saw adds nothing then. */
function isAnswer({ outcome, stage }: Observation): boolean {
  return outcome === 'Connected' || outcome === 'Reset' || stage !== 'connect';
}

/** What the connection itself came to: at any later stage it stood. */
function connectOutcome({ outcome, stage }: Observation): Outcome {
  return stage === 'dns' || stage === 'connect' ? outcome : 'Connected';
}

/** By name where the target is a Service: a cluster address means nothing to a reader, and belongs to its namespace. */
function commandFor(test: ConnectivityTest, { to }: Expectation, check: Check): string {
  const timeoutSeconds = test.spec.timeoutSeconds ?? 2;
  if (to.service === undefined) return reproduceCommand(check, timeoutSeconds);
  const host = `${to.service.name}.${to.service.namespace ?? test.metadata.namespace}.svc`;
  return reproduceCommand(check, timeoutSeconds, host);
}
