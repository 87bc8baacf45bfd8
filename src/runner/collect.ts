import type { Pod, Reason } from '../api/index.ts';
import { meshOf, podAddresses } from '../plan/index.ts';
import { familyOf, parseResult } from '../probe/index.ts';
import { plainText } from '../text/index.ts';
import type { ProbeReport } from '../verdict/index.ts';
import type { Probe } from './run.ts';

/** What a sentence of ours has room for, of the words of others. */
const maxWordsBytes = 300;

/**
 * What a probe's pod says by now: a report when it has ended or will not start, undefined while there is hope. `pod` is the
 * newest state in the cache, undefined if it is not there.
 */
export function reportOf(probe: Probe, pod: Pod | undefined, isOverdue: boolean): ProbeReport | undefined {
  // Another pod of the same name is somebody else's statement.
  const own = pod !== undefined && (probe.uid === undefined || pod.metadata.uid === probe.uid) ? pod : undefined;
  if (own === undefined) {
    if (probe.seen) return trouble(probe, 'ProbeLost', 'the pod was deleted');
    return isOverdue ? trouble(probe, 'ProbeNotStarted', '') : undefined;
  }
  const container = own.status?.containerStatuses?.find(({ name }) => name === 'probe');
  const terminated = container?.state?.terminated;
  if (terminated !== undefined) return terminatedReport(probe, own, terminated);
  if (own.status?.phase === 'Failed') return trouble(probe, 'ProbeLost', own.status.reason ?? '');
  if (container?.state?.running !== undefined) {
    return isOverdue ? trouble(probe, 'ProbeLost', 'it ran past its deadline') : undefined;
  }
  const waiting = container?.state?.waiting;
  if (waiting?.reason === 'InvalidImageName' || waiting?.reason === 'ErrImageNeverPull') {
    return trouble(probe, 'ProbeImageUnavailable', waiting.reason);
  }
  return isOverdue ? notStarted(probe, own, waiting?.reason) : undefined;
}

/**
 * Where the pod of a listening task runs by now, the primary address first, though it may not answer yet: nowhere until it does, and
 * when it is gone.
 */
export function runningAt(probe: Probe, pod: Pod | undefined): readonly string[] {
  if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) return [];
  if (probe.uid !== undefined && pod.metadata.uid !== probe.uid) return [];
  const container = pod.status?.containerStatuses?.find(({ name }) => name === 'probe');
  return container?.state?.running === undefined ? [] : podAddresses(pod, undefined);
}

/** Where it answers by now, by its own word; undefined until it does. */
export function listeningAt(probe: Probe, pod: Pod | undefined): readonly string[] | undefined {
  const container = pod?.status?.containerStatuses?.find(({ name }) => name === 'probe');
  const addresses = container?.ready === true ? runningAt(probe, pod) : [];
  return addresses.length === 0 ? undefined : addresses;
}

function terminatedReport(
  probe: Probe,
  pod: Pod,
  terminated: { readonly message?: string; readonly reason?: string },
): ProbeReport {
  const ids = probe.assignment.checks.map(({ id }) => id);
  const result = parseResult(terminated.message ?? '', probe.nonce, ids);
  if (result === undefined) return trouble(probe, 'ProbeLost', pod.status?.reason ?? terminated.reason ?? '');
  const mesh = meshOf(pod);
  return {
    checks: probe.assignment.checks,
    observations: result.observations,
    resolverAnswered: result.resolverAnswered,
    ...(pod.spec.nodeName === undefined ? {} : { node: pod.spec.nodeName }),
    ...(mesh === undefined ? {} : { mesh }),
    ...(pod.status?.podIP === undefined ? {} : { family: familyOf(pod.status.podIP) }),
  };
}

function notStarted(probe: Probe, pod: Pod, waiting: string | undefined): ProbeReport {
  if (waiting !== undefined && /Image/.test(waiting)) return trouble(probe, 'ProbeImageUnavailable', waiting);
  const scheduled = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status === 'False') return trouble(probe, 'ProbeUnschedulable', scheduled.message ?? '');
  return trouble(probe, 'ProbeNotStarted', waiting ?? '');
}

/** A report that states nothing but why it does. */
export function trouble(probe: Probe, reason: Reason, message: string): ProbeReport {
  return {
    checks: probe.assignment.checks,
    observations: new Map(),
    resolverAnswered: false,
    trouble: { reason, message: probe.isAbroad === true ? '' : plainText(message, maxWordsBytes) },
  };
}
