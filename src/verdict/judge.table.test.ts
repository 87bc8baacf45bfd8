import { expect, it, vi } from 'vitest';
import type { Expected, Reason } from '../api/index.ts';
import { type Observation, type Outcome, outcomes, type Stage } from '../probe/index.ts';
import { type DenialPair, isDenial, isNothingEnforced } from './denial.ts';
import { type Evidence, judge, type Judgement } from './judge.ts';

// Every cell of the verdict table there is. A busy machine is no failure.
vi.setConfig({ testTimeout: 120_000 });

/** What judge() is told of a protocol: whether it speaks in datagrams, and whether what arrives must be answered. */
const protocols = {
  'TCP, HTTP, HTTPS, DNS over TCP': { isDatagram: false, mustAnswer: true },
  'UDP with a preset, DNS over UDP': { isDatagram: true, mustAnswer: true },
  'UDP with a payload': { isDatagram: true, mustAnswer: false },
};
const stages: readonly Stage[] = ['dns', 'connect', 'tls', 'http'];
const measurable: readonly Outcome[] = ['TimedOut', 'Refused', 'Unreachable', 'Connected'];
const calibrations: readonly (DenialPair | undefined)[] = [
  undefined,
  ...measurable.flatMap((ingress) => measurable.map((egress) => ({ ingress, egress }))),
];
const both = [true, false];

interface Cell extends Evidence {
  readonly protocol: string;
}
type SaidCell = Cell & { readonly observation: Observation };

function* observations(): Generator<Evidence['observation']> {
  yield { missing: 'ProbeLost' };
  for (const outcome of outcomes) {
    for (const stage of stages) {
      for (const firstOutcome of new Set<Outcome>([outcome, 'TimedOut', 'Connected', 'Refused'])) {
        for (const attempts of [1, 2]) yield { outcome, stage, firstOutcome, attempts, elapsedMs: 1 };
      }
    }
  }
}

function* circumstances(): Generator<Omit<Cell, 'observation' | 'expected'>> {
  for (const [protocol, facts] of Object.entries(protocols)) {
    for (const denials of calibrations) {
      for (const target of both) {
        for (const source of both) {
          for (const unreachableIsEnough of both) {
            // What happened meanwhile: nothing, the target went away, something changed, a connection is excused; and nothing crossed.
            for (const [targetStands, disturbed, excused, isCrossingProved] of [
              [true, false, false, true],
              [false, false, false, true],
              [true, true, false, true],
              [true, false, true, true],
              [true, false, false, false],
            ] as const) {
              yield {
                protocol,
                ...facts,
                unreachableIsEnough,
                isCrossingProved,
                targetStands,
                disturbed,
                excused,
                ...(target ? { targetControl: 'a' } : {}),
                ...(source ? { sourceControl: 'b' } : {}),
                ...(denials === undefined ? {} : { denials }),
              };
            }
          }
        }
      }
    }
  }
}

const silentOutcomes: readonly Outcome[] = ['ProbeLost', 'ProbeNotStarted'];
const reachedOutcomes: readonly Outcome[] = ['Connected', 'TLSFailed', 'HTTPMismatch', 'Reset'];

function isSaid(cell: Cell): cell is SaidCell {
  return 'outcome' in cell.observation && !silentOutcomes.includes(cell.observation.outcome);
}

