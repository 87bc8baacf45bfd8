import type { Crossing, ProbeReport } from '../verdict/index.ts';
import type { Found } from './ledger.ts';
import { type DialTask, farNodes, type Listeners } from './pods.ts';

/** How long a pod may wait for its node, in milliseconds, and how long for its image and its start once it has one. */
const schedulingMs = 10_000;
const patienceMs = 40_000;

/** A round under way. */
export interface Round {
  readonly crossings: readonly Crossing[];
  /** When it began, by the monotonic clock. */
  readonly began: number;
  /** Where the listeners that run by now answer, by node. */
  readonly listening: Listeners;
  /** Nodes whose listener has been scheduled. */
  readonly scheduled: ReadonlySet<string>;
  /** Why listeners do not answer, by node. */
  readonly troubles: ReadonlyMap<string, string>;
  readonly dialling?: Dialling | undefined;
}

interface Dialling {
  readonly began: number;
  readonly tasks: readonly DialTask[];
  /** In the order of the tasks; undefined while there is none. */
  readonly reports: readonly (ProbeReport | undefined)[];
  /** Whether each pod that dials has been scheduled, in the same order. */
  readonly scheduled: readonly boolean[];
}

/** What a round found out about one crossing, and why it found out no more. */
export interface CrossingFinding {
  readonly crossing: Crossing;
  readonly found: Found;
  readonly trouble?: string;
}

/** What to do next; the actions are in src/controller/crossings.ts. */
export type RoundStep =
  | { readonly kind: 'dial'; readonly listeners: Listeners }
  | { readonly kind: 'end'; readonly findings: readonly CrossingFinding[] }
  | { readonly kind: 'wait'; readonly waitMs: number };

/** Dials when every listener runs or is given up, and ends when everybody who dials has reported or is given up. */
export function decideRound(round: Round, now: number): RoundStep {
  const { crossings, began, listening, troubles, dialling } = round;
  if (dialling === undefined) {
    const open = farNodes(crossings).filter((node) => !listening.has(node) && !troubles.has(node));
    const waitMs = longestWait(
      open.map((node) => round.scheduled.has(node)),
      now - began,
    );
    if (waitMs > 0) return { kind: 'wait', waitMs };
    return listening.size > 0 ? { kind: 'dial', listeners: listening } : { kind: 'end', findings: findingsOf(round) };
  }
  const open = dialling.scheduled.filter((_, index) => dialling.reports[index] === undefined);
  const waitMs = longestWait(open, now - dialling.began);
  return waitMs > 0 ? { kind: 'wait', waitMs } : { kind: 'end', findings: findingsOf(round) };
}

/** How long pods are still worth waiting for, by whether each has been scheduled. */
function longestWait(scheduled: readonly boolean[], elapsedMs: number): number {
  return Math.max(0, ...scheduled.map((has) => (has ? patienceMs : schedulingMs) - elapsedMs));
}

function findingsOf({ crossings, troubles, dialling }: Round): readonly CrossingFinding[] {
  return crossings.map((crossing) => {
    const index = dialling?.tasks.findIndex((task) => task.crossings.includes(crossing)) ?? -1;
    const task = dialling?.tasks[index];
    if (task === undefined) return notTried(crossing, troubles.get(crossing.to) ?? noListener(crossing));
    const report = dialling?.reports[index];
    const seen = report?.observations.get(task.crossings.indexOf(crossing));
    // Admission may have moved the pod, or put a proxy into it that accepts everything.
    if (report?.trouble === undefined && report !== undefined) {
      if (report.node !== crossing.from) return notTried(crossing, 'the pod that dials came to run on another node');
      if (report.mesh !== undefined)
        return notTried(crossing, `a proxy of ${report.mesh.name} was put into the pod that dials`);
    }
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

function notTried(crossing: Crossing, trouble: string): CrossingFinding {
  return { crossing, found: 'NotTried', trouble };
}
