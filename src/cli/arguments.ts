import { parseArgs } from 'node:util';
import { type Command, type Given, UsageError } from './command.ts';

/** The arguments of a command as it declares them. Throws a UsageError for what it does not know. */
export function givenArguments({ name, options }: Command, words: readonly string[]): Given {
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      options: Object.fromEntries(
        Object.entries(options).map(([option, { type, short, multiple }]) => [
          option,
          { type, ...(short === undefined ? {} : { short }), ...(multiple === undefined ? {} : { multiple }) },
        ]),
      ),
      allowPositionals: true,
    });
    const given = new Map<string, unknown>(Object.entries(values));
    const texts = (option: string): readonly string[] =>
      [given.get(option)].flat().filter((value) => typeof value === 'string');
    return {
      positionals,
      flag: (option) => given.get(option) === true,
      text: (option) => texts(option).at(-1),
      texts,
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/\. To specify a positional.*$/s, '') : String(error);
    throw new UsageError(`${reason.replace(/\.$/, '')}. See \`postern ${name} --help\`.`, { cause: error });
  }
}

/** One of a closed set of words. */
export function choice<const T extends readonly string[]>(option: string, text: string, choices: T): T[number] {
  const found = choices.find((each) => each === text);
  if (found === undefined) throw new UsageError(`--${option} ${text}: write one of ${choices.join(', ')}.`);
  return found;
}
