import { describe, expect, it } from 'vitest';
import { planFor } from '../plan/index.ts';
import type { IpFamily, Observation } from '../probe/index.ts';
import { expectationOf, podOf, testOf, viewOf } from '../testing/cluster-view.ts';
import { concludeRun } from './conclude.ts';
import { denialOver, type Denials } from './denial.ts';
import { familyDialled } from './family.ts';

const connection: Observation = {
  outcome: 'Connected',
  stage: 'connect',
  firstOutcome: 'Connected',
  attempts: 2,
  elapsedMs: 10,
};
const silence: Observation = { ...connection, outcome: 'TimedOut', firstOutcome: 'TimedOut' };
const silent = { ingress: 'TimedOut', egress: 'TimedOut' } as const;
const from = (app: string) => ({ pods: { matchLabels: { app } } });

const bothDrop: Denials = { IPv4: { TCP: silent }, IPv6: { TCP: silent } };

/** Web must not reach the address, which API reaches from another node; web reaches what else is listed. */
function rowOn(
  denied: string,
  elsewhere: readonly string[],
  family: IpFamily,
  resolverAnswered: boolean,
  { denials = bothDrop, seen = silence }: { readonly denials?: Denials; readonly seen?: Observation } = {},
) {
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
        checks.map(({ id, port }) => [id, identity.labels['app'] === 'web' && port === 80 ? seen : connection]),
      ),
    })),
    disturbed: false,
    denials,
    isDelayed: () => false,
    isNodeHeard: () => true,
    endsOf: () => [],
    crossingOf: () => 'Unknown',
    targetStands: () => true,
  });
  return row;
}

/** Web must not reach a name, which led to that address; all that web did get is what else it asked for. */
function byName(address: string, others: readonly Parameters<typeof expectationOf>[0][]): string {
  const to = { host: 'db.example', port: 80 };
  const test = testOf([
    expectationOf({ name: 'deny', from: from('web'), to, expect: 'Deny' }),
    expectationOf({ name: 'control', from: from('api'), to }),
    ...others.map((parts, index) => expectationOf({ ...parts, name: `else-${index}`, from: from('web') })),
  ]);
  const pods = ['web', 'api'].map((app) => podOf(app, { labels: { app } }));
  const { lines, assignments } = planFor(test, viewOf({ pods }));
  const [row] = concludeRun(test, {
    lines,
    reports: assignments.map(({ checks, identity }, index) => ({
      checks,
      node: `node-${index}`,
      family: 'IPv4' as const,
      resolverAnswered: false,
      observations: new Map(
        checks.map(({ id, port, mode }) => {
          const named = port === 80 ? { address } : {};
          const isSilent = identity.labels['app'] === 'web' && mode === 'guard';
          return [id, { ...(isSilent ? silence : connection), ...named }];
        }),
      ),
    })),
    disturbed: false,
    denials: bothDrop,
    isDelayed: () => false,
    isNodeHeard: () => true,
    endsOf: () => [],
    crossingOf: () => 'Unknown',
    targetStands: () => true,
  });
  return `${row?.verdict} ${row?.reason}`;
}

describe("a name's own control", () => {
  const overIpv4 = { to: { ip: '10.0.0.8', port: 81 } };
  const overIpv6 = { to: { ip: 'fd00::8', port: 81 } };
  const question = { to: { dns: { name: 'a.example' } } };

  it.each<[string, string, Parameters<typeof byName>[1], string]>([
    ['a connection over the family that it led to', 'fd00::9', [overIpv6], 'Passed Denied'],
    ['none over the other', 'fd00::9', [overIpv4], 'Inconclusive NoSourceControl'],
    ['none over the other, the other way round', '10.0.0.9', [overIpv6], 'Inconclusive NoSourceControl'],
    ["an answer of the pod's own resolver, of its family", '10.0.0.9', [question], 'Passed Denied'],
    ['none of the other', 'fd00::9', [question], 'Inconclusive NoSourceControl'],
  ])('is %s', (_, address, others, verdict) => {
    expect(byName(address, others)).toBe(verdict);
  });
});

function verdictOf(row: ReturnType<typeof rowOn>): string {
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
    expect(verdictOf(rowOn(denied, elsewhere, family, resolver))).toBe(verdict);
  });
});

describe('the family that a check was dialled over', () => {
  const test = testOf([
    expectationOf({ from: from('web'), to: { ip: 'fd00::9', port: 80 } }),
    expectationOf({ name: 'host', from: from('web'), to: { host: 'example.com', port: 80 } }),
    expectationOf({ name: 'dns', from: from('web'), to: { dns: { name: 'example.com' } } }),
  ]);
  const { lines } = planFor(test, viewOf({ pods: [podOf('web', { labels: { app: 'web' } })] }));
  const [ip, host, dns] = lines.flatMap(({ checks }) => checks);
  const report = { checks: [], observations: new Map(), resolverAnswered: true, family: 'IPv6' } as const;

  it('is that of the address and of the own resolver, and none of a name', () => {
    if (ip === undefined || host === undefined || dns === undefined) throw new Error('not planned');
    expect(familyDialled(ip, undefined)).toBe('IPv6');
    expect(familyDialled(host, report)).toBeUndefined();
    expect(familyDialled(dns, report)).toBe('IPv6');
    expect(familyDialled(dns, undefined)).toBeUndefined();
  });
});

