import { isMap, isScalar, isSeq, type LineCounter, type Node } from 'yaml';
import { segmentsOf } from '../policy/index.ts';

/** A place in a text that a person can open: lines and columns count from 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The chart's template that `helm template` names above the document; its lines are not those of `file`. */
  readonly template?: string;
}

/** Where an object was written down. */
export interface Origin extends Position {
  /**
   * Where a field such as `spec.ingress[0].from[1]` is written, or the nearest field above it that is: defaults and merged
   * keys have no place of their own.
   */
  at(path: string): Position;
}

/** What is wrong with a manifest, in a sentence that says what to write instead. An error makes every prediction worthless. */
export interface Problem {
  readonly severity: 'error' | 'warning';
  readonly position: Position;
  readonly message: string;
}

export function positionAt(file: string, offset: number, lines: LineCounter): Position {
  const { line, col } = lines.linePos(offset);
  return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
}

/** The origin of an object whose node is `root`. */
export function originOf(file: string, root: Node, lines: LineCounter, template: string | undefined): Origin {
  const at = (path: string): Position => ({
    ...positionAt(file, offsetOf(root, segmentsOf(path)), lines),
    ...(template === undefined ? {} : { template }),
  });
  return { ...at(''), at };
}

function offsetOf(root: Node, segments: readonly string[]): number {
  let node: unknown = root;
  let offset = root.range?.[0] ?? 0;
  for (const segment of segments) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === segment);
      if (pair === undefined) return offset;
      if (isScalar(pair.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      const item: unknown = node.items[Number(segment)];
      if (item === undefined) return offset;
      if (isMap(item) || isSeq(item) || isScalar(item)) offset = item.range?.[0] ?? offset;
      node = item;
    } else {
      return offset;
    }
  }
  return offset;
}
