import { createHash } from 'node:crypto';
import type { ConnectivityTest } from '../api/index.ts';
import type { Plan } from './plan.ts';
import type { ClusterView } from './view.ts';

/**
 * Digest of everything observed that a test's verdicts depend on: its spec, the identities and targets of the plan, the
 * labels of the pods behind the targets, the policies and labels of the namespaces involved, and the calibration, in any
 * stable notation. A test runs again when it changes, and only then or on its period.
 */
export function fingerprintOf(test: ConnectivityTest, plan: Plan, view: ClusterView, calibration = ''): string {
  const policies = [undefined, ...plan.namespaces].flatMap((namespace) =>
    view
      .policies(namespace)
      .map(({ kind, metadata, spec, specs }) =>
        JSON.stringify([kind, metadata.namespace, metadata.name, metadata.uid, spec, specs]),
      )
      .toSorted(),
  );
  const labels = plan.namespaces.map((name) => sorted(view.namespace(name)?.metadata.labels ?? {}));
  const pods = new Map(
    plan.namespaces.flatMap((name) => view.pods(name)).map(({ metadata }) => [metadata.uid, metadata.labels ?? {}]),
  );
  const lines = plan.lines.map(({ checks, controls, findings, notes }) => [
    [...checks, ...controls].map(({ identity, target }) => [
      identity.key,
      target,
      target.podUids.map((uid) => sorted(pods.get(uid) ?? {})),
    ]),
    findings,
    notes,
  ]);
  return createHash('sha256')
    .update(JSON.stringify([test.metadata.uid, test.metadata.generation, policies, labels, lines, calibration]))
    .digest('hex')
    .slice(0, 16);
}

function sorted(labels: Readonly<Record<string, string>>): readonly (readonly [string, string])[] {
  return Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
