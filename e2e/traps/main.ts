/** Springs the traps: `main.ts [--quick] [--guarded] [words that a family's or a trap's name contains]`. */
import process from 'node:process';
import { currentCluster } from '../cluster/index.ts';
import { families } from './families/index.ts';
import { springAll } from './stage.ts';
import { complaintsAbout, isCaught, tableOf } from './table.ts';
import type { Family } from './trap.ts';

async function main(commandLine: readonly string[]): Promise<void> {
  const words = commandLine.filter((word) => !word.startsWith('--'));
  const chosen = choose(families, words, commandLine.includes('--quick'));
  const began = performance.now();
  const findings = await springAll(currentCluster(), chosen, say, commandLine.includes('--guarded'));
  say(`\n${tableOf(findings)}\n`);
  const minutes = ((performance.now() - began) / 60_000).toFixed(1);
  say(`${findings.filter(isCaught).length} of ${findings.length} traps hold, in ${minutes} minutes`);
  for (const complaint of findings.flatMap(complaintsAbout)) say(complaint);
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

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

await main(process.argv.slice(2));
