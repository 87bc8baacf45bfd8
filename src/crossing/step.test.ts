import { describe, expect, it } from 'vitest';
import type { Observation } from '../probe/index.ts';
import type { Crossing, ProbeReport } from '../verdict/index.ts';
import { dialTasks } from './pods.ts';
import { decideRound, type Round } from './step.ts';

const toB: Crossing = { from: 'a', to: 'b', family: 'IPv4', protocol: 'TCP' };
const toC: Crossing = { from: 'a', to: 'c', family: 'IPv4', protocol: 'TCP' };
const both = new Map([
  ['b', ['10.0.0.2']],
  ['c', ['10.0.0.3']],
]);
const onlyB = new Map([['b', ['10.0.0.2']]]);

function round(parts: Partial<Round> = {}): Round {
  const scheduled = new Set(['b', 'c']);
  return { crossings: [toB, toC], began: 1_000, listening: both, scheduled, troubles: new Map(), ...parts };
}

function seen(...outcomes: readonly Observation['outcome'][]): ProbeReport {
  const observations = outcomes.map((outcome, id): [number, Observation] => [
    id,
    { outcome, stage: 'connect', firstOutcome: outcome, attempts: 2, elapsedMs: 1 },
  ]);
  return { checks: [], node: 'a', resolverAnswered: false, observations: new Map(observations) };
}

function dialling(
  listening: Round['listening'],
  reports: readonly (ProbeReport | undefined)[],
  scheduled: readonly boolean[] = [true],
): Partial<Round> {
  const tasks = dialTasks({ namespace: 'postern' }, [toB, toC], listening);
  return { dialling: { began: 5_000, tasks, reports, scheduled } };
}

describe('a round', () => {
  it.each<[string, Partial<Round>, number, ReturnType<typeof decideRound>]>([
    ['waits for listeners', { listening: onlyB }, 3_000, { kind: 'wait', waitMs: 38_000 }],
    [
      'waits less for one without a node',
      { listening: onlyB, scheduled: new Set(['b']) },
      3_000,
      { kind: 'wait', waitMs: 8_000 },
    ],
    ['dials when all of them run', {}, 3_000, { kind: 'dial', listeners: both }],
    ['dials those that run when time is up', { listening: onlyB }, 41_000, { kind: 'dial', listeners: onlyB }],
    [
      'waits for no listener that is in trouble',
      { listening: onlyB, troubles: new Map([['c', 'QuotaExceeded']]) },
      3_000,
      { kind: 'dial', listeners: onlyB },
    ],
    ['waits for who dials', dialling(both, [undefined]), 6_000, { kind: 'wait', waitMs: 39_000 }],
    ['waits less for who has no node', dialling(both, [undefined], [false]), 6_000, { kind: 'wait', waitMs: 9_000 }],
  ])('%s', (_, parts, now, step) => {
    expect(decideRound(round(parts), now)).toEqual(step);
  });

  it.each<[string, Partial<Round>, number, readonly string[]]>([
    ['what connected', dialling(both, [seen('Connected', 'TimedOut')]), 6_000, ['b Crossed', 'c NotCrossed']],
    ['what did not', dialling(both, [seen('Refused', 'Unreachable')]), 6_000, ['b NotCrossed', 'c NotCrossed']],
    [
      'that nobody listened',
      { listening: new Map() },
      41_000,
      [
        'b NotTried no pod on b came to listen over IPv4 in time',
        'c NotTried no pod on c came to listen over IPv4 in time',
      ],
    ],
    [
      'why nobody listened',
      { ...dialling(onlyB, [seen('Connected')]), troubles: new Map([['c', 'QuotaExceeded full']]) },
      6_000,
      ['b Crossed', 'c NotTried QuotaExceeded full'],
    ],
    [
      'that nobody dialled in time',
      dialling(both, [undefined]),
      45_000,
      ['b NotTried ProbeNotStarted', 'c NotTried ProbeNotStarted'],
    ],
    [
      'that the pod ran elsewhere, whatever it saw',
      dialling(both, [{ ...seen('Connected', 'Connected'), node: 'b' }]),
      6_000,
      [
        'b NotTried the pod that dials came to run on another node',
        'c NotTried the pod that dials came to run on another node',
      ],
    ],
    [
      'that a proxy accepts everything',
      dialling(both, [{ ...seen('Connected', 'Connected'), mesh: { name: 'Kuma', proxy: 'sidecar' } }]),
      6_000,
      ['b', 'c'].map((node) => `${node} NotTried a proxy of Kuma was put into the pod that dials`),
    ],
    [
      'why nobody dialled',
      dialling(both, [{ ...seen(), trouble: { reason: 'ProbeUnschedulable', message: '0/3 nodes' } }]),
      6_000,
      ['b NotTried ProbeUnschedulable 0/3 nodes', 'c NotTried ProbeUnschedulable 0/3 nodes'],
    ],
  ])('finds out %s', (_, parts, now, found) => {
    const step = decideRound(round(parts), now);

    if (step.kind !== 'end') throw new Error(step.kind);
    expect(
      step.findings.map(({ crossing, found, trouble = '' }) => `${crossing.to} ${found} ${trouble}`.trim()),
    ).toEqual(found);
  });
});
