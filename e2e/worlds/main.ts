/**
 * Holds the policy model against the network plugin: `main.ts [--worlds COUNT] [--seed NUMBER] [--only NUMBER]`. The same seed
 * gives the same worlds; `--only` tries one of them.
 */
import process from 'node:process';
import { parseArgs } from 'node:util';

import type { Policy } from '../../src/api/index.ts';
import { currentCluster } from '../cluster/index.ts';
import { heedSignals, interruption } from '../traps/interruption.ts';
import { explain, manifestOf } from './disagreement.ts';
import { isMixed, predict } from './prediction.ts';
import { worldsFrom } from './random-policies.ts';
import { namespaceNames, setStage } from './stage.ts';
import { describe, disagreementsAmong, type Finding, tallyOf } from './tally.ts';
import { openTrial, type Trial } from './trial.ts';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { worlds: { type: 'string', default: '200' }, seed: { type: 'string' }, only: { type: 'string' } },
  });
  const seed =
    values.seed === undefined ? 1 + Math.floor(Math.random() * 999_999_999) : wholeNumber('seed', values.seed);
  const only = values.only === undefined ? undefined : wholeNumber('only', values.only);
  const count = only ?? wholeNumber('worlds', values.worlds);
  say(`seed ${seed}, ${count} worlds; the same ones again: npm run test:worlds -- --seed ${seed} --worlds ${count}`);

  const cluster = currentCluster();
  const stage = await setStage(cluster);
  try {
    const worlds = worldsFrom(seed, count, (policies) => isMixed(predict(stage, policies)));
    const trial = await openTrial(cluster, stage);
    try {
      await confirmMethod(trial, 'before');
      const tried = await tryAll(trial, worlds, only);
      if (!interruption.aborted) await confirmMethod(trial, 'after');
      const findings = tried.flat();
      say(`in sum, ${tried.length} worlds of seed ${seed}: ${describe(tallyOf(findings))}`);
      if (disagreementsAmong(findings).length > 0) process.exitCode = 1;
      if (interruption.aborted) process.exitCode = 130;
    } finally {
      trial.close();
    }
  } finally {
    await stage.clear();
  }
}

async function tryAll(
  trial: Trial,
  worlds: readonly (readonly Policy[])[],
  only: number | undefined,
): Promise<readonly (readonly Finding[])[]> {
  const tried: (readonly Finding[])[] = [];
  for (const [index, policies] of worlds.entries()) {
    if (interruption.aborted) break;
    const number = index + 1;
    if (only !== undefined && only !== number) continue;
    const began = performance.now();
    const findings = await trial.try(String(number), policies);
    tried.push(findings);
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    say(`world ${number}, ${policies.length} policies: ${describe(tallyOf(findings))} (${seconds} s)`);
    const disagreements = disagreementsAmong(findings);
    if (disagreements.length > 0) say(`${manifestOf(policies)}\n${disagreements.map(explain).join('\n')}\n`);
  }
  return tried;
}

/**
 * A method that sees nothing but connections, or nothing but silence, would agree with half of everything: without a policy
 * all cells have to connect, and with none admitted all have to be silent.
 *
 * @throws Error if they are not.
 */
async function confirmMethod(trial: Trial, when: string): Promise<void> {
  const closed = namespaceNames.map((name) => networkPolicyOf(name));
  for (const [world, policies] of [
    ['open', []],
    ['closed', closed],
  ] as const) {
    const findings = await trial.try(`${world}-${when}`, policies);
    const wanted = world === 'open' ? 'Connected' : 'TimedOut';
    const wrong = findings.filter(({ seen }) => seen !== wanted);
    if (wrong.length > 0) {
      throw new Error(`the ${world} world is not ${world}, so nothing is proved:\n${wrong.map(explain).join('\n')}`);
    }
    say(`${world} world, ${when} the others: all ${findings.length} cells ${wanted}`);
  }
}

function networkPolicyOf(namespace: string): Policy {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'closed', namespace },
    spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
  };
}

function wholeNumber(name: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`--${name} takes a whole number from 1 to 999999999, not ${text}`);
  return Number(text);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

heedSignals(say);

await main();
