import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { ConnectivityTest, Expectation } from '../api/index.ts';
import { policyModel } from '../policy/index.ts';
import { randomWorld, type RandomWorld } from '../policy/testing/random-world.ts';
import { type KnownCluster, predictTests } from '../prediction/index.ts';
import { draftPolicies, draftTests, yamlOf } from './index.ts';
import { declaredIn, manifestsOf } from './testing/declared.ts';

// A busy machine is no failure.
vi.setConfig({ testTimeout: 300_000 });

const knowledge = { addressOf: () => undefined };
const namespaces = ['one', 'two', 'three'];

/** A random world as manifests: each pod with a label of its own if asked for, a Service in front, and grants for everybody. */
function manifestsIn({ world }: RandomWorld, isLabelled: boolean): string {
  const pods = world.pods.map((pod) => {
    const { name, labels } = pod.metadata;
    return { ...pod, metadata: { ...pod.metadata, labels: { ...labels, ...(isLabelled ? { pod: name } : {}) } } };
  });
  const services = pods.flatMap(({ metadata, spec }) => {
    const ports = spec.containers.flatMap(({ ports = [] }) =>
      ports.map(
        ({ containerPort, protocol = 'TCP' }) => [`${protocol} ${containerPort}`, protocol, containerPort] as const,
      ),
    );
    const distinct = [...new Map(ports.map((port) => [port[0], port])).values()];
    return {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: metadata.name, namespace: metadata.namespace },
      spec: {
        selector: { pod: metadata.name },
        ports: distinct.map(([, protocol, port], index) => ({
          name: `p${index}`,
          protocol,
          port: port + 1000,
          targetPort: port,
        })),
      },
    };
  });
  const grants = namespaces.map((namespace) => ({
    apiVersion: 'postern.dev/v1alpha1',
    kind: 'ConnectivityGrant',
    metadata: { name: 'all', namespace },
    spec: { from: namespaces.map((each) => ({ namespace: each })), as: ['Source', 'Target'] },
  }));
  return manifestsOf([...world.namespaces, ...pods, ...services, ...grants, ...world.policies]);
}

function verdictsOf(tests: readonly ConnectivityTest[], cluster: KnownCluster): readonly string[] {
  return predictTests(tests, cluster, knowledge).predicted.flatMap(({ predictions }) =>
    predictions.map(({ verdict, reason, message }) => (verdict === 'Passed' ? verdict : `${reason}: ${message}`)),
  );
}

/** The tests that a text holds, with every line counting. */
function testsIn(text: string): { readonly tests: readonly ConnectivityTest[]; readonly problems: readonly string[] } {
  const { inventory, problems } = declaredIn(text);
  const tests = inventory.tests.map((test) => ({
    ...test,
    spec: { ...test.spec, expectations: test.spec.expectations.map((each) => ({ ...each, dryRun: false })) },
  }));
  return { tests, problems };
}

function drafted(cluster: KnownCluster): string {
  return yamlOf(draftTests(cluster, knowledge).tests.map(({ test }) => ({ comments: ['Drafted.'], object: test })));
}

describe('tests drafted from random worlds', () => {
  it('are valid, dry runs, and predicted to pass line by line', () => {
    const seen = { Allow: 0, Deny: 0 };
    fc.assert(
      fc.property(randomWorld, fc.boolean(), (random, isLabelled) => {
        const manifests = manifestsIn(random, isLabelled);
        const { cluster } = declaredIn(manifests);
        const text = drafted(cluster);
        const { tests, problems } = testsIn(text);

        expect(problems).toEqual([]);
        const expectations = tests.flatMap(({ spec }) => spec.expectations);
        for (const verdict of verdictsOf(tests, cluster)) expect(verdict).toBe('Passed');
        expect(text.match(/dryRun: true/g) ?? []).toHaveLength(expectations.length);
        for (const { expect } of expectations) seen[expect] += 1;
      }),
      { numRuns: 200 },
    );
    expect(seen.Allow).toBeGreaterThan(100);
    expect(seen.Deny).toBeGreaterThan(100);
  });

  it('do not depend on the order in which manifests are read', () => {
    fc.assert(
      fc.property(randomWorld, (random) => {
        const { world } = random;
        const reversed = { ...world, pods: world.pods.toReversed(), policies: world.policies.toReversed() };
        const forms = [random, { ...random, world: reversed }].map((each) =>
          draftTests(declaredIn(manifestsIn(each, true)).cluster, knowledge)
            .tests.flatMap(({ test }) => test.spec.expectations)
            .map(({ name, from, to, expect }) => ({ name, from, to, expect })),
        );

        expect(forms[1]).toEqual(forms[0]);
      }),
      { numRuns: 30 },
    );
  });

  it('lead back to policies by which every line still passes', () => {
    let lines = 0;
    fc.assert(
      fc.property(randomWorld, (random) => {
        const { cluster } = declaredIn(manifestsIn(random, true));
        const { tests } = testsIn(drafted(cluster));

        const { policies, problems } = draftPolicies(tests, cluster, { ...knowledge, replaces: true });

        expect(problems).toEqual([]);
        const kept = cluster.policies.filter(
          ({ metadata }) => !policies.some((policy) => policy.metadata.namespace === metadata.namespace),
        );
        const after = { ...cluster, policies: [...kept, ...policies] };
        const verdicts = verdictsOf(tests, after);
        lines += verdicts.length;
        for (const verdict of verdicts) expect(verdict).toBe('Passed');
      }),
      { numRuns: 200 },
    );
    expect(lines).toBeGreaterThan(200);
  });
});

