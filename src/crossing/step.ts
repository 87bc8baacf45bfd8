import type { Crossing, ProbeReport } from '../verdict/index.ts';
import type { Found } from './ledger.ts';
import { type DialTask, farNodes, type Listeners } from './pods.ts';

/** Longest wait for listeners, and for those who dial them, in milliseconds: others wait for the next round. */
export const patienceMs = 15_000;

/** A round under way. */
export interface Round {
  readonly crossings: readonly Crossing[];
  /** When it began, by the monotonic clock. */
  readonly began: number;
  /** Where the listeners that run by now answer, by node. */
  readonly listening: Listeners;
  /** Why listeners do not, by node. */
  readonly troubles: ReadonlyMap<string, string>;
  readonly dialling?: Dialling | undefined;
}

interface Dialling {
  readonly began: number;
  readonly tasks: readonly DialTask[];
  /** In the order of the tasks; undefined while there is none. */
  readonly reports: readonly (ProbeReport | undefined)[];
}

/** What a round found out about one crossing, and why it found out no more. */
export interface Finding {
  readonly crossing: Crossing;
  readonly found: Found;
  readonly trouble?: string;
}

/** What to do next; the actions are in src/controller/crossings.ts. */
export type RoundStep =
  | { readonly kind: 'dial'; readonly listeners: Listeners }
  | { readonly kind: 'end'; readonly findings: readonly Finding[] }
  | { readonly kind: 'wait'; readonly waitMs: number };

/** Dials when every listener runs or is given up, and ends when everybody who dials has reported or is given up. */
export function decideRound(round: Round, now: number): RoundStep {
  const { crossings, began, listening, troubles, dialling } = round;
  if (dialling === undefined) {
    const open = farNodes(crossings).filter((node) => !listening.has(node) && !troubles.has(node));
    const waitMs = began + patienceMs - now;
    if (open.length > 0 && waitMs > 0) return { kind: 'wait', waitMs };
    return listening.size > 0 ? { kind: 'dial', listeners: listening } : { kind: 'end', findings: findingsOf(round) };
  }
  const waitMs = dialling.began + patienceMs - now;
  const isComplete = dialling.reports.every((report) => report !== undefined);
  return isComplete || waitMs <= 0 ? { kind: 'end', findings: findingsOf(round) } : { kind: 'wait', waitMs };
}

function findingsOf({ crossings, troubles, dialling }: Round): readonly Finding[] {
  return crossings.map((crossing) => {
    const index = dialling?.tasks.findIndex((task) => task.crossings.includes(crossing)) ?? -1;
    const task = dialling?.tasks[index];
    if (task === undefined) return notTried(crossing, troubles.get(crossing.to) ?? noListener(crossing));
    const report = dialling?.reports[index];
    const seen = report?.observations.get(task.crossings.indexOf(crossing));
    if (seen === undefined) {
      const { reason, message } = report?.trouble ?? { reason: 'ProbeNotStarted', message: '' };
      return notTried(crossing, `${reason} ${message}`.trim());
    }
    return { crossing, found: seen.outcome === 'Connected' ? 'Crossed' : 'NotCrossed' };
  });
}

function noListener({ to, family }: Crossing): string {
  return `no pod on ${to} came to listen over ${family} in time`;
}

function notTried(crossing: Crossing, trouble: string): Finding {
  return { crossing, found: 'NotTried', trouble };
}