/** What must hold of every cell, by name: whom it concerns, and what must be so there. */
const invariants: Readonly<Record<string, (cell: Cell, judged: Judgement) => boolean | undefined>> = {
  'a probe that said nothing decides nothing': (cell, { verdict }) =>
    isSaid(cell) ? undefined : verdict === 'Inconclusive',
  'an Allow passes on a connection, and on nothing else': (cell, { verdict }) =>
    cell.expected === 'Allow' && isSaid(cell)
      ? (verdict === 'Passed') === (cell.observation.outcome === 'Connected')
      : undefined,
  'silence never passes an Allow, and over UDP fails it only where an answer had to come': (cell, { verdict }) =>
    cell.expected === 'Allow' && isSaid(cell) && cell.observation.outcome === 'TimedOut' && verdict === 'Failed'
      ? cell.mustAnswer || cell.targetControl !== undefined || cell.observation.stage !== 'connect'
      : undefined,
  'a Deny passes only by a said outcome, seen twice alike while connecting, of a source that can send': (
    cell,
    { verdict },
  ) =>
    cell.expected === 'Deny' && verdict === 'Passed'
      ? isSaid(cell) &&
        cell.observation.stage === 'connect' &&
        cell.observation.attempts === 2 &&
        cell.observation.firstOutcome === cell.observation.outcome &&
        cell.sourceControl !== undefined
      : undefined,
  'a Deny is Denied only with a calibrated outcome and a target that answers': (cell, { reason }) =>
    reason === 'Denied'
      ? cell.targetControl !== undefined &&
        isSaid(cell) &&
        cell.denials !== undefined &&
        isDenial(cell.denials, cell.observation.outcome)
      : undefined,
  'a Deny is Denied only where packets were seen to cross, or somebody refused': (cell, { reason }) =>
    reason === 'Denied' ? cell.isCrossingProved || (isSaid(cell) && cell.observation.outcome === 'Refused') : undefined,
  'a Deny passes without those only where the user is content, by silence or rejection, and says so': (
    cell,
    { verdict, reason },
  ) =>
    cell.expected === 'Deny' && verdict === 'Passed' && reason !== 'Denied'
      ? reason === 'NotReached' &&
        cell.unreachableIsEnough &&
        isSaid(cell) &&
        ['TimedOut', 'Unreachable'].includes(cell.observation.outcome)
      : undefined,
  'nothing passes a Deny while something changed or its target went away': (cell, { verdict }) =>
    cell.expected === 'Deny' && (cell.disturbed || !cell.targetStands) ? verdict !== 'Passed' : undefined,
  'a Deny that got through fails, unless it is excused': (cell, { verdict }) =>
    cell.expected === 'Deny' && isSaid(cell) && reachedOutcomes.includes(cell.observation.outcome)
      ? verdict === (cell.excused ? 'Inconclusive' : 'Failed')
      : undefined,
  'an excuse never makes anything pass': (cell, { verdict }) =>
    cell.excused && verdict === 'Passed' ? judge({ ...cell, excused: false }).verdict === 'Passed' : undefined,
  'a Deny fails only by what got through, or by a datagram that the target refused': (cell, { verdict }) =>
    cell.expected === 'Deny' && verdict === 'Failed'
      ? isSaid(cell) &&
        (reachedOutcomes.includes(cell.observation.outcome) ||
          (cell.observation.outcome === 'TimedOut' && cell.observation.stage !== 'connect') ||
          (cell.observation.outcome === 'Refused' && cell.isDatagram))
      : undefined,
  'what policies say turns no verdict but that on a steady refusal of a connection where denials are silent': (
    cell,
    judged,
  ) => {
    const told = judge({ ...cell, isAdmitted: () => true });
    if (JSON.stringify(told) === JSON.stringify(judged)) return undefined;
    return (
      cell.expected === 'Deny' &&
      judged.verdict === 'Inconclusive' &&
      told.reason === (cell.excused ? 'EnforcementDelayed' : 'ReachedClosedPort') &&
      isSaid(cell) &&
      !cell.isDatagram &&
      cell.observation.outcome === 'Refused' &&
      cell.observation.firstOutcome === 'Refused' &&
      cell.observation.attempts === 2 &&
      cell.targetStands &&
      cell.denials?.ingress === 'TimedOut' &&
      cell.denials.egress === 'TimedOut'
    );
  },
  'a name that was not found decides no Deny': (cell, { verdict }) =>
    cell.expected === 'Deny' &&
    isSaid(cell) &&
    ['NameNotResolved', 'NameServerFailed', 'AddressNotAllowed'].includes(cell.observation.outcome)
      ? verdict === 'Inconclusive'
      : undefined,
  'where nothing is enforced no Deny is Denied': (cell, { reason }) =>
    cell.denials !== undefined && isNothingEnforced(cell.denials) ? reason !== 'Denied' : undefined,
  'taking a proof away never makes anything pass': (cell, { verdict }) => {
    if (verdict === 'Passed') return undefined;
    const { targetControl: _target, sourceControl: _source, denials: _denials, ...bare } = cell;
    return judge({ ...bare, isCrossingProved: false }).verdict !== 'Passed' || cell.unreachableIsEnough;
  },
};

it('holds its invariants in every cell', () => {
  const violations: string[] = [];
  const concerned = new Map(Object.keys(invariants).map((name) => [name, 0]));
  const reasons = new Set<Reason>();
  let cells = 0;
  for (const circumstance of circumstances()) {
    for (const observation of observations()) {
      for (const expected of ['Allow', 'Deny'] satisfies Expected[]) {
        const cell: Cell = { ...circumstance, observation, expected };
        const judged = judge(cell);
        cells += 1;
        reasons.add(judged.reason);
        for (const [name, invariant] of Object.entries(invariants)) {
          const holds = invariant(cell, judged);
          if (holds !== undefined) concerned.set(name, (concerned.get(name) ?? 0) + 1);
          if (holds === false && violations.length < 5)
            violations.push(`${name}: ${JSON.stringify({ ...cell, ...judged })}`);
        }
      }
    }
  }

  expect(violations).toEqual([]);
  // An invariant that concerns nothing holds of nothing.
  expect([...concerned].filter(([, count]) => count === 0)).toEqual([]);
  expect(cells).toBeGreaterThan(500_000);
  expect([...reasons].toSorted()).toEqual(given.toSorted());
});

/** Every reason that the table gives; the others are of the plan, the runner and the schedule. */
const given: readonly Reason[] = [
  'Reachable',
  'Denied',
  'NotReached',
  'NoPathControl',
  'UnexpectedlyReachable',
  'ReachedClosedPort',
  'ReachedThenReset',
  'Blocked',
  'NothingListening',
  'RefusedOrBlocked',
  'Reset',
  'NameNotResolved',
  'TLSFailed',
  'HTTPMismatch',
  'NoAnswer',
  'NameServerFailed',
  'NoDatagramAnswer',
  'NoTargetControl',
  'NoSourceControl',
  'PolicyNotEnforced',
  'NotCalibrated',
  'UnlikeDenial',
  'RefusedOrClosed',
  'RejectedUnproven',
  'AddressNotAllowed',
  'EnforcementDelayed',
  'TargetChanged',
  'ProbeNotStarted',
  'ProbeLost',
];
