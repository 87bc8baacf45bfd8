import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Reason, Verdict } from '../api/index.ts';
import { type Observation, outcomes } from '../probe/index.ts';
import { type DenialPair, isDenial } from './denial.ts';
import { type Evidence, judge, worst } from './judge.ts';

function observed(outcome: Observation['outcome'], parts: Partial<Observation> = {}): Observation {
  return { outcome, stage: 'connect', firstOutcome: outcome, attempts: 2, elapsedMs: 4010, ...parts };
}

type Parts = { readonly [K in keyof Evidence]?: Evidence[K] | undefined };

const drop: DenialPair = { ingress: 'TimedOut', egress: 'TimedOut' };
const reject: DenialPair = { ingress: 'Refused', egress: 'Refused' };
/** As Cilium denies with `policyDenyResponse: icmp`: it answers on egress alone. */
const mixed: DenialPair = { ingress: 'TimedOut', egress: 'Unreachable' };
const onlyIngress: DenialPair = { ingress: 'TimedOut', egress: 'Connected' };
const nothing: DenialPair = { ingress: 'Connected', egress: 'Connected' };
const best = { targetControl: 'a', sourceControl: 'b', denials: drop };

describe('an Allow', () => {
  it.each<[string, Parts, Verdict, Reason]>([
    ['that connected passes', { observation: observed('Connected') }, 'Passed', 'Reachable'],
    [
      'that connected at last passes',
      { observation: observed('Connected', { firstOutcome: 'TimedOut' }) },
      'Passed',
      'Reachable',
    ],
    [
      'that got its HTTP answer passes',
      { observation: observed('Connected', { stage: 'http' }) },
      'Passed',
      'Reachable',
    ],
    ['needs no control', { observation: observed('Connected'), ...bare() }, 'Passed', 'Reachable'],
    ['that met silence fails', { observation: observed('TimedOut') }, 'Failed', 'Blocked'],
    ['that was rejected on its way fails', { observation: observed('Unreachable') }, 'Failed', 'Blocked'],
    ['that was refused fails', { observation: observed('Refused') }, 'Failed', 'NothingListening'],
    [
      'that was refused where policies refuse fails, whatever the cause',
      { observation: observed('Refused'), denials: reject },
      'Failed',
      'RefusedOrBlocked',
    ],
    [
      'that was refused where nothing is calibrated fails, whatever the cause',
      { observation: observed('Refused'), denials: undefined },
      'Failed',
      'RefusedOrBlocked',
    ],
    ['that was reset fails', { observation: observed('Reset') }, 'Failed', 'Reset'],
    [
      'without a name fails',
      { observation: observed('NameNotResolved', { stage: 'dns' }) },
      'Failed',
      'NameNotResolved',
    ],
    [
      'with another HTTP status fails',
      { observation: observed('HTTPMismatch', { stage: 'http' }) },
      'Failed',
      'HTTPMismatch',
    ],
    [
      'whose TLS handshake fails fails',
      { observation: observed('TLSFailed', { stage: 'tls' }) },
      'Failed',
      'TLSFailed',
    ],
    ['whose TLS handshake hangs fails', { observation: observed('TimedOut', { stage: 'tls' }) }, 'Failed', 'TLSFailed'],
    [
      'whose name server would not answer fails',
      { observation: observed('NameServerFailed', { stage: 'dns' }) },
      'Failed',
      'NameServerFailed',
    ],
    [
      'whose datagram nobody is known to answer is undecided on silence',
      { observation: observed('TimedOut'), mustAnswer: false, targetControl: undefined },
      'Inconclusive',
      'NoDatagramAnswer',
    ],
    [
      'whose datagram another source got answered fails on silence',
      { observation: observed('TimedOut'), mustAnswer: false },
      'Failed',
      'Blocked',
    ],
    [
      'whose datagram was refused fails, whoever answers such a one',
      { observation: observed('Refused'), mustAnswer: false, targetControl: undefined },
      'Failed',
      'NothingListening',
    ],
    ['without an HTTP answer fails', { observation: observed('TimedOut', { stage: 'http' }) }, 'Failed', 'NoAnswer'],
    [
      'whose target went away is undecided',
      { observation: observed('TimedOut'), targetStands: false },
      'Inconclusive',
      'TargetChanged',
    ],
    [
      'that failed while something changed is undecided',
      { observation: observed('Refused'), disturbed: true },
      'Inconclusive',
      'EnforcementDelayed',
    ],
    [
      'to a forbidden address is undecided',
      { observation: observed('AddressNotAllowed', { stage: 'dns' }) },
      'Inconclusive',
      'AddressNotAllowed',
    ],
  ])('%s', (_, evidence, verdict, reason) => {
    expect(judge(evidenceOf('Allow', evidence))).toEqual({ verdict, reason });
  });
});

