import { expect, it } from 'vitest';
import type { Reason } from '../api/index.ts';
import type { Observation } from '../probe/index.ts';
import { wireOf, type WireProofs } from './wire.ts';

const connected: Observation = {
  outcome: 'Connected',
  stage: 'connect',
  firstOutcome: 'Connected',
  attempts: 2,
  elapsedMs: 5,
};
const silent: Observation = { ...connected, outcome: 'TimedOut', firstOutcome: 'TimedOut' };
const refused: Observation = { ...connected, outcome: 'Refused', firstOutcome: 'Refused' };
const unresolved: Observation = { ...silent, outcome: 'NameNotResolved', stage: 'dns' };
const proved: WireProofs = {
  denials: { ingress: 'TimedOut', egress: 'TimedOut' },
  targetControl: 'another source connected',
  sourceControl: 'the same pod connected elsewhere',
  targetStands: true,
  isCrossingProved: true,
};
const { targetControl: _, ...noTarget } = proved;
const { sourceControl: __, ...noSource } = proved;
const { denials: ___, ...notCalibrated } = proved;
const tcp = { mode: 'guard', target: { readinessProved: true } } as const;
const allow = { ...tcp, mode: 'converge' } as const;
const unready = { ...allow, target: { readinessProved: false } };
const udp = { ...tcp, udp: { payload: '00' } };
const dns = { ...tcp, dns: { name: 'a', type: 'A', protocol: 'UDP' } } as const;

it.each<[string, Parameters<typeof wireOf>[0], Reason, Observation | undefined, WireProofs, string | undefined]>([
  ['a connection', tcp, 'Reachable', connected, proved, 'Connected'],
  [
    'a connection that needs no proof',
    tcp,
    'UnexpectedlyReachable',
    connected,
    { targetStands: false, isCrossingProved: false },
    'Connected',
  ],
  ['a connection that was reset', tcp, 'ReachedThenReset', { ...connected, outcome: 'Reset' }, proved, 'Connected'],
  ['silence after the connection', tcp, 'NoAnswer', { ...silent, stage: 'http' }, proved, 'Connected'],
  ['a datagram that the target itself refused', udp, 'ReachedClosedPort', refused, proved, 'Connected'],
  ['a name server that knows no such name', dns, 'NameNotResolved', unresolved, proved, 'Connected'],
  ['a host name that does not resolve', tcp, 'NameNotResolved', unresolved, proved, undefined],
  ['a connection through a proxy', tcp, 'ThroughMesh', connected, proved, undefined],
  ['no statement', tcp, 'ProbeLost', undefined, proved, undefined],
  ['a lost probe', tcp, 'ProbeLost', { ...silent, outcome: 'ProbeLost' }, proved, undefined],

  ['a denial as this cluster denies', tcp, 'Denied', silent, proved, 'Denied'],
  ['the same where an Allow was expected', tcp, 'Blocked', silent, proved, 'Denied'],
  ['the same while something changed', tcp, 'EnforcementDelayed', silent, proved, 'Denied'],
  [
    'the same of a target that is Ready on that port, whose node was not heard of since',
    allow,
    'Blocked',
    silent,
    noTarget,
    'Denied',
  ],
  ['silence of a target that nobody knows to answer', unready, 'Blocked', silent, noTarget, undefined],
  ['silence of a target that answers nobody', tcp, 'NoTargetControl', silent, noTarget, undefined],
  ['silence of a source that reaches nobody', tcp, 'NoSourceControl', silent, noSource, undefined],
  [
    'silence where nothing was seen to cross',
    tcp,
    'NoPathControl',
    silent,
    { ...proved, isCrossingProved: false },
    undefined,
  ],
  [
    'the same of an Allow, which does not wait for it',
    allow,
    'Blocked',
    silent,
    { ...proved, isCrossingProved: false },
    'Denied',
  ],
  ['silence of a target that went away', tcp, 'TargetChanged', silent, { ...proved, targetStands: false }, undefined],
  ['silence that was not measured', tcp, 'NotCalibrated', silent, notCalibrated, undefined],
  ['silence once', tcp, 'ProbeLost', { ...silent, attempts: 1 }, proved, undefined],
  ['silence in one of two attempts', tcp, 'Blocked', { ...silent, firstOutcome: 'Refused' }, proved, undefined],
  ['a refusal where denials are silent', tcp, 'NothingListening', refused, proved, undefined],
  // The verdict asked the model, which must not be counted as right for it.
  ['a refusal that the model takes for an arrival', tcp, 'ReachedClosedPort', refused, proved, undefined],
])('%s', (_name, check, reason, observation, proofs, expected) => {
  const judgement = { verdict: 'Inconclusive', reason } as const;

  expect(wireOf(check, judgement, observation, proofs)).toBe(expected);
});
