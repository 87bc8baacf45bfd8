import type { ControlMode, Protocol } from '../api/index.ts';
import { type Check, describeSource, isOutsideIdentity, type Line } from '../plan/index.ts';
import type { Observation, Outcome } from '../probe/index.ts';

/** A probe pod's part of a run, as far as proofs of a working network need it. */
export interface ProbeFacts {
  readonly checks: readonly Check[];
  /** The node that the pod ran on. */
  readonly node?: string;
  readonly observations: ReadonlyMap<number, Observation>;
  readonly resolverAnswered: boolean;
}

/** Whether an attempt got as far as a working connection, or over UDP an answer. */
function isAnswered({ outcome, stage }: Observation): boolean {
  return outcome === 'Connected' || stage === 'tls' || stage === 'http';
}

/** Whether an attempt shows that packets leave its pod and that answers come back, whatever they say. */
function hasNetwork(seen: Observation, { dns }: Check): boolean {
  return isAnswered(seen) || (dns !== undefined && seen.stage === 'dns' && seen.outcome !== 'ProbeLost');
}

/** Whether it did so at once. What works only after a while proves nothing about the moment in which others met silence. */
export function hasNetworkAtOnce(seen: Observation, check: Check): boolean {
  return hasNetwork(seen, check) && !late.includes(seen.firstOutcome);
}
const late: readonly Outcome[] = ['TimedOut', 'Refused', 'Unreachable', 'ProbeLost', 'ProbeNotStarted'];

/** The protocol that carries what a check says. */
export function transportOf({ udp, dns }: Pick<Check, 'udp' | 'dns'>): Protocol {
  return dns?.protocol ?? (udp === undefined ? 'TCP' : 'UDP');
}

/** Whom packets of a check go to, and over which transport, as a key; undefined for a host name that has not resolved. */
function wireOf(check: Check, observation: Observation | undefined): string | undefined {
  const { port, dns, identity } = check;
  const { dnsPolicy, dnsConfig } = identity.pod;
  const ownResolver = dns === undefined ? undefined : ['own resolver', dnsPolicy, dnsConfig];
  const address = check.address ?? ownResolver ?? observation?.address;
  return address === undefined ? undefined : JSON.stringify([transportOf(check), address, port]);
}

/**
 * What a check asks and whom, as a key that is equal where an answer to one proves that the other would be answered too: over
 * UDP only the same datagram, since an application need not answer any, and of a name server only the same name.
 */
function doorOf(check: Check, observation: Observation | undefined): string | undefined {
  const wire = wireOf(check, observation);
  const { udp, dns } = check;
  return wire === undefined ? undefined : JSON.stringify([wire, udp?.payload, dns?.name, dns?.type]);
}

/** What else target controls depend on. */
export interface ControlFacts {
  /** Who asks, by check. */
  readonly sourceNames: ReadonlyMap<number, string>;
  /** Whether the nodes of the target's pods were heard of after the check had begun. */
  readonly isNodeHeard: boolean;
  readonly mode?: ControlMode | undefined;
}

/**
 * What proves that a check's target answers somebody on that port: another check of the run that connected to the same
 * address and port, else the kubelet's readiness probe on that very port, if that kubelet was alive when the probe dialled, else
 * what the user accepts. Beside a refusal only the first will do: a port that closed since the kubelet looked refuses as well, and
 * so does one that was never open.
 */
export function targetControlOf(
  check: Check,
  observation: Observation | undefined,
  probes: readonly ProbeFacts[],
  { sourceNames, isNodeHeard, mode = 'Observed' }: ControlFacts,
): string | undefined {
  const door = doorOf(check, observation);
  if (door === undefined) return undefined;
  for (const probe of probes) {
    for (const other of probe.checks) {
      const seen = probe.observations.get(other.id);
      if (other.id === check.id || seen === undefined || !hasNetworkAtOnce(seen, other)) continue;
      if (doorOf(other, seen) === door) {
        const did = other.udp === undefined && other.dns === undefined ? 'connected to it' : 'got an answer from it';
        return `${sourceNames.get(other.id) ?? 'another source'} ${did} in the same run`;
      }
    }
  }
  if (observation?.outcome === 'Refused') return undefined;
  if (check.target.readinessProved && isNodeHeard) {
    return "its pods are Ready by the kubelet's readiness probe on that port";
  }
  return mode === 'Declared' && check.target.declared === true
    ? 'its pods are Ready and declare that port, which `control.mode: Declared` accepts'
    : undefined;
}

/**
 * What disproves a Deny beside its own check: an answer that the same identity got over the same transport from the same address
 * and port, on behalf of another expectation. Policies cannot tell the two apart, so silence of one of them is no denial. Where a
 * name server answered about another name the connection is open, but that name was not looked up.
 */
export function disproofOf(
  check: Check,
  observation: Observation | undefined,
  probes: readonly ProbeFacts[],
): Observation | undefined {
  const wire = wireOf(check, observation);
  if (wire === undefined) return undefined;
  for (const probe of probes) {
    for (const other of probe.checks) {
      const seen = probe.observations.get(other.id);
      if (other.id === check.id || seen === undefined) continue;
      // One connection is enough, though it were the first and no second one came.
      if (!hasNetwork(seen, other) && seen.firstOutcome !== 'Connected') continue;
      if (other.identity.key !== check.identity.key || wireOf(other, seen) !== wire) continue;
      const { attempts, elapsedMs } = seen;
      const isResolved = isAnswered(seen) || seen.firstOutcome === 'Connected';
      const isSameQuestion = check.dns === undefined || (isResolved && other.dns?.name === check.dns.name);
      // What was said on the other's connection is none of this check's business; that it stood is.
      const outcome = isSameQuestion ? 'Connected' : 'NameServerFailed';
      return { outcome, stage: isSameQuestion ? 'connect' : 'dns', firstOutcome: outcome, attempts, elapsedMs };
    }
  }
  return undefined;
}

/** What proves that the network of a check's probe pod works: the pod itself got an answer, or another one on its node did. */
export function sourceControlOf(probe: ProbeFacts, probes: readonly ProbeFacts[]): string | undefined {
  if (answersOf(probe)) return 'the same probe pod connected elsewhere';
  if (probe.resolverAnswered) return 'the same probe pod got an answer from its DNS resolver';
  const neighbour = probes.find(
    (other) =>
      other !== probe &&
      other.node !== undefined &&
      other.node === probe.node &&
      (other.resolverAnswered || answersOf(other)),
  );
  return neighbour === undefined ? undefined : 'another probe pod on the same node got answers';
}

function answersOf({ checks, observations }: ProbeFacts): boolean {
  return checks.some((check) => {
    const seen = observations.get(check.id);
    return seen !== undefined && hasNetworkAtOnce(seen, check);
  });
}

const outsider = "a probe pod in Postern's own namespace";

/** Who asks, by check, for sentences about controls. */
export function sourceNamesOf(
  lines: readonly Pick<Line, 'expectation' | 'checks' | 'controls'>[],
): ReadonlyMap<number, string> {
  return new Map(
    lines.flatMap(({ expectation, checks, controls }) => {
      const admitted = { from: expectation.control?.from ?? expectation.from };
      return [
        ...controls.map(
          ({ id, identity }) => [id, isOutsideIdentity(identity) ? outsider : describeSource(admitted)] as const,
        ),
        ...checks.map(({ id }) => [id, describeSource(expectation)] as const),
      ];
    }),
  );
}
