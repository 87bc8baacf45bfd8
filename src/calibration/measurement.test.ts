import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MeasuredOutcome } from '../api/index.ts';
import { type Observation, type Outcome, outcomes } from '../probe/index.ts';
import type { ProbeReport } from '../verdict/index.ts';
import type { FamilyMeasurement, Measured } from './family-measurement.ts';
import { freshPodDelayMsOf, hasOpenDoor, type Measurement, measurementOf, repeated } from './measurement.ts';
import { dialTasks } from './pods.ts';

const listeners = { open: ['10.0.0.1'], denied: ['10.0.0.2'] };
const [openTask, deniedTask] = dialTasks({ namespace: 'postern' }, listeners);

function seen(outcome: Outcome, parts: Partial<Observation> = {}): Observation {
  return { outcome, stage: 'connect', firstOutcome: outcome, attempts: 2, elapsedMs: 10, ...parts };
}

function report(task: typeof openTask, observations: readonly (Observation | undefined)[]): ProbeReport {
  const checks = task?.checks ?? [];
  return {
    checks,
    resolverAnswered: false,
    observations: new Map(
      checks.flatMap(({ id }, index) => {
        const observation = observations[index];
        return observation === undefined ? [] : [[id, observation] as const];
      }),
    ),
  };
}

function measure(
  control: Observation | undefined,
  ingress: Observation | undefined,
  egress: Observation | undefined,
): ReturnType<typeof measurementOf> {
  return measurementOf('postern', listeners, [report(openTask, [control, ingress]), report(deniedTask, [egress])]);
}

const connected = seen('Connected');

describe('measurementOf', () => {
  it.each<[string, Observation, Observation, MeasuredOutcome, MeasuredOutcome]>([
    ['drops', seen('TimedOut'), seen('TimedOut'), 'TimedOut', 'TimedOut'],
    ['answers on egress alone', seen('TimedOut'), seen('Unreachable'), 'TimedOut', 'Unreachable'],
    ['refuses', seen('Refused'), seen('Refused'), 'Refused', 'Refused'],
    ['enforces nothing', seen('Connected', { attempts: 1 }), connected, 'Connected', 'Connected'],
    [
      'is open at the second attempt',
      seen('Connected', { firstOutcome: 'TimedOut' }),
      seen('TimedOut'),
      'Connected',
      'TimedOut',
    ],
  ])('tells how a cluster denies that %s', (_, ingress, egress, wantedIngress, wantedEgress) => {
    expect(measure(connected, ingress, egress)).toMatchObject({
      primary: { family: 'IPv4', measured: { TCP: { ingress: wantedIngress, egress: wantedEgress } } },
    });
  });

  it.each<[string, Observation | undefined, Observation | undefined, Observation | undefined, string, RegExp]>([
    [
      'the control met silence',
      seen('TimedOut'),
      seen('TimedOut'),
      seen('TimedOut'),
      'ControlFailed',
      /TCP and IPv4 \(TimedOut\)/,
    ],
    ['the control was refused', seen('Refused'), seen('TimedOut'), seen('TimedOut'), 'ControlFailed', /\(Refused\)/],
    ['the control said nothing', undefined, seen('TimedOut'), seen('TimedOut'), 'ControlFailed', /nothing was stated/],
    [
      'the ingress changed',
      connected,
      seen('Refused', { firstOutcome: 'TimedOut' }),
      seen('TimedOut'),
      'Unsteady',
      /ingress over TCP and IPv4 is not the same twice \(TimedOut, then Refused\)/,
    ],
    ['the egress was tried once', connected, seen('TimedOut'), seen('TimedOut', { attempts: 1 }), 'Unsteady', /egress/],
    ['the egress was reset', connected, seen('TimedOut'), seen('Reset'), 'Unsteady', /egress/],
    ['the tool failed', connected, seen('ProbeLost'), seen('TimedOut'), 'Unsteady', /ingress/],
    ['the egress said nothing', connected, seen('TimedOut'), undefined, 'Unsteady', /\(nothing\)/],
  ])('has no result if %s', (_, control, ingress, egress, reason, words) => {
    const measurement = measure(control, ingress, egress);

    expect(measurement).toMatchObject({ failure: { reason } });
    expect('failure' in measurement && measurement.failure.message).toMatch(words);
  });

  it('has no result, but the words of the API server, if a pod was refused', () => {
    const refused = {
      ...report(deniedTask, []),
      trouble: { reason: 'QuotaExceeded', message: 'exceeded quota: x' },
    } as const;

    expect(measurementOf('postern', listeners, [report(openTask, [connected, seen('TimedOut')]), refused])).toEqual({
      failure: {
        reason: 'QuotaExceeded',
        message:
          'The quota of namespace postern leaves no room for a probe pod of the calibration (exceeded quota: x). Raise it by one pod per source, or free some.',
      },
    });
  });

  it('never takes for a denial what was not seen twice beside a connection that was admitted', () => {
    const anything = fc.option(
      fc.record<Observation>({
        outcome: fc.constantFrom(...outcomes),
        stage: fc.constantFrom('connect', 'dns', 'http'),
        firstOutcome: fc.constantFrom(...outcomes),
        attempts: fc.integer({ min: 1, max: 3 }),
        elapsedMs: fc.nat(),
      }),
      { nil: undefined },
    );
    fc.assert(
      fc.property(anything, anything, anything, (control, ingress, egress) => {
        const measurement = measure(control, ingress, egress);
        if ('failure' in measurement) return;

        expect(control?.outcome).toBe('Connected');
        for (const [side, observation] of [
          ['ingress', ingress],
          ['egress', egress],
        ] as const) {
          const outcome = measurement.primary.measured.TCP?.[side];
          expect(outcome).toBe(observation?.outcome);
          if (outcome === 'Connected') continue;
          expect(observation?.stage).toBe('connect');
          // Twice denied alike, from the first attempt on or after the door had been open.
          expect(['Connected', outcome]).toContain(observation?.firstOutcome);
          expect(observation?.attempts).toBeGreaterThanOrEqual(observation?.firstOutcome === outcome ? 2 : 3);
        }
      }),
      { numRuns: 5000 },
    );
  });
});

