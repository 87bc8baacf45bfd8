import { runWith } from '../../src/testing/command-line.ts';
import type { Row } from './row.ts';
import { profileArguments, type Scenario, textOf } from './scenario.ts';

interface PredictedRow {
  readonly namespace: string;
  readonly test: string;
  readonly expectation: string;
  readonly verdict: string;
  readonly reason: string;
  readonly message: string;
}

/** What `postern check` says of a scenario. Throws with what it said if it cannot read the manifests. */
export async function predictScenario(scenario: Scenario): Promise<readonly Row[]> {
  const { name, files } = scenario;
  const texts = Object.fromEntries(files.map((file) => [file, textOf(file)]));
  const { printed, said } = await runWith(
    ['check', ...files.flatMap((file) => ['-f', file]), '-o', 'json', ...profileArguments(scenario)],
    texts,
  );
  if (printed === '') throw new Error(`examples/${name}: ${said}`);
  const report: { readonly expectations: readonly PredictedRow[] } = JSON.parse(printed);
  return report.expectations.map(({ namespace, test, expectation, verdict, reason, message }) => ({
    scenario: name,
    test: `${namespace}/${test}`,
    expectation,
    outcome: `${verdict} ${reason}`,
    message,
  }));
}
