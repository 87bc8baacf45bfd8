import { type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';

/** How a command is run, beside its name and arguments. */
export interface CommandOptions {
  readonly directory?: string;
  readonly environment?: NodeJS.ProcessEnv;
  readonly input?: string;
  readonly timeoutMs?: number;
  /** Whether the command, with all that it started, ends when this process does. */
  readonly isBound?: boolean;
}

/** What a command left behind. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that could not be started or that failed. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** Runs a command to its end, whatever its exit code; one that cannot be started has the code 127. */
export async function attempt(
  command: string,
  commandArguments: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const child = spawn(command, commandArguments, { ...spawnOptions(options), stdio: ['pipe', 'pipe', 'pipe'] });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  // A command may end without reading its input: its exit code says how it went.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const endGroup = (): void => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  };
  if (options.isBound === true) process.once('exit', endGroup);
  return await new Promise<CommandResult>((resolve) => {
    const finish = (code: number, reason: string): void => {
      process.off('exit', endGroup);
      resolve({ code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() + reason });
    };
    child.once('error', (error) => finish(127, error.message));
    child.once('close', (code, signal) => finish(code ?? 1, signal === null ? '' : `\nended by ${signal}`));
  });
}

/** Runs a command and gives its standard output; throws if it fails. */
export async function run(
  command: string,
  commandArguments: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const result = await attempt(command, commandArguments, options);
  if (result.code !== 0) throw commandError(command, commandArguments, result);
  return result.stdout;
}

/** Runs `producer | consumer`; throws if either fails of itself. */
export async function runPipe(producer: readonly string[], consumer: readonly string[]): Promise<void> {
  const [producerName = '', ...producerArguments] = producer;
  const [consumerName = '', ...consumerArguments] = consumer;
  const source = spawn(producerName, producerArguments, { stdio: ['ignore', 'pipe', 'pipe'] });
  const sink = spawn(consumerName, consumerArguments, { stdio: ['pipe', 'ignore', 'pipe'] });
  const collect = (into: Buffer[]) => (chunk: Buffer) => void into.push(chunk);
  const sourceError: Buffer[] = [];
  const sinkError: Buffer[] = [];
  source.stderr.on('data', collect(sourceError));
  sink.stderr.on('data', collect(sinkError));
  const ends = Promise.all([once(source, 'close'), once(sink, 'close')]);
  const failure = await pipeline(source.stdout, sink.stdin).then(
    () => undefined,
    (error: unknown) => error,
  );
  const [[sourceCode], [sinkCode]] = await ends;
  const end = (code: unknown, text: readonly Buffer[]): CommandResult => ({
    code: typeof code === 'number' ? code : 1,
    stdout: '',
    stderr: Buffer.concat(text).toString(),
  });
  // The consumer's failure comes first: it breaks the pipe, and the producer fails only for that.
  if (sinkCode !== 0) throw commandError(consumerName, consumerArguments, end(sinkCode, sinkError));
  // A consumer may close the pipe when it has what it needs, which the end of an archive tells it before its padding.
  const closedEarly = failure !== undefined;
  if (sourceCode !== 0 && !closedEarly)
    throw commandError(producerName, producerArguments, end(sourceCode, sourceError));
}

function spawnOptions(options: CommandOptions): SpawnOptions {
  return {
    // A group of its own, which can be ended as one.
    detached: options.isBound === true,
    ...(options.directory === undefined ? {} : { cwd: options.directory }),
    ...(options.environment === undefined ? {} : { env: options.environment }),
    ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
  };
}

function commandError(command: string, commandArguments: readonly string[], result: CommandResult): CommandError {
  const call = [command, ...commandArguments].join(' ');
  const shown = call.length > 300 ? `${call.slice(0, 300)}…` : call;
  const output = `${result.stdout}\n${result.stderr}`.trim().split('\n').slice(-25).join('\n');
  return new CommandError(`${shown}\nfailed with exit code ${result.code}:\n${output}`);
}