const pair = (ingress: MeasuredOutcome, egress: MeasuredOutcome): Measured => ({ TCP: { ingress, egress } });
const over = (measured: Measured, openMs: FamilyMeasurement['openMs'] = {}): Measurement => ({
  primary: { family: 'IPv4', measured, openMs },
});

describe('an open door', () => {
  it.each<[Measured, boolean]>([
    [pair('TimedOut', 'TimedOut'), false],
    [pair('Connected', 'TimedOut'), true],
    [pair('TimedOut', 'Connected'), true],
    [{ ...pair('TimedOut', 'TimedOut'), UDP: { ingress: 'Connected', egress: 'TimedOut' } }, true],
  ])('in %j: %s', (measured, isOpen) => {
    expect(hasOpenDoor(over(measured))).toBe(isOpen);
  });

  it.each<[string, Measured, Measured, boolean]>([
    ['that stays open is open', pair('Connected', 'Connected'), pair('Connected', 'Connected'), true],
    ['that was closed late is closed', pair('Connected', 'TimedOut'), pair('TimedOut', 'TimedOut'), true],
    ['that opened later is no result', pair('Connected', 'TimedOut'), pair('TimedOut', 'Connected'), false],
    [
      'beside another denial than before is no result',
      pair('Connected', 'TimedOut'),
      pair('Connected', 'Refused'),
      false,
    ],
  ])('%s', (_, first, second, isResult) => {
    const measurement = repeated(over(first), over(second));

    if (isResult) expect(measurement).toEqual(over(second));
    else expect(measurement).toMatchObject({ failure: { reason: 'Unsteady' } });
  });

  it('that could not be dialled again is no result', () => {
    const failure = { reason: 'ProbeLost', message: 'x' };

    const first = over(pair('Connected', 'Connected'));

    expect(repeated(first, { failure })).toEqual({ failure });
  });
});

