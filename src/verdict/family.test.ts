import { describe, expect, it } from 'vitest';
import { planFor } from '../plan/index.ts';
import type { IpFamily, Observation } from '../probe/index.ts';
import { expectationOf, podOf, testOf, viewOf } from '../testing/cluster-view.ts';
import { concludeRun } from './conclude.ts';

const connection: Observation = {
  outcome: 'Connected',
  stage: 'connect',
  firstOutcome: 'Connected',
  attempts: 2,
  elapsedMs: 10,
};
const silence: Observation = { ...connection, outcome: 'TimedOut', firstOutcome: 'TimedOut' };
const from = (app: string) => ({ pods: { matchLabels: { app } } });

/** Web must not reach the address, which API reaches from another node; web reaches what else is listed. */
function verdictOn(denied: string, elsewhere: readonly string[], family: IpFamily, resolverAnswered: boolean): string {
  const test = testOf([
    expectationOf({ name: 'deny', from: from('web'), to: { ip: denied, port: 80 }, expect: 'Deny' }),
    expectationOf({ name: 'control', from: from('api'), to: { ip: denied, port: 80 } }),
    ...elsewhere.map((ip, index) => expectationOf({ name: `else-${index}`, from: from('web'), to: { ip, port: 81 } })),
  ]);
  const pods = ['web', 'api'].map((app) => podOf(app, { labels: { app } }));
  const { lines, assignments } = planFor(test, viewOf({ pods }));
  const [row] = concludeRun(test, {
    lines,
    reports: assignments.map(({ checks, identity }, index) => ({
      checks,
      node: `node-${index}`,
      family,
      resolverAnswered,
      observations: new Map(
        checks.map(({ id, port }) => [id, identity.labels['app'] === 'web' && port === 80 ? silence : connection]),
      ),
    })),
    disturbed: false,
    denials: { TCP: { ingress: 'TimedOut', egress: 'TimedOut' } },
    isDelayed: () => false,
    isNodeHeard: () => true,
    nodesOf: () => [],
    crossingOf: () => 'Unknown',
    targetStands: () => true,
  });
  return `${row?.verdict} ${row?.reason}`;
}

describe("a source's own control", () => {
  it.each<[string, string, readonly string[], IpFamily, boolean, string]>([
    ['by the resolver, of its family', '10.0.0.9', [], 'IPv4', true, 'Passed Denied'],
    ['by the resolver, of the other family', 'fd00::9', [], 'IPv4', true, 'Inconclusive NoSourceControl'],
    ['by the resolver, where IPv6 is the first', 'fd00::9', [], 'IPv6', true, 'Passed Denied'],
    ['by a connection of its family', 'fd00::9', ['fd00::8'], 'IPv4', false, 'Passed Denied'],
    ['by a connection of the other family', 'fd00::9', ['10.0.0.8'], 'IPv4', false, 'Inconclusive NoSourceControl'],
    [
      'by a connection of the other family, the other way round',
      '10.0.0.9',
      ['fd00::8'],
      'IPv6',
      true,
      'Inconclusive NoSourceControl',
    ],
  ])('%s', (_, denied, elsewhere, family, resolver, verdict) => {
    expect(verdictOn(denied, elsewhere, family, resolver)).toBe(verdict);
  });
});
