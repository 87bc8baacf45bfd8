import { readFileSync, writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { connectivityTestDefinition } from './custom-resource-definition.ts';

/** Writes `crds/` from the schemas; with `--check` it only tells whether the files are up to date. */
const file = new URL('../../crds/connectivitytests.yaml', import.meta.url);
const text = `# Generated from src/api by "npm run generate". Do not edit.\n${stringify(connectivityTestDefinition(), { lineWidth: 0, aliasDuplicateObjects: false })}`;

if (process.argv.includes('--check')) {
  if (readFileSync(file, 'utf8') !== text) {
    process.stderr.write(
      'crds/connectivitytests.yaml is not what src/api says: run "npm run generate" and commit the result\n',
    );
    process.exitCode = 1;
  }
} else {
  writeFileSync(file, text);
}
