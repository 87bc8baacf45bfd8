import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { applyEdit, type Edit } from '../explanation/index.ts';
import { clusterOf, inventoryOf, type ManifestText, readManifests } from '../manifests/index.ts';
import { explanationOf } from './explanations.ts';
import { type Declared, type LocatedPrediction, predictAll, type Reading } from './world.ts';

// A busy machine is no failure.
vi.setConfig({ testTimeout: 60_000 });

const folder = 'examples/broken';

interface Wanted {
  readonly namespace: string;
  readonly test: string;
  readonly expectation: string;
  readonly verdict: string;
  readonly finding: string;
  readonly policy: string;
}

function textsOf(name: string): readonly ManifestText[] {
  return readdirSync(`${folder}/${name}`)
    .filter((file) => /^\d.*\.yaml$/.test(file))
    .map((file) => ({ file, text: readFileSync(`${folder}/${name}/${file}`, 'utf8') }));
}

/** What manifests declare, with an edit applied to the objects as they are written. */
function declaredWith(texts: readonly ManifestText[], edit?: Edit): Declared {
  const read = texts.flatMap((text) => readManifests(text).objects);
  const [first] = read;
  if (first === undefined) throw new Error('no objects');
  const origins = new Map<unknown, (typeof read)[number]['origin']>(read.map(({ value, origin }) => [value, origin]));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every document of the examples is an object
  const values = read.map(({ value }) => value as unknown as Parameters<typeof applyEdit>[0][number]);
  const edited = edit === undefined ? values : applyEdit(values, edit);
  const objects = edited.map((value) => ({ value: { ...value }, origin: origins.get(value) ?? first.origin }));
  const inventory = inventoryOf(objects, 'default');
  return { inventory, cluster: clusterOf(inventory), problems: inventory.problems };
}

function verdictsOf(declared: Declared, reading: Reading) {
  const { predictions, model } = predictAll(declared.inventory.tests, declared, reading);
  return { model, predictions, verdicts: new Map(predictions.map((each) => [keyOf(each), each.verdict])) };
}

function keyOf({ test, expectation }: LocatedPrediction): string {
  return `${test.metadata.namespace}/${test.metadata.name}/${expectation.name}`;
}

// Where a block stands for pods, the specification leaves the answer open, and only a profile has one.
const profiles: Readonly<Record<string, Reading['profile']>> = { 'ip-block-means-pods': 'cilium' };
// Cured by the same edit, because they are the two sides of one mistake.
const turnedToo: Readonly<Record<string, readonly string[]>> = {
  'and-where-or-was-meant': ['and-where-or-was-meant/and-where-or-was-meant/local-reaches-server'],
};

const findings: Readonly<Record<string, Wanted>> = parse(readFileSync(`${folder}/findings.yaml`, 'utf8'));

describe.each(readdirSync(folder).filter((name) => !name.includes('.')))('broken/%s', (name) => {
  const wanted = findings[name];
  if (wanted === undefined) throw new Error(`${name} is not in findings.yaml`);
  const texts = textsOf(name);
  const profile = profiles[name];
  const reading: Reading = {
    namespace: 'default',
    addressOf: () => undefined,
    ...(profile === undefined ? {} : { profile }),
  };
  const key = `${wanted.namespace}/${wanted.test}/${wanted.expectation}`;

  function explained() {
    const declared = declaredWith(texts);
    expect(declared.problems.filter(({ severity }) => severity === 'error')).toEqual([]);
    const { predictions, model, verdicts } = verdictsOf(declared, reading);
    const prediction = predictions.find((each) => keyOf(each) === key);
    if (prediction === undefined) throw new Error(`no expectation ${key}`);
    return { prediction, verdicts, explanation: explanationOf(prediction, { predictions, model, declared, reading }) };
  }

  it('has the finding first that the catalogue names', () => {
    const { prediction, explanation } = explained();
    const [first] = explanation?.findings ?? [];

    expect(prediction.verdict).toBe(wanted.verdict);
    expect({ finding: first?.code, policy: first?.part?.policy.name }).toEqual({
      finding: wanted.finding,
      policy: wanted.policy,
    });
  });

  it('turns by the suggested edit, and nothing else does', () => {
    const { verdicts, explanation } = explained();
    const edits = explanation?.findings[0]?.edits ?? [];

    expect(edits).not.toEqual([]);
    for (const edit of edits) {
      const after = verdictsOf(declaredWith(texts, edit), reading).verdicts;
      const turned = [...after].filter(([each, verdict]) => verdicts.get(each) !== verdict);
      expect(turned, edit.summary).toEqual([...(turnedToo[name] ?? []), key].map((each) => [each, 'Passed']));
    }
  });
});
