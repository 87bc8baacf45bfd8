import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { predictTests } from '../prediction/index.ts';
import { draftPolicies, draftTests, yamlOf } from './index.ts';
import { declaredIn } from './testing/declared.ts';

// A busy machine is no failure.
vi.setConfig({ testTimeout: 60_000 });

const knowledge = { addressOf: () => undefined };
const folders = ['examples', 'examples/broken'].flatMap((parent) =>
  readdirSync(parent)
    .map((name) => `${parent}/${name}`)
    .filter((folder) => existsSync(`${folder}/02-policies.yaml`)),
);

function textsOf(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => readFileSync(`${folder}/${file}`, 'utf8'));
}

// Policies of other kinds, and of other namespaces, stay in force; hosts, Services of the cluster and the host network are not there.
const withoutPolicies: Readonly<Record<string, string>> = {
  'examples/calico-order-and-tiers': 'another policy of the manifests admits it',
  'examples/cilium-entities': 'another policy of the manifests admits it',
  'examples/cilium-fqdn': 'knows addresses and no names',
  'examples/node-local-dns': 'There is no Service kube-system/kube-dns',
  'examples/zero-trust-tiers': 'There is no Service default/kubernetes',
  'examples/broken/host-network-peer': 'network policies have no say there',
  'examples/broken/namespace-label-missing': 'NetworkPolicy namespace-label-missing/partner, and no rule admits this',
  'examples/broken/namespace-name-as-label':
    'NetworkPolicy namespace-name-as-label/monitoring, and no rule admits this',
};
const withoutTests = new Set(['examples/broken/nothing-isolates']);

describe('every example', () => {
  it('is there', () => {
    expect(folders.length).toBeGreaterThan(60);
  });

  it.each(folders)('%s yields tests that are valid and predicted to pass', (folder) => {
    const texts = textsOf(folder);
    const { tests } = draftTests(declaredIn(...texts).cluster, knowledge);

    expect(tests.length > 0).toBe(!withoutTests.has(folder));
    const drafted = declaredIn(yamlOf(tests.map(({ test }) => ({ comments: [], object: test }))));
    expect(drafted.problems).toEqual([]);
    const { predicted } = predictTests(drafted.inventory.tests, declaredIn(...texts).cluster, knowledge);
    for (const { message } of predicted.flatMap(({ predictions }) => predictions))
      expect(message).toMatch(/^Would be Passed/);
  });

  it.each(folders)('%s yields policies that satisfy its tests, or the reason why not', (folder) => {
    const { cluster, inventory } = declaredIn(...textsOf(folder));
    const { policies, problems } = draftPolicies(inventory.tests, cluster, { ...knowledge, replaces: true });

    const reason = withoutPolicies[folder];
    if (reason === undefined) {
      expect(problems).toEqual([]);
      expect(policies.length).toBeGreaterThan(0);
    } else {
      expect(problems.join('\n')).toContain(reason);
      expect(policies).toEqual([]);
    }
  });
});
