import type { Check } from '../plan/index.ts';
import { familyOf, type IpFamily } from '../probe/index.ts';
import type { FactsInMesh } from './mesh.ts';

/**
 * The one family that a check is dialled over. A pod's own resolver is asked by its first address; a host name has none, since it may
 * stand for addresses of both, which are all dialled.
 */
export function familyDialled({ address, dns }: Check, report: FactsInMesh | undefined): IpFamily | undefined {
  if (address !== undefined) return familyOf(address);
  return dns === undefined ? undefined : report?.family;
}

/** The family that a check was dialled over in the end, that of the address which its name led to. */
export function familySeen(check: Check, report: FactsInMesh | undefined): IpFamily | undefined {
  const address = report?.observations.get(check.id)?.address;
  return familyDialled(check, report) ?? (address === undefined ? undefined : familyOf(address));
}

/**
 * Reports as proofs that the network works for what a check is about: what IPv4 got through proves nothing about IPv6, and the
 * other way round. A name is of the family of the address that it led to; the own resolver is asked by that of the pod's own first
 * address. Without a family nothing is told apart.
 */
export function ofFamily(family: IpFamily | undefined, reports: readonly FactsInMesh[]): readonly FactsInMesh[] {
  if (family === undefined) return reports;
  return reports.map((report) => {
    const foreign = new Set(
      report.checks
        .filter((check) => {
          const seen = familySeen(check, report);
          return seen !== undefined && seen !== family;
        })
        .map(({ id }) => id),
    );
    const isResolverForeign = report.family !== undefined && report.family !== family;
    if (foreign.size === 0 && !isResolverForeign) return report;
    return {
      ...report,
      resolverAnswered: report.resolverAnswered && !isResolverForeign,
      observations: new Map([...report.observations].filter(([id]) => !foreign.has(id))),
    };
  });
}
