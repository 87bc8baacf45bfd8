/** Springs the traps: `main.ts [--quick] [--guarded] [words that a family's or a trap's name contains]`. */
import process from 'node:process';
import { currentCluster } from '../cluster/index.ts';
import { families } from './families/index.ts';
import { heedSignals, interruption } from './interruption.ts';
import { springAll } from './stage.ts';
import { complaintsAbout, isCaught, tableOf, totalsOf } from './table.ts';
import type { Family } from './trap.ts';

async function main(commandLine: readonly string[]): Promise<void> {
  const words = commandLine.filter((word) => !word.startsWith('--'));
  const chosen = choose(families, words, commandLine.includes('--quick'));
  const began = performance.now();
  const findings = await springAll(currentCluster(), chosen, say, commandLine.includes('--guarded'));
  if (interruption.aborted) {
    process.exitCode = 130;
    return;
  }
  say(`\n${tableOf(findings)}\n`);
  for (const complaint of findings.flatMap(complaintsAbout)) say(complaint);
  const minutes = ((performance.now() - began) / 60_000).toFixed(1);
  say(`${totalsOf(findings)}\nin ${minutes} minutes`);
  if (findings.length === 0 || !findings.every(isCaught)) process.exitCode = 1;
}

function choose(all: readonly Family[], words: readonly string[], isQuick: boolean): readonly Family[] {
  return all
    .map((family) => ({
      ...family,
      traps: family.traps.filter(
        (trap) =>
          (!isQuick || trap.isQuick === true) &&
          (words.length === 0 || words.some((word) => `${family.name}: ${trap.name}`.includes(word))),
      ),
    }))
    .filter(({ traps }) => traps.length > 0);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

heedSignals(say);

await main(process.argv.slice(2));
