import { editLines, explanationLines, findingCodes, type PlaceInWords } from '../explanation/index.ts';
import { describePort, describeSource, describeTarget } from '../plan/index.ts';
import type { PolicyPart } from '../policy/index.ts';
import { escapeUnseen, plainText } from '../text/index.ts';
import { choice } from './arguments.ts';
import { type Command, type ExitCode, exitCodes, type Given, type Surroundings, UsageError } from './command.ts';
import { effectInWords, effectsOn } from './edit-effect.ts';
import { flowLogCommand } from './flow-logs.ts';
import { alignedLine, placesIn, type TriedExplanation, triedExplanationOf } from './explanations.ts';
import { findingProblems, inputOptions, selectedTests } from './inputs.ts';
import { outputOption, readingOf, readingOptions } from './options.ts';
import { sayProblems } from './problems.ts';
import { declaredBy, type LocatedPrediction, predictAll, type Reading } from './world.ts';

const formats = ['text', 'json'] as const;

/** `postern explain`: why an expectation is predicted as it is, and what to change. */
export const explainCommand: Command = {
  name: 'explain',
  summary: 'Say why an expectation passes or fails, and which edit would cure it',
  usage: '[-f TESTS]... [-p MANIFESTS]... [[NAMESPACE/]TEST/]EXPECTATION [options]',
  description: [
    'Says for one expectation which policies restrict each side, which rule admits the connection or which rules come near, what is',
    'probably wrong, and the edit that cures it. Every edit was tried on the policy model, where it opens or closes this connection in',
    'the direction that it is about. Those that are shown first, 20 at most, were tried on all expectations of the given tests, too:',
    'the line `effect` says which of them turn or break, and how many connections open and close; `postern diff` shows which.',
    '',
    'Without the name of an expectation, every one that is not predicted to pass is explained.',
    '',
    'Ends with 0 if something was explained, 2 if a file or an argument is not valid, and 4 if there is nothing to explain.',
  ].join('\n'),
  examples: [
    'postern explain -f tests/ -p manifests/ checkout/web-reaches-api',
    'kustomize build overlays/production | postern explain -f tests/ -p -',
  ],
  options: {
    ...inputOptions,
    output: outputOption(formats),
    ...readingOptions,
  },
  run,
};

interface Explained {
  readonly prediction: LocatedPrediction;
  readonly explanation: TriedExplanation | undefined;
}

async function run(given: Given, surroundings: Surroundings): Promise<ExitCode> {
  const [wanted, ...others] = given.positionals;
  const testPaths = given.texts('filename');
  const paths = [...testPaths, ...given.texts('manifests')];
  if (paths.length === 0 || others.length > 0) {
    throw new UsageError(
      'name the tests, the manifests and one expectation, such as `postern explain -f tests/ -p manifests/ TEST/EXPECTATION`.',
    );
  }
  const format = choice('output', given.text('output') ?? 'text', formats);
  const reading = readingOf(given);
  const declared = declaredBy(await surroundings.readManifests(paths), reading.namespace);
  const tests = await selectedTests(testPaths, declared, surroundings);
  const { predictions, model } = predictAll(tests, declared, reading);
  const problems = [...declared.problems, ...findingProblems(model, declared)];
  sayProblems(problems, surroundings);
  if (problems.some(({ severity }) => severity === 'error')) {
    surroundings.say('postern: nothing is explained from manifests that are not valid. Correct what is named above.');
    return exitCodes.usage;
  }
  const chosen =
    wanted === undefined ? predictions.filter(isOpen) : predictions.filter((each) => isNamed(each, wanted));
  if (chosen.length === 0) {
    surroundings.say(nothingToExplain(wanted, predictions));
    return exitCodes.nothingSelected;
  }
  const effectOf = effectsOn(tests, declared, reading, predictions);
  const predicted = { predictions, model, declared, reading, effectOf };
  const explained = chosen.map((prediction) => ({
    prediction,
    explanation: triedExplanationOf(prediction, predicted),
  }));
  const place = placesIn(declared);
  surroundings.print(
    format === 'json'
      ? escapeUnseen(
          JSON.stringify(
            explained.map((each) => asJSON(each, place)),
            null,
            2,
          ),
        )
      : explained.map((each) => asText(each, place, reading)).join('\n\n'),
  );
  return exitCodes.passed;
}

function isOpen({ verdict }: LocatedPrediction): boolean {
  return verdict === 'Failed' || verdict === 'Inconclusive';
}