describe('the delay of fresh pods', () => {
  const closed = pair('TimedOut', 'TimedOut');

  it.each<[string, Measurement, Measurement, number]>([
    ['that are denied at once is none', over(closed), over(closed), 0],
    [
      'is the time until the door was closed',
      over(pair('Connected', 'TimedOut'), { 'TCP ingress': 10 }),
      over(closed, { 'TCP ingress': 1230 }),
      1240,
    ],
    [
      'is no less than what the first round saw',
      over(pair('Connected', 'TimedOut'), { 'TCP ingress': 40 }),
      over(closed),
      50,
    ],
    [
      'is that of the slower round',
      over(pair('Connected', 'TimedOut'), { 'TCP ingress': 90 }),
      over(closed, { 'TCP ingress': 20 }),
      100,
    ],
    [
      'is that of the slowest side',
      over(pair('Connected', 'TimedOut'), { 'TCP ingress': 10 }),
      over(closed, { 'TCP ingress': 300, 'TCP egress': 2000 }),
      2010,
    ],
    [
      'is not that of a door that stays open',
      over(pair('Connected', 'Connected'), { 'TCP ingress': 10, 'TCP egress': 10 }),
      over(pair('Connected', 'TimedOut'), { 'TCP ingress': 10_000, 'TCP egress': 400 }),
      410,
    ],
  ])('%s', (_, first, second, delayMs) => {
    const measurement = repeated(first, second);
    if ('failure' in measurement) throw new Error('no result');

    expect(freshPodDelayMsOf(measurement)).toBe(delayMs);
  });

  it('is read off probes that dialled until they were denied', () => {
    const late = seen('TimedOut', { firstOutcome: 'Connected', attempts: 7, elapsedMs: 1200 });
    const measurement = measure(connected, late, seen('TimedOut'));

    expect(measurement).toMatchObject(over(closed, { 'TCP ingress': 1200 }));
  });
});

describe('where pods have both families', () => {
  const both = { open: ['10.0.0.1', 'fd00::1'], denied: ['10.0.0.2', 'fd00::2'] };
  const [openBoth, deniedBoth] = dialTasks({ namespace: 'postern' }, both);
  const silent = seen('TimedOut');
  /** IPv4 is denied in silence; over UDP nothing is stated. */
  const measureBoth = (
    control: Observation | undefined,
    ingress: Observation | undefined,
    egress: Observation | undefined,
  ): ReturnType<typeof measurementOf> =>
    measurementOf('postern', both, [
      report(openBoth, [connected, silent, undefined, undefined, control, ingress]),
      report(deniedBoth, [silent, undefined, egress]),
    ]);

  it('measures each for itself', () => {
    const measurement = measureBoth(connected, seen('Connected'), seen('Unreachable'));

    expect(measurement).toMatchObject({
      primary: { family: 'IPv4', measured: pair('TimedOut', 'TimedOut') },
      secondary: { family: 'IPv6', measured: pair('Connected', 'Unreachable') },
    });
    expect('primary' in measurement && hasOpenDoor(measurement)).toBe(true);
  });

  it('takes nothing measured over one for the other, and says why there is nothing', () => {
    const measurement = measureBoth(silent, silent, silent);

    expect(measurement).toMatchObject({
      primary: { family: 'IPv4', measured: pair('TimedOut', 'TimedOut') },
      secondary: { family: 'IPv6', failure: { reason: 'ControlFailed' } },
    });
    expect(JSON.stringify(measurement)).toContain('over TCP and IPv6 (TimedOut)');
  });

  it('has no result if the primary one could not be measured', () => {
    const reports = [report(openBoth, [silent, silent, undefined, undefined, connected, silent])];

    expect(measurementOf('postern', both, [...reports, report(deniedBoth, [silent, undefined, silent])])).toMatchObject(
      {
        failure: { reason: 'ControlFailed' },
      },
    );
  });

  it('dials each again, and keeps one that is not the same twice from being a result', () => {
    const first = measureBoth(connected, seen('Connected'), silent);
    if ('failure' in first) throw new Error('no result');
    const closed = seen('TimedOut', { firstOutcome: 'Connected', attempts: 7, elapsedMs: 700 });

    const late = repeated(first, measureBoth(connected, closed, silent));
    expect(late).toMatchObject({ secondary: { measured: pair('TimedOut', 'TimedOut') } });
    expect('primary' in late && freshPodDelayMsOf(late)).toBe(710);
    expect(repeated(first, measureBoth(connected, closed, seen('Refused')))).toMatchObject({
      primary: { measured: pair('TimedOut', 'TimedOut') },
      secondary: { failure: { reason: 'Unsteady' } },
    });
  });

  it('has no result where the listeners share no family', () => {
    expect(measurementOf('postern', { open: ['10.0.0.1'], denied: ['fd00::2'] }, [])).toMatchObject({
      failure: { reason: 'ControlFailed' },
    });
  });
});