describe('a Deny', () => {
  it.each<[string, Parts, Verdict, Reason]>([
    [
      'of a datagram fails on a refusal, which is the target’s own word',
      { isDatagram: true, observation: observed('Refused') },
      'Failed',
      'ReachedClosedPort',
    ],
    [
      'of a datagram is undecided on a refusal that was not confirmed',
      { isDatagram: true, observation: observed('Refused', { firstOutcome: 'TimedOut' }) },
      'Inconclusive',
      'RefusedOrClosed',
    ],
    [
      'of a datagram passes on a refusal where this cluster denies so',
      { isDatagram: true, observation: observed('Refused'), denials: { ingress: 'Refused', egress: 'Refused' } },
      'Passed',
      'Denied',
    ],
    [
      'passes without a target control if that is enough',
      { unreachableIsEnough: true, targetControl: undefined },
      'Passed',
      'NotReached',
    ],
    ['says denied where there is a control all the same', { unreachableIsEnough: true }, 'Passed', 'Denied'],
    [
      'passes on a confirmed rejection if that is enough',
      { unreachableIsEnough: true, observation: observed('Unreachable') },
      'Passed',
      'NotReached',
    ],
    [
      'does not pass on a rejection that was not confirmed, though that be enough',
      { unreachableIsEnough: true, observation: observed('Unreachable', { firstOutcome: 'TimedOut' }) },
      'Inconclusive',
      'RejectedUnproven',
    ],
    [
      'does not pass on a refusal, though unreachable be enough',
      { unreachableIsEnough: true, observation: observed('Refused') },
      'Inconclusive',
      'RefusedOrClosed',
    ],
    [
      'does not pass where the source can send nothing, though unreachable be enough',
      { unreachableIsEnough: true, targetControl: undefined, sourceControl: undefined },
      'Inconclusive',
      'NoSourceControl',
    ],
    [
      'whose TLS handshake failed fails: it was reached',
      { observation: observed('TLSFailed', { stage: 'tls' }) },
      'Failed',
      'UnexpectedlyReachable',
    ],
    [
      'whose TLS handshake hangs fails: it was reached',
      { observation: observed('TimedOut', { stage: 'tls' }) },
      'Failed',
      'UnexpectedlyReachable',
    ],
    [
      'whose name server would not answer is undecided',
      { observation: observed('NameServerFailed', { stage: 'dns' }) },
      'Inconclusive',
      'NameServerFailed',
    ],
    [
      'of a datagram passes on silence only with a control',
      { mustAnswer: false, targetControl: undefined },
      'Inconclusive',
      'NoTargetControl',
    ],
    ['that met silence twice passes, given both controls', {}, 'Passed', 'Denied'],
    [
      'without a proof that the target answers is undecided',
      { ...bare(), sourceControl: 'b' },
      'Inconclusive',
      'NoTargetControl',
    ],
    [
      'without a proof that the source can send is undecided',
      { ...bare(), targetControl: 'a' },
      'Inconclusive',
      'NoSourceControl',
    ],
    ['without any proof is undecided', bare(), 'Inconclusive', 'NoTargetControl'],
    ['whose target went away is undecided', { targetStands: false }, 'Inconclusive', 'TargetChanged'],
    [
      'that met silence while something changed is undecided',
      { disturbed: true },
      'Inconclusive',
      'EnforcementDelayed',
    ],
    ['that connected fails', { observation: observed('Connected') }, 'Failed', 'UnexpectedlyReachable'],
    [
      'that connected fails even if its target went away',
      { observation: observed('Connected'), targetStands: false },
      'Failed',
      'UnexpectedlyReachable',
    ],
    [
      'that connected while something changed, which excuses it no more, fails',
      { observation: observed('Connected'), disturbed: true },
      'Failed',
      'UnexpectedlyReachable',
    ],
    [
      'that connected close to a change is undecided',
      { observation: observed('Connected'), excused: true },
      'Inconclusive',
      'EnforcementDelayed',
    ],
    ['that was reset fails', { observation: observed('Reset') }, 'Failed', 'ReachedThenReset'],
    [
      'that was reset close to a change is undecided',
      { observation: observed('Reset'), excused: true },
      'Inconclusive',
      'EnforcementDelayed',
    ],
    [
      'that got an unexpected HTTP answer fails: the connection stood',
      { observation: observed('HTTPMismatch', { stage: 'http' }) },
      'Failed',
      'UnexpectedlyReachable',
    ],
    [
      'that got no HTTP answer fails: the connection stood',
      { observation: observed('TimedOut', { stage: 'http' }) },
      'Failed',
      'UnexpectedlyReachable',
    ],
    ['that met silence where either side denies so passes', { denials: mixed }, 'Passed', 'Denied'],
    [
      'that was rejected where either side denies so passes',
      { observation: observed('Unreachable'), denials: mixed },
      'Passed',
      'Denied',
    ],
    [
      'that was refused where policies refuse passes',
      { observation: observed('Refused'), denials: reject },
      'Passed',
      'Denied',
    ],
    [
      'that was refused where policies refuse is undecided without a proof that the target listens',
      { observation: observed('Refused'), denials: reject, targetControl: undefined },
      'Inconclusive',
      'NoTargetControl',
    ],
    [
      'that was refused where policies refuse is undecided without a proof that the source can send',
      { observation: observed('Refused'), denials: reject, sourceControl: undefined },
      'Inconclusive',
      'NoSourceControl',
    ],
    [
      'that was refused where policies refuse is undecided if the target went away',
      { observation: observed('Refused'), denials: reject, targetStands: false },
      'Inconclusive',
      'TargetChanged',
    ],
    [
      'that was refused where policies refuse is undecided if something changed',
      { observation: observed('Refused'), denials: reject, disturbed: true },
      'Inconclusive',
      'EnforcementDelayed',
    ],
    [
      'that was refused only at last is undecided',
      { observation: observed('Refused', { firstOutcome: 'TimedOut' }), denials: reject },
      'Inconclusive',
      'RefusedOrClosed',
    ],
    [
      'that was rejected only at last is undecided',
      { observation: observed('Unreachable', { firstOutcome: 'TimedOut' }), denials: mixed },
      'Inconclusive',
      'RejectedUnproven',
    ],
    ['that met silence where policies refuse is undecided', { denials: reject }, 'Inconclusive', 'UnlikeDenial'],
    ['that met silence is undecided without a calibration', { denials: undefined }, 'Inconclusive', 'NotCalibrated'],
    [
      'that was refused is undecided without a calibration',
      { observation: observed('Refused'), denials: undefined },
      'Inconclusive',
      'NotCalibrated',
    ],
    [
      'that connected fails without a calibration',
      { observation: observed('Connected'), denials: undefined },
      'Failed',
      'UnexpectedlyReachable',
    ],
    [
      'that met silence is undecided where nothing is enforced',
      { denials: nothing },
      'Inconclusive',
      'PolicyNotEnforced',
    ],
    [
      'that connected fails where nothing is enforced, and says so',
      { observation: observed('Connected'), denials: nothing },
      'Failed',
      'PolicyNotEnforced',
    ],
    [
      'that was reset fails where nothing is enforced, and says so',
      { observation: observed('Reset'), denials: nothing },
      'Failed',
      'PolicyNotEnforced',
    ],
    ['that met silence where one side is enforced passes', { denials: onlyIngress }, 'Passed', 'Denied'],
    [
      'that connected where one side is enforced fails as it would elsewhere',
      { observation: observed('Connected'), denials: onlyIngress },
      'Failed',
      'UnexpectedlyReachable',
    ],
    ['that was refused is undecided', { observation: observed('Refused') }, 'Inconclusive', 'RefusedOrClosed'],
    [
      'that was refused behind policies that let it pass has arrived',
      { observation: observed('Refused'), isAdmitted: () => true },
      'Failed',
      'ReachedClosedPort',
    ],
    [
      'that was refused behind policies that do not is undecided',
      { observation: observed('Refused'), isAdmitted: () => false },
      'Inconclusive',
      'RefusedOrClosed',
    ],
    ['that was rejected is undecided', { observation: observed('Unreachable') }, 'Inconclusive', 'RejectedUnproven'],
    ['without a name is undecided', { observation: observed('NameNotResolved') }, 'Inconclusive', 'NameNotResolved'],
    [
      'to a forbidden address is undecided',
      { observation: observed('AddressNotAllowed') },
      'Inconclusive',
      'AddressNotAllowed',
    ],
    [
      'that met silence once is undecided',
      { observation: observed('TimedOut', { attempts: 1 }) },
      'Inconclusive',
      'ProbeLost',
    ],
    [
      'that met silence only at last is undecided',
      { observation: observed('TimedOut', { firstOutcome: 'Connected' }) },
      'Inconclusive',
      'ProbeLost',
    ],
    [
      'of a name that met silence on a connection that stood fails',
      { observation: observed('TimedOut', { stage: 'dns' }) },
      'Failed',
      'UnexpectedlyReachable',
    ],
  ])('%s', (_, evidence, verdict, reason) => {
    expect(judge(evidenceOf('Deny', evidence))).toEqual({ verdict, reason });
  });
});

