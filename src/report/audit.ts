import { markdown, tableRow } from './markdown.ts';
import { counted, placeWords, type Place } from './report.ts';
import { locationOf, sarifLog } from './sarif.ts';

/** One finding of an audit. Every text is one line that is safe to show in a terminal. */
export interface AuditRow {
  readonly code: string;
  /** What the code means, in words. */
  readonly title: string;
  readonly severity: 'High' | 'Medium' | 'Low';
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  /** Such as `spec.ingress[0]`; empty for the object itself. */
  readonly path: string;
  readonly directions: readonly string[];
  readonly message: string;
  readonly place?: Place;
  /** What to write, line by line; empty where that cannot be told. */
  readonly edit: readonly string[];
}

/** What may reach some workloads, or what these may reach outside of the cluster, as data and as a sentence. */
export interface StatementRow {
  readonly namespace: string;
  readonly workloads: readonly WorkloadRow[];
  /** What is not admitted is denied. */
  readonly admitted: readonly {
    readonly peers: readonly PeerRow[];
    /** Which pods, where one side uses the host network. */
    readonly place: 'Any' | 'SameNode' | 'OtherNode' | 'NodeUnknown';
    readonly ports: readonly { readonly protocol: string; readonly first: number; readonly last: number }[];
    readonly answer: 'allow' | 'undefined' | 'unknown';
    readonly because: readonly string[];
  }[];
  readonly sentence: string;
}

export interface WorkloadRow {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** The pods that are meant, where it is not all of them. */
  readonly pods?: readonly string[];
  /** It was not read, but taken for granted. */
  readonly assumed?: true;
}

/** `Cluster` and `Namespace` are every workload there, `Self` another pod of the same workload. */
export type PeerRow =
  | { readonly kind: 'Cluster' | 'Self' }
  | { readonly kind: 'Namespace'; readonly namespace: string }
  | { readonly kind: 'Workload'; readonly workload: WorkloadRow }
  | { readonly kind: 'Outside'; readonly addresses: readonly { readonly first: string; readonly last: string }[] };

export interface AuditReport {
  readonly version: string;
  /** What the audit rests on, in words. */
  readonly basis: string;
  /** Absent where they are not asked for. */
  readonly findings?: readonly AuditRow[];
  readonly statement?: {
    readonly inbound: readonly StatementRow[];
    readonly outbound: readonly StatementRow[];
    readonly notes: readonly string[];
  };
}

export interface AuditTally {
  readonly high: number;
  readonly medium: number;
  readonly low: number;
}

export function auditTally(findings: readonly Pick<AuditRow, 'severity'>[]): AuditTally {
  const count = (wanted: AuditRow['severity']): number => findings.filter(({ severity }) => severity === wanted).length;
  return { high: count('High'), medium: count('Medium'), low: count('Low') };
}

/** One line that scripts may read: `5 findings: 1 high, 2 medium, 2 low`; without findings only what the audit rests on. */
function summaryOf({ findings, basis }: AuditReport): string {
  if (findings === undefined) return basis;
  const { high, medium, low } = auditTally(findings);
  const what = counted(findings.length, 'finding', 'findings');
  return `${what}: ${high} high, ${medium} medium, ${low} low (${basis})`;
}

/** For people: the findings, then the statement by namespace, and the summary as the last line. */
export function textAudit(report: AuditReport): string {
  const { findings = [], statement } = report;
  return [
    ...findings.map((finding, index) => findingBlock(finding, findings.slice(0, index))),
    ...(statement === undefined
      ? []
      : [...sentencesOf(statement).flatMap((sentence) => [...wrapped(sentence), '']), ...statement.notes, '']),
    summaryOf(report),
  ].join('\n');
}

/** A longer edit in full where it comes first; those of the same code differ in names alone. */
function findingBlock(finding: AuditRow, earlier: readonly AuditRow[]): string {
  const { severity, code, kind, namespace, name, message, place } = finding;
  const isKnown = finding.edit.length > mostRepeated && earlier.some((each) => each.code === code);
  const edit = isKnown ? ['as above, with the names of this one (-o json shows it)'] : finding.edit;
  const head = `${severity.toUpperCase()}  ${code}: ${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
  return [
    place === undefined ? head : `${head}  ${placeWords(place)}`,
    `  ${message}`,
    ...edit.map((line, index) => `  ${index === 0 ? 'edit ' : '     '}  ${line}`),
    '',
  ].join('\n');
}

const mostRepeated = 10;

/** Inbound and outbound of one namespace together. */
function sentencesOf({ inbound, outbound }: NonNullable<AuditReport['statement']>): readonly string[] {
  const namespaces = [...new Set([...inbound, ...outbound].map(({ namespace }) => namespace))].toSorted();
  return namespaces.flatMap((wanted) =>
    [...inbound, ...outbound].filter(({ namespace }) => namespace === wanted).map(({ sentence }) => sentence),
  );
}

const width = 120;

/** A sentence over as many lines as it takes. */
function wrapped(sentence: string): readonly string[] {
  const lines = [''];
  for (const word of sentence.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && line.length + word.length >= width) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}

/** For a pull request or a wiki: a table of what was found, and the statement as a list. */
export function markdownAudit(report: AuditReport): string {
  const { findings = [], statement } = report;
  return [
    `**Postern:** ${markdown(summaryOf(report))}`,
    ...(findings.length === 0
      ? []
      : ['', '| Severity | Finding | Where | What to do |', '| --- | --- | --- | --- |', ...findings.map(findingRow)]),
    ...(statement === undefined
      ? []
      : [
          '',
          '**Who may reach whom**',
          '',
          ...sentencesOf(statement).map((sentence) => `- ${markdown(sentence)}`),
          '',
          ...statement.notes.map((note) => `_${markdown(note)}_`),
        ]),
  ].join('\n');
}

function findingRow({ severity, code, kind, namespace, name, message, place }: AuditRow): string {
  const where = `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
  return tableRow([
    severity,
    code,
    `${markdown(where)}${place === undefined ? '' : `<br>${markdown(placeWords(place))}`}`,
    markdown(message),
  ]);
}

/** For programs; see `jsonReport` about `format`. */
export function jsonAudit({ version, basis, findings, statement }: AuditReport): string {
  const content = {
    format: 'postern-audit/v1',
    predicted: true,
    version,
    basis,
    ...(findings === undefined ? {} : { summary: auditTally(findings), findings }),
    ...(statement === undefined ? {} : { statement }),
  };
  return JSON.stringify(content, null, 2);
}

const levels = { High: 'error', Medium: 'warning', Low: 'note' } as const;

/** SARIF 2.1.0, for code scanning: each finding at the line of the policy, workload or namespace that it is about. */
export function sarifAudit({ version, findings = [] }: AuditReport): string {
  const rules = new Map(findings.map(({ code, title }) => [code, { id: code, shortDescription: { text: title } }]));
  return sarifLog(version, [...rules.values()], findings.map(resultOf));
}

function resultOf({ code, severity, kind, namespace = '', name, path, message, place, edit }: AuditRow): object {
  return {
    ruleId: code,
    level: levels[severity],
    message: { text: edit.length === 0 ? message : `${message}\n\n${edit.join('\n')}` },
    locations: place === undefined ? [] : [locationOf(place)],
    // One result per object and field, whatever its message says: an alert then stays the same alert.
    partialFingerprints: { 'postern/v1': [code, kind, namespace, name, path].join('/') },
  };
}
