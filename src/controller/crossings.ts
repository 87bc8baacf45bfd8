import type { Calibration, Pod } from '../api/index.ts';
import type { Clock } from '../clock/index.ts';
import {
  CrossingLedger,
  decideRound,
  dialTasks,
  type DialTask,
  farNodes,
  type CrossingFinding,
  type Listeners,
  listenTasks,
  type Round,
} from '../crossing/index.ts';
import type { Log } from '../kube/index.ts';
import type { Metrics } from '../metrics/index.ts';
import type { OwnPlace } from '../plan/index.ts';
import { type Batch, runningAt, type Runner } from '../runner/index.ts';
import type { Crossing, CrossingState } from '../verdict/index.ts';
import { ownPlace } from './own-place.ts';

/** What the prover sees of the cluster. */
export interface CrossingView {
  calibration(): Calibration | undefined;
  podNamed(namespace: string, name: string): Pod | undefined;
}

export interface CrossingsOptions {
  readonly view: CrossingView;
  readonly runner: Runner;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Log;
  /** The operator's own namespace and pod: the pods that dial each other are its own. */
  readonly namespace: string;
  readonly instance: string;
  /** Told when there is something to find out, and when something was found out. */
  readonly onWanted: () => void;
  readonly onFound: () => void;
}

/** A round under way, with its pods. */
interface RoundUnderWay {
  readonly crossings: readonly Crossing[];
  readonly listeners: Batch;
  dialling?: { readonly batch: Batch; readonly tasks: readonly DialTask[] };
}

/** Most rounds under way. */
const maxRounds = 3;
/** How long a dialling pod tries, in seconds: a fresh pod may be shut, or its listener late. A way that is whole is seen at once. */
const settleSeconds = 8;
/** How long to wait for an owner of pods. */
const withoutOwnerMs = 1_000;

/**
 * Finds out whether packets cross between nodes, for runs whose verdicts depend on it: a pod of Postern's own listens on the far
 * node, and one dials it from the near one, for all runs that ask. A few rounds at a time: a node that takes no pod holds up
 * those of its own round, for as long as it is given.
 */
export class Crossings {
  readonly #options: CrossingsOptions;
  readonly #ledger = new CrossingLedger();
  readonly #rounds = new Set<RoundUnderWay>();

  constructor(options: CrossingsOptions) {
    this.#options = options;
  }

