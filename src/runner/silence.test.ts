import * as fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import type { Expectation, Pod } from '../api/index.ts';
import { type Assignment, planFor } from '../plan/index.ts';
import { expectationOf, podOf, testOf, viewOf } from '../testing/cluster-view.ts';
import { concludeRun } from '../verdict/index.ts';
import { reportOf } from './collect.ts';

// A busy machine is no failure.
vi.setConfig({ testTimeout: 120_000 });

const nonce = 'abcdefghijklmnop';
const proved = { containers: [{ name: 'db', readinessProbe: { tcpSocket: { port: 5432 } } }] };
const pods = [
  podOf('web', { labels: { app: 'web' } }),
  podOf('api', { labels: { app: 'api' } }),
  podOf('db', { labels: { app: 'db' }, ip: '10.0.0.5', spec: proved }),
];

const expectation = fc
  .record({
    from: fc.constantFrom('web', 'web', 'api').map((app) => ({ pods: { matchLabels: { app } } })),
    to: fc.constantFrom<Partial<Expectation>>(
      { to: { pods: { matchLabels: { app: 'db' } }, port: 5432 } },
      { to: { ip: '10.0.0.5', port: 5432 } },
      { to: { host: 'db.example', port: 5432 } },
      { to: { ip: '10.0.0.9', port: 53 }, protocol: 'UDP', udp: { payload: 'ff' } },
      { to: { dns: { name: 'a.example' } } },
      { to: { dns: { name: 'a.example' }, ip: '10.0.0.9' }, protocol: 'TCP' },
    ),
    expect: fc.constantFrom('Allow' as const, 'Deny' as const),
    control: fc.constantFrom({}, {}, { control: { mode: 'UnreachableIsEnough' as const } }),
  })
  .map(({ from, to, control, ...parts }) => expectationOf({ from, ...to, ...control, ...parts }));

/** One line of a message: what a Deny passes on more often than not, else anything. */
const statement = fc.oneof(
  fc.constant('Tc 2 401 Tc -'),
  fc.constant('Cc 2 1 Cc -'),
  fc
    .tuple(
      fc.constantFrom(...'CRTUXNMSDFE'),
      fc.constantFrom(...'dcth'),
      fc.integer({ min: 1, max: 3 }),
      fc.constantFrom(...'CRTE'),
    )
    .map(([outcome, stage, attempts, first]) => `${outcome}${stage} ${attempts} 9 ${first}c -`),
);

/** Whether a line tells of more than that the program's own tools failed. */
function saysSomething(line: string): boolean {
  return !line.startsWith('E');
}

type Damage = (message: string, cut: number) => string | undefined;

/** What becomes of a message. Nothing of the second kind is a statement, however much of it can be read. */
const intact: Damage = (message) => message;
const damages: Readonly<Record<string, Damage>> = {
  'no pod': () => undefined,
  'no message': () => '',
  'torn at its head': (message, cut) => message.slice(1 + (cut % message.length)),
  'torn at its end': (message, cut) => message.slice(0, cut % message.length),
  'of another run': (message) => message.replaceAll(nonce, nonce.toUpperCase()),
  'with another end': (message) => message.replace(`end ${nonce}`, `end ${nonce.toUpperCase()}`),
  'that lacks a line': (message) => message.split('\n').toSpliced(1, 1).join('\n'),
  'with a line twice': (message) =>
    message
      .split('\n')
      .toSpliced(1, 0, message.split('\n')[1] ?? '')
      .join('\n'),
  'with a letter that there is not': (message) => message.replace(/^(\d+) [A-Z]/m, '$1 Z'),
  'with a number that is none': (message) => message.replace(/^(\d+ \S+) \d+/m, '$1 x'),
  'with a line after its end': (message) => `${message}more\n`,
  'with half a line after its end': (message) => `${message}more`,
  'with a byte of no meaning': (message, cut) =>
    `${message.slice(0, cut % message.length)}\0${message.slice(cut % message.length)}`,
};

