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

/**
 * Reports as proofs that the network works for what a check is about: what IPv4 got through proves nothing about IPv6, and the
 * other way round. The resolver is asked by the family of the pod's own first address.
 */
export function ofFamily({ address }: Check, reports: readonly FactsInMesh[]): readonly FactsInMesh[] {
  if (address === undefined) return reports;
  const family = familyOf(address);
  return reports.map((report) => {
    const foreign = new Set(
      report.checks
        .filter((check) => {
          const dialled = check.address ?? report.observations.get(check.id)?.address;
          return dialled !== undefined && familyOf(dialled) !== family;
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
