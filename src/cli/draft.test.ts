import { readdirSync, readFileSync } from 'node:fs';
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

describe('postern draft tests', () => {
  it('prints tests that `postern check` predicts to pass on the same manifests', async () => {
    const drafted = await runWith(['draft', 'tests', '-p', folder], threeTier);
    const files = { ...threeTier, 'drafted.yaml': drafted.printed };
    const counting = { ...files, 'drafted.yaml': drafted.printed.replaceAll('dryRun: true', 'dryRun: false') };

    const [checked, counted] = await Promise.all(
      [files, counting].map((each) => runWith(['check', '-f', 'drafted.yaml', '-p', folder], each)),
    );

    expect(drafted.code).toBe(0);
    expect(drafted.printed).toContain('name: web-reaches-api-8080');
    expect(checked?.printed).toMatch(/18 expectations predicted: 0 passed, 0 failed, 0 inconclusive, 18 skipped/);
    expect(counted?.printed).toMatch(/18 expectations predicted: 18 passed, 0 failed, 0 inconclusive, 0 skipped/);
  });

  it('says above them what they are, and what is left out', async () => {
    const { printed } = await runWith(['draft', 'tests', '-p', folder], threeTier);

    expect(printed.split('\n').slice(0, 4)).toEqual([
      '# Drafted by postern 0.0.0 from 5 policies and 7 pods as written: what the policies say, not what they should say.',
      '# Read each line, and take `dryRun` away from what is meant; what is not meant is a mistake of a policy.',
      '# Left out: 1 connection at declared ports that no policy restricts.',
      '# Left out: 2 denied connections from workloads less like the admitted ones.',
    ]);
  });

  it('reads a List from standard input, and keeps to the namespaces asked for', async () => {
    const list = (await runWith(['draft', 'policies', '-p', folder, '--replace'], threeTier)).printed;
    const { printed } = await runWith(['draft', 'tests', '-p', '-', '-p', folder, '--in', 'outsider'], {
      ...threeTier,
      '-': list,
    });

    expect(printed.match(/namespace: outsider/g)).not.toBeNull();
    expect(printed).not.toContain('name: drafted-from-policies, namespace: shop');
  });

  it('says why there is nothing to draft', async () => {
    const { [policiesFile]: _, ...open } = threeTier;
    const { code, printed, said } = await runWith(['draft', 'tests', '-p', folder], open);

    expect(printed).toBe('');
    expect(said).toContain('no policy decides about a connection between these workloads at a declared port');
    expect(code).toBe(4);
  });
});

describe('postern draft policies', () => {
  it('prints policies by which every expectation of the tests passes', async () => {
    const drafted = await runWith(['draft', 'policies', '-f', folder, '-p', folder, '--replace'], threeTier);
    const { code, printed } = await runWith(['check', '-f', folder], { ...threeTier, [policiesFile]: drafted.printed });

    expect(drafted.code).toBe(0);
    expect(drafted.printed).toContain('They stand in place of NetworkPolicy shop/default-deny');
    expect(printed).toContain(
      '16 expectations predicted: 16 passed, 0 failed, 0 inconclusive, 0 skipped (from 4 policies',
    );
    expect(code).toBe(0);
  });

  it('prints nothing where the model does not confirm it, and says what is in the way', async () => {
    const { code, printed, said } = await runWith(['draft', 'policies', '-p', folder], threeTier);

    expect(printed).toBe('');
    expect(said).toContain('StatefulSet shop/db -> Pod kube-system/kube-dns would be admitted on UDP port 53');
    expect(said).toContain('no policies are drafted');
    expect(code).toBe(1);
  });

  it('has nothing to draft from without a test', async () => {
    const { code, said } = await runWith(['draft', 'policies', '-p', policiesFile], threeTier);

    expect(said).toContain('there is no ConnectivityTest in what was read');
    expect(code).toBe(4);
  });
});

describe('postern draft', () => {
  it.each<{ words: readonly string[]; sentence: string }>([
    { words: [], sentence: 'say what to draft' },
    { words: ['tests'], sentence: 'say what to draft' },
    { words: ['pods', '-p', folder], sentence: 'say what to draft' },
    { words: ['tests', '-p', folder, '-f', folder], sentence: 'tests are drafted from policies alone' },
    { words: ['tests', '-p', folder, '--replace'], sentence: 'tests are drafted from policies alone' },
    { words: ['policies', '-p', folder, '--in', 'shop'], sentence: 'leave --in out' },
  ])('refuses $words', async ({ words, sentence }) => {
    const { code, said } = await runWith(['draft', ...words], threeTier);

    expect(said).toContain(sentence);
    expect(code).toBe(2);
  });

  it('drafts nothing from manifests that are not valid', async () => {
    const broken = (threeTier[policiesFile] ?? '').replace('policyTypes: [Egress]', 'policyTypes: [Outgoing]');
    const { code, printed, said } = await runWith(['draft', 'tests', '-p', folder], {
      ...threeTier,
      [policiesFile]: broken,
    });

    expect(printed).toBe('');
    expect(said).toContain('nothing is drafted from manifests that are not valid');
    expect(code).toBe(2);
  });
});
