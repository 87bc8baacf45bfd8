import {
  type Calibration,
  calibrationName,
  type CalibrationStatus,
  type CalibrationTrigger,
  group,
  type KubeObject,
  type Node,
  type Pod,
  version,
} from '../api/index.ts';
import {
  type CalibrationAttempt,
  type CalibrationStep,
  decideCalibration,
  denialsOf,
  dialTasks,
  dueFor,
  isValid,
  type Listeners,
  listenTasks,
  nodesDigest,
  patienceSeconds,
  statusAfterFailure,
  statusAfterMeasurement,
} from '../calibration/index.ts';
import type { Clock } from '../clock/index.ts';
import { isKubeError, type KubeClient, type Log } from '../kube/index.ts';
import type { Metrics } from '../metrics/index.ts';
import type { OwnPlace } from '../plan/index.ts';
import { type Batch, listeningAt, type Runner } from '../runner/index.ts';
import { runRequestOf } from '../schedule/index.ts';
import type { Denials } from '../verdict/index.ts';
import { ownPlace } from './own-place.ts';
import { resources } from './resources.ts';

/** What the calibrator sees of the cluster. */
export interface CalibrationView {
  calibration(): Calibration | undefined;
  nodes(): readonly Node[];
  podNamed(namespace: string, name: string): Pod | undefined;
}

export interface CalibratorOptions {
  readonly client: KubeClient;
  readonly view: CalibrationView;
  readonly runner: Runner;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Log;
  /** The operator's own namespace and pod: calibration pods run beside it. */
  readonly namespace: string;
  readonly instance: string;
  readonly periodMs: number;
  /** Told when tests may begin, and when what they are judged by has changed. */
  readonly onChange: () => void;
}

/** An attempt under way, with its pods. */
interface Attempt {
  readonly trigger: CalibrationTrigger;
  readonly request: string | undefined;
  readonly nodes: string;
  readonly listeners: Batch;
  probes?: Batch;
  dialled?: Listeners;
  earlier?: CalibrationAttempt['earlier'];
  /** Requests for probes of an earlier round. */
  spent: number;
}

/** How long tests wait for the first attempt to end; after that their Denies say that nothing is calibrated. */
const longestHoldMs = 90_000;

/** Measures how this cluster denies, and holds what it is: gather, decide, act, report. */
export class Calibrator {
  readonly #options: CalibratorOptions;
  #holdUntil = 0;
  /** The status written last: the cache may lag behind it, and nobody else writes it. */
  #written: { readonly uid: string; readonly status: CalibrationStatus } | undefined;
  /** The newest status with a result. It outlives the object, so that deleting that disturbs no test. */
  #result: CalibrationStatus | undefined;
  #failures = { count: 0, last: 0 };
  #noticed = { nodes: '', current: 0, first: 0 };
  #attempt: Attempt | undefined;

  constructor(options: CalibratorOptions) {
    this.#options = options;
  }

  /** From now on tests wait for the first attempt to end. */
  begin(): void {
    this.#holdUntil = this.#options.clock.monotonic() + longestHoldMs;
  }