describe('a denial is measured per family', () => {
  const open = { ingress: 'Connected', egress: 'Connected' } as const;
  const [four, six] = ['10.0.0.9', 'fd00::9'];
  const judged = (denied: string, denials: Denials, seen: Observation = silence) =>
    rowOn(denied, [denied === four ? '10.0.0.8' : 'fd00::8'], 'IPv4', true, { denials, seen });

  it('so that silence over one that was not measured passes nothing, and says which', () => {
    const onlyFour: Denials = { IPv4: { TCP: silent } };

    expect(verdictOf(judged(four, onlyFour))).toBe('Passed Denied');
    expect(verdictOf(judged(six, onlyFour))).toBe('Inconclusive NotCalibrated');
    expect(judged(six, onlyFour)?.message).toContain('how this cluster denies over IPv6 has not been measured');
  });

  it('so that silence over one that is not enforced passes nothing, whatever the other does', () => {
    const half: Denials = { IPv4: { TCP: silent }, IPv6: { TCP: open } };

    expect(verdictOf(judged(four, half))).toBe('Passed Denied');
    expect(verdictOf(judged(six, half))).toBe('Inconclusive PolicyNotEnforced');
    expect(judged(six, half)?.message).toContain('this cluster enforces no network policies over IPv6:');
    expect(verdictOf(judged(six, half, connection))).toBe('Failed PolicyNotEnforced');
    expect(verdictOf(judged(four, { IPv4: { TCP: open }, IPv6: { TCP: silent } }))).toBe(
      'Inconclusive PolicyNotEnforced',
    );
  });

  it('so that a refusal is a denial only over the family that denies so', () => {
    const refused: Denials = { IPv4: { TCP: { ingress: 'Refused', egress: 'Refused' } }, IPv6: { TCP: silent } };
    const refusal: Observation = { ...silence, outcome: 'Refused', firstOutcome: 'Refused' };

    expect(verdictOf(judged(four, refused, refusal))).toBe('Passed Denied');
    expect(verdictOf(judged(six, refused, refusal))).toBe('Inconclusive RefusedOrClosed');
  });

  it('so that silence of a name, which may stand for addresses of both, passes only where both are denied alike', () => {
    const test = testOf([
      expectationOf({ name: 'deny', from: from('web'), to: { host: 'example.com', port: 80 }, expect: 'Deny' }),
      expectationOf({ name: 'control', from: from('api'), to: { host: 'example.com', port: 80 } }),
    ]);
    const { lines, assignments } = planFor(
      test,
      viewOf({ pods: ['web', 'api'].map((app) => podOf(app, { labels: { app } })) }),
    );
    const rowWith = (denials: Denials) =>
      concludeRun(test, {
        lines,
        reports: assignments.map(({ checks, identity }) => ({
          checks,
          resolverAnswered: true,
          family: 'IPv4',
          observations: new Map(
            checks.map(({ id }) => [
              id,
              { ...(identity.labels['app'] === 'web' ? silence : connection), address: '192.0.2.1' },
            ]),
          ),
        })),
        disturbed: false,
        denials,
        isDelayed: () => false,
        isNodeHeard: () => true,
        endsOf: () => [],
        crossingOf: () => 'Unknown',
        targetStands: () => true,
      })[0];

    expect(verdictOf(rowWith(bothDrop))).toBe('Passed Denied');
    expect(verdictOf(rowWith({ IPv4: { TCP: silent } }))).toBe('Passed Denied');
    for (const second of [{ TCP: open }, {}]) {
      expect(verdictOf(rowWith({ IPv4: { TCP: silent }, IPv6: second }))).toBe('Inconclusive NotCalibrated');
      expect(rowWith({ IPv4: { TCP: silent }, IPv6: second })?.message).toContain('Write the address as `ip`.');
    }
  });

  it('where the family is not known, by what all have in common', () => {
    expect(denialOver(bothDrop, undefined, 'TCP')).toEqual(silent);
    expect(denialOver({ IPv4: { TCP: silent } }, undefined, 'TCP')).toEqual(silent);
    expect(denialOver({ IPv4: { TCP: silent }, IPv6: { TCP: open } }, undefined, 'TCP')).toBeUndefined();
    expect(denialOver({ IPv4: { TCP: silent }, IPv6: {} }, undefined, 'TCP')).toBeUndefined();
    expect(denialOver({}, undefined, 'TCP')).toBeUndefined();
  });
});
