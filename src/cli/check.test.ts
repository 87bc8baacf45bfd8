import { readdirSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { runWith } from '../testing/command-line.ts';

// A busy machine is no failure.
vi.setConfig({ testTimeout: 60_000 });

const folder = 'examples/three-tier/';
const threeTier = Object.fromEntries(
  readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => [folder + name, readFileSync(folder + name, 'utf8')]),
);
const policiesFile = `${folder}02-policies.yaml`;

interface Row {
  readonly namespace: string;
  readonly test: string;
  readonly expectation: string;
  readonly verdict: string;
  readonly message: string;
  readonly place: { readonly file: string; readonly line: number };
}

async function rowsOf(files: Readonly<Record<string, string>>): Promise<readonly Row[]> {
  const { printed } = await runWith(['check', '-f', folder, '-o', 'json'], files);
  const report: { readonly expectations: readonly Row[] } = JSON.parse(printed);
  return report.expectations;
}

/** The example without some of its policies, as `kubectl delete networkpolicy` would leave it. */
function without(...names: readonly string[]): Readonly<Record<string, string>> {
  const kept = (threeTier[policiesFile] ?? '')
    .split('---\n')
    .filter((document) => !names.some((name) => document.includes(`metadata: { name: ${name},`)));
  return { ...threeTier, [policiesFile]: kept.join('---\n') };
}

