/** One exact replacement in one file of the repository. */
export interface Patch {
  readonly file: string;
  readonly search: string;
  readonly replace: string;
}

/** A patch whose text is not in its file exactly once: what it was written for has moved. */
export class PatchError extends Error {
  override readonly name = 'PatchError';
}

/**
 * The text with the patch applied.
 *
 * @throws PatchError unless the searched text occurs exactly once.
 */
export function patched(text: string, { file, search, replace }: Patch): string {
  const [before = '', after, ...more] = text.split(search);
  if (search === '' || after === undefined) throw new PatchError(`${file} does not contain ${JSON.stringify(search)}`);
  if (more.length > 0) throw new PatchError(`${file} contains ${JSON.stringify(search)} ${more.length + 1} times`);
  return before + replace + after;
}
