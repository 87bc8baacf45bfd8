/** The command line: what is asked for, answered as text, JSON or a report for a pipeline. */
import { givenArguments } from './arguments.ts';
import { type Command, type ExitCode, exitCodes, type Surroundings, UsageError } from './command.ts';
import { helpFor, overview } from './help.ts';
import { plainText } from '../text/index.ts';

export { type Surroundings, UsageError } from './command.ts';

const maxBytes = 4096;

/** Each is read when it is asked for: most of a command's time is that of reading what it is made of. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  check: async () => (await import('./check.ts')).checkCommand,
  explain: async () => (await import('./explain.ts')).explainCommand,
  diff: async () => (await import('./diff.ts')).diffCommand,
  audit: async () => (await import('./audit.ts')).auditCommand,
  draft: async () => (await import('./draft.ts')).draftCommand,
};

async function commandNamed(name: string | undefined): Promise<Command | undefined> {
  return name !== undefined && Object.hasOwn(commands, name) ? await commands[name]?.() : undefined;
}

/** Runs the command that the words ask for, and says how it ended. */
export async function runCommandLine(words: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const [name, ...rest] = words;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    const asked = await commandNamed(rest[0]);
    surroundings.print(
      asked === undefined ? overview(await Promise.all(Object.values(commands).map((read) => read()))) : helpFor(asked),
    );
    return exitCodes.passed;
  }
  if (name === 'version' || name === '--version') {
    surroundings.print(surroundings.version);
    return exitCodes.passed;
  }
  try {
    const command = await commandNamed(name);
    if (command === undefined) throw new UsageError(`There is no command ${name}. See \`postern --help\`.`);
    if (rest.includes('--help') || rest.includes('-h')) {
      surroundings.print(helpFor(command));
      return exitCodes.passed;
    }
    return await command.run(givenArguments(command, rest), surroundings);
  } catch (error) {
    if (error instanceof UsageError) {
      surroundings.say(`postern: ${plainText(error.message, maxBytes)}`);
      return exitCodes.usage;
    }
    // A fault of Postern's own must not look like a violated expectation, which is what Node's own exit code would say.
    surroundings.say(
      `postern: internal error: ${plainText(error instanceof Error ? (error.stack ?? '') : String(error), maxBytes)}`,
    );
    return exitCodes.inconclusive;
  }
}
