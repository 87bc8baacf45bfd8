import { stringify } from 'yaml';
import type { KubeObject } from '../../src/api/index.ts';
import { applyEdit, type Edit } from '../../src/explanation/index.ts';
import { runWith } from '../../src/testing/command-line.ts';
import { type Manifest, type Mistake, profileArguments, type Scenario, textOf } from './scenario.ts';

/** The first edit that `postern explain` suggests for what is broken in a world. Throws if there is none. */
export async function suggestedEdit(scenario: Scenario, { namespace, test, expectation }: Mistake): Promise<Edit> {
  const texts = Object.fromEntries(scenario.files.map((file) => [file, textOf(file)]));
  const files = scenario.files.flatMap((file) => ['-f', file]);
  const profile = profileArguments(scenario);
  const name = `${namespace}/${test}/${expectation}`;
  const { printed, said } = await runWith(['explain', ...files, name, '-o', 'json', ...profile], texts);
  if (printed === '') throw new Error(said);
  const [explanation]: readonly { readonly findings: readonly { readonly edits: readonly Edit[] }[] }[] =
    JSON.parse(printed);
  const edit = explanation?.findings[0]?.edits[0];
  if (edit === undefined) throw new Error(`no edit is suggested for ${name}`);
  return edit;
}

/** What a world consists of when an edit was applied to its manifests. */
export interface CuredWorld {
  /** Those that are new or changed. */
  readonly objects: readonly Manifest[];
  readonly removed: readonly Manifest[];
}

export function curedBy(edit: Edit, { objects }: Scenario): CuredWorld {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every document of the library is an object of Kubernetes
  const before = objects as unknown as readonly KubeObject[];
  const after = applyEdit(before, edit);
  const names = new Set(after.map(nameOf));
  return {
    objects: after.filter((object) => !before.includes(object)),
    removed: before.filter((object) => !names.has(nameOf(object))),
  };
}

function nameOf({ apiVersion, kind, metadata: { namespace, name } }: KubeObject): string {
  return [apiVersion, kind, namespace, name].join(' ');
}

export function yamlOf(objects: readonly Manifest[]): string {
  return objects.map((object) => stringify(object)).join('---\n');
}
