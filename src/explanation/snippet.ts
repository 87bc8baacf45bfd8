import { stringify } from 'yaml';
import { segmentsOf } from '../policy/index.ts';
import { type Change, type Edit, isRecord, keyOf, type ObjectReference } from './edit.ts';

/** How a sentence names a field of an object, such as with its file and line. */
export type PlaceInWords = (object: ObjectReference, path: string) => string;

/**
 * An edit as lines to follow: per change where it is made, and the YAML there with `-|` before what goes and `+|` before what
 * comes, since a dash alone is YAML too. A new object is plain YAML, to be copied as it is.
 */
export function editLines({ changes }: Edit, place: PlaceInWords): readonly string[] {
  const move = movedBy(changes);
  if (move !== undefined) {
    return [
      place(move.from, 'metadata.namespace'),
      `  -| namespace: ${move.from.namespace}`,
      `  +| namespace: ${move.to.namespace}`,
    ];
  }
  return changes.flatMap((change) => changeLines(change, place));
}

function changeLines({ object, path, before, after }: Change, place: PlaceInWords): readonly string[] {
  if (path === '' && after === undefined) return [`delete ${place(object, path)}`];
  if (path === '') return [`add ${object.kind} ${object.namespace}/${object.name}:`, ...indented(yamlLines(after))];
  // Where a field comes or goes as a whole, nothing beside it shows where it belongs.
  const isAlone = before === undefined || after === undefined;
  return [place(object, path), ...indented(difference(yamlOf(path, before, isAlone), yamlOf(path, after, isAlone)))];
}

/** A whole object that goes from one namespace and comes, the same, to another. */
function movedBy(
  changes: readonly Change[],
): { readonly from: ObjectReference; readonly to: ObjectReference } | undefined {
  const [gone, come] = changes;
  if (changes.length !== 2 || gone === undefined || come === undefined) return undefined;
  const isMove = gone.path === '' && come.path === '' && gone.after === undefined && come.before === undefined;
  return isMove && gone.object.name === come.object.name && keyOf(gone.object) !== keyOf(come.object)
    ? { from: gone.object, to: come.object }
    : undefined;
}

/** The field with its key, as it stands in the object, within its parent's key where it would say too little by itself. */
function yamlOf(path: string, value: unknown, isAlone: boolean): readonly string[] {
  const segments = segmentsOf(path);
  const [parent = '', key = ''] = segments.slice(-2);
  const isItem = /^\d+$/.test(key);
  const written = value === undefined ? undefined : isItem ? [value] : { [key]: value };
  const isWithParent = segments.length > 1 && !/^\d+$/.test(parent) && (isItem || isAlone);
  if (!isWithParent) return written === undefined ? [] : yamlLines(written);
  return written === undefined ? [`${parent}:`] : yamlLines({ [parent]: written });
}

function yamlLines(value: unknown): readonly string[] {
  return stringify(withoutOwn(value), { lineWidth: 0, aliasDuplicateObjects: false }).trimEnd().split('\n');
}

/** What a reader of manifests adds to objects is not written anywhere. */
function withoutOwn(value: unknown): unknown {
  if (!isRecord(value) || !isRecord(value['metadata'])) return value;
  const { uid: _, generation: __, ...metadata } = value['metadata'];
  return { ...value, metadata };
}

/** The lines of both, those that they share at the beginning and at the end once. */
function difference(before: readonly string[], after: readonly string[]): readonly string[] {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  return [
    ...before.slice(0, head).map((line) => ` | ${line}`),
    ...before.slice(head, before.length - tail).map((line) => `-| ${line}`),
    ...after.slice(head, after.length - tail).map((line) => `+| ${line}`),
    ...before.slice(before.length - tail).map((line) => ` | ${line}`),
  ];
}

function indented(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  ${line}`);
}
