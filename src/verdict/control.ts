import { type Check, describeSource } from '../plan/index.ts';
import type { Expectation } from '../api/index.ts';
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
  return outcome === 'Connected' || stage === 'http';
}

/**
 * What proves that a check's target answers somebody on that port: another check of the run that connected to the same
 * address and port, else the kubelet's readiness probe on that very port.
 */
export function targetControlOf(
  check: Check,
  observation: Observation | undefined,
  probes: readonly ProbeFacts[],
  sourceNames: ReadonlyMap<number, string>,
): string | undefined {
  const address = check.address ?? observation?.address;
  if (address === undefined) return undefined;
  for (const probe of probes) {
    for (const other of probe.checks) {
      const seen = probe.observations.get(other.id);
      if (other.id === check.id || seen === undefined || other.port !== check.port) continue;
      if ((other.address ?? seen.address) === address && isAnswered(seen)) {
        return `${sourceNames.get(other.id) ?? 'another source'} connected to it in the same run`;
      }
    }
  }
  return check.target.readinessProved ? "its pods are Ready by the kubelet's readiness probe on that port" : undefined;
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
  const address = check.address ?? observation?.address;
  if (address === undefined) return undefined;
  for (const probe of probes) {
    for (const other of probe.checks) {
      const seen = probe.observations.get(other.id);
      if (other.id === check.id || seen === undefined || !isAnswered(seen)) continue;
      const isSame = other.identity.key === check.identity.key && other.port === check.port;
      if (isSame && (other.address ?? seen.address) === address) return seen;
    }
  }
  return undefined;
}

/** What proves that the network of a check's probe pod works: the pod itself got an answer, or another one on its node did. */
export function sourceControlOf(probe: ProbeFacts, probes: readonly ProbeFacts[]): string | undefined {
  if ([...probe.observations.values()].some(isAnswered)) return 'the same probe pod connected elsewhere';
  if (probe.resolverAnswered) return 'the same probe pod got an answer from its DNS resolver';
  const neighbour = probes.find(
    (other) =>
      other !== probe &&
      other.node !== undefined &&
      other.node === probe.node &&
      (other.resolverAnswered || [...other.observations.values()].some(isAnswered)),
  );
  return neighbour === undefined ? undefined : 'another probe pod on the same node got answers';
}

/** Who asks, by check, for sentences about controls. */
export function sourceNamesOf(
  lines: readonly { readonly expectation: Expectation; readonly checks: readonly Check[] }[],
): ReadonlyMap<number, string> {
  return new Map(lines.flatMap(({ expectation, checks }) => checks.map(({ id }) => [id, describeSource(expectation)])));
}
