import type { ConnectivityTest, Status } from '../api/index.ts';
import { standSeconds } from '../calibration/index.ts';
import type { Clock } from '../clock/index.ts';
import type { PoliciesInForce } from '../comparison/index.ts';
import { type EventRecorder, isKubeError, type KubeClient, type Log } from '../kube/index.ts';
import type { Metrics, RunResult } from '../metrics/index.ts';
import { CompiledPolicies } from '../policy/index.ts';
import { applicationProtocolOf, fingerprintOf, isRevoked, type Plan, planFor } from '../plan/index.ts';
import type { Run, Runner } from '../runner/index.ts';
import { runRequestOf } from '../schedule/index.ts';
import {
  type Denials,
  isRefusalShown,
  observedVerdict,
  skippedRows,
  statusPending,
  statusRefused,
  statusStale,
  statusSuspended,
  withRefusals,
} from '../verdict/index.ts';
import type { Admission } from './admission.ts';
import { announcementsOf, metricsNamespace, reportOfTest } from './announce.ts';
import type { Caches } from './caches.ts';
import { concludedStatus } from './conclusion.ts';
import type { Crossings } from './crossings.ts';
import { type Circumstances, isUnsettled, readySince } from './evidence.ts';
import { decide } from './decide.ts';
import type { ObservedChanges } from './observed-changes.ts';
import { networkPluginOf, type NetworkPluginSetting } from './network-plugin.ts';
import { type Memory, notice, type Remembered } from './memory.ts';
import { ownPlace } from './own-place.ts';
import { crossingsWaitMs, heartbeatWaitMs, missingCrossings } from './proofs.ts';
import { isOwnable, ownersFor, resourceOf, stored } from './owners.ts';

export interface ReconcilerOptions {
  readonly client: KubeClient;
  readonly caches: Caches;
  readonly changes: ObservedChanges;
  readonly memory: Memory;
  readonly runner: Runner;
  readonly calibration: {
    denials(): Denials;
    freshPodDelayMs(): number;
    holdMs(): number;
  };
  readonly crossings: Pick<Crossings, 'want' | 'stateSince'>;
  readonly events: EventRecorder;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Log;
  readonly admission: Admission;
  readonly maxProbePodsPerTest: number;
  /** The operator's own namespace and pod. */
  readonly namespace: string;
  readonly instance: string;
  readonly networkPlugin: NetworkPluginSetting;
}

/** Longest wait for other tests' probe pods to end; whose turn it is, is told sooner. */
const congestionMs = 5000;

/** What was gathered about a test: all that a step is decided on. */
interface World {
  readonly key: string;
  readonly test: ConnectivityTest;
  readonly plan: Plan;
  readonly fingerprint: string;
  readonly denials: Denials;
  readonly remembered: Remembered;
}

/** How long to wait for an owner of probe pods. */
const withoutOwnerMs = 1000;

/** Milliseconds until the test should be looked at again if nothing happens; undefined for never. */
export type Again = number | undefined;

