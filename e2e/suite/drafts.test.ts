import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { ConnectivityTest } from '../../src/api/index.ts';
import { runWith } from '../../src/testing/command-line.ts';
import { nextRun, rowsOf } from '../harness/postern.ts';
import { connectivityTest, expectation, manifests, server } from '../harness/workloads.ts';
import { createWorld, type World } from '../harness/world.ts';

const namespace = 'postern-e2e-drafts';

describe('drafts from what a cluster holds', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld(namespace);
    await world.apply(...['web', 'api', 'db'].flatMap((name) => server({ namespace, name })));
    await world.ready('web', 'api', 'db');
  });
  afterAll(() => world.destroy());

  const wanted = connectivityTest(namespace, 'wanted', [
    expectation('web-reaches-api', 'web', 'api', 'Allow'),
    expectation('api-reaches-db', 'api', 'db', 'Allow'),
    expectation('web-does-not-reach-db', 'web', 'db', 'Deny'),
    expectation('db-does-not-reach-api', 'db', 'api', 'Deny'),
    // Who may send nothing at all is believed only beside another probe on its node.
    {
      name: 'db-resolves-names',
      from: { workload: { kind: 'Deployment', name: 'db' } },
      to: { dns: { name: 'kubernetes.default.svc' } },
      expect: 'Allow',
    },
  ]);
  /** What the README tells to pipe into the command line. */
  const dump = async (): Promise<string> =>
    await world
      .kubectl(`get namespace/${namespace} -o yaml`)
      .then(
        async (own) =>
          `${own}\n---\n${await world.kubectl(`get all,endpointslices,networkpolicies -n ${namespace} -o yaml`)}`,
      );
  const verdictsOf = (test: ConnectivityTest): Readonly<Record<string, string>> =>
    Object.fromEntries([...rowsOf(test)].map(([name, { verdict }]) => [name, verdict]));

  it('policies by which a test passes on the wire that failed before', async () => {
    await world.apply(wanted);
    const before = await nextRun(world.kubectl, namespace, 'wanted');
    expect(verdictsOf(before)).toMatchObject({ 'web-does-not-reach-db': 'Failed', 'db-does-not-reach-api': 'Failed' });

    const drafted = await runWith(['draft', 'policies', '-f', 'test.yaml', '-p', '-'], {
      'test.yaml': manifests(wanted),
      '-': await dump(),
    });
    expect(drafted.code, drafted.said).toBe(0);
    await world.kubectl('apply -f -', { input: drafted.printed });
    const after = await nextRun(world.kubectl, namespace, 'wanted', { after: before.status?.lastRun?.id });
    expect(verdictsOf(after)).toEqual({
      'web-reaches-api': 'Passed',
      'api-reaches-db': 'Passed',
      'web-does-not-reach-db': 'Passed',
      'db-does-not-reach-api': 'Passed',
      'db-resolves-names': 'Passed',
    });
  });

  it('tests of which every line would pass on the wire', async () => {
    const drafted = await runWith(['draft', 'tests', '-p', '-', '--in', namespace], { '-': await dump() });
    expect(drafted.code, drafted.said).toBe(0);
    await world.kubectl('apply -f -', { input: drafted.printed });

    const names = parseAllDocuments(drafted.printed).map((document): ConnectivityTest => document.toJS());
    expect(names).toHaveLength(1);
    const test = await nextRun(world.kubectl, namespace, names[0]?.metadata.name ?? '');
    const rows = [...rowsOf(test).values()];
    expect(new Set(rows.map((row) => row.expect))).toEqual(new Set(['Allow', 'Deny']));
    const told = rows.map(({ name, message }) => `${name}: ${message}`);
    expect(told.filter((row) => !row.includes(': Would be Passed'))).toEqual([]);
  });
});
