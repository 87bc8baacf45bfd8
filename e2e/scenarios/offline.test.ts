import { existsSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { repositoryPath } from '../harness/postern.ts';
import { predictScenario } from './predict.ts';
import { expectedOutcomes, keyOf, outcomesOf } from './row.ts';
import { allMistakes, allScenarios, brokenWorlds, needs, textOf } from './scenario.ts';

// A busy machine is no failure.
vi.setConfig({ testTimeout: 60_000 });

const scenarios = allScenarios();
const broken = brokenWorlds();

describe.each(scenarios.map((scenario) => [scenario.name, scenario] as const))('%s', (name, scenario) => {
  const declared = scenario.tests.flatMap(({ spec }) => spec.expectations);

  it('is told: what it protects, what people get wrong, how to read the result', () => {
    expect(scenario.readme).toMatch(/^# /m);
    for (const part of ['What it protects.', 'What people get wrong.', 'How to read the result.'])
      expect(scenario.readme).toContain(`**${part}**`);
  });

  it('expects an Allow and a Deny', () => {
    expect(new Set(declared.map((each) => each.expect))).toEqual(new Set(['Allow', 'Deny']));
  });

  it('is predicted as it is told', async () => {
    expect(outcomesOf(await predictScenario(scenario))).toEqual(expectedOutcomes(scenario, 'offline'));
  });

  it('says in its README what it needs and where live and offline differ', () => {
    expect(needs).toEqual(expect.arrayContaining([...scenario.needs]));
    const exceptions = Object.keys({ ...scenario.offline, ...scenario.live });
    expect(declared.map((each) => each.name)).toEqual(expect.arrayContaining(exceptions));
    const story = scenario.readme.replace(/^---\n.*?\n---\n/s, '');
    for (const exception of exceptions) expect(story).toContain(`\`${exception}\``);
  });

  it('is in the index', () => {
    expect(textOf('examples/README.md')).toContain(`[${name}](${name}/)`);
  });
});

const mistakes = allMistakes();

describe.each(broken.map((world) => [world.name, world] as const))('%s', (name, world) => {
  it('is predicted as it is told', async () => {
    expect(outcomesOf(await predictScenario(world))).toEqual(expectedOutcomes(world, 'offline'));
  });

  it('has the verdict that its finding is to explain', () => {
    const mistake = mistakes.get(name);
    const key = keyOf(`${mistake?.namespace}/${mistake?.test}`, mistake?.expectation ?? '');
    expect(expectedOutcomes(world, 'offline').get(key)?.split(' ')[0]).toBe(mistake?.verdict);
  });
});

it('has no two scenarios in one namespace, so that they can stand side by side', () => {
  const namespaces = [...scenarios, ...broken].flatMap(({ objects }) =>
    objects.filter(({ kind }) => kind === 'Namespace').map(({ metadata }) => metadata.name),
  );
  expect(namespaces).toEqual([...new Set(namespaces)]);
});

it('leads nowhere by no link of the index or of a README', () => {
  const pages = ['', ...[...scenarios, ...broken].map(({ name }) => `${name}/`)].map((folder) => `examples/${folder}`);
  const dead = pages.flatMap((folder) =>
    [...textOf(`${folder}README.md`).matchAll(/\]\(([^)#:\s]+)\)/g)]
      .map(([, link = '']) => `${folder}${link}`)
      .filter((link) => !existsSync(repositoryPath(link))),
  );
  expect(dead).toEqual([]);
});
