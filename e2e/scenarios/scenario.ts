import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import type { ConnectivityTest } from '../../src/api/index.ts';
import { repositoryPath } from '../harness/postern.ts';

/** What a scenario presumes beside Kubernetes and an enforcing network plugin. */
export const needs = [
  'calico',
  'cilium',
  'cilium-proxy',
  'metadata-service',
  'node-local-dns',
  'outside-host',
  'outside-names',
] as const;
export type Need = (typeof needs)[number];

/** An object as its manifest declares it. */
export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** A folder of the library of examples. */
export interface Scenario {
  /** The folder's path below `examples`. */
  readonly name: string;
  /** Its manifests, as paths in the repository. */
  readonly files: readonly string[];
  readonly objects: readonly Manifest[];
  readonly tests: readonly ConnectivityTest[];
  readonly readme: string;
  readonly needs: readonly Need[];
  /** `Verdict Reason` of each expectation that must not simply pass, by its name: predicted, and on the wire. */
  readonly offline: Readonly<Record<string, string>>;
  readonly live: Readonly<Record<string, string>>;
}

/** The front matter of a scenario's README; absent where the scenario needs nothing and passes as a whole. */
interface FrontMatter {
  readonly needs?: readonly Need[];
  /** Both offline and live. */
  readonly outcomes?: Readonly<Record<string, string>>;
  readonly offline?: Readonly<Record<string, string>>;
  readonly live?: Readonly<Record<string, string>>;
}

const library = 'examples';
/** Folders that hold no scenario of their own. */
const others = new Set(['broken', 'invalid']);

/** Every scenario, by name. */
export function allScenarios(): readonly Scenario[] {
  return foldersIn(library)
    .filter((name) => !others.has(name))
    .map(readScenario);
}

/** Every world that is broken on purpose. */
export function brokenWorlds(): readonly Scenario[] {
  return foldersIn(`${library}/broken`).map((name) => readScenario(`broken/${name}`));
}

/** What is broken in a world, and what has to be found there: an entry of `examples/broken/findings.yaml`. */
export interface Mistake {
  readonly namespace: string;
  readonly test: string;
  readonly expectation: string;
  readonly verdict: string;
  readonly finding: string;
  /** What a live status has beside the evidence, if that is not the finding; `none` where it has nothing to explain. */
  readonly live?: string;
  readonly policy: string;
}

/** The mistakes by the names of their worlds, such as `broken/label-typo`. */
export function allMistakes(): ReadonlyMap<string, Mistake> {
  const written: Readonly<Record<string, Mistake>> = parse(textOf(`${library}/broken/findings.yaml`));
  return new Map(Object.entries(written).map(([name, mistake]) => [`broken/${name}`, mistake]));
}

/** How a command is told of the network plugin that a scenario needs. */
export function profileArguments({ needs }: Scenario): readonly string[] {
  const plugin = ['cilium', 'calico'].find((each) => needs.some((need) => need === each));
  return plugin === undefined ? [] : ['--profile', plugin];
}

function readScenario(name: string): Scenario {
  const folder = `${library}/${name}`;
  const names = readdirSync(repositoryPath(folder)).toSorted();
  const files = names.filter((file) => /^\d\d-.*\.yaml$/.test(file)).map((file) => `${folder}/${file}`);
  const objects = files.flatMap((file) => parseAllDocuments(textOf(file)).map((document): Manifest => document.toJS()));
  const readme = names.includes('README.md') ? textOf(`${folder}/README.md`) : '';
  const { needs = [], outcomes = {}, offline = {}, live = {} } = frontMatterOf(readme);
  const tests = objects.filter(isTest);
  return {
    name,
    files,
    objects,
    tests,
    readme,
    needs,
    offline: { ...outcomes, ...offline },
    live: { ...outcomes, ...live },
  };
}

/** The YAML between the two lines of dashes that a README may begin with. */
function frontMatterOf(readme: string): FrontMatter {
  const [, matter] = /^---\n(.*?)\n---\n/s.exec(readme) ?? [];
  return matter === undefined ? {} : parse(matter);
}

function isTest(object: Manifest): object is ConnectivityTest {
  return object.kind === 'ConnectivityTest';
}

export function textOf(file: string): string {
  return readFileSync(repositoryPath(file), 'utf8');
}

function foldersIn(folder: string): readonly string[] {
  return readdirSync(repositoryPath(folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => path.basename(name))
    .toSorted();
}
