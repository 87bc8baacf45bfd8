import type { Problem } from '../manifests/index.ts';
import { plainText } from '../text/index.ts';
import type { Surroundings } from './command.ts';

const maxBytes = 1024;

/** One line per problem, in the notation of compilers, which editors and terminals open. */
export function sayProblems(problems: readonly Problem[], surroundings: Surroundings): void {
  const lines = problems.map(({ severity, position, message }) => {
    const { file, line, column, template } = position;
    const origin = template === undefined ? '' : `from ${template}: `;
    return plainText(`${file}:${line}:${column}: ${severity}: ${origin}${message}`, maxBytes);
  });
  for (const line of new Set(lines)) surroundings.say(line);
}
