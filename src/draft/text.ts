import { Document, isMap, isScalar, isSeq, parse, Scalar, visit } from 'yaml';
import { escapeUnseen, plainText } from '../text/index.ts';

/** A YAML document with comment lines above it. */
export interface Written {
  readonly comments: readonly string[];
  readonly object: object;
}

const lineWidth = 120;

/** Several documents as one YAML text, which kubectl and `postern check` read alike. */
export function yamlOf(documents: readonly Written[]): string {
  const known = new Map<string, boolean>();
  const isPlain = (text: string): boolean => {
    const found = known.get(text) ?? isReadAlike(text);
    known.set(text, found);
    return found;
  };
  return documents
    .map((document) => documentOf(document, isPlain))
    .join('---\n')
    .trimEnd();
}

function documentOf({ comments, object }: Written, isPlain: (text: string) => boolean): string {
  const document = new Document(object, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar: (_, node) => {
      if (typeof node.value === 'string' && !isPlain(node.value)) node.type = Scalar.QUOTE_DOUBLE;
    },
    Pair: (_, { key, value }) => {
      if (!isScalar(key) || !(isMap(value) || isSeq(value))) return;
      const name = String(key.value);
      value.flow = isMap(value) ? shortMaps.has(name) : shortLists.has(name);
    },
  });
  // What is not seen stands in double quotes, where JSON's notation is YAML's too.
  const above = comments.flatMap(commentLines).map((line) => `# ${line}\n`);
  return `${above.join('')}${escapeUnseen(document.toString({ lineWidth }))}`;
}

/** What reads best in one line. */
const shortMaps: ReadonlySet<string> = new Set([
  'metadata',
  'from',
  'to',
  'udp',
  'podSelector',
  'namespaceSelector',
  'ipBlock',
]);
const shortLists: ReadonlySet<string> = new Set(['policyTypes', 'ports']);

/**
 * Whether every YAML that clients speak takes an unquoted text for just that text, to kubectl `on` is a boolean, and whether it
 * is shown as it is.
 */
function isReadAlike(text: string): boolean {
  if (text.includes('\n') || escapeUnseen(text) !== text) return false;
  // No number, date or word with a meaning of its own begins with a letter and has one of these.
  if (/^[A-Za-z].*[- /]/.test(text)) return true;
  try {
    // What YAML 1.2 takes for something else is quoted by the writer itself.
    return parse(text, { version: '1.1', logLevel: 'silent' }) === text;
  } catch {
    return false;
  }
}

const longestComment = 1024;

function commentLines(text: string): readonly string[] {
  const words = plainText(text, longestComment).split(' ');
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length + 3 > lineWidth)
      lines.push(lines.length === 0 ? word : `  ${word}`);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
