import type { Expected } from '../api/index.ts';
import type { Check, Mesh } from '../plan/index.ts';
import type { IpFamily, Observation } from '../probe/index.ts';
import type { ProbeFacts } from './control.ts';
import type { Judgement } from './judge.ts';

/** What a probe pod brought back, and whose proxy was put into it. */
export interface FactsInMesh extends ProbeFacts {
  /** The mesh that put a proxy into the probe pod, which asks to be left alone. */
  readonly mesh?: Mesh;
  /** The family of the pod's first address. */
  readonly family?: IpFamily;
}

/** Whose proxies may stand between a probe and what it dialled. */
export interface MeshPath {
  /** The mesh of the workload whose identity the probe wears. */
  readonly source?: Mesh;
  /** The mesh of a pod behind the target. */
  readonly target?: Mesh;
  /** The mesh that put a proxy into the probe pod itself, against its annotations. */
  readonly probe?: Mesh;
}

/** A TCP connection on which nothing was said. */
function isBare({ http, udp, dns }: Pick<Check, 'http' | 'udp' | 'dns'>): boolean {
  return http === undefined && udp === undefined && dns === undefined;
}

/** The proxy at the probe's own end that accepts every connection, wherever it was to go. */
function ownProxy({ source, probe }: MeshPath): Mesh | undefined {
  return probe ?? (source?.proxy === 'node' ? source : undefined);
}

/**
 * The mesh that leaves a judgement in doubt. A proxy accepts every connection, so that a bare one says nothing about who is behind
 * it; bytes of an answer do. An Allow is in doubt as well where the workload itself would go through its sidecar, which the probe
 * does not have. So is an answer that is refused where both ends are in a mesh: it knows the workload by a certificate that
 * the probe lacks.
 */
export function meshDoubt(
  { verdict, reason }: Judgement,
  expected: Expected,
  check: Pick<Check, 'http' | 'udp' | 'dns'>,
  observation: Observation | undefined,
  path: MeshPath,
): { readonly mesh: Mesh; readonly reason: 'ThroughMesh' | 'MeshIdentityNotWorn' } | undefined {
  if (verdict === 'Inconclusive' || observation === undefined) return undefined;
  const { source, target } = path;
  const inPath = ownProxy(path) ?? target;
  if (isBare(check)) {
    const mesh = expected === 'Allow' ? (inPath ?? source) : inPath;
    const isOpen = expected === 'Allow' ? verdict === 'Passed' : verdict === 'Failed';
    return isOpen && mesh !== undefined ? { mesh, reason: 'ThroughMesh' } : undefined;
  }
  const isRefusedLater = ['Reset', 'HTTPMismatch', 'TLSFailed', 'NoAnswer'].includes(reason);
  const isOutsider = source?.proxy === 'sidecar' && path.probe === undefined;
  return verdict === 'Failed' && isRefusedLater && isOutsider && target !== undefined
    ? { mesh: target, reason: 'MeshIdentityNotWorn' }
    : undefined;
}

/** Reports as proofs for others: without the bare connections that a proxy at the probe's own end accepted. */
export function withoutProxied(reports: readonly FactsInMesh[]): readonly FactsInMesh[] {
  return reports.map((report) => {
    const proxied = new Set(
      report.checks
        .filter((check) => isBare(check) && ownProxy(meshPathOf(check, report)) !== undefined)
        .map(({ id }) => id),
    );
    return proxied.size === 0
      ? report
      : { ...report, observations: new Map([...report.observations].filter(([id]) => !proxied.has(id))) };
  });
}

export function meshPathOf({ identity, target }: Check, report: FactsInMesh | undefined): MeshPath {
  return {
    ...(identity.mesh === undefined ? {} : { source: identity.mesh }),
    ...(target.mesh === undefined ? {} : { target: target.mesh }),
    ...(report?.mesh === undefined ? {} : { probe: report.mesh }),
  };
}
