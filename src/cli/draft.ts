import { draftPolicies, type DraftedTest, draftTests, yamlOf } from '../draft/index.ts';
import { counted } from '../report/index.ts';
import { plainText } from '../text/index.ts';
import { type Command, type ExitCode, exitCodes, type Given, type Surroundings, UsageError } from './command.ts';
import { findingProblems, inputOptions, selectedTests } from './inputs.ts';
import { readingOf, readingOptions } from './options.ts';
import { sayProblems } from './problems.ts';
import { type Declared, declaredBy, predictAll, type Reading } from './world.ts';

/** `postern draft`: first drafts of tests from policies, and of policies from tests. */
export const draftCommand: Command = {
  name: 'draft',
  summary: 'Propose tests from policies, or the least policies that tests need',
  usage: 'tests|policies [-f TESTS]... [-p MANIFESTS]... [options]',
  description: [
    '`draft tests` proposes a ConnectivityTest per namespace from the policies in manifests: an Allow for each connection between',
    'workloads that a rule admits at a declared port, and next to it the Denies that matter: the same door from the three workloads',
    'of its namespace, and the one of another, that are most like the admitted ones. Every line is a dry run, since a test drafted',
    'from policies proves only that they do what they say. Read each, and take `dryRun` away from what is meant.',
    '',
    '`draft policies` proposes the least NetworkPolicies that tests need: one per workload, which admits its Allows and nothing else,',
    'for the namespaces that have tests. Policies in the manifests stay in force beside them, unless --replace is written. Nothing',
    'is printed that the policy model does not confirm.',
    '',
    'Ends with 0 if something was drafted, 1 if no policies can do what the tests say, 2 if a file or an argument is not valid, and 4',
    'if there is nothing to draft from.',
  ].join('\n'),
  examples: [
    'postern draft tests -p manifests/ > tests/drafted.yaml',
    'kubectl get ns,deploy,sts,ds,svc,netpol -A -o yaml | postern draft tests -p - --in shop',
    'postern draft policies -f tests/ -p manifests/ --replace',
  ],
  options: {
    filename: {
      ...inputOptions.filename,
      description: 'For `draft policies`: file or folder with tests, or -. Those of -p if absent. May be repeated.',
    },
    manifests: inputOptions.manifests,
    in: {
      type: 'string',
      multiple: true,
      value: 'NAMESPACE',
      description: 'For `draft tests`: only connections that begin in this namespace. May be repeated.',
    },
    replace: {
      type: 'boolean',
      description: 'For `draft policies`: leave out the NetworkPolicies of the namespaces that get drafted ones.',
    },
    ...readingOptions,
  },
  run,
};

async function run(given: Given, surroundings: Surroundings): Promise<ExitCode> {
  const [what, ...others] = given.positionals;
  const testPaths = given.texts('filename');
  const paths = [...testPaths, ...given.texts('manifests')];
  if ((what !== 'tests' && what !== 'policies') || others.length > 0 || paths.length === 0) {
    throw new UsageError(
      'say what to draft and from which manifests, such as `postern draft tests -p manifests/` or `postern draft policies -f tests/ -p manifests/`.',
    );
  }
  if (what === 'tests' && (testPaths.length > 0 || given.flag('replace'))) {
    throw new UsageError('tests are drafted from policies alone: leave -f and --replace out.');
  }
  if (what === 'policies' && given.texts('in').length > 0) {
    throw new UsageError(
      'policies are drafted for the namespaces that the tests are in: leave --in out, and name the tests.',
    );
  }
  const reading = readingOf(given);
  const declared = declaredBy(await surroundings.readManifests(paths), reading.namespace);
  // The same complaints as of `postern check`: nothing is drafted from half of the manifests.
  const { model } = predictAll([], declared, reading);
  const problems = [...declared.problems, ...findingProblems(model, declared)];
  sayProblems(problems, surroundings);
  if (problems.some(({ severity }) => severity === 'error')) {
    surroundings.say('postern: nothing is drafted from manifests that are not valid. Correct what is named above.');
    return exitCodes.usage;
  }
  return what === 'tests'
    ? runTests(given, declared, reading, surroundings)
    : runPolicies(given, declared, reading, surroundings);
}