function podWith(message: string | undefined): Pod | undefined {
  if (message === undefined) return undefined;
  const pod = podOf('postern-probe-x', { phase: 'Succeeded' });
  const terminated = { exitCode: 0, message };
  return { ...pod, status: { ...pod.status, containerStatuses: [{ name: 'probe', state: { terminated } }] } };
}

function messageOf({ checks }: Assignment, statements: readonly string[], resolver: string): string {
  const lines = checks.map(({ id }) => `${id} ${statements[id % statements.length]}`);
  return [`postern/1 ${nonce} ${checks.length}`, ...lines, `end ${nonce} ${resolver}`, ''].join('\n');
}

it('no path leads from a probe that said nothing to Passed or Failed', () => {
  const scene = fc.record({
    expectations: fc.array(expectation, { minLength: 1, maxLength: 6 }),
    statements: fc.array(statement, { minLength: 1, maxLength: 12 }),
    fates: fc.array(
      fc.record({
        damage: fc.option(fc.constantFrom(...Object.keys(damages))),
        cut: fc.nat(),
        resolver: fc.constantFrom('A', 'N'),
      }),
      { minLength: 2, maxLength: 2 },
    ),
    denial: fc.constantFrom('TimedOut' as const, 'Refused' as const, 'Connected' as const),
    isDelayed: fc.boolean(),
    isHeard: fc.boolean(),
    disturbed: fc.boolean(),
  });
  const decided = new Map<string, number>();
  fc.assert(
    fc.property(scene, ({ expectations, statements, fates, denial, isDelayed, isHeard, disturbed }) => {
      const test = testOf(expectations.map((each, index) => ({ ...each, name: `n${index}` })));
      const { lines, assignments } = planFor(test, viewOf({ pods }));
      const said = new Map<number, string>();
      const reports = assignments.map((assignment, index) => {
        const { damage, cut, resolver } = fates[index] ?? { damage: 'no pod', cut: 0, resolver: 'N' };
        const apply = damage === null ? intact : (damages[damage] ?? intact);
        if (damage === null)
          for (const { id } of assignment.checks) said.set(id, statements[id % statements.length] ?? '');
        const probe = { name: 'p', namespace: 'shop', nonce, assignment, seen: true };
        const report = reportOf(probe, podWith(apply(messageOf(assignment, statements, resolver), cut)), true);
        if (report === undefined) throw new Error('an overdue probe has no report');
        return report;
      });

      const pair = { ingress: denial, egress: denial };
      const denials = { IPv4: { TCP: pair, UDP: pair } };
      const rows = concludeRun(test, {
        lines,
        reports,
        disturbed,
        denials,
        isDelayed: () => isDelayed,
        isNodeHeard: () => isHeard,
        endsOf: () => [],
        crossingOf: () => 'Unknown',
        targetStands: () => true,
      });

      for (const [index, row] of rows.entries()) {
        const own = (lines[index]?.checks ?? []).map(({ id }) => said.get(id));
        if (own.every((one) => one === undefined)) expect(row.verdict).toBe('Inconclusive');
        if (row.verdict === 'Passed') expect(own.every((one) => one !== undefined && saysSomething(one))).toBe(true);
        // What another check of the same source saw disproves a Deny as well.
        if (row.verdict === 'Failed')
          expect([...said.values()].some((one) => saysSomething(one) || one.includes(' Cc '))).toBe(true);
        if (row.verdict !== 'Inconclusive') {
          const kind = `${row.expect} ${row.verdict}`;
          decided.set(kind, (decided.get(kind) ?? 0) + 1);
        }
      }
    }),
    { numRuns: 4000 },
  );
  // Else it would hold because nothing is ever decided.
  expect([...decided.keys()].toSorted()).toEqual(['Allow Failed', 'Allow Passed', 'Deny Failed', 'Deny Passed']);
});
