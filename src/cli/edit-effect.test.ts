import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { runWith } from '../testing/command-line.ts';
import { type Effect, effectInWords } from './edit-effect.ts';

// A busy machine is no failure.
vi.setConfig({ testTimeout: 60_000 });

const pod = (name: string, namespace = 'shop'): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, namespace: ${namespace}, labels: {app: ${name}}}\nspec: {containers: [{name: c}]}\n`;
const policy = (name: string, spec: string): string =>
  `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: ${name}, namespace: shop}\nspec: ${spec}\n`;
const namespace = (name: string): string => `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}}\n`;
const test = (inNamespace: string, ...expectations: readonly string[]): string =>
  `apiVersion: postern.dev/v1alpha1\nkind: ConnectivityTest\nmetadata: {name: t, namespace: ${inNamespace}}\nspec:\n  expectations:\n${expectations.map((each) => `    - ${each}\n`).join('')}`;
const expectation = (from: string, to: string, expected: string): string =>
  `{name: ${from}-${to}, from: {workload: {kind: Pod, name: ${from}}}, to: {workload: {kind: Pod, name: ${to}}, port: 80}, expect: ${expected}}`;

async function printedBy(command: 'check' | 'explain', ...documents: readonly string[]): Promise<string> {
  return (await runWith([command, '-p', 'm.yaml'], { 'm.yaml': documents.join('---\n') })).printed;
}

/** `web` must not reach `api` and `agent` may; a rule admits both by a podSelector of the whole namespace. */
const world = [
  namespace('shop'),
  pod('web'),
  pod('agent'),
  pod('api'),
  policy('api', '{podSelector: {matchLabels: {app: api}}, ingress: [{from: [{podSelector: {}}]}]}'),
];

describe('an edit that breaks what passes', () => {
  it('comes behind one that does not', async () => {
    const tests = test('shop', expectation('web', 'api', 'Deny'), expectation('agent', 'api', 'Allow'));
    const printed = await printedBy('check', ...world, tests);
    const explained = await printedBy('explain', ...world, tests);

    expect(printed).toMatch(/finding {4}NothingIsolates: No policy restricts egress of Pod shop\/web/);
    expect(printed).toMatch(/edit {7}add NetworkPolicy shop\/deny-egress-web/);
    expect(printed).not.toContain('breaks');
    expect(explained).toMatch(/^NothingIsolates: [^]*^Less likely[^]*RuleAdmits: /m);
  });

  it('comes first where nothing else expects otherwise', async () => {
    const printed = await printedBy('check', ...world, test('shop', expectation('web', 'api', 'Deny')));

    expect(printed).toMatch(/finding {4}RuleAdmits: /);
  });

  it('says what it breaks where there is no other', async () => {
    const tests = test(
      'shop',
      expectation('web', 'api', 'Deny'),
      expectation('agent', 'api', 'Allow'),
      expectation('web', 'agent', 'Allow'),
    );
    const printed = await printedBy('check', ...world, tests);
    const explained = await printedBy('explain', ...world, tests);

    expect(printed).toMatch(/finding {4}RuleAdmits: /);
    expect(printed).toMatch(
      /^ {2}effect {5}turns this expectation; breaks shop\/t: agent-api; closes \d+ connections$/m,
    );
    expect(explained).toMatch(
      /^ {2}effect turns this expectation; breaks shop\/t: agent-api; closes \d+ connections$/m,
    );
  });
});

describe('the effect of an edit', () => {
  it('counts what is opened besides', async () => {
    const slip = [
      ...world.slice(0, 4),
      policy(
        'api',
        '{podSelector: {matchLabels: {app: api}}, ingress: [{from: [{podSelector: {matchLabels: {app: wep}}}]}]}',
      ),
    ];
    const printed = await printedBy('check', ...slip, test('shop', expectation('web', 'api', 'Allow')));

    expect(printed).toContain('  effect     turns this expectation; opens 1 connection\n');
  });

  it('tells which other expectations turn by the same edit', async () => {
    const folder = 'examples/broken/and-where-or-was-meant/';
    const files = readdirSync(folder).filter((name) => /^\d/.test(name));
    const texts = files.map((name) => readFileSync(folder + name, 'utf8'));
    const printed = await printedBy('check', ...texts);

    expect(printed).toMatch(/effect {5}turns this expectation and \S+: partner-reaches-server; opens 2 connections/);
    expect(printed).toMatch(/finding {4}AndWhereOrWasMeant, the same as under \S+: local-reaches-server/);
    expect(printed.match(/ {2}edit /g)).toHaveLength(1);
  });

  it('is there for programs', async () => {
    const documents = [...world, test('shop', expectation('web', 'api', 'Deny'))].join('---\n');
    const { printed } = await runWith(['explain', '-p', 'm.yaml', '-o', 'json'], { 'm.yaml': documents });
    const [{ findings }]: [{ findings: { edits: { effect?: Effect }[] }[] }] = JSON.parse(printed);

    expect(findings[0]?.edits[0]?.effect).toMatchObject({ verdict: 'Passed', breaks: [], turns: [], opens: 0 });
  });

  it.each<{ effect: Partial<Effect>; words: string }>([
    { effect: {}, words: 'turns this expectation' },
    { effect: { verdict: 'Failed', closes: 1 }, words: 'leaves this expectation Failed; closes 1 connection' },
    { effect: { turns: ['a'], opens: 2 }, words: 'turns this expectation and a; opens 2 connections' },
    { effect: { breaks: ['a', 'b', 'c'] }, words: 'turns this expectation; breaks a, b and 1 more' },
    {
      effect: { opens: 1, closes: 2, settles: 3, unsettles: 1 },
      words:
        'turns this expectation; opens 1 connection, closes 2 connections, settles 3 connections left open before, leaves 1 connection open to doubt',
    },
  ])('in words: $words', ({ effect, words }) => {
    const nothing = {
      verdict: 'Passed',
      breaks: [],
      turns: [],
      opens: 0,
      closes: 0,
      settles: 0,
      unsettles: 0,
    } as const;

    expect(effectInWords({ ...nothing, ...effect })).toBe(words);
  });

  it('is not claimed for an edit that was not tried: after 20 of them', async () => {
    const names = Array.from({ length: 22 }, (_, index) => `target${String.fromCodePoint(97 + index)}`);
    const targets = names.map(
      (name) =>
        `${pod(name)}---\n${policy(name, `{podSelector: {matchLabels: {app: ${name}}}, ingress: [{from: [{podSelector: {matchLabels: {app: wep}}}]}]}`)}`,
    );
    const tests = test('shop', ...names.map((name) => expectation('web', name, 'Allow')));
    const printed = await printedBy('check', namespace('shop'), pod('web'), ...targets, tests);

    expect(printed.match(/^ {2}edit /gm)).toHaveLength(22);
    expect(printed.match(/^ {2}effect /gm)).toHaveLength(20);
  });

  it('is not told where there is nothing to cure', async () => {
    const printed = await printedBy('explain', ...world, test('shop', expectation('web', 'api', 'Allow')));

    expect(printed).not.toContain('effect');
  });
});

describe('who is meant by an empty list of peers', () => {
  it('is taken from the expectations of the tests', async () => {
    const everybody = policy('p', '{podSelector: {matchLabels: {app: api}}, ingress: [{from: []}]}');
    const tests = test('shop', expectation('web', 'api', 'Deny'), expectation('agent', 'api', 'Allow'));
    const printed = await printedBy('check', ...world.slice(0, 4), everybody, tests);

    expect(printed).toContain('EmptyPeersAdmitAll');
    expect(printed).toMatch(
      /\+\| {3}- podSelector:\n.*matchLabels:\n.*app: agent\n {2}effect {5}turns this expectation; closes/,
    );
  });
});

describe('a connection that no policy can turn', () => {
  it('has its finding in check too', async () => {
    const agent = pod('agent').replace('spec: {', 'spec: {hostNetwork: true, ');
    const printed = await printedBy(
      'check',
      namespace('shop'),
      pod('web'),
      agent,
      test('shop', expectation('web', 'agent', 'Deny')),
    );

    expect(printed).toContain('INCONCLUSIVE');
    expect(printed).toMatch(/finding {4}HostNetworkSubject: pod shop\/agent has hostNetwork: true/);
    expect(printed).toMatch(
      /edit {7}Pod shop\/agent \(m\.yaml:\d+\), spec\.hostNetwork[^]*add NetworkPolicy shop\/deny-ingress-agent/,
    );
    expect(printed).toMatch(/effect {5}turns this expectation/);
  });
});

it('leaves advice that is true of any policy to those rows that have no finding', async () => {
  const folder = 'examples/broken/named-port-of-another-protocol/';
  const files = readdirSync(folder).filter((name) => /^\d/.test(name));
  const printed = await printedBy('check', ...files.map((name) => readFileSync(folder + name, 'utf8')));

  expect(printed).toContain('Write protocol: TCP.');
  expect(printed).not.toContain("Name one of its containers' ports");
});

it('suggests nothing for an address that stands for any', async () => {
  const test443 = test(
    'shop',
    '{name: e, from: {workload: {kind: Pod, name: web}}, to: {host: example.com, port: 443}, expect: Allow}',
  );
  const some = policy(
    'p',
    '{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: 53, protocol: UDP}]}, {to: [{ipBlock: {cidr: 203.0.113.0/24}}]}]}',
  );
  const printed = await printedBy('explain', namespace('shop'), pod('web'), some, test443);

  expect(printed).toContain('the address of example.com is not known here');
  expect(printed).not.toMatch(/192\.0\.2\.1|edit/);
});