/** By the expectation's name alone, with its test's, or with the namespace too. */
function isNamed({ test, expectation }: LocatedPrediction, wanted: string): boolean {
  const full = `/${test.metadata.namespace}/${test.metadata.name}/${expectation.name}`;
  return full.endsWith(`/${wanted}`);
}

function nothingToExplain(wanted: string | undefined, predictions: readonly LocatedPrediction[]): string {
  if (wanted === undefined) {
    return predictions.length === 0
      ? 'postern: there is no ConnectivityTest in what was read. Name its file with -f.'
      : 'postern: every expectation is predicted to pass. Name one to have it explained.';
  }
  const names = predictions.map(({ test, expectation }) => `${test.metadata.name}/${expectation.name}`);
  const there = names.length === 0 ? 'no expectation at all' : names.slice(0, 10).join(', ');
  return `postern: there is no expectation ${plainText(wanted, maxBytes)}. There is: ${plainText(there, maxBytes)}.`;
}

const maxBytes = 4096;

function asText({ prediction, explanation }: Explained, place: PlaceInWords, { profile }: Reading): string {
  const { test, expectation, verdict, reason, message } = prediction;
  const { namespace, name } = test.metadata;
  const to = `${describeTarget(expectation, namespace)} on ${describePort(expectation)}`;
  const flows =
    explanation === undefined || prediction.question === undefined
      ? undefined
      : flowLogCommand(profile, explanation, prediction.question);
  const lines = [
    `${verdict.toUpperCase()} (PREDICTED)  ${namespace}/${name}: ${expectation.name}`,
    `expected      ${expectation.expect}: ${describeSource(expectation)} -> ${to}`,
    ...(profile === undefined ? [] : [`as done by    ${profile}`]),
    ...(explanation === undefined
      ? [`predicted     ${reason}: ${message}`]
      : [
          // What the plan has to say is not among the policies.
          ...(prediction.question === undefined ? [`predicted     ${reason}: ${message}`] : []),
          ...explanationLines(explanation, place, (edit) => {
            const effect = explanation.effectOf(edit);
            return effect && effectInWords(effect);
          }),
        ]),
    ...(flows === undefined ? [] : [`flow logs     ${flows}`]),
  ];
  return lines.map(alignedLine).join('\n');
}

/** Fields may be added; none changes its meaning while `format` is the same. */
function asJSON({ prediction, explanation }: Explained, place: PlaceInWords): unknown {
  const { test, expectation, verdict, reason, message } = prediction;
  const { namespace, name } = test.metadata;
  const head = { format: 'postern-explanation/v1', namespace, test: name, expectation: expectation.name };
  const outcome = { predicted: true, expect: expectation.expect, verdict, reason, message };
  if (explanation === undefined) return { ...head, ...outcome };
  const { question, answer, source, destination, egress, ingress, findings, together } = explanation;
  const sideOf = ({ name: side, namespace, labels, namespaceLabels, hostNetwork }: typeof source) => ({
    name: side,
    namespace,
    labels,
    namespaceLabels,
    hostNetwork,
  });
  const partOf = ({ policy, path }: PolicyPart) => ({ policy, path, place: place(policy, path) });
  const directionOf = ({ answer, basis, isolatedBy, decidedBy, rejected }: typeof egress) => ({
    answer,
    reason: basis.reason,
    open: basis.open,
    isolatedBy: isolatedBy.map(partOf),
    decidedBy: decidedBy.map(partOf),
    rejected: rejected.map(({ failed, distance, ...part }) => ({
      ...partOf(part),
      distance,
      failed: failed.map(({ kind, path }) => ({ kind, path })),
    })),
  });
  return {
    ...head,
    ...outcome,
    question,
    answer,
    source: sideOf(source),
    destination: sideOf(destination),
    egress: directionOf(egress),
    ingress: directionOf(ingress),
    findings: findings.map(({ part, edits, ...finding }, index) => ({
      ...finding,
      title: findingCodes[finding.code],
      edits: edits.map((edit) => ({
        ...edit,
        lines: editLines(edit, place),
        // What is less likely is not tried on the other expectations.
        ...(index === 0 ? { effect: explanation.effectOf(edit) } : {}),
      })),
      ...(part === undefined ? {} : partOf(part)),
    })),
    ...(together === undefined ? {} : { together: { ...together, effect: explanation.effectOf(together) } }),
  };
}
