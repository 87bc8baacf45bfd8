import { describe, expect, it } from 'vitest';
import type { MeasuredOutcome, Reason } from '../api/index.ts';
import type { Assignment } from '../plan/index.ts';
import type { Observation, Outcome } from '../probe/index.ts';
import type { ProbeReport } from '../verdict/index.ts';
import type { Measurement } from './measurement.ts';
import { dialTasks, type Listeners } from './pods.ts';
import { type CalibrationAttempt, type CalibrationStep, decideCalibration } from './step.ts';

const now = Date.UTC(2026, 0, 1);
const deadline = now + 9000;
const answering: Listeners = { open: ['10.0.0.1'], denied: ['10.0.0.2'] };
const tasks = dialTasks({ namespace: 'postern' }, answering);

const seen = (outcome: Outcome): Observation => ({
  outcome,
  stage: 'connect',
  firstOutcome: outcome,
  attempts: 2,
  elapsedMs: 1,
});

function said({ checks }: Assignment, all: readonly Outcome[]): ProbeReport {
  const observations = new Map(checks.map(({ id }) => [id, seen(all[id] ?? 'ProbeLost')]));
  return { checks, resolverAnswered: false, observations };
}

/** What both probes say: the control connected. */
function reportsOf(ingress: Outcome, egress: Outcome): ProbeReport[] {
  return tasks.map((task) => said(task, ['Connected', ingress, egress]));
}

function trouble(reason: Reason): ProbeReport {
  return { checks: [], resolverAnswered: false, observations: new Map(), trouble: { reason, message: '' } };
}

function attempt(parts: Partial<CalibrationAttempt> = {}): CalibrationAttempt {
  return { listeners: { reports: [undefined, undefined], deadline }, answering: undefined, ...parts };
}

function dialled(reports: readonly (ProbeReport | undefined)[], parts: Partial<CalibrationAttempt> = {}) {
  return attempt({ answering, dialled: answering, probes: { reports, deadline }, ...parts });
}

/** What comes of it, where the doors that are open were seen so a millisecond after the probe began. */
const pair = (ingress: MeasuredOutcome, egress: MeasuredOutcome, opened: readonly string[] = []): Measurement => ({
  primary: {
    family: 'IPv4',
    measured: { TCP: { ingress, egress } },
    openMs: Object.fromEntries(opened.map((side) => [`TCP ${side}`, 1])),
  },
});

describe('decideCalibration', () => {
  it.each<[string, CalibrationAttempt | undefined, CalibrationStep]>([
    ['waits for the listeners', attempt(), { kind: 'wait', waitMs: 9000 }],
    ['dials the listeners once both answer', attempt({ answering }), { kind: 'dial', listeners: answering }],
    ['waits for both probes', dialled([trouble('ProbeLost'), undefined]), { kind: 'wait', waitMs: 9000 }],
    [
      'takes a denial for measured',
      dialled(reportsOf('TimedOut', 'Unreachable')),
      { kind: 'succeed', measurement: pair('TimedOut', 'Unreachable') },
    ],
    [
      'dials an open door once more',
      dialled(reportsOf('Connected', 'TimedOut')),
      { kind: 'dial', listeners: answering, earlier: pair('Connected', 'TimedOut', ['ingress']) },
    ],
    [
      'believes in an open door the second time',
      dialled(reportsOf('Connected', 'Connected'), { earlier: pair('Connected', 'Connected') }),
      { kind: 'succeed', measurement: pair('Connected', 'Connected', ['ingress', 'egress']) },
    ],
    [
      'believes in a door that was closed late',
      dialled(reportsOf('TimedOut', 'TimedOut'), { earlier: pair('TimedOut', 'Connected') }),
      { kind: 'succeed', measurement: pair('TimedOut', 'TimedOut') },
    ],
  ])('%s', (_, state, step) => {
    expect(decideCalibration(state, { waitMs: 1 }, 'postern', now)).toEqual(step);
  });

  it.each<[string, CalibrationAttempt, string]>([
    [
      'a listener that was refused',
      attempt({ listeners: { reports: [undefined, trouble('ProbeRejected')], deadline } }),
      'ProbeRejected',
    ],
    ['a probe that was refused', dialled([trouble('QuotaExceeded'), trouble('ProbeLost')]), 'QuotaExceeded'],
    ['a listener that was lost', dialled(reportsOf('TimedOut', 'TimedOut'), { answering: undefined }), 'ListenerLost'],
    [
      'a listener that came back elsewhere',
      dialled(reportsOf('TimedOut', 'TimedOut'), { answering: { ...answering, denied: ['10.0.0.9'] } }),
      'ListenerLost',
    ],
    ['a denial that changes', dialled(reportsOf('Reset', 'TimedOut')), 'Unsteady'],
    [
      'a door that opened only later',
      dialled(reportsOf('TimedOut', 'Connected'), { earlier: pair('Connected', 'TimedOut') }),
      'Unsteady',
    ],
  ])('fails for %s', (_, state, reason) => {
    expect(decideCalibration(state, { waitMs: 1 }, 'postern', now)).toMatchObject({
      kind: 'fail',
      failure: { reason },
    });
  });

  it('starts what is due, and nothing beside an attempt under way', () => {
    const due = { trigger: 'Nodes' } as const;

    expect(decideCalibration(undefined, due, 'postern', now)).toEqual({ kind: 'start', trigger: 'Nodes' });
    expect(decideCalibration(attempt(), due, 'postern', now)).toEqual({ kind: 'wait', waitMs: 9000 });
    expect(decideCalibration(undefined, { waitMs: 7 }, 'postern', now)).toEqual({ kind: 'wait', waitMs: 7 });
  });
});
