import type { ConnectivityTest, Namespace } from '../api/index.ts';
import type { Scope } from './consent.ts';
import { resolveSource, resolveTarget, serviceNamedBy } from './reference.ts';
import { selectorMatches } from '../policy/index.ts';
import type { ClusterView } from './view.ts';

/** What a test refers to and may use. */
export interface References {
  /** Its own namespace, and those of everything that it may refer to; sorted. */
  readonly namespaces: readonly string[];
  readonly scopes: readonly Scope[];
}

/** The namespaces that a test's references stand for now; those that it may not use are not among them. */
export function referencesOf(test: ConnectivityTest, view: ClusterView): References {
  const own = test.metadata.namespace;
  const scopes = test.spec.expectations
    .flatMap(({ from, to, control }) => [
      resolveSource(test, from, view),
      ...(control?.from === undefined ? [] : [resolveSource(test, control.from, view)]),
      resolveTarget(test, to, view),
    ])
    .flatMap((resolved) => ('reason' in resolved ? [] : resolved.scopes));
  const namespaces = [...new Set([own, ...scopes.map(({ namespace }) => namespace)])];
  return { namespaces: namespaces.filter((name) => name !== '').toSorted(), scopes };
}

/** Whether a test may refer to a namespace, by its name or by these labels of it. No consent is asked for. */
export function mayRefer(test: ConnectivityTest, { metadata }: Namespace): boolean {
  const { name, labels } = metadata;
  return test.spec.expectations.some(({ from, to, control }) =>
    [from, to, control?.from, to.service, serviceNamedBy(to.host ?? '')].some((named) => {
      if (named === undefined) return false;
      const { namespace, namespaces }: Pick<typeof from, 'namespace' | 'namespaces'> = named;
      return namespaces === undefined
        ? (namespace ?? test.metadata.namespace) === name
        : selectorMatches(namespaces, labels);
    }),
  );
}
