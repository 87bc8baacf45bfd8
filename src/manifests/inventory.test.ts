import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { clusterOf } from './cluster.ts';
import { type Inventory, inventoryOf } from './inventory.ts';
import { readManifests } from './read.ts';

// A busy machine is no failure.
vi.setConfig({ testTimeout: 60_000 });

function inventory(...texts: readonly string[]): Inventory {
  const raw = texts.map((text, index) => readManifests({ file: `${index}.yaml`, text }));
  expect(raw.flatMap(({ problems }) => problems)).toEqual([]);
  return inventoryOf(
    raw.flatMap(({ objects }) => objects),
    'default',
  );
}

const policy = (name: string, spec: string, namespace = 'shop'): string =>
  `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: ${spec}\n`;

describe('the inventory', () => {
  it('counts kinds that have no say instead of dropping them in silence', () => {
    const { ignored } = inventory(
      'apiVersion: v1\nkind: ConfigMap\n---\napiVersion: v1\nkind: ConfigMap\n---\napiVersion: example.com/v1\nkind: Widget\n',
    );

    expect([...ignored]).toEqual([
      ['ConfigMap', 2],
      ['Widget.example.com', 1],
    ]);
  });

  it('reads objects that name no namespace into the default one, and says how many', () => {
    const { policies, withoutNamespace } = inventory(
      'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a}\nspec: {podSelector: {}}\n',
    );

    expect(policies.map(({ metadata }) => metadata.namespace)).toEqual(['default']);
    expect(withoutNamespace).toBe(1);
  });

  it('gives cluster-scoped kinds no namespace', () => {
    const { policies, withoutNamespace } = inventory(
      'apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: a}\nspec: {}\n',
    );

    expect(policies[0]?.metadata.namespace).toBeUndefined();
    expect(withoutNamespace).toBe(0);
  });

  it('keeps policies of groups that it does not know by heart, so that the model can say that it does not either', () => {
    const { policies, ignored } = inventory(
      'apiVersion: crd.antrea.io/v1beta1\nkind: NetworkPolicy\nmetadata: {name: a, namespace: b}\nspec: {}\n',
    );

    expect(policies).toHaveLength(1);
    expect(ignored.size).toBe(0);
  });

  it('takes the same object twice for one, and another version of it for an error', () => {
    const same = inventory(policy('a', '{podSelector: {}}'), policy('a', '{podSelector: {}}'));
    const other = inventory(policy('a', '{podSelector: {}}'), policy('a', '{podSelector: {}, egress: []}'));

    expect(same.problems).toEqual([]);
    expect(same.policies).toHaveLength(1);
    expect(other.problems[0]?.message).toMatch(/differently, at 0\.yaml:1/);
  });

  it.each<{ scenario: string; text: string; line: number; message: RegExp }>([
    {
      scenario: 'a label that YAML reads as a boolean',
      text: policy('a', '\n  podSelector:\n    matchLabels: {tier: on}'),
      line: 6,
      message: /put quotes around true/,
    },
    {
      scenario: 'a label that YAML reads as a number',
      text: policy('a', '\n  podSelector:\n    matchLabels: {version: 1.0}'),
      line: 6,
      message: /put quotes around 1/,
    },
    {
      scenario: 'a label in another dialect',
      text: 'apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: a}\nspec:\n  endpointSelector:\n    matchLabels: {a: y}\n',
      line: 6,
      message: /put quotes around true/,
    },
    {
      scenario: 'a label without a value',
      text: policy('a', '\n  podSelector:\n    matchLabels: {tier: }'),
      line: 6,
      message: /write a string, not nothing/,
    },
    {
      scenario: 'a misspelt field of a policy',
      text: policy('a', '\n  podSelectors: {}'),
      line: 5,
      message: /no such field/,
    },
    {
      scenario: 'no name',
      text: 'apiVersion: v1\nkind: Pod\nmetadata: {}\nspec: {containers: []}\n',
      line: 3,
      message: /metadata\.name/,
    },
    {
      scenario: 'a scalar for a map',
      text: policy('a', 'everything'),
      line: 4,
      message: /write a map, not "everything"/,
    },
    {
      scenario: 'no selector',
      text: 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: {spec: {containers: []}}}\n',
      line: 4,
      message: /`selector` is missing/,
    },
    {
      scenario: 'a misspelt field of a test',
      text: 'apiVersion: postern.dev/v1alpha1\nkind: ConnectivityTest\nmetadata: {name: a}\nspec:\n  expectation: []\n',
      line: 5,
      message: /no such field here; the fields are suspend/,
    },
  ])('$scenario is an error at its line', ({ text, line, message }) => {
    const { problems, policies, tests } = inventory(text);

    expect(problems.find((problem) => message.test(problem.message))).toMatchObject({
      severity: 'error',
      position: { line },
    });
    expect([...policies, ...tests]).toEqual([]);
  });

  it.each<{ scenario: string; text: string; message: RegExp }>([
    { scenario: 'values of a chart', text: 'image: nginx\n', message: /left out/ },
    {
      scenario: 'a kustomization',
      text: 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: []\n',
      message: /kustomize build/,
    },
  ])('warns of $scenario', ({ text, message }) => {
    const { problems } = inventory(text);

    expect(problems).toMatchObject([{ severity: 'warning' }]);
    expect(problems[0]?.message).toMatch(message);
  });

  it('reads a field that is null as one that is absent', () => {
    const { policies, problems } = inventory(policy('a', '{podSelector: null, ingress: [{from: null, ports: null}]}'));

    expect(problems).toEqual([]);
    expect(policies[0]?.spec).toEqual({ ingress: [{}] });
  });

  it('never throws, whatever the fields of the kinds that it reads hold', () => {
    const apiVersions: Readonly<Record<string, string>> = {
      Deployment: 'apps/v1',
      StatefulSet: 'apps/v1',
      CronJob: 'batch/v1',
      Pod: 'v1',
      Service: 'v1',
      Namespace: 'v1',
      EndpointSlice: 'discovery.k8s.io/v1',
      NetworkPolicy: 'networking.k8s.io/v1',
      ConnectivityTest: 'postern.dev/v1alpha1',
    };
    const keys = [
      'spec',
      'template',
      'metadata',
      'labels',
      'containers',
      'ports',
      'selector',
      'podSelector',
      'expectations',
      'name',
    ];
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 6 },
        fc.constantFrom<unknown>(null, true, 1, 'x', [], {}),
        fc.array(tie('value'), { maxLength: 2 }),
        fc.dictionary(fc.constantFrom(...keys), tie('value'), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(apiVersions)), value, value, (kind, spec, metadata) => {
        const text = JSON.stringify({ apiVersion: apiVersions[kind], kind, metadata, spec });
        const found = inventoryOf(readManifests({ file: 'a.json', text }).objects, 'default');

        expect(clusterOf(found).pods).toBeInstanceOf(Array);
      }),
      { numRuns: 500 },
    );
  });
});
