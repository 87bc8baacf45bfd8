/**
 * Keeps the chart's copy of the CustomResourceDefinitions the same as `crds/`: Helm reads nothing outside of a chart. With
 * `--check` it only tells whether the copy is up to date.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

const source = new URL('../crds/', import.meta.url);
const copy = new URL('postern/files/crds/', import.meta.url);

mkdirSync(copy, { recursive: true });
const wanted = new Map(definitionsIn(source));
const present = new Map(definitionsIn(copy));
const stale = [...present.keys()].filter((name) => !wanted.has(name));
const changed = [...wanted.keys()].filter((name) => present.get(name) !== wanted.get(name));

if (process.argv.includes('--check')) {
  if (stale.length + changed.length > 0) {
    process.stderr.write(
      `deploy/postern/files/crds differs from crds in ${[...stale, ...changed].join(', ')}: run "npm run generate" and commit the result\n`,
    );
    process.exitCode = 1;
  }
} else {
  for (const name of stale) rmSync(new URL(name, copy));
  for (const name of changed) writeFileSync(new URL(name, copy), wanted.get(name) ?? '');
}

function definitionsIn(folder: URL): [name: string, text: string][] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => [name, readFileSync(new URL(name, folder), 'utf8')]);
}
