import { setTimeout as delay } from 'node:timers/promises';
import type { ConnectivityTest } from '../../src/api/index.ts';
import type { Kubectl } from '../harness/kubectl.ts';
import { readTest } from '../harness/postern.ts';
import type { Row } from './row.ts';
import { type Scenario, textOf } from './scenario.ts';

const rolledOut = new Set(['Deployment', 'StatefulSet', 'DaemonSet']);

/** Applies a scenario, waits for its workloads, asks for a run of each of its tests and gives what they say; then removes it all. */
export async function runScenario(kubectl: Kubectl, scenario: Scenario): Promise<readonly Row[]> {
  const input = scenario.files.map(textOf).join('\n---\n');
  await kubectl('delete -f - --ignore-not-found --wait --timeout=180s', { input });
  try {
    await kubectl('apply -f -', { input });
    for (const { kind, metadata } of scenario.objects.filter((object) => rolledOut.has(object.kind)))
      await kubectl(`rollout status ${kind}/${metadata.name} -n ${metadata.namespace} --timeout=180s`);
    const tests = await Promise.all(scenario.tests.map((test) => requestedRun(kubectl, test)));
    return tests.flatMap((test) => rowsOf(scenario, test));
  } finally {
    await kubectl('delete -f - --ignore-not-found --wait --timeout=180s', { input });
  }
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
