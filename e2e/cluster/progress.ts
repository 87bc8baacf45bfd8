/** One thing that set-up did, for the table at its end. */
export interface Timing {
  readonly title: string;
  readonly seconds: number;
}

/** Tells a waiting person what happens, how far it is, and how long it has taken. */
export interface Progress {
  /** Announces how many more steps there will be. */
  expect(steps: number): void;
  /** Runs a step, shown while it lasts. */
  step<T>(title: string, work: () => Promise<T>): Promise<T>;
  /** Says something that is not a step. */
  note(text: string): void;
  /** What has run so far. */
  timings(): readonly Timing[];
  /** Ends the display. */
  close(): void;
}

/** Where and when progress is shown. */
export interface ProgressOutput {
  readonly write: (text: string) => void;
  readonly isTerminal: boolean;
  readonly nowMs: () => number;
}

const terminalRefreshMs = 1_000;
const heartbeatMs = 15_000;

/** A display on standard error. */
export function progressOnStandardError(): Progress {
  return createProgress({
    write: (text) => void process.stderr.write(text),
    isTerminal: process.stderr.isTTY,
    nowMs: () => performance.now(),
  });
}

/** Counts steps as they finish; a terminal has one line rewritten every second, a log gets a heartbeat. */
export function createProgress(output: ProgressOutput): Progress {
  const startMs = output.nowMs();
  const running = new Map<string, number>();
  const done: Timing[] = [];
  let expected = 0;

  const clear = output.isTerminal ? '\r\u001B[K' : '';
  const position = (steps: number): string => {
    const width = String(expected).length;
    return `[${String(steps).padStart(width)}/${expected}]`;
  };
  const beat = (): void => {
    if (running.size === 0) return;
    const now = output.nowMs();
    const titles = [...running].map(([title, since]) => `${title} ${formatDuration(now - since)}`).join(', ');
    const line = `${position(done.length + 1)} ${titles} … (${formatDuration(now - startMs)} in all)`;
    output.write(output.isTerminal ? clear + line : `${line}\n`);
  };
  const timer = setInterval(beat, output.isTerminal ? terminalRefreshMs : heartbeatMs);
  timer.unref();

  return {
    expect: (steps) => {
      expected += steps;
    },
    step: async (title, work) => {
      const since = output.nowMs();
      running.set(title, since);
      if (output.isTerminal) beat();
      try {
        return await work();
      } finally {
        const elapsedMs = output.nowMs() - since;
        running.delete(title);
        done.push({ title, seconds: Math.round(elapsedMs / 100) / 10 });
        expected = Math.max(expected, done.length);
        output.write(`${clear}${position(done.length)} ${title} … ${formatDuration(elapsedMs)}\n`);
      }
    },
    note: (text) => output.write(`${clear}${text}\n`),
    timings: () => [...done],
    close: () => clearInterval(timer),
  };
}

/** `4s`, `1m20s`. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, '0')}s`;
}

/** The steps as a table, the longest first, each with its share of the whole; steps may have run side by side. */
export function timingTable(timings: readonly Timing[], totalSeconds: number): string {
  const width = Math.max(5, ...timings.map((timing) => timing.title.length));
  const row = (title: string, seconds: number): string => {
    const share = totalSeconds === 0 ? 0 : Math.round((seconds / totalSeconds) * 100);
    return `${title.padEnd(width)} ${seconds.toFixed(1).padStart(8)} s ${String(share).padStart(4)} %`;
  };
  const longestFirst = timings.toSorted((one, other) => other.seconds - one.seconds);
  return [...longestFirst.map((timing) => row(timing.title, timing.seconds)), row('total', totalSeconds)].join('\n');
}

/** A sequence of steps in which each needs the one before it. */
export type Lane = readonly { readonly title: string; readonly work: () => Promise<void> }[];

/** Runs lanes side by side, `width` at a time, each in its order. The first failure ends it, once running steps are over. */
export async function runLanes(lanes: readonly Lane[], width: number, progress: Progress): Promise<void> {
  const waiting = [...lanes];
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (let lane = waiting.shift(); lane !== undefined; lane = waiting.shift()) {
      for (const step of lane) {
        if (failures.length > 0) return;
        try {
          await progress.step(step.title, step.work);
        } catch (error) {
          failures.push(error);
        }
      }
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  if (failures.length > 0) throw failures[0];
}
