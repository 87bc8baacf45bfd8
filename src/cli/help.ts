import type { Command, Option } from './command.ts';

/** The list of commands. */
export function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return [
    'Postern tells whether network policies do what you declared.',
    '',
    'Usage:',
    '  postern COMMAND [arguments]',
    '',
    'Commands:',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    'Use `postern COMMAND --help` for more about a command, and `postern --version` for the version.',
  ].join('\n');
}

/** The help of one command, in kubectl's order. */
export function helpFor({ name, usage, description, examples, options }: Command): string {
  const rows = Object.entries(options).map(([option, each]) => [spelling(option, each), each.description] as const);
  const width = Math.max(...rows.map(([spelled]) => spelled.length));
  return [
    description,
    '',
    'Examples:',
    ...examples.map((example) => `  ${example}`),
    '',
    'Options:',
    ...rows.map(([spelled, words]) => `  ${spelled.padEnd(width)}  ${words}`),
    '',
    'Usage:',
    `  postern ${name} ${usage}`,
  ].join('\n');
}

function spelling(option: string, { short, value }: Option): string {
  return `${short === undefined ? '    ' : `-${short}, `}--${option}${value === undefined ? '' : ` ${value}`}`;
}
