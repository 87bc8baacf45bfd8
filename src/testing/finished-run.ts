/** A run that is over: web must not reach the database, whose only control is the kubelet's readiness probe. */
import { type Circumstances, readySince } from '../controller/evidence.ts';
import { type ClusterView, type Plan, planFor } from '../plan/index.ts';
import { CompiledPolicies } from '../policy/index.ts';
import type { Observation } from '../probe/index.ts';
import type { Run } from '../runner/index.ts';
import type { Denials } from '../verdict/index.ts';
import { expectationOf, podOf, testOf, viewOf } from './cluster-view.ts';

const now = Date.UTC(2026, 0, 1);
const db = podOf('db-0', {
  labels: { app: 'db' },
  spec: { nodeName: 'node-1', containers: [{ name: 'db', readinessProbe: { tcpSocket: { port: 5432 } } }] },
});
export const pods = [podOf('web', { labels: { app: 'web' } }), db];
export const test = testOf([
  expectationOf({
    name: 'web-not-db',
    from: { pods: { matchLabels: { app: 'web' } } },
    to: { pods: { matchLabels: { app: 'db' } }, port: 5432 },
    expect: 'Deny',
  }),
]);
const plan: Plan = planFor(test, viewOf({ pods }));

export const silence: Observation = {
  outcome: 'TimedOut',
  stage: 'connect',
  firstOutcome: 'TimedOut',
  attempts: 2,
  elapsedMs: 4010,
};

/** Its only probe reported at 50 000, by the monotonic clock. */
export function runOf(parts: Partial<Run> = {}, observation: Observation = silence): Run {
  const { plan: planned = plan } = parts;
  return {
    id: 'r',
    trigger: 'Change',
    generation: 1,
    fingerprint: 'f',
    plan: planned,
    readySince: readySince(planned, viewOf({ pods })),
    startedAt: now - 6000,
    begunAt: 50_000,
    delaySeconds: 0,
    deadline: now,
    probes: planned.assignments.map((assignment) => ({
      reportedAt: 50_000,
      name: 'p',
      namespace: 'shop',
      nonce: 'n',
      assignment,
      seen: true,
      report: {
        checks: assignment.checks,
        observations: new Map(assignment.checks.map(({ id }) => [id, observation])),
        resolverAnswered: true,
      },
    })),
    apiRequests: 3,
    ...parts,
  };
}

const drop: Denials = { IPv4: { TCP: { ingress: 'TimedOut', egress: 'TimedOut' } } };

/** Every node is heard of; probe pods have none. */
export function cachesOf(view: ClusterView, parts: Partial<Circumstances['caches']> = {}): Circumstances['caches'] {
  return { ...view, heardOf: () => 50_000, endsBehind: () => [], podNamed: () => undefined, ...parts };
}

export function circumstances(parts: Partial<Circumstances> = {}): Circumstances {
  return {
    isDisturbed: false,
    disturbedRuns: 0,
    caches: cachesOf(viewOf({ pods })),
    crossings: { stateSince: () => 'Unknown' },
    changes: { latest: () => undefined },
    denials: drop,
    freshPodDelayMs: 0,
    seenAt: now,
    policies: { view: viewOf({ pods }), compiled: new CompiledPolicies(), unreadKinds: [] },
    ...parts,
  };
}
