/** Runs the library of examples on the cluster: `main.ts [--broken] [names]`. */
import process from 'node:process';
import { currentCluster } from '../cluster/index.ts';
import { kubectlFor } from '../harness/kubectl.ts';
import { installPostern } from '../harness/postern.ts';
import { heedSignals, interruption } from '../traps/interruption.ts';
import { runBrokenWorld, runScenario } from './live.ts';
import type { Row } from './row.ts';
import { predictScenario } from './predict.ts';
import { allMistakes, allScenarios, brokenWorlds, type Scenario } from './scenario.ts';
import { installStandIns, missingIn } from './stand-ins.ts';
import { comparisonOf, type Comparison, type Cure, isAsTold, isCured, tableOf, tableOfCures } from './table.ts';

const atOnce = 6;

async function main(words: readonly string[]): Promise<void> {
  const names = words.filter((word) => !word.startsWith('--'));
  const all = words.includes('--broken') ? brokenWorlds() : allScenarios();
  const chosen = names.length === 0 ? all : all.filter(({ name }) => names.some((each) => name.includes(each)));
  if (chosen.length === 0) throw new Error(`no scenario is called ${names.join(' or ')}`);
  const began = performance.now();
  const cluster = currentCluster();
  const kubectl = kubectlFor(cluster);
  await installPostern(cluster);
  const missing = await missingIn(kubectl);
  const possible = (scenario: Scenario): boolean => !scenario.needs.some((need) => missing.has(need));
  const wanted = new Set(chosen.filter(possible).flatMap(({ needs }) => needs));
  const changes: (() => Promise<void>)[] = [];
  const comparisons: Comparison[] = [];
  const mistakes = allMistakes();
  const cures: Cure[] = [];
  try {
    await installStandIns(cluster, kubectl, wanted, (takeBack) => changes.push(takeBack));
    const queue = chosen.values();
    const work = async (): Promise<void> => {
      for (const scenario of queue) {
        if (interruption.aborted) return;
        const comparison = await compare(scenario, possible(scenario));
        comparisons.push(comparison);
        say(`${isAsTold(comparison) ? 'ok    ' : 'BROKEN'} ${scenario.name}`);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
  } finally {
    for (const takeBack of changes.toReversed()) await takeBack().catch(complain);
  }
  say(`\n${tableOf(comparisons)}\n`);
  const wrong = comparisons.filter((each) => !isAsTold(each));
  if (cures.length > 0) say(`${tableOfCures(cures)}\n`);
  const minutes = ((performance.now() - began) / 60_000).toFixed(1);
  say(`${comparisons.length - wrong.length} of ${comparisons.length} scenarios as told, in ${minutes} minutes`);
  if (wrong.length > 0 || !cures.every(isCured)) process.exitCode = 1;
  if (interruption.aborted) process.exitCode = 130;

  /** What is seen on the wire; in a broken world also what the suggested edit makes of it. */
  async function seenOf(scenario: Scenario): Promise<readonly Row[]> {
    const mistake = mistakes.get(scenario.name);
    if (mistake === undefined) return await runScenario(kubectl, scenario);
    const { rows, finding, cured } = await runBrokenWorld(kubectl, scenario, mistake);
    cures.push({ world: scenario.name, wanted: mistake.live ?? mistake.finding, finding, cured });
    return rows;
  }

  async function compare(scenario: Scenario, isPossible: boolean): Promise<Comparison> {
    const predicted = await predictScenario(scenario);
    if (!isPossible) return comparisonOf(scenario, predicted);
    try {
      return comparisonOf(scenario, predicted, await seenOf(scenario));
    } catch (error) {
      say(`${scenario.name}: ${error instanceof Error ? error.message : String(error)}`);
      return comparisonOf(scenario, predicted, []);
    }
  }
}

/** What cannot be taken back must not keep the rest from being. */
function complain(error: unknown): void {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

heedSignals(say);

await main(process.argv.slice(2));