  /** How this cluster denies, as far as that was measured and is not out of date. */
  denials(): Denials {
    const { clock, periodMs } = this.#options;
    const isInForce = this.#result !== undefined && isValid(this.#result, periodMs, clock.now());
    return isInForce ? denialsOf(this.#result) : {};
  }

  /** For how long fresh pods were measured to be open, in milliseconds. */
  freshPodDelayMs(): number {
    return this.#result?.freshPodDelayMilliseconds ?? 0;
  }

  /** How long runs of tests should still wait for the first attempt. */
  holdMs(): number {
    return Math.max(0, this.#holdUntil - this.#options.clock.monotonic());
  }

  /** Pods under way. */
  batches(): readonly Batch[] {
    const { listeners, probes } = this.#attempt ?? {};
    return [listeners, probes].filter((batch) => batch !== undefined);
  }

  /** Looks at the calibration and takes the next step. Gives how long to wait if nothing happens. */
  async step(signal: AbortSignal): Promise<number> {
    const { clock, periodMs } = this.#options;
    const calibration = await this.#current(signal);
    this.#adopt(calibration);
    const nodes = this.#noticeNodes(calibration);
    const due = dueFor({
      status: calibration.status,
      nodes,
      noticed: this.#noticed,
      request: runRequestOf(calibration),
      failures: this.#failures,
      periodMs,
      now: clock.now(),
      monotonic: clock.monotonic(),
    });
    if ('waitMs' in due && this.#attempt === undefined && this.#failures.count === 0) this.#release();
    const step = decideCalibration(this.#observed(), due, this.#options.namespace, clock.monotonic());
    this.#report();
    return this.#take(step, calibration, signal);
  }

  /** Deletes the pods under way, because the operator stops. */
  async abandon(signal: AbortSignal): Promise<void> {
    await Promise.allSettled(this.batches().map((batch) => this.#options.runner.cleanUp(batch, signal)));
  }

  async #take(step: CalibrationStep, calibration: Calibration, signal: AbortSignal): Promise<number> {
    switch (step.kind) {
      case 'start':
        return this.#start(calibration, step.trigger, signal);
      case 'dial':
        return this.#dial(calibration, step, signal);
      case 'succeed':
        return this.#end(calibration, signal, (nodes, run) =>
          statusAfterMeasurement(calibration, step.measurement, nodes, run),
        );
      case 'fail':
        this.#options.log.warn({ ...step.failure }, 'Calibration had no result; trying again');
        return this.#end(calibration, signal, (_, run) =>
          statusAfterFailure(calibration, step.failure, this.#options.periodMs, run),
        );
      case 'wait':
        return step.waitMs;
    }
  }

  /** The object with the status written last; created if there is none. */
  async #current(signal: AbortSignal): Promise<Calibration> {
    const cached = this.#options.view.calibration();
    const isThere = cached !== undefined && cached.metadata.deletionTimestamp === undefined;
    const calibration = isThere ? cached : await this.#create(signal);
    const written = this.#written?.uid === calibration.metadata.uid ? this.#written.status : undefined;
    return written === undefined ? calibration : { ...calibration, status: written };
  }

  async #create(signal: AbortSignal): Promise<Calibration> {
    const { client } = this.#options;
    const options = { fieldManager: 'postern', force: true, signal };
    const created = await client.apply<KubeObject>(resources.calibrations, blankCalibration, options);
    const { uid = '', generation = 1 } = created.metadata;
    return { ...created, metadata: { ...created.metadata, uid, generation } };
  }

  /** Takes over a result that an operator before this one left. */
  #adopt({ status }: Calibration): void {
    const { periodMs, clock } = this.#options;
    if (this.#result === undefined && status !== undefined && isValid(status, periodMs, clock.now())) {
      this.#result = status;
    }
  }

  #noticeNodes({ status }: Calibration): string {
    const nodes = nodesDigest(this.#options.view.nodes());
    if (nodes === this.#noticed.nodes) return nodes;
    const now = this.#options.clock.monotonic();
    const wasDeviating = this.#noticed.nodes !== '' && this.#noticed.nodes !== status?.nodes;
    this.#noticed = { nodes, current: now, first: wasDeviating ? this.#noticed.first : now };
    return nodes;
  }

  #observed(): CalibrationAttempt | undefined {
    const attempt = this.#attempt;
    if (attempt === undefined) return undefined;
    const { runner, view } = this.#options;
    const { listeners, probes, dialled, earlier } = attempt;
    // Listeners have nothing to report but that they ended, which is seen by where they answer once they are dialled.
    runner.advance(probes ?? listeners);
    const [open, denied] = listeners.probes.map((probe) =>
      listeningAt(probe, view.podNamed(probe.namespace, probe.name)),
    );
    return {
      listeners: partOf(listeners),
      answering: open === undefined || denied === undefined ? undefined : { open, denied },
      dialled,
      probes: probes === undefined ? undefined : partOf(probes),
      earlier,
    };
  }

  async #start(calibration: Calibration, trigger: CalibrationTrigger, signal: AbortSignal): Promise<number> {
    const { runner, log } = this.#options;
    const order = { owner: calibration, tasks: listenTasks(this.#place()), times: {} };
    const listeners = runner.prepare(order);
    const request = runRequestOf(calibration);
    // Known before its first pod is, so that the sweep for orphans leaves its pods alone.
    this.#attempt = { trigger, request, nodes: nodesDigest(this.#options.view.nodes()), listeners, spent: 0 };
    log.info({ run: listeners.id, trigger }, 'Starting calibration');
    await runner.start(order, listeners, signal);
    return 0;
  }

  async #dial(
    calibration: Calibration,
    { listeners, earlier }: Extract<CalibrationStep, { kind: 'dial' }>,
    signal: AbortSignal,
  ): Promise<number> {
    const { runner, log } = this.#options;
    const attempt = this.#attempt;
    if (attempt === undefined) return 0;
    if (attempt.probes !== undefined) {
      log.info({ run: attempt.listeners.id }, 'Dialling again what was not denied');
      await runner.cleanUp(attempt.probes, signal);
      attempt.spent += attempt.probes.apiRequests;
    }
    const isFirst = earlier === undefined;
    const tasks = dialTasks(this.#place(), listeners, isFirst ? 'guard' : 'seal');
    const order = { owner: calibration, tasks, times: isFirst ? {} : { settleSeconds: patienceSeconds } };
    attempt.probes = runner.prepare(order);
    attempt.dialled = listeners;
    attempt.earlier = earlier;
    await runner.start(order, attempt.probes, signal);
    return 0;
  }

  async #end(
    calibration: Calibration,
    signal: AbortSignal,
    statusFor: (nodes: string, run: Parameters<typeof statusAfterMeasurement>[3]) => CalibrationStatus,
  ): Promise<number> {
    const { clock, log, metrics } = this.#options;
    const attempt = this.#attempt;
    if (attempt === undefined) return 0;
    const { listeners, trigger, request, nodes } = attempt;
    await this.#cleanUp(signal);
    const lastRun = {
      id: listeners.id,
      trigger,
      startTime: new Date(listeners.startedAt).toISOString(),
      completionTime: new Date(clock.now()).toISOString(),
      apiRequests: this.batches().reduce((sum, batch) => sum + batch.apiRequests, attempt.spent),
    };
    const status = statusFor(nodes, { lastRun, request });
    await this.#write(calibration, status, signal);
    this.#attempt = undefined;
    const isResult = status.measuredTime === lastRun.completionTime;
    this.#failures = isResult ? { count: 0, last: 0 } : { count: this.#failures.count + 1, last: clock.monotonic() };
    if (isResult) this.#result = status;
    metrics.countCalibration(isResult ? 'succeeded' : 'failed');
    log.info({ run: lastRun.id, denials: this.denials() }, 'Calibration concluded');
    this.#holdUntil = 0;
    this.#options.onChange();
    return 0;
  }

  #report(): void {
    const { metrics, periodMs } = this.#options;
    const measured = this.#result?.measuredTime;
    metrics.reportCalibration({
      denials: { ...this.denials() },
      measuredAtSeconds: measured === undefined ? undefined : Date.parse(measured) / 1000,
      periodSeconds: periodMs / 1000,
      freshPodDelaySeconds: this.#result === undefined ? undefined : this.freshPodDelayMs() / 1000,
    });
  }

