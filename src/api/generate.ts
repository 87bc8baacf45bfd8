import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import {
  calibrationDefinition,
  clusterConnectivityTestDefinition,
  clusterConnectivityTestSchema,
  connectivityGrantDefinition,
  connectivityGrantSchema,
  connectivityTestDefinition,
  connectivityTestSchema,
  probeAnchorDefinition,
} from './custom-resource-definition.ts';
import { reasonsPage } from './reasons-page.ts';

/**
 * Writes what is made from the schemas and the reasons, among it the schema of a test as JSON for the command line, which would
 * spend most of its time on making it anew; with `--check` it only tells whether the files are up to date.
 */
const files = {
  'crds/calibrations.yaml': manifest(calibrationDefinition()),
  'crds/clusterconnectivitytests.yaml': manifest(clusterConnectivityTestDefinition()),
  'crds/connectivitygrants.yaml': manifest(connectivityGrantDefinition()),
  'crds/connectivitytests.yaml': manifest(connectivityTestDefinition()),
  'crds/probeanchors.yaml': manifest(probeAnchorDefinition()),
  'docs/reasons.md': reasonsPage(),
  'src/api/connectivitytest.schema.json': json(connectivityTestSchema()),
  'src/api/clusterconnectivitytest.schema.json': json(clusterConnectivityTestSchema()),
  'src/api/connectivitygrant.schema.json': json(connectivityGrantSchema()),
};

function json(schema: unknown): string {
  return `${JSON.stringify(schema, null, 2)}\n`;
}

function manifest(definition: unknown): string {
  return `# Generated from src/api by "npm run generate". Do not edit.\n${stringify(definition, { lineWidth: 0, aliasDuplicateObjects: false })}`;
}

for (const [name, text] of Object.entries(files)) {
  const file = new URL(`../../${name}`, import.meta.url);
  if (!process.argv.includes('--check')) {
    writeFileSync(file, text);
  } else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
    process.stderr.write(`${name} is not what src/api says: run "npm run generate" and commit the result\n`);
    process.exitCode = 1;
  }
}
