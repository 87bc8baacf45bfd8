import type { Pod, Policy } from '../api/index.ts';
import { auditCodes, type AuditFinding, auditOf, type AuditSeverity, statementRows } from '../audit/index.ts';
import { editLines } from '../explanation/index.ts';
import { ownerOf } from '../manifests/index.ts';
import { worldOf } from '../prediction/index.ts';
import {
  type AuditReport,
  type AuditRow,
  counted,
  jsonAudit,
  markdownAudit,
  sarifAudit,
  textAudit,
} from '../report/index.ts';
import { escapeUnseen, plainText } from '../text/index.ts';
import { choice } from './arguments.ts';
import { type Command, type ExitCode, exitCodes, type Given, type Surroundings, UsageError } from './command.ts';
import { alignedLine, placesIn } from './explanations.ts';
import { inputOptions, sayAssumptions, selectedTests } from './inputs.ts';
import { outputOption, readingOf, readingOptions } from './options.ts';
import { sayProblems } from './problems.ts';
import { type Declared, declaredBy, type Reading, testedBy } from './world.ts';

const formats = ['text', 'markdown', 'json', 'sarif'] as const;
const severities = ['high', 'medium', 'low'] as const;
const parts = ['findings', 'statement'] as const;

/** `postern audit`: what the policies leave open, and who may reach whom. */
export const auditCommand: Command = {
  name: 'audit',
  summary: 'Say what policies leave open, what in them is in vain, and who may reach whom',
  usage: '[-p MANIFESTS]... [-f TESTS]... [options]',
  description: [
    'Finds namespaces without a default deny, workloads that no policy selects, policies and rules that match nothing, peers whose',
    'namespace lacks the label, and what the policy model cannot read; with tests also what no expectation needs or looks at. Then',
    'says in plain sentences who may reach whom. All of it by the documentation of the policies, with no cluster: it is no evidence.',
    '',
    'Files, folders (searched through) and `-` for standard input are read alike, manifests as well as what `kubectl get` prints of',
    'a live cluster. The tests are those of -f, or of -p if there is no -f. SARIF holds the findings alone.',
    '',
    'Ends with 0 if nothing weighs as much as --fail-on, 1 if a finding does, 2 if a file or an argument is not valid, 3 if no',
    'finding does but the policy model does not know something in a policy, and 4 if there is nothing to audit.',
  ].join('\n'),
  examples: [
    'postern audit -p manifests/ -f tests/',
    'helm template charts/shop | postern audit -p - -o sarif --fail-on high',
    'kubectl get namespaces,all,networkpolicies,connectivitytests -A -o yaml | postern audit -p - --ignore kube-system',
  ],
  options: {
    ...inputOptions,
    output: outputOption(formats),
    ...readingOptions,
    show: {
      type: 'string',
      value: 'PART',
      description: `Only one of ${parts.join(', ')}. Both if absent.`,
    },
    ignore: {
      type: 'string',
      multiple: true,
      value: 'NAMESPACE',
      description:
        'Leave out findings about a namespace, such as kube-system. May be repeated; the statement keeps it.',
    },
    'fail-on': {
      type: 'string',
      value: 'SEVERITY',
      description: `The least of ${severities.join(', ')} that ends with 1. medium if absent.`,
    },
    'exit-zero': { type: 'boolean', description: 'End with 0 whatever is found.' },
  },
  run,
};

async function run(given: Given, surroundings: Surroundings): Promise<ExitCode> {
  const testPaths = given.texts('filename');
  const paths = [...given.texts('manifests'), ...testPaths, ...given.positionals];
  if (paths.length === 0) {
    throw new UsageError('name the manifests, such as `postern audit -p manifests/`, or - for what is piped in.');
  }
  const format = choice('output', given.text('output') ?? 'text', formats);
  const failOn = choice('fail-on', given.text('fail-on') ?? 'medium', severities);
  const shown = given.text('show');
  const show = shown === undefined ? undefined : choice('show', shown, parts);
  const reading = readingOf(given);
  const declared = declaredBy(await surroundings.readManifests(paths), reading.namespace);
  const { pods, namespaces, policies } = declared.cluster;
  sayProblems(declared.problems, surroundings);
  if (declared.problems.some(({ severity }) => severity === 'error')) {
    surroundings.say('postern: nothing is audited of manifests that are not valid. Correct what is named above.');
    return exitCodes.usage;
  }
  sayAssumptions(declared, given, surroundings);
  if (pods.length + namespaces.length + policies.length === 0) {
    surroundings.say('postern: there is no workload, namespace or policy in what was read. Name their files with -p.');
    return given.flag('exit-zero') ? exitCodes.passed : exitCodes.nothingSelected;
  }
  const tests = await selectedTests(testPaths, declared, surroundings);
  const { findings, statement } = auditOf(
    { pods, namespaces, policies, assumed: assumedIn(declared), profile: reading.profile, ownerOf },
    tests.length === 0 ? undefined : testedBy(tests, declared, reading),
  );
  const ignored = new Set(given.texts('ignore'));
  const kept = findings.filter(({ object }) => !ignored.has(namespaceOf(object)));
  const report: AuditReport = {
    version: surroundings.version,
    basis: basisOf(pods, policies, reading),
    ...(show === 'statement' ? {} : { findings: kept.map((finding) => rowOf(finding, declared)) }),
    ...(show === 'findings'
      ? {}
      : { statement: harmless({ ...statementRows(statement), notes: notesOf(pods, reading) }) }),
  };
  surroundings.print(inFormat(format, report));
  return given.flag('exit-zero') ? exitCodes.passed : exitCodeFor(kept, failOn);
}