  /** Lets tests begin. */
  #release(): void {
    if (this.holdMs() === 0) return;
    this.#holdUntil = 0;
    this.#options.onChange();
  }

  async #cleanUp(signal: AbortSignal): Promise<void> {
    for (const batch of this.batches()) {
      await this.#options.runner.cleanUp(batch, signal).catch((error: unknown) => {
        // The sweep finds what is left; the result need not wait for it.
        this.#options.log.warn({ run: batch.id, err: error }, 'Could not delete all calibration pods');
      });
    }
  }

  async #write({ metadata }: Calibration, status: CalibrationStatus, signal: AbortSignal): Promise<void> {
    const patch = { ...blankCalibration, status };
    try {
      await this.#options.client.apply(resources.calibrations, patch, {
        fieldManager: 'postern',
        subresource: 'status',
        force: true,
        signal,
      });
    } catch (error) {
      // Deleted meanwhile: it is created again, and measured again.
      if (!isKubeError(error, 'NotFound')) throw error;
    }
    this.#written = { uid: metadata.uid, status };
  }

  #place(): OwnPlace {
    const { namespace, instance, view } = this.#options;
    return ownPlace(namespace, instance, view);
  }
}

const blankCalibration: KubeObject = {
  apiVersion: `${group}/${version}`,
  kind: 'Calibration',
  metadata: { name: calibrationName },
};

function partOf({ probes, deadline }: Batch): CalibrationAttempt['listeners'] {
  return { reports: probes.map(({ report }) => report), deadline };
}
