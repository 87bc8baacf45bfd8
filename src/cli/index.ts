/** The command line: what is asked for, answered as text, JSON or a report for a pipeline. */
import { auditCommand } from './audit.ts';
import { checkCommand } from './check.ts';
import { diffCommand } from './diff.ts';
import { draftCommand } from './draft.ts';
import { explainCommand } from './explain.ts';
import { givenArguments } from './arguments.ts';
import { type ExitCode, exitCodes, type Surroundings, UsageError } from './command.ts';
import { helpFor, overview } from './help.ts';
import { plainText } from '../text/index.ts';

export { type Surroundings, UsageError } from './command.ts';

const maxBytes = 4096;

const commands = [checkCommand, explainCommand, diffCommand, auditCommand, draftCommand];

/** Runs the command that the words ask for, and says how it ended. */
export async function runCommandLine(words: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const [name, ...rest] = words;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    const asked = commands.find((command) => command.name === rest[0]);
    surroundings.print(asked === undefined ? overview(commands) : helpFor(asked));
    return exitCodes.passed;
  }
  if (name === 'version' || name === '--version') {
    surroundings.print(surroundings.version);
    return exitCodes.passed;
  }
  const command = commands.find((each) => each.name === name);
  try {
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
