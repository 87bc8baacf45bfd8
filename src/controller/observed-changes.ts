import type { EndpointSlice, Expectation, KubeObject, Namespace, Pod, Policy, Service } from '../api/index.ts';
import type { Clock } from '../clock/index.ts';
import type { Change } from '../kube/index.ts';
import type { Check, Plan } from '../plan/index.ts';
import { isProbeName } from '../runner/index.ts';

/** What an object is to the network: whom a change of it concerns, and what of it counts as one. */
interface Standing {
  readonly subject: string;
  readonly facts: unknown;
}

/** Longer than any grace period and any run. */
const keptMs = 600_000;

/**
 * When what verdicts depend on was last seen to change, by the operator's own monotonic clock: neither the API server's clock
 * nor a node's tells when a change reached the network plugin, and clocks that are set make durations wrong.
 */
export class ObservedChanges {
  readonly #clock: Clock;
  readonly #changedAt = new Map<string, number>();
  #isWatching = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** From now on what is told is a change, and no longer the first sight of what has stood for long. */
  begin(): void {
    this.#isWatching = true;
  }

  note<T extends KubeObject>({ type, object, previous }: Change<T>, standingOf: (object: T) => Standing): void {
    if (!this.#isWatching) return;
    const { subject, facts } = standingOf(object);
    const before = type === 'Modified' && previous !== undefined ? standingOf(previous).facts : undefined;
    if (type === 'Modified' && JSON.stringify(before) === JSON.stringify(facts)) return;
    const now = this.#clock.monotonic();
    // Kept in the order of their times, so that old ones stand first.
    this.#changedAt.delete(subject);
    this.#changedAt.set(subject, now);
    for (const [old, at] of this.#changedAt) {
      if (at > now - keptMs) break;
      this.#changedAt.delete(old);
    }
  }

  /** When the last of them changed, in milliseconds of the monotonic clock; undefined if none did of late. */
  latest(subjects: readonly string[]): number | undefined {
    const times = subjects.map((subject) => this.#changedAt.get(subject)).filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.max(...times);
  }
}

export function policyStanding({ metadata, spec, specs }: Policy): Standing {
  return { subject: policiesOf(metadata.namespace), facts: [spec, specs] };
}

export function namespaceStanding({ metadata }: Namespace): Standing {
  return { subject: namespaceOf(metadata.name), facts: metadata.labels };
}

/** Readiness is left out: it says something about the application, nothing about what is enforced. */
export function podStanding({ metadata, status }: Pod): Standing {
  const isLeaving = metadata.deletionTimestamp !== undefined;
  return { subject: podOf(metadata.uid ?? ''), facts: [metadata.labels, status?.podIPs ?? status?.podIP, isLeaving] };
}

export function serviceStanding({ metadata, spec }: Service): Standing {
  return { subject: serviceOf(metadata.namespace, metadata.name), facts: spec };
}

/**
 * Probe pods come and go in the Services that select their source, never ready: a run would take its own pods for a change, excuse
 * what it saw, and begin again for ever.
 */
export function sliceStanding({ metadata, endpoints, ports }: EndpointSlice): Standing {
  const service = metadata.labels?.['kubernetes.io/service-name'] ?? '';
  const others = endpoints?.filter(({ targetRef }) => !isProbeName(targetRef?.name ?? ''));
  return {
    subject: serviceOf(metadata.namespace, service),
    facts: [others?.map(({ addresses }) => addresses), ports],
  };
}

/** Whatever a check's answer depends on, as far as its changes are observed. */
export function subjectsOf({ namespaces }: Plan, { target }: Check, { to }: Expectation, namespace: string): string[] {
  return [
    policiesOf(undefined),
    ...namespaces.flatMap((name) => [policiesOf(name), namespaceOf(name)]),
    ...target.podUids.map(podOf),
    ...(to.service === undefined ? [] : [serviceOf(to.service.namespace ?? namespace, to.service.name)]),
  ];
}

const policiesOf = (namespace: string | undefined): string => `policies/${namespace ?? ''}`;
const namespaceOf = (name: string): string => `namespaces/${name}`;
const podOf = (uid: string): string => `pods/${uid}`;
const serviceOf = (namespace: string | undefined, name: string): string => `services/${namespace ?? ''}/${name}`;
