import type { Scenario } from './scenario.ts';

/** One expectation of a scenario, and what became of it. Outcomes are `Verdict Reason`. */
export interface Row {
  readonly scenario: string;
  /** `namespace/test`. */
  readonly test: string;
  readonly expectation: string;
  readonly outcome: string;
  readonly message: string;
}

/** What each expectation of a scenario must come to, by `namespace/test: expectation`. */
export function expectedOutcomes(scenario: Scenario, where: 'live' | 'offline'): ReadonlyMap<string, string> {
  const exceptions = scenario[where];
  return new Map(
    scenario.tests.flatMap(({ metadata, spec }) =>
      spec.expectations.map(({ name, expect, control }) => [
        keyOf(`${metadata.namespace}/${metadata.name}`, name),
        exceptions[name] ?? (expect === 'Allow' ? 'Passed Reachable' : `Passed ${deniedReason(control?.mode)}`),
      ]),
    ),
  );
}

function deniedReason(mode: string | undefined): string {
  return mode === 'UnreachableIsEnough' ? 'NotReached' : 'Denied';
}

export function keyOf(test: string, expectation: string): string {
  return `${test}: ${expectation}`;
}

/** The outcomes of rows by the keys that `expectedOutcomes` has. */
export function outcomesOf(rows: readonly Row[]): ReadonlyMap<string, string> {
  return new Map(rows.map(({ test, expectation, outcome }) => [keyOf(test, expectation), outcome]));
}
