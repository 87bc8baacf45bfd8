import { describe, expect, it } from 'vitest';
import type { CalibrationStatus } from '../api/index.ts';
import { type Due, dueFor, isValid, type Occasion } from './due.ts';

const measured = Date.UTC(2026, 0, 1);
const second = 1000;
const hour = 3600 * second;
const silent = { ingress: 'TimedOut', egress: 'TimedOut' } as const;

function statusOf(enforced: 'True' | 'False' = 'True', parts: Partial<CalibrationStatus> = {}): CalibrationStatus {
  const measuredTime = new Date(measured).toISOString();
  const condition = { type: 'Enforced', status: enforced, reason: 'x', message: '', lastTransitionTime: measuredTime };
  return {
    denials: { ipFamily: 'IPv4', tcp: { ingress: 'TimedOut', egress: 'TimedOut' } },
    measuredTime,
    nodes: 'n',
    conditions: [condition],
    ...parts,
  };
}

function occasion(parts: Partial<Occasion> = {}): Occasion {
  const { now = measured + second } = parts;
  return {
    status: statusOf(),
    nodes: 'n',
    noticed: { current: measured, first: measured },
    request: undefined,
    failures: { count: 0, last: 0 },
    periodMs: hour,
    now,
    monotonic: now,
    ...parts,
  };
}

const just = (now: number) => ({ noticed: { current: now, first: now }, nodes: 'other', now });

describe('dueFor', () => {
  it.each<[string, Partial<Occasion>, Due]>([
    ['measures where there is no object yet', { status: undefined }, { trigger: 'Start' }],
    ['measures where there is no result', { status: {} }, { trigger: 'Start' }],
    ['measures where the result is out of date', { now: measured + 3 * hour }, { trigger: 'Start' }],
    ['reuses a result that another operator left', {}, { waitMs: hour - second }],
    ['measures again after the period', { now: measured + hour }, { trigger: 'Period' }],
    [
      'measures again what was measured in the future: somebody set the clock back, and its age is unknown',
      { now: measured - second },
      { trigger: 'Period' },
    ],
    [
      'measures what was measured in a far future as if there were no result',
      { now: measured - 3 * hour },
      { trigger: 'Start' },
    ],
    ['looks sooner where nothing is enforced', { status: statusOf('False') }, { waitMs: 299 * second }],
    [
      'looks no later where nothing is enforced and the period is short',
      { status: statusOf('False'), periodMs: 60 * second },
      { waitMs: 59 * second },
    ],
    ['measures on request', { request: 'now' }, { trigger: 'Request' }],
    [
      'measures on request in spite of failures',
      { request: 'now', failures: { count: 3, last: measured } },
      { trigger: 'Request' },
    ],
    [
      'answers a request once',
      { request: 'now', status: statusOf('True', { lastHandledRunRequest: 'now' }) },
      { waitMs: hour - second },
    ],
    ['waits until new nodes stand', just(measured + 60 * second), { waitMs: 15 * second }],
    [
      'measures when the nodes have not changed for a while',
      { nodes: 'other', now: measured + 15 * second },
      { trigger: 'Nodes' },
    ],
    ['waits no longer for nodes than for the period', just(measured + hour - second), { waitMs: second }],
    [
      'does not wait for ever for nodes that come and go',
      { ...just(measured + 130 * second), noticed: { current: measured + 130 * second, first: measured } },
      { trigger: 'Nodes' },
    ],
    ['tries again soon', { failures: { count: 1, last: measured } }, { waitMs: 14 * second }],
    [
      'tries again at last',
      { status: {}, failures: { count: 1, last: measured }, now: measured + 15 * second },
      { trigger: 'Retry' },
    ],
    ['tries less and less often', { failures: { count: 4, last: measured } }, { waitMs: 119 * second }],
    ['never gives up', { failures: { count: 99, last: measured } }, { waitMs: 899 * second }],
    [
      'tries again though the old result holds',
      { failures: { count: 1, last: measured }, now: measured + 15 * second },
      { trigger: 'Retry' },
    ],
  ])('%s', (_, parts, due) => {
    expect(dueFor(occasion(parts))).toEqual(due);
  });
});

describe('isValid', () => {
  it.each<[string, CalibrationStatus, number, boolean]>([
    ['a fresh result', statusOf(), measured, true],
    ['one of just under three periods', statusOf(), measured + 3 * hour - 1, true],
    ['one of three periods', statusOf(), measured + 3 * hour, false],
    ['none', {}, measured, false],
    ['one without TCP', statusOf('True', { denials: { ipFamily: 'IPv4' } }), measured, false],
    ['one that does not say of which family', statusOf('True', { denials: { tcp: silent } }), measured, false],
  ])('%s', (_, status, now, valid) => {
    expect(isValid(status, hour, now)).toBe(valid);
  });
});