const pods = ['one/a', 'one/b', 'two/a', 'two/c'];
const line = fc.record({
  from: fc.constantFrom(...pods),
  to: fc.constantFrom(...pods),
  port: fc.constantFrom(80, 443),
  expected: fc.constantFrom('Allow' as const, 'Allow' as const, 'Deny' as const),
});

function podOf(path: string): object {
  const [namespace = '', name = ''] = path.split('/');
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: name } },
    spec: { containers: [{ name: 'c' }] },
  };
}

const referred = (path: string) => {
  const [namespace = '', name = ''] = path.split('/');
  return { workload: { kind: 'Pod' as const, name }, namespace };
};

describe('policies drafted from random tests', () => {
  it('admit exactly what is allowed, or are refused because of a contradiction', () => {
    const seen = { drafted: 0, refused: 0 };
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 8 }), (asked) => {
        const lines = asked.filter(({ from, to }) => from !== to);
        if (lines.length === 0) return;
        const { cluster } = declaredIn(manifestsOf(pods.map(podOf)));
        const expectations = lines.map(({ from, to, port, expected }, index): Expectation => {
          return { name: `e${index}`, from: referred(from), to: { ...referred(to), port }, expect: expected };
        });
        const test: ConnectivityTest = {
          apiVersion: 'postern.dev/v1alpha1',
          kind: 'ClusterConnectivityTest',
          metadata: { name: 't', namespace: '', uid: 't', generation: 1 },
          spec: { expectations },
        };
        const keyOf = ({ from, to, port }: (typeof lines)[number]): string => `${from} ${to} ${port}`;
        const allowed = new Set(lines.filter(({ expected }) => expected === 'Allow').map(keyOf));
        const isContradicted = lines.some((each) => each.expected === 'Deny' && allowed.has(keyOf(each)));

        const { policies, problems } = draftPolicies([test], cluster, { ...knowledge, replaces: false });

        if (isContradicted) {
          seen.refused += 1;
          expect(policies).toEqual([]);
          expect(problems.join('\n')).toContain('contradicts');
          return;
        }
        seen.drafted += 1;
        expect(problems).toEqual([]);
        const targets = new Set(lines.map(({ to }) => to));
        const model = policyModel({ pods: cluster.pods, namespaces: [], policies });
        for (const source of pods) {
          for (const destination of targets) {
            for (const port of [80, 443, 8080]) {
              if (source === destination) continue;
              const [from, to] = [source, destination].map((path) => {
                const [namespace = '', name = ''] = path.split('/');
                return { kind: 'pod' as const, namespace, name };
              });
              if (from === undefined || to === undefined) continue;
              const { answer } = model.decide({ source: from, destination: to, protocol: 'TCP', port });
              expect([source, destination, port, answer]).toEqual([
                source,
                destination,
                port,
                allowed.has(`${source} ${destination} ${port}`) ? 'allow' : 'deny',
              ]);
            }
          }
        }
      }),
      { numRuns: 300 },
    );
    expect(seen.drafted).toBeGreaterThan(50);
    expect(seen.refused).toBeGreaterThan(10);
  });
});
