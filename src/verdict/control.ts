import type { ControlMode } from '../api/index.ts';
import { type Check, describeSource, type Line } from '../plan/index.ts';
import type { Observation } from '../probe/index.ts';

/** A probe pod's part of a run, as far as proofs of a working network need it. */
export interface ProbeFacts {
  readonly checks: readonly Check[];
  /** The node that the pod ran on. */
  readonly node?: string;
  readonly observations: ReadonlyMap<number, Observation>;
  readonly resolverAnswered: boolean;
}

/** Whether an attempt got as far as a working TCP connection. */
function isAnswered({ outcome, stage }: Observation): boolean {
  return outcome === 'Connected' || stage === 'tls' || stage === 'http';
}

/** Whether an attempt shows that packets leave its pod and that answers come back, whatever they say. */
function hasNetwork(seen: Observation, { dns }: Check): boolean {
  return isAnswered(seen) || (dns !== undefined && seen.stage === 'dns');
}

/**
 * What a check dials, as a key that is equal where an answer to one proves that the other would be answered too: the same
 * address, transport and port, and over UDP the same datagram, since an application need not answer any. Undefined for a
 * host name that has not resolved.
 */
function doorOf(check: Check, observation: Observation | undefined): string | undefined {
  const { port, udp, dns } = check;
  if (dns !== undefined) return JSON.stringify(['dns', dns.protocol, check.address ?? 'own resolver', port]);
  const address = check.address ?? observation?.address;
  return address === undefined ? undefined : JSON.stringify([udp?.payload ?? 'tcp', address, port]);
}

/**
 * What proves that a check's target answers somebody on that port: another check of the run that connected to the same
 * address and port, else the kubelet's readiness probe on that very port, else what the user accepts.
 */
export function targetControlOf(
  check: Check,
  observation: Observation | undefined,
  probes: readonly ProbeFacts[],
  sourceNames: ReadonlyMap<number, string>,
  mode: ControlMode = 'Observed',
): string | undefined {
  const door = doorOf(check, observation);
  if (door === undefined) return undefined;
  for (const probe of probes) {
    for (const other of probe.checks) {
      const seen = probe.observations.get(other.id);
      if (other.id === check.id || seen === undefined || !hasNetwork(seen, other)) continue;
      if (doorOf(other, seen) === door) {
        const did = other.udp === undefined && other.dns === undefined ? 'connected to it' : 'got an answer from it';
        return `${sourceNames.get(other.id) ?? 'another source'} ${did} in the same run`;
      }
    }
  }
  if (check.target.readinessProved) return "its pods are Ready by the kubelet's readiness probe on that port";
  return mode === 'Declared' && check.target.declared === true
    ? 'its pods are Ready and declare that port, which `control.mode: Declared` accepts'
    : undefined;
}

/**
 * What disproves a Deny beside its own check: a connection of the same identity to the same address and port, made on behalf
 * of another expectation. Policies cannot tell the two apart, so silence of one of them is no denial.
 */
export function connectionOfSameIdentity(
  check: Check,
  observation: Observation | undefined,
  probes: readonly ProbeFacts[],
): Observation | undefined {
  const door = doorOf(check, observation);
  if (door === undefined) return undefined;
  for (const probe of probes) {
    for (const other of probe.checks) {
      const seen = probe.observations.get(other.id);
      if (other.id === check.id || seen === undefined || !isAnswered(seen)) continue;
      if (other.identity.key !== check.identity.key || doorOf(other, seen) !== door) continue;
      // Names are told apart by policies that look into DNS, and an answer about one is none about another.
      if (other.dns?.name !== check.dns?.name) continue;
      // What was said on the other's connection is none of this check's business; that it stood is.
      const { attempts, elapsedMs } = seen;
      return { outcome: 'Connected', stage: seen.stage, firstOutcome: 'Connected', attempts, elapsedMs };
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
    return seen !== undefined && hasNetwork(seen, check);
  });
}

/** Who asks, by check, for sentences about controls. */
export function sourceNamesOf(
  lines: readonly Pick<Line, 'expectation' | 'checks' | 'controls'>[],
): ReadonlyMap<number, string> {
  return new Map(
    lines.flatMap(({ expectation, checks, controls }) => {
      const admitted = { from: expectation.control?.from ?? expectation.from };
      return [
        ...controls.map(({ id }) => [id, describeSource(admitted)] as const),
        ...checks.map(({ id }) => [id, describeSource(expectation)] as const),
      ];
    }),
  );
}