/** Confirmed silence under the best of circumstances, but for these parts. */
function evidenceOf(expected: Evidence['expected'], parts: Parts): Evidence {
  const { observation = observed('TimedOut'), targetStands = true, disturbed = false, excused = false } = parts;
  const { mustAnswer = true, isDatagram = false, unreachableIsEnough = false, isCrossingProved = true } = parts;
  const { targetControl, sourceControl, denials, isAdmitted } = { ...best, ...parts };
  return {
    expected,
    observation,
    isDatagram,
    unreachableIsEnough,
    mustAnswer,
    targetStands,
    isCrossingProved,
    disturbed,
    excused,
    ...(targetControl === undefined ? {} : { targetControl }),
    ...(sourceControl === undefined ? {} : { sourceControl }),
    ...(denials === undefined ? {} : { denials }),
    ...(isAdmitted === undefined ? {} : { isAdmitted }),
  };
}

/** Evidence with neither control. */
function bare(): Parts {
  return { targetControl: undefined, sourceControl: undefined };
}

const anyReason = fc.constantFrom<Reason>(
  'ProbeLost',
  'ProbeNotStarted',
  'ProbeRejected',
  'QuotaExceeded',
  'Denied',
  'Reachable',
);
const anyObservation = fc.record<Observation>(
  {
    outcome: fc.constantFrom(...outcomes),
    stage: fc.constantFrom('dns', 'connect', 'tls', 'http'),
    firstOutcome: fc.constantFrom(...outcomes),
    attempts: fc.integer({ min: 1, max: 5 }),
    elapsedMs: fc.nat(),
    httpStatus: fc.integer({ min: 100, max: 599 }),
    address: fc.ipV4(),
  },
  { requiredKeys: ['outcome', 'stage', 'firstOutcome', 'attempts', 'elapsedMs'] },
);
const anyOutcome = fc.constantFrom(...outcomes);
const anyEvidence = fc.record<Evidence>(
  {
    expected: fc.constantFrom('Allow', 'Deny'),
    // Confirmed silence often: among all that a probe can say it is rare, and it is what a Deny passes on.
    observation: fc.oneof(anyObservation, fc.constant(observed('TimedOut')), fc.record({ missing: anyReason })),
    targetControl: fc.string(),
    sourceControl: fc.string(),
    isDatagram: fc.boolean(),
    unreachableIsEnough: fc.boolean(),
    mustAnswer: fc.boolean(),
    targetStands: fc.boolean(),
    isCrossingProved: fc.boolean(),
    disturbed: fc.boolean(),
    excused: fc.boolean(),
    denials: fc.record({ ingress: anyOutcome, egress: anyOutcome }),
  },
  {
    requiredKeys: [
      'expected',
      'observation',
      'isDatagram',
      'unreachableIsEnough',
      'mustAnswer',
      'targetStands',
      'isCrossingProved',
      'disturbed',
      'excused',
    ],
  },
);

