import { describe, expect, it } from 'vitest';
import type { Calibration, CalibrationStatus } from '../api/index.ts';
import type { Measured } from './family-measurement.ts';
import type { Measurement } from './measurement.ts';
import { denialsOf, statusAfterFailure, statusAfterMeasurement } from './status.ts';

const completionTime = '2026-01-01T01:00:00.000Z';
const hour = 3_600_000;
const run = {
  lastRun: {
    id: 'r',
    trigger: 'Period',
    startTime: '2026-01-01T00:59:50.000Z',
    completionTime,
    apiRequests: 8,
  },
  request: undefined,
} as const;
const drop: Measured = { TCP: { ingress: 'TimedOut', egress: 'TimedOut' } };
const over = (measured: Measured): Measurement => ({ primary: { family: 'IPv4', measured, openMs: {} } });

function calibration(status?: CalibrationStatus): Calibration {
  return {
    apiVersion: 'postern.dev/v1alpha1',
    kind: 'Calibration',
    metadata: { name: 'cluster', uid: 'u', generation: 3 },
    ...(status === undefined ? {} : { status }),
  };
}

const conditionsOf = ({ conditions = [] }: CalibrationStatus) =>
  conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`);

describe('a calibration with a result', () => {
  it('is shown with its time, its nodes and its conditions', () => {
    const status = statusAfterMeasurement(calibration(), over(drop), 'n', run);

    expect(status).toMatchObject({
      observedGeneration: 3,
      denials: { ipFamily: 'IPv4', tcp: { ingress: 'TimedOut', egress: 'TimedOut' } },
      measuredTime: completionTime,
      nodes: 'n',
      lastRun: run.lastRun,
    });
    expect(status.denials).not.toHaveProperty('udp');
    expect(status).not.toHaveProperty('lastHandledRunRequest');
    expect(conditionsOf(status)).toEqual(['Calibrated True Measured', 'Enforced True Enforced']);
    for (const condition of status.conditions ?? []) {
      expect(condition).toMatchObject({ observedGeneration: 3, lastTransitionTime: completionTime });
    }
  });

  it.each<[Measured, string, string]>([
    [
      { TCP: { ingress: 'Connected', egress: 'Connected' } },
      'Enforced False PolicyNotEnforced',
      'ingress over TCP, egress over TCP.',
    ],
    [
      { TCP: { ingress: 'TimedOut', egress: 'Connected' } },
      'Enforced False PartlyEnforced',
      'nothing: egress over TCP.',
    ],
    [
      { ...drop, UDP: { ingress: 'Connected', egress: 'Connected' } },
      'Enforced False PartlyEnforced',
      'nothing: ingress over UDP, egress over UDP.',
    ],
  ])('tells what is not enforced of %j', (measured, condition, words) => {
    const status = statusAfterMeasurement(calibration(), over(measured), 'n', run);

    expect(conditionsOf(status)[1]).toBe(condition);
    expect(status.conditions?.[1]?.message).toContain(words);
  });

  it('echoes the request that it answers, and keeps the echo of an older one', () => {
    const before = calibration({ lastHandledRunRequest: 'before' });

    expect(statusAfterMeasurement(before, over(drop), 'n', { ...run, request: 'now' }).lastHandledRunRequest).toBe(
      'now',
    );
    expect(statusAfterMeasurement(before, over(drop), 'n', run).lastHandledRunRequest).toBe('before');
  });
});

describe('a calibration of both families', () => {
  const statusWith = (secondary: NonNullable<Measurement['secondary']>): CalibrationStatus =>
    statusAfterMeasurement(calibration(), { ...over(drop), secondary }, 'n', run);
  const open = { TCP: { ingress: 'Connected', egress: 'Connected' } } as const;
  const failed = { family: 'IPv6', failure: { reason: 'ControlFailed', message: 'No way.' } } as const;

  it('shows each', () => {
    const status = statusWith({ family: 'IPv6', measured: drop, openMs: {} });

    expect(status.secondaryDenials).toEqual({ ipFamily: 'IPv6', tcp: { ingress: 'TimedOut', egress: 'TimedOut' } });
    expect(conditionsOf(status)).toEqual(['Calibrated True Measured', 'Enforced True Enforced']);
    expect(status.conditions?.[0]?.message).toBe(
      'A denied connection ends so: over IPv4 TCP TimedOut by ingress and TimedOut by egress. Over IPv6: TCP TimedOut by ingress and TimedOut by egress.',
    );
  });

  it('says which one is not enforced', () => {
    const status = statusWith({ family: 'IPv6', measured: open, openMs: {} });

    expect(conditionsOf(status)[1]).toBe('Enforced False PartlyEnforced');
    expect(status.conditions?.[1]?.message).toContain('ingress over TCP and IPv6, egress over TCP and IPv6.');
  });

  it('does not call enforced what could not be measured', () => {
    const status = statusWith(failed);

    expect(status.secondaryDenials).toEqual({ ipFamily: 'IPv6' });
    expect(denialsOf(status)).toEqual({ IPv4: { TCP: drop.TCP }, IPv6: {} });
    expect(conditionsOf(status)).toEqual(['Calibrated True Measured', 'Enforced Unknown PartlyCalibrated']);
    expect(status.conditions?.[0]?.message).toContain('it could not be measured, so no Deny passes there. No way.');
  });

  it('is kept whole while a later one fails', () => {
    const old = { ...statusWith({ family: 'IPv6', measured: drop, openMs: {} }), measuredTime: completionTime };

    const status = statusAfterFailure(calibration(old), failed.failure, hour, run);

    expect(status).toMatchObject({ denials: old.denials, secondaryDenials: old.secondaryDenials });
  });
});

describe('a calibration without a result', () => {
  const failure = { reason: 'QuotaExceeded', message: 'No room.' };

  it('says why', () => {
    const status = statusAfterFailure(calibration(), failure, hour, run);

    expect(conditionsOf(status)).toEqual(['Calibrated False QuotaExceeded', 'Enforced Unknown NotCalibrated']);
    expect(status).not.toHaveProperty('denials');
  });

  const old: CalibrationStatus = {
    ...statusAfterMeasurement(calibration(), over(drop), 'n', run),
    measuredTime: '2026-01-01T00:00:00.000Z',
  };

  it('keeps the result before it while that is valid, and says that it is an old one', () => {
    const status = statusAfterFailure(calibration(old), failure, hour, run);

    expect(status).toMatchObject({ denials: old.denials, measuredTime: old.measuredTime, nodes: 'n' });
    expect(conditionsOf(status)).toEqual(['Calibrated True QuotaExceeded', 'Enforced True Enforced']);
    expect(status.conditions?.[0]?.message).toBe('The newest run had no result; the one before still holds. No room.');
  });

  it('drops the result before it once that is out of date', () => {
    const status = statusAfterFailure(calibration(old), failure, hour / 3, run);

    expect(conditionsOf(status)).toEqual(['Calibrated False QuotaExceeded', 'Enforced Unknown NotCalibrated']);
    for (const key of ['denials', 'measuredTime', 'nodes']) expect(status).not.toHaveProperty(key);
  });
});

describe('denialsOf', () => {
  it('is the table that verdicts go by', () => {
    const pair = { ingress: 'TimedOut', egress: 'Unreachable' } as const;

    const denials = { ipFamily: 'IPv4', tcp: pair } as const;
    expect(denialsOf({ denials })).toEqual({ IPv4: { TCP: pair } });
    expect(denialsOf({ denials: { ...denials, udp: pair } })).toEqual({ IPv4: { TCP: pair, UDP: pair } });
    expect(denialsOf({ denials, secondaryDenials: { ipFamily: 'IPv6', udp: pair } })).toEqual({
      IPv4: { TCP: pair },
      IPv6: { UDP: pair },
    });
    expect(denialsOf(undefined)).toEqual({});
  });

  it('holds nothing of what does not say over which family it was measured', () => {
    expect(denialsOf({ denials: { tcp: { ingress: 'TimedOut', egress: 'TimedOut' } } })).toEqual({});
  });
});