describe('the three-tier example', () => {
  it('is predicted to pass as a whole', async () => {
    const { code, printed, said } = await runWith(['check', '-f', folder], threeTier);

    expect(printed.split('\n').at(-1)).toMatch(
      /^16 expectations predicted: 16 passed, 0 failed, 0 inconclusive, 0 skipped \(/,
    );
    expect(said).toBe('');
    expect(code).toBe(0);
  });

  // What the demo and the end-to-end suite see on the wire.
  it.each<{ deleted: readonly string[]; failed: readonly string[] }>([
    { deleted: ['default-deny', 'db'], failed: ['client-does-not-reach-web', 'client-does-not-reach-db'] },
    { deleted: ['web'], failed: ['web-reaches-api', 'web-reaches-each-api-pod', 'web-resolves-and-reaches-api'] },
    {
      deleted: ['api'],
      failed: [
        'web-reaches-api',
        'web-reaches-each-api-pod',
        'api-reaches-db',
        'api-reaches-db-pod',
        'web-resolves-and-reaches-api',
        'api-resolves-and-reaches-db',
      ],
    },
    { deleted: ['allow-dns'], failed: ['web-resolves-and-reaches-api', 'api-resolves-and-reaches-db'] },
  ])('without $deleted fails exactly where the cluster does', async ({ deleted, failed }) => {
    const rows = await rowsOf(without(...deleted));

    expect(rows.filter(({ verdict }) => verdict === 'Failed').map(({ expectation }) => expectation)).toEqual(failed);
    expect(rows.filter(({ verdict }) => verdict === 'Inconclusive')).toEqual([]);
  });

  it('names file and line of the expectation and of the policy', async () => {
    const rows = await rowsOf(without('web'));
    const row = rows.find(({ expectation }) => expectation === 'web-reaches-api');

    expect(row?.place).toMatchObject({ file: `${folder}03-test.yaml`, line: 9 });
    expect(row?.message).toContain(`NetworkPolicy shop/default-deny (${policiesFile}:6)`);
  });
});

const test = (expectation: string): string =>
  `apiVersion: postern.dev/v1alpha1\nkind: ConnectivityTest\nmetadata: {name: t, namespace: shop}\nspec:\n  expectations:\n    - ${expectation}\n`;
const pod = (name: string): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, namespace: shop, labels: {app: ${name}}}\nspec: {containers: [{name: c}]}\n`;
const pods = `${pod('web')}---\n${pod('api')}`;
const between = (expected: string, more = ''): string =>
  test(
    `{name: e, from: {workload: {kind: Pod, name: web}}, to: {workload: {kind: Pod, name: api}, port: 80}, expect: ${expected}${more}}`,
  );

describe('the exit code', () => {
  it.each<{ scenario: string; words: readonly string[]; files: Readonly<Record<string, string>>; code: number }>([
    { scenario: 'all passed', words: [], files: { 't.yaml': between('Allow'), 'm.yaml': pods }, code: 0 },
    { scenario: 'one violated', words: [], files: { 't.yaml': between('Deny'), 'm.yaml': pods }, code: 1 },
    { scenario: 'one inconclusive', words: [], files: { 't.yaml': between('Allow'), 'm.yaml': pod('api') }, code: 3 },
    {
      scenario: 'one violated, which is not asked for',
      words: ['--fail-on', 'inconclusive'],
      files: { 't.yaml': between('Deny'), 'm.yaml': pods },
      code: 0,
    },
    {
      scenario: 'one inconclusive, which is not asked for',
      words: ['--fail-on=violated'],
      files: { 't.yaml': between('Allow'), 'm.yaml': pod('api') },
      code: 0,
    },
    {
      scenario: 'anything with --exit-zero',
      words: ['--exit-zero'],
      files: { 't.yaml': between('Deny'), 'm.yaml': pods },
      code: 0,
    },
    { scenario: 'no expectation', words: [], files: { 't.yaml': pods, 'm.yaml': '' }, code: 4 },
    {
      scenario: 'no expectation with --allow-empty',
      words: ['--allow-empty'],
      files: { 't.yaml': pods, 'm.yaml': '' },
      code: 0,
    },
    {
      scenario: 'a dry run',
      words: [],
      files: { 't.yaml': between('Deny', ', dryRun: true'), 'm.yaml': pods },
      code: 0,
    },
    {
      scenario: 'a file that is not valid',
      words: ['--exit-zero'],
      files: { 't.yaml': between('Deny'), 'm.yaml': 'kind: [' },
      code: 2,
    },
    {
      scenario: 'a policy that the API server would refuse',
      words: [],
      files: {
        't.yaml': between('Allow'),
        'm.yaml': `${pods}---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: shop}\nspec: {podSelector: {}, ingress: [{ports: [{port: 99999}]}]}\n`,
      },
      code: 2,
    },
    { scenario: 'an unknown option', words: ['--colour'], files: {}, code: 2 },
    { scenario: 'an unknown format', words: ['-o', 'yaml'], files: {}, code: 2 },
    { scenario: 'an unknown profile', words: ['--profile', 'flannel'], files: {}, code: 2 },
    { scenario: 'an address that is none', words: ['--resolve', 'example.com=example.org'], files: {}, code: 2 },
  ])('of $scenario is $code', async ({ words, files, code }) => {
    const ended = await runWith(['check', '-f', 't.yaml', '-p', 'm.yaml', ...words], files);

    expect(ended.code).toBe(code);
    if (code === 2 || code === 4) expect(ended.said).toMatch(/postern: /);
  });

  it.each([{ words: ['check'] }, { words: ['chek'] }])('of $words is 2', async ({ words }) => {
    expect((await runWith(words, {})).code).toBe(2);
  });
});

describe('what is read', () => {
  it('is the tests of -f alone, and the manifests of both', async () => {
    const files = {
      'a/t.yaml': between('Allow'),
      'a/web.yaml': pod('web'),
      'b/m.yaml': `${pod('api')}---\n${between('Deny').replace('name: t', 'name: other')}`,
    };

    expect((await runWith(['check', '-f', 'a/', '-p', 'b/'], files)).printed).toMatch(
      /^1 expectation predicted: 1 passed/m,
    );
    expect((await runWith(['check', '-p', 'a/', '-p', 'b/'], files)).printed).toMatch(
      /^2 expectations predicted: 1 passed, 1 failed/m,
    );
  });

  it('may come from standard input', async () => {
    const { printed } = await runWith(['check', '-f', 't.yaml', '-p', '-'], { 't.yaml': between('Deny'), '-': pods });

    expect(printed).toMatch(/1 failed/);
  });

  it('is said to be in the default namespace where it names none', async () => {
    const bare = pods.replaceAll(', namespace: shop', '');

    const { said } = await runWith(['check', '-f', 't.yaml', '-p', 'm.yaml'], {
      't.yaml': between('Allow'),
      'm.yaml': bare,
    });
    const named = await runWith(['check', '-f', 't.yaml', '-p', 'm.yaml', '-n', 'shop'], {
      't.yaml': between('Allow'),
      'm.yaml': bare,
    });

    expect(said).toMatch(/2 objects name no namespace/);
    expect(named).toMatchObject({ code: 0, said: '' });
  });
});

it('says what it left out, and from which template the rest came', async () => {
  const files = {
    't.yaml': between('Deny'),
    '-': `# Source: shop/templates/pods.yaml\n${pods}---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\n---\n# Source: shop/templates/bad.yaml\nkind: Pod\napiVersion: v1\n`,
  };

  const { said } = await runWith(['check', '-f', 't.yaml', '-p', '-'], {
    ...files,
    '-': files['-'].replace(/# Source: .*bad[^]*/, ''),
  });
  const bad = await runWith(['check', '-f', 't.yaml', '-p', '-'], files);

  expect(said).toBe('postern: left out, because they have no say: 1 Secret.');
  expect(bad.said).toMatch(/^standard input:\d+:\d+: error: from shop\/templates\/bad\.yaml: Pod/m);
});

it('takes any manifest that is broken somewhere for an answer or an error of the manifest, never for its own', async () => {
  const text = Object.values(threeTier).join('---\n');
  const cut = fc.tuple(
    fc.nat(text.length),
    fc.nat(60),
    fc.constantFrom('', '{', '}', '[]', '"', ': ', '\n', '- ', 'null', '{{', '1', '*a'),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(cut, { minLength: 1, maxLength: 3 }), async (cuts) => {
      const broken = cuts.reduce(
        (whole, [at, length, put]) => whole.slice(0, at) + put + whole.slice(at + length),
        text,
      );
      const { code, said } = await runWith(['check', '-f', 'a.yaml'], { 'a.yaml': broken });

      expect(said).not.toMatch(/internal error/);
      expect([0, 1, 2, 3, 4]).toContain(code);
    }),
    { numRuns: 200 },
  );
});

