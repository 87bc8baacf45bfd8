import { type Document, isCollection, LineCounter, parseAllDocuments, type ScalarTag, type Tags, visit } from 'yaml';
import { type Origin, originOf, type Position, positionAt, type Problem } from './origin.ts';

/** A text with the name by which its reader knows it: a path, or `standard input`. */
export interface ManifestText {
  readonly file: string;
  readonly text: string;
}

/** A document that is a map; nothing is known about its fields yet. */
export interface RawObject {
  readonly value: Readonly<Record<string, unknown>>;
  readonly origin: Origin;
}

export interface RawManifests {
  readonly objects: readonly RawObject[];
  readonly problems: readonly Problem[];
}

/**
 * The words that kubectl's parser takes for booleans (YAML 1.1, https://yaml.org/type/bool.html). Read here as it reads
 * them: a label `tier: on` is refused by the API server, and a test that passed offline could not be applied.
 */
const kubectlBoolean: ScalarTag = {
  tag: 'tag:yaml.org,2002:bool',
  default: true,
  identify: (value) => typeof value === 'boolean',
  test: /^(?:y|Y|yes|Yes|YES|n|N|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$/,
  resolve: (text) => /^(?:y|yes|true|on)$/i.test(text),
};

/**
 * The objects of a YAML or JSON text: several documents, and the items of Lists. Never throws; what cannot be read is a
 * problem at its line.
 */
export function readManifests({ file, text }: ManifestText): RawManifests {
  const lines = new LineCounter();
  const objects: RawObject[] = [];
  const problems: Problem[] = [];
  for (const document of documentsOf(text, lines)) {
    const at = (offset: number): Position => positionAt(file, offset, lines);
    const fault = faultOf(document, text);
    if (fault !== undefined) {
      // One word about a template is enough; every document of it would say the same.
      if (problems.some(({ message }) => message === renderFirst) && fault.message === renderFirst) continue;
      problems.push({ severity: 'error', position: at(fault.offset), message: fault.message });
      continue;
    }
    const root = document.contents;
    if (root === null) continue;
    try {
      const value: unknown = document.toJS();
      // A document of comments alone, as `helm template` prints for what is turned off.
      if (value === null) continue;
      collect(value, originOf(file, root, lines, templateOf(document)), objects, problems);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      problems.push({
        severity: 'error',
        position: at(root.range?.[0] ?? 0),
        message: `This document cannot be read: ${reason}.`,
      });
    }
  }
  return { objects, problems };
}

interface Fault {
  readonly offset: number;
  readonly message: string;
}

function documentsOf(text: string, lines: LineCounter): readonly Document.Parsed[] {
  const bools = (tags: Tags): Tags => [
    kubectlBoolean,
    ...tags.filter((tag) => tag !== 'bool' && (typeof tag === 'string' || tag.tag !== kubectlBoolean.tag)),
  ];
  const found = parseAllDocuments(text, {
    lineCounter: lines,
    merge: true,
    customTags: bools,
    prettyErrors: false,
    logLevel: 'error',
  });
  return 'empty' in found ? [] : found;
}

function faultOf(document: Document.Parsed, text: string): Fault | undefined {
  const [start, , end] = document.range;
  const braces = text.slice(start, end).includes('{{');
  const [error] = document.errors;
  if (error !== undefined) {
    const [offset] = error.pos;
    const template = braces ? templateNear(text, start, offset) : undefined;
    return template ?? { offset, message: sentenceFor(error.code, error.message) };
  }
  return braces ? templateKey(document) : undefined;
}

const renderFirst =
  'This is a template, not a manifest: render it first, such as `helm template … | postern check -p - -f tests/`.';

/** A broken document with `{{` on or before the line where it breaks is a template that nobody rendered. */
function templateNear(text: string, start: number, offset: number): Fault | undefined {
  const lineEnd = text.indexOf('\n', offset);
  const before = text.slice(start, lineEnd === -1 ? text.length : lineEnd);
  const last = before.lastIndexOf('{{');
  return last === -1 ? undefined : { offset: start + last, message: renderFirst };
}

/** `name: {{ .Values.name }}` is valid YAML: a map whose key is a map, which no manifest has. */
function templateKey(document: Document.Parsed): Fault | undefined {
  let fault: Fault | undefined;
  visit(document, {
    Pair: (_, { key }) => {
      if (!isCollection(key)) return undefined;
      fault = { offset: key.range?.[0] ?? 0, message: renderFirst };
      return visit.BREAK;
    },
  });
  return fault;
}

function sentenceFor(code: string, message: string): string {
  switch (code) {
    case 'TAB_AS_INDENT':
      return 'A tab stands where YAML wants blanks: indent with blanks.';
    case 'DUPLICATE_KEY':
      return 'This key is written twice in one map, and only one of them could count: keep one.';
    default:
      return `This is not valid YAML: ${message}.`.replace(/\.\.$/, '.');
  }
}

/** What `helm template` writes above each document. */
function templateOf({ commentBefore, contents }: Document.Parsed): string | undefined {
  const comment = [commentBefore, contents?.commentBefore].filter((each) => each != null).join('\n');
  return /^\s*Source: (\S+)\s*$/m.exec(comment)?.[1];
}

function collect(value: unknown, origin: Origin, objects: RawObject[], problems: Problem[]): void {
  if (!isRecord(value)) {
    problems.push({
      severity: 'error',
      position: origin.at(''),
      message: 'This is not a Kubernetes object: it wants a map with `apiVersion`, `kind` and `metadata`.',
    });
    return;
  }
  const { kind, items } = value;
  if (typeof kind !== 'string' || !kind.endsWith('List') || !Array.isArray(items)) {
    objects.push({ value, origin });
    return;
  }
  for (const [index, item] of items.entries()) {
    collect(item, within(origin, `items[${index}]`), objects, problems);
  }
}

function within(origin: Origin, prefix: string): Origin {
  return { ...origin, ...origin.at(prefix), at: (path) => origin.at(`${prefix}.${path}`) };
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