function inFormat(format: (typeof formats)[number], report: AuditReport): string {
  switch (format) {
    case 'text':
      return textAudit(report);
    case 'markdown':
      return markdownAudit(report);
    case 'json':
      return escapeUnseen(jsonAudit(report));
    case 'sarif':
      return escapeUnseen(sarifAudit(report));
  }
}

/** What the policy model does not know may hide anything, so that it is no pass and no finding either. */
function exitCodeFor(findings: readonly AuditFinding[], failOn: (typeof severities)[number]): ExitCode {
  const counted: readonly AuditSeverity[] =
    failOn === 'high' ? ['High'] : failOn === 'medium' ? ['High', 'Medium'] : ['High', 'Medium', 'Low'];
  const isHeavy = findings.some(({ code, severity }) => code !== 'PolicyNotModelled' && counted.includes(severity));
  if (isHeavy) return exitCodes.violated;
  return findings.some(({ code }) => code === 'PolicyNotModelled') ? exitCodes.inconclusive : exitCodes.passed;
}

/** The cluster's resolver, where none was read: every pod asks it for names. */
function assumedIn({ cluster }: Declared) {
  const { pods, namespaces, policies, view } = cluster;
  const own = new Set(pods);
  return worldOf({ pods, namespaces, policies }, [], view).pods.filter((pod) => !own.has(pod));
}

function namespaceOf({ kind, namespace, name }: AuditFinding['object']): string {
  return kind === 'Namespace' ? name : (namespace ?? '');
}

function basisOf(pods: readonly Pod[], policies: readonly Policy[], { profile }: Reading): string {
  const plugin = profile === undefined ? '' : `, as done by ${profile}`;
  return `from ${policies.length} policies and ${pods.length} pods as written${plugin}; nothing was dialled`;
}

function notesOf(pods: readonly Pod[], { profile }: Reading): readonly string[] {
  const finished = pods.filter(({ status }) => status?.phase === 'Succeeded' || status?.phase === 'Failed');
  return [
    `Predicted from what was read${profile === undefined ? '' : `, as ${profile} does it`}: pods that were not read are not spoken of. A pod's own node may always reach it, and answers to what is admitted need no rule.`,
    ...(finished.length === 0 ? [] : [`Left out: ${counted(finished.length, 'finished pod', 'finished pods')}.`]),
  ];
}

const maxBytes = 4096;

function rowOf(
  { code, severity, object, path, nearby = [], directions, message, edit }: AuditFinding,
  declared: Declared,
): AuditRow {
  const { inventory } = declared;
  const line = (text: string): string => plainText(text, maxBytes);
  const [near] = nearby.flatMap((reference) => inventory.originOf(reference)?.at('') ?? []);
  const position = inventory.originOf(object)?.at(path) ?? near;
  const { kind, namespace, name } = object;
  return {
    code,
    title: auditCodes[code],
    severity,
    kind: line(kind),
    ...(namespace === undefined ? {} : { namespace: line(namespace) }),
    name: line(name),
    path: line(path),
    directions,
    message: line(message),
    ...(position === undefined
      ? {}
      : { place: { file: line(position.file), line: position.line, column: position.column } }),
    edit: edit === undefined ? [] : editLines(edit, placesIn(declared)).map(alignedLine),
  };
}

/** A copy in which every text is one line that is safe to show. */
function harmless<T>(value: T): T {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- texts become texts, and nothing else changes
  return harmlessValue(value) as T;
}

function harmlessValue(value: unknown): unknown {
  if (typeof value === 'string') return plainText(value, maxSentenceBytes);
  if (Array.isArray(value)) return value.map(harmlessValue);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, harmlessValue(member)]));
}

/** A sentence may name every workload of a large cluster, and what is cut off would be missing from the statement. */
const maxSentenceBytes = 2 ** 24;
