import { setTimeout as delay } from 'node:timers/promises';
import type { ConnectivityTest, ExpectationStatus } from '../../src/api/index.ts';
import type { Kubectl } from '../harness/kubectl.ts';
import { readTest } from '../harness/postern.ts';
import { curedBy, suggestedEdit, yamlOf } from './cure.ts';
import type { Row } from './row.ts';
import { type Manifest, type Mistake, type Scenario, textOf } from './scenario.ts';

const rolledOut = new Set(['Deployment', 'StatefulSet', 'DaemonSet']);

/** Applies a scenario, waits for its workloads, asks for a run of each of its tests and gives what they say; then removes it all. */
export function runScenario(kubectl: Kubectl, scenario: Scenario): Promise<readonly Row[]> {
  return staged(kubectl, scenario, () => verdictsOn(kubectl, scenario));
}

/** What is seen of a world that is broken on purpose. */
export interface BrokenRun {
  readonly rows: readonly Row[];
  /** The finding that the status has beside the evidence. */
  readonly finding: string;
  /** `Verdict Reason` after the edit that `postern explain` suggests was applied. */
  readonly cured: string;
}

/** As above, then applies the first edit that is suggested for what is broken, and waits for it to turn the verdict. */
export function runBrokenWorld(kubectl: Kubectl, scenario: Scenario, mistake: Mistake): Promise<BrokenRun> {
  return staged(kubectl, scenario, async () => {
    const rows = await verdictsOn(kubectl, scenario);
    const before = await rowOf(kubectl, mistake);
    const cured = curedBy(await suggestedEdit(scenario, mistake), scenario);
    if (cured.removed.length > 0) await kubectl('delete -f - --wait --timeout=60s', { input: yamlOf(cured.removed) });
    await kubectl('apply -f -', { input: yamlOf(cured.objects) });
    await rollOut(kubectl, cured.objects);
    const until = performance.now() + 120_000;
    for (;;) {
      const { verdict, reason } = await rowOf(kubectl, mistake);
      if (verdict === 'Passed' || performance.now() > until) {
        return { rows, finding: before.explanation?.finding ?? 'none', cured: `${verdict} ${reason}` };
      }
      await delay(1000);
    }
  });
}

async function staged<T>(kubectl: Kubectl, scenario: Scenario, look: () => Promise<T>): Promise<T> {
  const input = scenario.files.map(textOf).join('\n---\n');
  await kubectl('delete -f - --ignore-not-found --wait --timeout=180s', { input });
  try {
    await kubectl('apply -f -', { input });
    await rollOut(kubectl, scenario.objects);
    return await look();
  } finally {
    await kubectl('delete -f - --ignore-not-found --wait --timeout=180s', { input });
  }
}

async function rollOut(kubectl: Kubectl, objects: readonly Manifest[]): Promise<void> {
  for (const { kind, metadata } of objects.filter((object) => rolledOut.has(object.kind)))
    await kubectl(`rollout status ${kind}/${metadata.name} -n ${metadata.namespace} --timeout=180s`);
}

async function verdictsOn(kubectl: Kubectl, scenario: Scenario): Promise<readonly Row[]> {
  const tests = await Promise.all(scenario.tests.map((test) => requestedRun(kubectl, test)));
  return tests.flatMap((test) => rowsOf(scenario, test));
}

async function rowOf(kubectl: Kubectl, { namespace, test, expectation }: Mistake): Promise<ExpectationStatus> {
  const { status } = await readTest(kubectl, namespace, test);
  const row = status?.expectations?.find(({ name }) => name === expectation);
  if (row === undefined) throw new Error(`${namespace}/${test} has no row of ${expectation}`);
  return row;
}

/** Asks for a run and gives the test as it leaves it, after whatever it has to probe again. */
async function requestedRun(kubectl: Kubectl, { metadata }: ConnectivityTest): Promise<ConnectivityTest> {
  const { namespace, name } = metadata;
  const request = new Date().toISOString();
  await kubectl(
    `annotate connectivitytest ${name} -n ${namespace} --overwrite postern.dev/run-requested-at=${request}`,
  );
  const until = performance.now() + 180_000;
  for (;;) {
    const test = await readTest(kubectl, namespace, name);
    if (test.status?.lastHandledRunRequest === request && !isRepeated(test)) return test;
    if (performance.now() > until)
      throw new Error(`${namespace}/${name} did not run in time: ${JSON.stringify(test.status)}`);
    await delay(2000);
  }
}

/** Whether the world changed while a run was under way: that run's doubtful expectations are probed again at once. */
function isRepeated({ status }: ConnectivityTest): boolean {
  const again = ['EnforcementDelayed', 'TargetChanged'];
  return status?.expectations?.some(({ reason }) => again.includes(reason)) === true;
}

function rowsOf({ name }: Scenario, { metadata, status }: ConnectivityTest): readonly Row[] {
  return (status?.expectations ?? []).map((row) => ({
    scenario: name,
    test: `${metadata.namespace}/${metadata.name}`,
    expectation: row.name,
    outcome: `${row.verdict} ${row.reason}`,
    message: row.message ?? '',
  }));
}
