import { describe, expect, it } from 'vitest';
import type { Calibration, CalibrationStatus } from '../api/index.ts';
import type { Measured } from './measurement.ts';
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
    const status = statusAfterMeasurement(calibration(), { measured: drop, openMs: {} }, 'n', run);

    expect(status).toMatchObject({
      observedGeneration: 3,
      denials: { tcp: { ingress: 'TimedOut', egress: 'TimedOut' } },
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
    const status = statusAfterMeasurement(calibration(), { measured: measured, openMs: {} }, 'n', run);

    expect(conditionsOf(status)[1]).toBe(condition);
    expect(status.conditions?.[1]?.message).toContain(words);
  });

  it('echoes the request that it answers, and keeps the echo of an older one', () => {
    const before = calibration({ lastHandledRunRequest: 'before' });

    expect(
      statusAfterMeasurement(before, { measured: drop, openMs: {} }, 'n', { ...run, request: 'now' })
        .lastHandledRunRequest,
    ).toBe('now');
    expect(statusAfterMeasurement(before, { measured: drop, openMs: {} }, 'n', run).lastHandledRunRequest).toBe(
      'before',
    );
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
    ...statusAfterMeasurement(calibration(), { measured: drop, openMs: {} }, 'n', run),
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

    expect(denialsOf({ denials: { tcp: pair } })).toEqual({ TCP: pair });
    expect(denialsOf({ denials: { tcp: pair, udp: pair } })).toEqual({ TCP: pair, UDP: pair });
    expect(denialsOf(undefined)).toEqual({});
  });
});