/** Looks at one test and takes the next step: gather, decide, act, report. */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  /** Tests whose run is over but for a proof that comes from elsewhere. */
  readonly #waiting = new Set<string>();
  readonly #compiled = new CompiledPolicies();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Again> {
    const { admission } = this.#options;
    try {
      const world = this.#gather(key);
      return world === undefined ? await this.#forget(key, signal) : await this.#step(world, signal);
    } catch (error) {
      // Whoever cannot be looked at must not keep its place before others.
      admission.leave(key);
      throw error;
    }
  }

  async #step(world: World, signal: AbortSignal): Promise<Again> {
    const { runner, calibration, caches, clock, metrics, admission } = this.#options;
    const { run, repeatAt } = world.remembered;
    if (run !== undefined) runner.advance(run);
    const proofsWaitMs = this.#proofsWaitMs(world);
    const step = decide({
      test: world.test,
      fingerprint: world.fingerprint,
      noticed: world.remembered.noticed,
      run,
      disturbedRuns: world.remembered.disturbedRuns,
      repeatInMs: repeatAt === undefined ? undefined : repeatAt - clock.monotonic(),
      isRevoked: run !== undefined && isRevoked(run.plan, world.plan),
      isRefusalUnsaid: !isRefusalShown(world.test, world.plan.lines),
      holdMs: calibration.holdMs(),
      proofsWaitMs,
      now: clock.now(),
      monotonic: clock.monotonic(),
    });
    metrics.reportTest(reportOfTest(world.test, world.test.status));
    const mayStart = step.kind === 'start' && isOwnable(world.test, world.plan, caches.calibration());
    if (!mayStart) admission.leave(world.key);
    switch (step.kind) {
      case 'suspend':
        return this.#suspend(world, signal);
      case 'expire':
        return this.#expire(world, signal);
      case 'discard':
        return this.#discard(world, step.why, signal);
      case 'refuse':
        return this.#refuse(world, signal);
      case 'start':
        // The calibration was deleted; it is created again within moments.
        if (!mayStart) return withoutOwnerMs;
        return admission.admits(world.key, world.plan.assignments.length)
          ? this.#start(world, step.trigger, signal)
          : congestionMs;
      case 'conclude':
        return this.#conclude(world, signal);
      case 'await':
      case 'rest':
        return step.waitMs;
    }
  }

  /** Tests that are to be looked at when a node is heard of, or the way to it is known. */
  waiting(): readonly string[] {
    return [...this.#waiting];
  }

  /** Deletes the probe pods of every run, because the operator stops. */
  async abandonAll(signal: AbortSignal): Promise<void> {
    await Promise.allSettled(this.#options.memory.runs().map((run) => this.#options.runner.cleanUp(run, signal)));
  }

  #gather(key: string): World | undefined {
    const { caches, memory, calibration, clock, maxProbePodsPerTest, instance } = this.#options;
    const [namespace, name] = key.split('/');
    const cached = caches.tests.get(namespace, name ?? '');
    if (cached === undefined || cached.metadata.deletionTimestamp !== undefined) return undefined;
    const remembered = memory.of(key, cached, clock.monotonic());
    const status = remembered.status ?? cached.status;
    const test: ConnectivityTest = status === undefined ? cached : { ...cached, status };
    const place = ownPlace(this.#options.namespace, instance, caches);
    const plan = planFor(test, caches, { place, maxPods: maxProbePodsPerTest });
    const denials = calibration.denials();
    const fingerprint = fingerprintOf(test, plan, caches, JSON.stringify(denials));
    notice(remembered, fingerprint, status?.lastRun?.fingerprint, clock.monotonic());
    return { key, test, plan, fingerprint, denials, remembered };
  }

  /** Asks for the proofs that a run's verdicts depend on and that come from elsewhere; how long they are worth waiting for. */
  #proofsWaitMs(world: World): number {
    const { key, test, remembered } = world;
    const waitMs = remembered.run === undefined ? 0 : this.#askForProofs(world, test, remembered.run);
    if (waitMs === 0) this.#waiting.delete(key);
    else if (!this.#waiting.has(key)) {
      this.#waiting.add(key);
      // Its pods have ended: there may be room for those of others.
      this.#options.admission.wakeNext();
    }
    return waitMs;
  }

  #askForProofs(world: World, test: ConnectivityTest, run: Run): number {
    const { clock, crossings } = this.#options;
    const circumstances = this.#circumstances(world, run);
    crossings.want(missingCrossings(test, run, circumstances), run.begunAt);
    const now = clock.monotonic();
    return Math.max(heartbeatWaitMs(test, run, circumstances, now), crossingsWaitMs(test, run, circumstances, now));
  }

  /** What a run is seen against if it ends now. */
  #circumstances({ fingerprint, denials, remembered }: World, run: Run): Circumstances {
    const { caches, changes, crossings, calibration, clock } = this.#options;
    const isDisturbed = run.fingerprint !== fingerprint;
    const disturbedRuns = isDisturbed ? remembered.disturbedRuns + 1 : 0;
    const reported = run.probes.flatMap(({ reportedAt }) => (reportedAt === undefined ? [] : [reportedAt]));
    const monotonic = clock.monotonic();
    const seenAt = clock.now() - (monotonic - Math.max(...(reported.length === 0 ? [monotonic] : reported)));
    const freshPodDelayMs = calibration.freshPodDelayMs();
    const policies = this.#policiesInForce();
    return { isDisturbed, disturbedRuns, caches, changes, crossings, denials, freshPodDelayMs, seenAt, policies };
  }

  #policiesInForce(): PoliciesInForce {
    const { caches, networkPlugin } = this.#options;
    const { servedGroups, forbidden } = caches.policyKinds();
    return {
      view: caches,
      plugin: networkPluginOf(networkPlugin, servedGroups),
      compiled: this.#compiled,
      unreadKinds: forbidden,
    };
  }

  async #forget(key: string, signal: AbortSignal): Promise<Again> {
    const { memory, metrics, runner, admission } = this.#options;
    const run = memory.peek(key)?.run;
    const [namespace = '', name = ''] = key.split('/');
    metrics.forgetTest(metricsNamespace(namespace), name);
    this.#waiting.delete(key);
    if (run !== undefined) await runner.cleanUp(run, signal);
    memory.forget(key);
    admission.leave(key);
    admission.wakeNext();
    return undefined;
  }

  async #suspend(world: World, signal: AbortSignal): Promise<Again> {
    const { test } = world;
    const isShown =
      test.status?.observedGeneration === test.metadata.generation &&
      test.status?.conditions?.some(({ reason }) => reason === 'Suspended') === true;
    if (!isShown) {
      const rows = skippedRows(test, 'Suspended', 'The test is suspended (spec.suspend).');
      await this.#writeStatus(world, statusSuspended(test, rows, this.#timestamp()), signal);
    }
    return undefined;
  }

  async #expire(world: World, signal: AbortSignal): Promise<Again> {
    await this.#writeStatus(world, statusStale(world.test, this.#timestamp()), signal);
    return 0;
  }

  async #discard({ key, test, remembered, fingerprint }: World, why: string, signal: AbortSignal): Promise<Again> {
    const { run } = remembered;
    if (run === undefined) return 0;
    this.#options.log.info({ test: key, run: run.id, why }, 'Discarding run');
    await this.#options.runner.cleanUp(run, signal);
    // A new spec is no disturbance of the cluster, though the fingerprint holds it too.
    if (run.generation === test.metadata.generation && run.fingerprint !== fingerprint) remembered.disturbedRuns += 1;
    this.#endRun(remembered);
    return 0;
  }

  /** Says at once what the test may no longer use; the rest of it goes on as it was. */
  async #refuse(world: World, signal: AbortSignal): Promise<Again> {
    const { test, plan } = world;
    const status = statusRefused(test, plan.lines, this.#timestamp());
    await this.#writeStatus(world, status, signal);
    await this.#announce(world, status, signal);
    return 0;
  }

  /** Its pods no longer count, so that others may start theirs. */
  #endRun(remembered: Remembered): void {
    delete remembered.run;
    this.#options.admission.wakeNext();
  }

  async #announce({ test }: World, status: Status, signal: AbortSignal): Promise<void> {
    for (const announcement of announcementsOf(test.status, status)) {
      await this.#options.events.record({ regarding: stored(test), action: 'Verify', ...announcement, signal });
    }
  }

  /**
   * Whether a run is the first to see a change, or a new spec came together with one, as when both are applied at once: then it is looked
   * at once more, whatever asked for it.
   */
  #isOfChange({ test, plan, fingerprint, remembered }: World, trigger: Run['trigger']): boolean {
    const { changes, clock } = this.#options;
    if (remembered.disturbedRuns > 0) return true;
    if (trigger === 'Spec') return isUnsettled(test, plan, changes, clock.monotonic());
    return test.status?.lastRun !== undefined && test.status.lastRun.fingerprint !== fingerprint;
  }

  async #start(world: World, trigger: Run['trigger'], signal: AbortSignal): Promise<Again> {
    const { test, plan, fingerprint, remembered, key } = world;
    const { runner, calibration, log, client, caches } = this.#options;
    const delaySeconds = standSeconds(calibration.freshPodDelayMs());
    const request = runRequestOf(test);
    const owners = { client, calibration: caches.calibration(), signal, onRequest: () => (run.apiRequests += 1) };
    const ownerOf = ownersFor(test, plan, owners);
    const order = { owner: test, ownerOf, tasks: plan.assignments, times: { ...test.spec, delaySeconds } };
    const run: Run = {
      ...runner.prepare(order),
      trigger: this.#isOfChange(world, trigger) ? 'Change' : trigger,
      generation: test.metadata.generation,
      fingerprint,
      plan,
      delaySeconds,
      readySince: readySince(plan, this.#options.caches),
      ...(request === undefined ? {} : { runRequest: request }),
    };
    // Known before its first request: its pods count against the cap from now on, and the sweep for orphans leaves them alone.
    remembered.run = run;
    if (trigger === 'Spec') {
      try {
        await this.#writeStatus(world, statusPending(test, this.#timestamp()), signal);
      } catch (error) {
        this.#endRun(remembered);
        throw error;
      }
      run.apiRequests += 1;
    }
    log.info({ test: key, run: run.id, trigger: run.trigger, probePods: run.probes.length }, 'Starting run');
    await runner.start(order, run, signal);
    return 0;
  }

  async #conclude(world: World, signal: AbortSignal): Promise<Again> {
    const { key, test, remembered } = world;
    const { runner, metrics, log } = this.#options;
    const { run } = remembered;
    if (run === undefined) return 0;
    await runner.cleanUp(run, signal).catch((error: unknown) => {
      // The sweep finds what is left; the verdicts need not wait for it.
      log.warn({ test: key, run: run.id, err: error }, 'Could not delete all probe pods');
    });
    const circumstances = this.#circumstances(world, run);
    const { status, repeatAt, comparisons, defect } = concludedStatus(test, run, circumstances);
    if (defect !== undefined) log.warn({ test: key, run: run.id, err: defect }, 'Could not explain the verdicts');
    if (status.lastRun !== undefined) status.lastRun.apiRequests += announcementsOf(test.status, status).length;
    await this.#writeStatus(world, status, signal);
    remembered.disturbedRuns = circumstances.disturbedRuns;
    delete remembered.repeatAt;
    if (repeatAt !== undefined) remembered.repeatAt = repeatAt;
    this.#endRun(remembered);
    await this.#announce(world, status, signal);
    metrics.countRun(resultOf(status));
    for (const { agreement, cause } of comparisons) metrics.countComparison(agreement, cause);
    countAttempts(run, metrics);
    log.info({ test: key, run: run.id, verdict: status.verdict, result: status.summary?.display }, 'Run concluded');
    return 0;
  }

  async #writeStatus({ test, plan, remembered }: World, written: Status, signal: AbortSignal): Promise<void> {
    const { client, metrics } = this.#options;
    const status = withRefusals(test, written, plan.lines, this.#timestamp());
    const { apiVersion, kind, metadata } = stored(test);
    // The uid keeps the verdicts from a test that was deleted and made anew under the same name.
    const { name, namespace, uid } = metadata;
    const patch = {
      apiVersion,
      kind,
      metadata: { name, ...(namespace === undefined ? {} : { namespace }), uid },
      status,
    };
    try {
      await client.apply(resourceOf(test), patch, {
        fieldManager: 'postern',
        subresource: 'status',
        force: true,
        signal,
      });
    } catch (error) {
      // Deleted meanwhile: the watch tells soon, and there is nobody left to tell.
      if (!isKubeError(error, 'NotFound')) throw error;
    }
    remembered.status = status;
    metrics.reportTest(reportOfTest(test, status));
  }

  #timestamp(): string {
    return new Date(this.#options.clock.now()).toISOString();
  }
}

/** How the run itself ended, whatever damping shows of it. */
function resultOf({ expectations = [] }: Status): RunResult {
  const seen = expectations.map(observedVerdict);
  return seen.includes('Failed') ? 'failed' : seen.includes('Inconclusive') ? 'inconclusive' : 'passed';
}

function countAttempts(run: Run, metrics: Metrics): void {
  const protocols = new Map(
    run.plan.lines.flatMap(({ expectation, checks, controls }) =>
      [...controls, ...checks].map(({ id }) => [id, applicationProtocolOf(expectation)] as const),
    ),
  );
  for (const { report, assignment } of run.probes) {
    for (const check of assignment.checks) {
      const observation = report?.observations.get(check.id);
      const protocol = protocols.get(check.id) ?? 'TCP';
      metrics.countAttempt(observation?.outcome ?? 'ProbeLost', protocol);
      if (observation?.outcome !== 'Connected' || check.mode !== 'converge') continue;
      const seconds = observation.elapsedMs / 1000;
      if (observation.firstOutcome === 'Connected') metrics.observeConnect(protocol, seconds);
      else metrics.observeConvergence(protocol, seconds);
    }
  }
}
