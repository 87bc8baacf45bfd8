import type { ConnectivityTest } from '../api/index.ts';
import type { ManifestText, Problem } from '../manifests/index.ts';
import type { PolicyModel } from '../policy/index.ts';
import { policyInWords } from '../prediction/index.ts';
import { plainText } from '../text/index.ts';
import type { Given, Option, Surroundings } from './command.ts';
import type { Declared } from './world.ts';

/** Options of every command that reads tests and manifests together. */
export const inputOptions = {
  filename: {
    type: 'string',
    short: 'f',
    multiple: true,
    value: 'PATH',
    description: 'File or folder with tests, or - for standard input. May be repeated.',
  },
  manifests: {
    type: 'string',
    short: 'p',
    multiple: true,
    value: 'PATH',
    description: 'File or folder with policies, workloads and Services, or -. May be repeated.',
  },
} as const satisfies Readonly<Record<string, Option>>;

/** What was taken for granted in reading. */
export function sayAssumptions(declared: Declared, given: Given, surroundings: Surroundings): void {
  const { withoutNamespace } = declared.inventory;
  if (given.text('namespace') === undefined && withoutNamespace > 0) {
    surroundings.say(
      `postern: ${withoutNamespace} objects name no namespace and were read into \`default\`; -n names another.`,
    );
  }
  sayIgnored(declared, surroundings);
}

/** What was read and has no say, so that a kind which should have had one is not missed in silence. */
function sayIgnored({ inventory }: Declared, surroundings: Surroundings): void {
  const kinds = [...inventory.ignored].map(([kind, count]) => `${count} ${kind}`);
  if (kinds.length > 0)
    surroundings.say(`postern: left out, because they have no say: ${plainText(kinds.join(', '), maxBytes)}.`);
}

const maxBytes = 4096;

/** The tests that -f names; without -f, all. */
export async function selectedTests(
  paths: readonly string[],
  { inventory }: Declared,
  surroundings: Surroundings,
): Promise<readonly ConnectivityTest[]> {
  if (paths.length === 0) return inventory.tests;
  const files = new Set((await surroundings.readManifests(paths)).map(({ file }: ManifestText) => file));
  return inventory.tests.filter(({ kind, metadata }) => {
    const origin = inventory.originOf({ group: 'postern.dev', kind, ...metadata });
    return origin !== undefined && files.has(origin.file);
  });
}

/** What the policy model has against policies: one that the API server would refuse is no policy at all. */
export function findingProblems({ findings }: PolicyModel, { inventory }: Declared): readonly Problem[] {
  return findings.flatMap(({ code, message, part }) => {
    const position = inventory.originOf(part.policy)?.at(part.path);
    const severity = code === 'Rejected' ? ('error' as const) : ('warning' as const);
    return position === undefined
      ? []
      : [{ severity, position, message: `${policyInWords(part.policy)}, ${part.path}: ${message}` }];
  });
}