const maxBytes = 4096;

function say(sentences: readonly string[], surroundings: Surroundings): void {
  for (const sentence of sentences) surroundings.say(`postern: ${plainText(sentence, maxBytes)}`);
}

function runTests(given: Given, declared: Declared, reading: Reading, surroundings: Surroundings): ExitCode {
  const wanted = new Set(given.texts('in'));
  const isWanted = (namespace: string): boolean => wanted.size === 0 || wanted.has(namespace);
  const { tests, leftOut } = draftTests(declared.cluster, reading, isWanted);
  if (tests.length === 0) {
    const reason =
      'nothing is drafted: no policy decides about a connection between these workloads at a declared port.';
    say([reason, ...leftOut.map((each) => `left out: ${each}`)], surroundings);
    return exitCodes.nothingSelected;
  }
  const { policies, pods } = declared.cluster;
  const head = [
    `Drafted by postern ${surroundings.version} from ${counted(policies.length, 'policy', 'policies')} and ${counted(pods.length, 'pod', 'pods')} as written: what the policies say, not what they should say.`,
    'Read each line, and take `dryRun` away from what is meant; what is not meant is a mistake of a policy.',
    ...bounded(leftOut.map((each) => `Left out: ${each}`)),
  ];
  surroundings.print(
    yamlOf(
      tests.map(({ test, ...each }, index) => ({
        comments: [...(index === 0 ? head : []), ...controlNotes(each)],
        object: test,
      })),
    ),
  );
  return exitCodes.passed;
}

const mostLines = 40;

function bounded(lines: readonly string[]): readonly string[] {
  if (lines.length <= mostLines) return lines;
  return [...lines.slice(0, mostLines), `Left out: ${lines.length - mostLines} more.`];
}

function controlNotes({ withoutControl, withoutSender }: Omit<DraftedTest, 'test'>): readonly string[] {
  return [
    ...(withoutControl.length === 0
      ? []
      : [
          `To be proved on the wire, these Denies need somebody who shows that the target answers, by \`control.from\`, by an Allow or by a readiness probe on that port: ${withoutControl.join(', ')}.`,
        ]),
    ...(withoutSender.length === 0
      ? []
      : [
          `No Allow of this test shows that the sources of these Denies can send at all. They are proved only where another probe pod on their node connects; an Allow to \`dns: {name: kubernetes.default.svc}\` proves it everywhere, where names may be resolved: ${withoutSender.join(', ')}.`,
        ]),
  ];
}

async function runPolicies(
  given: Given,
  declared: Declared,
  reading: Reading,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const tests = await selectedTests(given.texts('filename'), declared, surroundings);
  if (tests.length === 0) {
    say(['there is no ConnectivityTest in what was read. Name its file with -f.'], surroundings);
    return exitCodes.nothingSelected;
  }
  const { policies, notes, problems } = draftPolicies(tests, declared.cluster, {
    ...reading,
    replaces: given.flag('replace'),
  });
  if (problems.length > 0) {
    say(
      [...problems, 'no policies are drafted: the policy model does not confirm a set that does what the tests say.'],
      surroundings,
    );
    return exitCodes.violated;
  }
  const count = tests.reduce((sum, { spec }) => sum + spec.expectations.length, 0);
  if (policies.length === 0) {
    say([`none of the ${count} expectations needs a NetworkPolicy in the namespaces of its test.`], surroundings);
    return exitCodes.nothingSelected;
  }
  const head = [
    `Drafted by postern ${surroundings.version} from ${count} expectations. The policy model confirms each of them, and that nothing else connects to or from these pods but what is named here:`,
    'The nodes reach their own pods, as always.',
    ...bounded(notes),
  ];
  surroundings.print(yamlOf(policies.map((object, index) => ({ comments: index === 0 ? head : [], object }))));
  return exitCodes.passed;
}
