import { readFileSync, writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { calibrationDefinition, connectivityTestDefinition } from './custom-resource-definition.ts';

/** Writes `crds/` from the schemas; with `--check` it only tells whether the files are up to date. */
const definitions = {
  'calibrations.yaml': calibrationDefinition(),
  'connectivitytests.yaml': connectivityTestDefinition(),
};

for (const [name, definition] of Object.entries(definitions)) {
  const file = new URL(`../../crds/${name}`, import.meta.url);
  const text = `# Generated from src/api by "npm run generate". Do not edit.\n${stringify(definition, { lineWidth: 0, aliasDuplicateObjects: false })}`;
  if (!process.argv.includes('--check')) {
    writeFileSync(file, text);
  } else if (readFileSync(file, 'utf8') !== text) {
    process.stderr.write(`crds/${name} is not what src/api says: run "npm run generate" and commit the result\n`);
    process.exitCode = 1;
  }
}