  /** Asks for what is not known since that moment of the monotonic clock. */
  want(crossings: readonly Crossing[], since: number): void {
    if (this.#ledger.want(crossings, since, this.#options.clock.monotonic())) this.#options.onWanted();
  }

  /** What was found out since that moment of the monotonic clock. */
  stateSince(crossing: Crossing, since: number): CrossingState {
    return this.#ledger.stateSince(crossing, since);
  }

  /** Pods under way. */
  batches(): readonly Batch[] {
    return [...this.#rounds].flatMap(batchesOf);
  }

  /** Takes the next step of each round. Gives how long to wait if nothing happens; undefined for as long as nobody asks. */
  async step(signal: AbortSignal): Promise<number | undefined> {
    const waits = [await this.#start(signal)];
    for (const round of this.#rounds) waits.push(await this.#advance(round, signal));
    const finite = waits.filter((waitMs) => waitMs !== undefined);
    return finite.length === 0 ? undefined : Math.min(...finite);
  }

  async #advance(round: RoundUnderWay, signal: AbortSignal): Promise<number> {
    const step = decideRound(this.#observed(round), this.#options.clock.monotonic());
    switch (step.kind) {
      case 'dial':
        return await this.#dial(round, step.listeners, signal);
      case 'end':
        return await this.#end(round, step.findings, signal);
      case 'wait':
        return step.waitMs;
    }
  }

  /** Deletes the pods under way, because the operator stops. */
  async abandon(signal: AbortSignal): Promise<void> {
    await Promise.allSettled(this.batches().map((batch) => this.#options.runner.cleanUp(batch, signal)));
  }

  async #start(signal: AbortSignal): Promise<number | undefined> {
    const { runner, log } = this.#options;
    // The end of a round wakes whoever waits for it.
    if (this.#ledger.isIdle() || this.#rounds.size >= maxRounds) return undefined;
    const owner = this.#owner();
    if (owner === undefined) return withoutOwnerMs;
    const crossings = this.#ledger.begin(this.#options.clock.monotonic());
    if (crossings.length === 0) return undefined;
    const tasks = listenTasks(this.#place(), farNodes(crossings));
    const order = { owner, tasks, times: {} };
    const listeners = runner.prepare(order);
    // Known before its first pod is, so that the sweep for orphans leaves its pods alone.
    this.#rounds.add({ crossings, listeners });
    log.info({ run: listeners.id, crossings: crossings.length }, 'Finding out whether packets cross between nodes');
    await runner.start(order, listeners, signal);
    return 0;
  }

  #observed({ crossings, listeners, dialling }: RoundUnderWay): Round {
    const { runner, view } = this.#options;
    runner.advance(dialling?.batch ?? listeners);
    const listening = new Map<string, readonly string[]>();
    const scheduled = new Set<string>();
    const troubles = new Map<string, string>();
    for (const [index, node] of farNodes(crossings).entries()) {
      const probe = listeners.probes[index];
      if (probe === undefined) continue;
      const pod = view.podNamed(probe.namespace, probe.name);
      const addresses = runningAt(probe, pod);
      const { nodeName } = pod?.spec ?? {};
      if (nodeName !== undefined) scheduled.add(node);
      if (probe.report?.trouble !== undefined) troubles.set(node, wordsOf(probe.report.trouble));
      // Admission may have moved it.
      else if (nodeName !== undefined && nodeName !== node)
        troubles.set(node, 'the pod that listens came to run elsewhere');
      else if (addresses.length > 0) listening.set(node, addresses);
    }
    const round = { crossings, began: listeners.begunAt, listening, scheduled, troubles };
    if (dialling === undefined) return round;
    const { batch, tasks } = dialling;
    return {
      ...round,
      dialling: {
        began: batch.begunAt,
        tasks,
        reports: batch.probes.map(({ report }) => report),
        scheduled: batch.probes.map(
          ({ namespace, name }) => view.podNamed(namespace, name)?.spec.nodeName !== undefined,
        ),
      },
    };
  }

  async #dial(round: RoundUnderWay, listeners: Listeners, signal: AbortSignal): Promise<number> {
    const { runner } = this.#options;
    const owner = this.#owner();
    if (owner === undefined) return withoutOwnerMs;
    const tasks = dialTasks(this.#place(), round.crossings, listeners);
    const order = { owner, tasks, times: { settleSeconds } };
    const batch = runner.prepare(order);
    round.dialling = { batch, tasks };
    await runner.start(order, batch, signal);
    return 0;
  }

  async #end(round: RoundUnderWay, findings: readonly CrossingFinding[], signal: AbortSignal): Promise<number> {
    const { log, metrics } = this.#options;
    await this.#cleanUp(round, signal);
    // A connection that stood shows the way as it was after the round had begun to dial.
    this.#ledger.conclude(findings, round.dialling?.batch.begunAt ?? round.listeners.begunAt);
    this.#rounds.delete(round);
    for (const { crossing, found, trouble } of findings) {
      metrics.countCrossing(found);
      if (found === 'NotCrossed') log.warn({ ...crossing }, 'Pods of Postern could not connect between two nodes');
      if (found === 'NotTried') log.warn({ ...crossing, trouble }, 'Pods of Postern could not run to connect nodes');
    }
    this.#options.onFound();
    return 0;
  }

  async #cleanUp(round: RoundUnderWay, signal: AbortSignal): Promise<void> {
    for (const batch of batchesOf(round)) {
      await this.#options.runner.cleanUp(batch, signal).catch((error: unknown) => {
        // The sweep finds what is left; what was found out need not wait for it.
        this.#options.log.warn({ run: batch.id, err: error }, 'Could not delete all pods that dial between nodes');
      });
    }
  }

  /** Whom the pods go with; the calibration is there from the operator's start, and created again if it is deleted. */
  #owner(): Calibration | undefined {
    const calibration = this.#options.view.calibration();
    return calibration?.metadata.deletionTimestamp === undefined ? calibration : undefined;
  }

  #place(): OwnPlace {
    const { namespace, instance, view } = this.#options;
    return ownPlace(namespace, instance, view);
  }
}

function batchesOf({ listeners, dialling }: RoundUnderWay): readonly Batch[] {
  return dialling === undefined ? [listeners] : [listeners, dialling.batch];
}

function wordsOf({ reason, message }: { readonly reason: string; readonly message: string }): string {
  return `${reason} ${message}`.trim();
}
