import { describe, expect, it } from 'vitest';
import type { Status, Verdict } from '../api/index.ts';
import { expectationOf, testOf } from '../testing/cluster-view.ts';
import { announcementsOf, reportOfTest } from './announce.ts';

function statusOf(verdicts: Readonly<Record<string, Verdict>>): Status {
  return {
    expectations: Object.entries(verdicts).map(([name, verdict]) => ({
      name,
      expect: 'Deny',
      verdict,
      reason: 'Denied',
      message: `About ${name}.`,
      since: '2026-01-01T00:00:00Z',
    })),
  };
}

describe('announcementsOf', () => {
  const violated = { type: 'Warning', reason: 'ExpectationViolated', note: 'a: About a.' };
  const restored = { type: 'Normal', reason: 'ExpectationRestored', note: 'a: About a.' };
  const unproven = { type: 'Warning', reason: 'ProbeInconclusive', note: 'a: About a.' };

  it.each<[Verdict | 'nothing', Verdict, readonly object[]]>([
    ['nothing', 'Passed', []],
    ['nothing', 'Failed', [violated]],
    ['nothing', 'Inconclusive', [unproven]],
    ['nothing', 'Skipped', []],
    ['Passed', 'Passed', []],
    ['Passed', 'Failed', [violated]],
    ['Passed', 'Inconclusive', [unproven]],
    ['Failed', 'Failed', []],
    ['Failed', 'Passed', [restored]],
    ['Failed', 'Inconclusive', [unproven]],
    ['Inconclusive', 'Inconclusive', []],
    ['Inconclusive', 'Passed', []],
    ['Inconclusive', 'Failed', [violated]],
    ['Skipped', 'Passed', []],
    ['Skipped', 'Failed', [violated]],
    ['Failed', 'Skipped', []],
  ])('from %s to %s', (before, after, announcements) => {
    const previous = before === 'nothing' ? undefined : statusOf({ a: before });

    expect(announcementsOf(previous, statusOf({ a: after }))).toEqual(announcements);
  });

  it('tells why beside what was seen', () => {
    const after = statusOf({ a: 'Failed' });
    const explained = (after.expectations ?? []).map((row) => ({ ...row, explanation: { message: 'It is open.' } }));

    expect(announcementsOf(undefined, { ...after, expectations: explained })).toMatchObject([
      { note: 'a: About a. It is open.' },
    ]);
  });

  it('tells one event per kind of transition, whatever the number of expectations', () => {
    const before = statusOf({ a: 'Passed', b: 'Passed', c: 'Failed', d: 'Failed' });
    const after = statusOf({ a: 'Failed', b: 'Failed', c: 'Passed', d: 'Failed' });

    expect(announcementsOf(before, after).map(({ note }) => note)).toEqual([
      'a: About a. Also: b (see status.expectations).',
      'c: About c.',
    ]);
  });
});

describe('reportOfTest', () => {
  it('says what the metrics need of a test without a status', () => {
    const test = testOf([
      expectationOf({ expect: 'Deny', dryRun: true }),
      expectationOf({ name: 'page', to: { pods: {}, port: 'http' }, http: {} }),
    ]);

    expect(reportOfTest(test, undefined)).toEqual({
      namespace: 'shop',
      test: 'boundaries',
      suspended: false,
      periodSeconds: 300,
      accepted: true,
      expectations: [
        {
          name: 'web-reaches-api',
          expect: 'Deny',
          severity: 'Medium',
          source: 'Deployment web',
          target: 'Service api',
          port: '80',
          protocol: 'TCP',
          dryRun: true,
          verdict: undefined,
          damped: false,
        },
        {
          name: 'page',
          expect: 'Allow',
          severity: 'Medium',
          source: 'Deployment web',
          target: 'pods (all)',
          port: 'http',
          protocol: 'HTTP',
          dryRun: false,
          verdict: undefined,
          damped: false,
        },
      ],
      lastRun: undefined,
      lastSuccessSeconds: undefined,
    });
  });

  it('passes on verdicts by name, and what the last run cost', () => {
    const status: Status = {
      ...statusOf({ gone: 'Failed', 'web-reaches-api': 'Passed' }),
      lastSuccessTime: '2026-01-01T00:00:00Z',
      lastRun: {
        id: 'x',
        trigger: 'Period',
        startTime: '2026-01-01T00:00:00.000Z',
        completionTime: '2026-01-01T00:00:06.500Z',
        probePods: 2,
        apiRequests: 7,
        fingerprint: 'f',
      },
    };
    const test = testOf([expectationOf()], { spec: { suspend: true, severity: 'High', periodSeconds: 60 } });

    expect(reportOfTest(test, status)).toMatchObject({
      suspended: true,
      periodSeconds: 60,
      expectations: [{ severity: 'High', verdict: 'Passed' }],
      lastRun: { completedAtSeconds: 1_767_225_606.5, durationSeconds: 6.5, apiRequests: 7, probePods: 2 },
      lastSuccessSeconds: 1_767_225_600,
    });
  });
});