describe('whatever the evidence', () => {
  it('a probe that said nothing leads to no verdict but Inconclusive', () => {
    const silent = fc.oneof(
      fc.record({ missing: anyReason }),
      anyObservation.map((seen) => ({ ...seen, outcome: 'ProbeLost' as const })),
      anyObservation.map((seen) => ({ ...seen, outcome: 'ProbeNotStarted' as const })),
    );
    fc.assert(
      fc.property(anyEvidence, silent, (evidence, observation) => {
        expect(judge({ ...evidence, observation }).verdict).toBe('Inconclusive');
      }),
    );
  });

  // Nearly good evidence: what is random alone hardly ever passes.
  const nearlyGood = fc.record<Evidence>(
    {
      expected: fc.constant('Deny'),
      observation: fc.record<Observation>({
        outcome: anyOutcome,
        stage: fc.constantFrom('connect', 'connect', 'dns', 'http'),
        firstOutcome: anyOutcome,
        attempts: fc.integer({ min: 1, max: 3 }),
        elapsedMs: fc.nat(),
      }),
      targetControl: fc.string(),
      sourceControl: fc.string(),
      isDatagram: fc.boolean(),
      unreachableIsEnough: fc.constant(false),
      mustAnswer: fc.boolean(),
      targetStands: fc.constant(true),
      isCrossingProved: fc.boolean(),
      disturbed: fc.constant(false),
      excused: fc.constant(false),
      denials: fc.record({ ingress: anyOutcome, egress: anyOutcome }),
    },
    {
      requiredKeys: [
        'expected',
        'observation',
        'isDatagram',
        'unreachableIsEnough',
        'mustAnswer',
        'targetStands',
        'isCrossingProved',
        'disturbed',
        'excused',
      ],
    },
  );

  it('a Deny passes on the confirmed outcome of a calibrated denial with both controls and an undisturbed target alone', () => {
    let passed = 0;
    fc.assert(
      fc.property(fc.oneof(anyEvidence, nearlyGood), (evidence) => {
        const { observation, denials } = evidence;
        if (evidence.expected !== 'Deny' || judge(evidence).verdict !== 'Passed') return;
        passed += 1;

        expect(evidence).toMatchObject({ targetStands: true, disturbed: false });
        expect(evidence.sourceControl).toBeDefined();
        if (!('outcome' in observation)) throw new Error('no evidence');
        expect(observation).toMatchObject({ firstOutcome: observation.outcome, stage: 'connect' });
        expect(observation.attempts).toBeGreaterThan(1);
        if (judge(evidence).reason === 'NotReached') {
          expect(evidence.unreachableIsEnough).toBe(true);
          expect(['TimedOut', 'Unreachable']).toContain(observation.outcome);
          return;
        }
        expect(evidence.targetControl).toBeDefined();
        expect(evidence.isCrossingProved || observation.outcome === 'Refused').toBe(true);
        if (denials === undefined) throw new Error('no calibration');
        expect([denials.ingress, denials.egress]).toContain(observation.outcome);
        expect(['TimedOut', 'Refused', 'Unreachable']).toContain(observation.outcome);
      }),
      { numRuns: 20_000 },
    );
    expect(passed).toBeGreaterThan(0);
  });

  it('no Deny passes without a calibration, nor where nothing is enforced', () => {
    fc.assert(
      fc.property(nearlyGood, (evidence) => {
        if (evidence.denials === undefined) expect(judge(evidence).verdict).not.toBe('Passed');
        expect(judge({ ...evidence, denials: nothing }).verdict).not.toBe('Passed');
      }),
    );
  });

  it('an outcome is a denial only where it is one of the two measured', () => {
    fc.assert(
      fc.property(anyOutcome, anyOutcome, anyOutcome, (ingress, egress, outcome) => {
        if (isDenial({ ingress, egress }, outcome)) expect([ingress, egress]).toContain(outcome);
        expect(isDenial({ ingress, egress }, 'Connected')).toBe(false);
      }),
    );
  });

  it('an Allow passes on a connection alone', () => {
    fc.assert(
      fc.property(anyEvidence, (evidence) => {
        fc.pre(evidence.expected === 'Allow' && judge(evidence).verdict === 'Passed');

        expect(evidence.observation).toMatchObject({ outcome: 'Connected' });
      }),
      { maxSkipsPerRun: 10_000 },
    );
  });

  it('a Deny fails on a connection alone, or on the word of a target that a datagram reached', () => {
    fc.assert(
      fc.property(anyEvidence, (evidence) => {
        const { observation } = evidence;
        fc.pre(evidence.expected === 'Deny' && judge(evidence).verdict === 'Failed');

        const connected = ['Connected', 'TLSFailed', 'HTTPMismatch', 'Reset'];
        expect(
          'outcome' in observation &&
            (['tls', 'http'].includes(observation.stage) ||
              (observation.outcome === 'TimedOut' && observation.stage === 'dns') ||
              connected.includes(observation.outcome) ||
              (evidence.isDatagram && observation.outcome === 'Refused')),
        ).toBe(true);
      }),
      { maxSkipsPerRun: 10_000 },
    );
  });
});

describe('worst', () => {
  const row = (verdict: Verdict, id = 0) => ({ verdict, id });

  it.each<[string, readonly ReturnType<typeof row>[], ReturnType<typeof row> | undefined]>([
    ['of nothing is nothing', [], undefined],
    ['is Failed before Inconclusive', [row('Inconclusive'), row('Failed')], row('Failed')],
    ['is Inconclusive before Passed', [row('Passed'), row('Inconclusive')], row('Inconclusive')],
    ['is Passed before Skipped', [row('Skipped'), row('Passed')], row('Passed')],
    ['is the first of equals', [row('Failed', 1), row('Failed', 2)], row('Failed', 1)],
  ])('%s', (_, rows, expected) => {
    expect(worst(rows)).toEqual(expected);
  });
});