describe('the report', () => {
  const files = { 't.yaml': between('Deny', ', description: "a | b <script> ::error:: & more"'), 'm.yaml': pods };
  const printed = async (format: string): Promise<string> =>
    (await runWith(['check', '-f', 't.yaml', '-p', 'm.yaml', '-o', format], files)).printed;

  it('says in every format that it is a prediction', async () => {
    for (const format of ['text', 'json', 'junit', 'markdown', 'github', 'sarif']) {
      expect(await printed(format)).toMatch(/predicted/i);
    }
  });

  it('is JSON of a version', async () => {
    expect(JSON.parse(await printed('json'))).toMatchObject({
      format: 'postern-report/v1',
      predicted: true,
      summary: { passed: 0, failed: 1, inconclusive: 0, skipped: 0 },
      expectations: [
        {
          namespace: 'shop',
          test: 't',
          expectation: 'e',
          verdict: 'Failed',
          reason: 'UnexpectedlyReachable',
          place: { file: 't.yaml', line: 6 },
        },
      ],
    });
  });

  it.each(['junit', 'markdown', 'github', 'sarif'])('tells pipelines first what is wrong: %s', async (format) => {
    expect(await printed(format)).toMatch(/NothingIsolates: No policy restricts ingress .* which must be denied/);
  });

  it('is a workflow command at the line of the expectation', async () => {
    expect(await printed('github')).toMatch(
      /^::error file=t\.yaml,line=6,col=\d+,title=Failed \(predicted\)%3A shop\/t e::NothingIsolates: .* UnexpectedlyReachable: /m,
    );
  });

  it('is SARIF at the line of the expectation', async () => {
    expect(JSON.parse(await printed('sarif'))).toMatchObject({
      version: '2.1.0',
      runs: [
        {
          results: [
            {
              ruleId: 'UnexpectedlyReachable',
              level: 'error',
              locations: [{ physicalLocation: { region: { startLine: 6 } } }],
            },
          ],
        },
      ],
    });
  });

  it('is a suite per test and a case per expectation in JUnit, where inconclusive is an error', async () => {
    const inconclusive = await runWith(['check', '-f', 't.yaml', '-o', 'junit'], files);

    expect(await printed('junit')).toMatch(
      /<testsuite name="shop\/t" tests="1" failures="1" errors="0" skipped="0">\s*<testcase classname="shop\/t" name="e" file="t.yaml" line="6">\s*<failure type="UnexpectedlyReachable"/,
    );
    expect(inconclusive.printed).toMatch(/failures="0" errors="1".*<error type="SourceNotFound"/s);
  });

  it('shows what passed only if asked', async () => {
    const words = ['check', '-f', 't.yaml', '-p', 'm.yaml'];
    const passing = { 't.yaml': between('Allow'), 'm.yaml': pods };

    expect((await runWith(words, passing)).printed.split('\n')).toHaveLength(1);
    expect((await runWith([...words, '-v'], passing)).printed).toMatch(/PASSED \(PREDICTED\)/);
  });
});

describe('words of a manifest never steer a terminal', () => {
  // Without the controls that the API server refuses in a description; names of policies are not held against any rule here.
  const hostile = fc.string({
    unit: fc.constantFrom('\u009b2J', '\u202e', '\u2066', '\u200b', '\u0085', 'a', '|', '<', '%0A', '"', "'"),
    minLength: 1,
    maxLength: 12,
  });
  const harmful = /[\p{Cc}--\n]|[\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069]/v;
  const words = ['check', '-f', 't.yaml', '-p', 'm.yaml', '-v'];

  it('in any format', async () => {
    await fc.assert(
      fc.asyncProperty(
        hostile,
        fc.constantFrom('text', 'json', 'junit', 'markdown', 'github', 'sarif'),
        async (text, format) => {
          const name = JSON.stringify(`p${text}\u001b[31m`);
          const policy = `---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: ${name}, namespace: shop}\nspec: {podSelector: {}}\n`;
          const files = {
            't.yaml': between('Allow', `, description: ${JSON.stringify(text)}`),
            'm.yaml': pods + policy,
          };

          const { printed, said, code } = await runWith([...words, '-o', format], files);

          expect(code).toBe(1);
          expect(printed + said).not.toMatch(harmful);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('in an error', async () => {
    await fc.assert(
      fc.asyncProperty(hostile, async (text) => {
        const files = {
          't.yaml': between('Allow'),
          'm.yaml': `${pods}---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: {${JSON.stringify(`${text}\u001b[31m`)}: 1}\n`,
        };

        const { said, code } = await runWith(words, files);

        expect(code).toBe(2);
        expect(said).not.toMatch(harmful);
      }),
    );
  });
});
