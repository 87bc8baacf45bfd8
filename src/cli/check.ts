import { describePort, describeSource, describeTarget } from '../plan/index.ts';
import { policyInWords } from '../prediction/index.ts';
import { counted, type Place, type Report, type ReportRow, tallyOf } from '../report/index.ts';
import { plainText } from '../text/index.ts';
import { choice } from './arguments.ts';
import { type Command, type ExitCode, exitCodes, type Given, type Surroundings, UsageError } from './command.ts';
import { formats, inFormat } from './format.ts';
import { findingProblems, inputOptions, sayAssumptions, selectedTests } from './inputs.ts';
import { failOnOf, failOnOption, outputOption, readingOf, readingOptions } from './options.ts';
import { sayProblems } from './problems.ts';
import { effectsOn } from './edit-effect.ts';
import { alignedLine, type Cure, cureOf } from './explanations.ts';
import { type Declared, declaredBy, type LocatedPrediction, predictAll } from './world.ts';

/** `postern check`: what the policies would make of each expectation, with no cluster. */
export const checkCommand: Command = {
  name: 'check',
  summary: 'Predict the verdicts of tests from manifests, with no cluster',
  usage: '[-f TESTS]... [-p MANIFESTS]... [options]',
  description: [
    'Predicts the verdict of every expectation from manifests, with no cluster: from the policies as they are written, by the',
    'documentation of their API. It is no evidence; only the operator tells what a cluster really does.',
    '',
    'Files, folders (searched through) and `-` for standard input are read alike, so that the output of `helm template` and',
    '`kustomize build` can be piped in. The tests are those of -f, or of -p if there is no -f; all manifests of both count.',
    '',
    'Ends with 0 if all passed, 1 if an expectation is violated, 2 if a file or an argument is not valid, 3 if something is',
    'inconclusive, and 4 if there is no expectation at all.',
  ].join('\n'),
  examples: [
    'postern check -f tests/ -p manifests/',
    'helm template charts/shop | postern check -f tests/ -p -',
    'kustomize build overlays/production | postern check -f tests/ -p - -n shop -o junit',
  ],
  options: {
    ...inputOptions,
    output: outputOption(formats),
    verbose: { type: 'boolean', short: 'v', description: 'Show in text what passed, too.' },
    ...readingOptions,
    'fail-on': failOnOption,
    'exit-zero': { type: 'boolean', description: 'End with 0 whatever the verdicts are.' },
    'allow-empty': { type: 'boolean', description: 'End with 0 if there is no expectation.' },
  },
  run,
};

async function run(given: Given, surroundings: Surroundings): Promise<ExitCode> {
  const testPaths = [...given.texts('filename'), ...given.positionals];
  const manifestPaths = given.texts('manifests');
  if (testPaths.length + manifestPaths.length === 0) {
    throw new UsageError('name the tests and the manifests, such as `postern check -f tests/ -p manifests/`.');
  }
  const format = choice('output', given.text('output') ?? 'text', formats);
  const failOn = failOnOf(given, ['violated', 'inconclusive'] as const, ['violated', 'inconclusive']);
  const reading = readingOf(given);
  const texts = await surroundings.readManifests([...testPaths, ...manifestPaths]);
  const declared = declaredBy(texts, reading.namespace);
  const tests = await selectedTests(testPaths, declared, surroundings);
  const { predictions, model } = predictAll(tests, declared, reading);
  const problems = [...declared.problems, ...findingProblems(model, declared)];
  sayProblems(problems, surroundings);
  if (problems.some(({ severity }) => severity === 'error')) {
    surroundings.say('postern: nothing is predicted from manifests that are not valid. Correct what is named above.');
    return exitCodes.usage;
  }
  sayAssumptions(declared, given, surroundings);
  const effectOf = effectsOn(tests, declared, reading, predictions);
  const report = reportOf(predictions, declared, surroundings.version, (each) =>
    cureOf(each, { predictions, model, declared, reading, effectOf }),
  );
  surroundings.print(inFormat(format, report, given.flag('verbose')));
  if (given.flag('exit-zero')) return exitCodes.passed;
  if (predictions.length === 0) {
    if (given.flag('allow-empty')) return exitCodes.passed;
    surroundings.say(
      'postern: there is no ConnectivityTest in what was read. Name its file with -f, or write --allow-empty.',
    );
    return exitCodes.nothingSelected;
  }
  return exitCodeFor(report, failOn);
}

function exitCodeFor({ rows }: Report, failOn: ReadonlySet<'violated' | 'inconclusive'>): ExitCode {
  const { failed, inconclusive } = tallyOf(rows);
  if (failed > 0 && failOn.has('violated')) return exitCodes.violated;
  return inconclusive > 0 && failOn.has('inconclusive') ? exitCodes.inconclusive : exitCodes.passed;
}

export function reportOf(
  predictions: readonly LocatedPrediction[],
  declared: Declared,
  version: string,
  cureFor: (prediction: LocatedPrediction) => Cure | undefined,
): Report {
  const { policies, pods } = declared.cluster;
  return {
    predicted: true,
    version,
    basis: `from ${counted(policies.length, 'policy', 'policies')} and ${counted(pods.length, 'pod', 'pods')} as written; nothing was dialled`,
    rows: predictions.map((prediction) => rowOf(prediction, cureFor(prediction))),
  };
}

/** Long enough for any sentence; what is longer is an attack on the reader. */
const maxBytes = 4096;

function rowOf(
  { test, expectation, position, policies, ...prediction }: LocatedPrediction,
  cure: Cure | undefined,
): ReportRow {
  const { namespace, name } = test.metadata;
  const line = (text: string): string => plainText(text, maxBytes);
  const placeOf = (place: Place | undefined): { readonly place?: Place } =>
    place === undefined ? {} : { place: { ...place, file: line(place.file) } };
  return {
    namespace: line(namespace),
    test: line(name),
    expectation: line(expectation.name),
    ...(expectation.description === undefined ? {} : { description: line(expectation.description) }),
    severity: test.spec.severity ?? 'Medium',
    expect: expectation.expect,
    from: line(describeSource(expectation)),
    to: line(`${describeTarget(expectation, namespace)} on ${describePort(expectation)}`),
    verdict: prediction.verdict,
    reason: prediction.reason,
    // A finding says what to do, and may say otherwise than what is true of any policy.
    message: line(`${prediction.message}${cure === undefined ? (prediction.advice ?? '') : ''}`),
    ...placeOf(position),
    policies: policies.map(({ policy, path, direction, position: place }) => ({
      name: line(policyInWords(policy)),
      path: line(path),
      direction,
      ...placeOf(place),
    })),
    ...(cure === undefined
      ? {}
      : {
          finding: {
            ...cure,
            message: line(cure.message),
            ...(cure.at === undefined ? {} : { at: line(cure.at) }),
            edit: cure.edit.map(alignedLine),
            ...(cure.effect === undefined ? {} : { effect: line(cure.effect) }),
            or: cure.or.map(line),
          },
        }),
  };
}
