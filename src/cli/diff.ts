import { type ConnectionRow, type ExpectationRow, jsonChanges, markdownChanges, textChanges } from '../report/index.ts';
import { plainText } from '../text/index.ts';
import { choice } from './arguments.ts';
import { changesFrom } from './changed-connections.ts';
import { type Command, type ExitCode, exitCodes, type Given, type Surroundings, UsageError } from './command.ts';
import { findingProblems, inputOptions } from './inputs.ts';
import { failOnOf, outputOption, readingOf, readingOptions } from './options.ts';
import { sayProblems } from './problems.ts';
import { declaredBy, type LocatedPrediction, predictAll } from './world.ts';

const formats = ['text', 'markdown', 'json'] as const;
const failures = ['violated', 'inconclusive', 'opened', 'closed'] as const;

/** `postern diff`: what a change of manifests opens and closes. */
export const diffCommand: Command = {
  name: 'diff',
  summary: 'Predict what a change of manifests opens and closes',
  usage: 'BASE HEAD [-f TESTS]... [options]',
  description: [
    'Predicts which connections between workloads, and with the outside, a change of manifests opens or closes, and which',
    'expectations it turns. BASE and HEAD are files or folders of manifests, before and after. Tests are taken from -f, for',
    'both sides alike, or else from BASE and HEAD.',
    '',
    'Ends with 1 if an expectation turns to Failed and 3 if one turns to Inconclusive, unless --fail-on says otherwise.',
  ].join('\n'),
  examples: [
    'postern diff main/manifests/ manifests/ -f tests/ -o markdown',
    'git worktree add /tmp/base origin/main && postern diff /tmp/base/manifests manifests --fail-on violated,opened',
  ],
  options: {
    filename: { ...inputOptions.filename, description: 'File or folder with tests. May be repeated.' },
    output: outputOption(formats),
    ...readingOptions,
    'fail-on': {
      type: 'string',
      multiple: true,
      value: 'WORDS',
      description: `Which of ${failures.join(', ')} end with an error; a list with commas. violated,inconclusive if absent.`,
    },
  },
  run,
};

async function run(given: Given, surroundings: Surroundings): Promise<ExitCode> {
  const [base, head, ...rest] = given.positionals;
  if (base === undefined || head === undefined || rest.length > 0) {
    throw new UsageError('name the manifests before and after, such as `postern diff main/manifests/ manifests/`.');
  }
  const format = choice('output', given.text('output') ?? 'text', formats);
  const failOn = failOnOf(given, failures, ['violated', 'inconclusive']);
  const reading = readingOf(given);
  const testPaths = given.texts('filename');
  const sides = await Promise.all(
    [base, head].map(async (path) => {
      const declared = declaredBy(await surroundings.readManifests([path, ...testPaths]), reading.namespace);
      const predicted = predictAll(declared.inventory.tests, declared, reading);
      return {
        declared,
        ...predicted,
        problems: [...declared.problems, ...findingProblems(predicted.model, declared)],
      };
    }),
  );
  const [before, after] = sides;
  if (before === undefined || after === undefined) return exitCodes.usage;
  sayProblems(
    sides.flatMap(({ problems }) => problems),
    surroundings,
  );
  if (sides.some(({ problems }) => problems.some(({ severity }) => severity === 'error'))) return exitCodes.usage;

  const connections = changesFrom(before.declared.cluster, reading.profile)(after.declared.cluster);
  const expectations = turned(before.predictions, after.predictions);
  const report = { version: surroundings.version, connections, expectations };
  surroundings.print({ text: textChanges, markdown: markdownChanges, json: jsonChanges }[format](report));
  return exitCodeFor(connections, expectations, failOn);
}

function exitCodeFor(
  connections: readonly ConnectionRow[],
  expectations: readonly ExpectationRow[],
  failOn: ReadonlySet<(typeof failures)[number]>,
): ExitCode {
  const turnsTo = (verdict: ExpectationRow['after']): boolean => expectations.some(({ after }) => after === verdict);
  const has = (wanted: ConnectionRow['change']): boolean => connections.some(({ change }) => change === wanted);
  if (failOn.has('violated') && turnsTo('Failed')) return exitCodes.violated;
  if ((failOn.has('opened') && has('Opened')) || (failOn.has('closed') && has('Closed'))) return exitCodes.violated;
  return failOn.has('inconclusive') && turnsTo('Inconclusive') ? exitCodes.inconclusive : exitCodes.passed;
}

/** Expectations whose verdict is another after the change, or that come or go. */
function turned(before: readonly LocatedPrediction[], after: readonly LocatedPrediction[]): readonly ExpectationRow[] {
  const keyOf = ({ test, name }: LocatedPrediction): string =>
    [test.metadata.namespace, test.metadata.name, name].join('/');
  const earlier = new Map(before.map((each) => [keyOf(each), each]));
  const later = new Set(after.map(keyOf));
  const changed = after.flatMap((each) => {
    const was = earlier.get(keyOf(each))?.verdict ?? 'Absent';
    return was === each.verdict ? [] : [rowOf(each, was, each.verdict)];
  });
  const gone = before.filter((each) => !later.has(keyOf(each))).map((each) => rowOf(each, each.verdict, 'Absent'));
  return [...changed, ...gone];
}

const maxBytes = 4096;

function rowOf(
  { test, name, message, position }: LocatedPrediction,
  before: ExpectationRow['before'],
  after: ExpectationRow['after'],
): ExpectationRow {
  const line = (text: string): string => plainText(text, maxBytes);
  return {
    namespace: line(test.metadata.namespace),
    test: line(test.metadata.name),
    expectation: line(name),
    before,
    after,
    message: after === 'Absent' ? 'The expectation is gone.' : line(message),
    ...(position === undefined ? {} : { place: { ...position, file: line(position.file) } }),
  };
}
