import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pod } from '../../src/api/index.ts';
import { probePodsIn } from '../harness/probe-pods.ts';
import { nextRun, rowsOf } from '../harness/postern.ts';
import { standingOf } from '../harness/standing.ts';
import { waitFor } from '../harness/wait.ts';
import { connectivityTest, expectation, networkPolicy, podSpec, server } from '../harness/workloads.ts';
import { createWorld, type World } from '../harness/world.ts';

describe('probe pods that look like the application', () => {
  let world: World;

  beforeAll(async () => {
    world = await createWorld('postern-e2e-harmless');
    const { namespace } = world;
    const labels = (app: string) => ({ matchLabels: { app } });
    const template = (app: string) => ({ metadata: { labels: { app } }, spec: podSpec(8080) });
    const budget = (name: string, spec: object) => ({
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name, namespace },
      spec,
    });
    await world.apply(
      ...server({ namespace, name: 'deployed', replicas: 2 }),
      {
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        metadata: { name: 'stateful', namespace },
        spec: { serviceName: 'stateful', replicas: 1, selector: labels('stateful'), template: template('stateful') },
      },
      {
        apiVersion: 'apps/v1',
        kind: 'DaemonSet',
        metadata: { name: 'daemon', namespace },
        spec: { selector: labels('daemon'), template: template('daemon') },
      },
      {
        apiVersion: 'apps/v1',
        kind: 'ReplicaSet',
        metadata: { name: 'bare', namespace },
        spec: { replicas: 1, selector: labels('bare'), template: template('bare') },
      },
      ...server({ namespace, name: 'numbered', replicas: 2 }),
      ...server({ namespace, name: 'target' }),
      ...server({ namespace, name: 'published', publishNotReadyAddresses: true }),
      networkPolicy(namespace, 'guard', { podSelector: labels('target'), policyTypes: ['Ingress'] }),
      budget('percent', { minAvailable: '50%', selector: labels('deployed') }),
      budget('number', { maxUnavailable: 1, selector: labels('numbered') }),
      budget('stateful', { maxUnavailable: 1, selector: labels('stateful') }),
    );
    await world.ready('deployed', 'numbered', 'target', 'published');
    await world.kubectl(`rollout status statefulset/stateful -n ${namespace} --timeout=120s`);
    await world.kubectl(`rollout status daemonset/daemon -n ${namespace} --timeout=120s`);
    await world.kubectl(`wait replicaset/bare -n ${namespace} --for=jsonpath={.status.readyReplicas}=1 --timeout=120s`);
  });
  afterAll(() => world.destroy());

  const snapshot = () => standingOf(world.kubectl, world.namespace);

  /** The pods as the API server has them. */
  async function specsOf(pods: readonly Pod[]): Promise<readonly { readonly spec: Record<string, unknown> }[]> {
    const names = pods.map(({ metadata }) => metadata.name).join(' ');
    const list = await world.kubectl.json<{ items: { spec: Record<string, unknown> }[] }>(
      `get pods -n ${world.namespace} ${names}`,
    );
    return list.items;
  }

  it('takes no traffic, is adopted by nobody, replaces nothing and blocks no disruption', async () => {
    const { namespace, kubectl } = world;
    const before = await waitFor(
      async () => {
        const seen = await snapshot();
        return seen.budgets.every((budget) => (budget?.disruptionsAllowed ?? 0) > 0) && seen;
      },
      { what: 'budgets that allow a disruption', timeoutMs: 60_000 },
    );
    const from = (kind: string, name: string) => ({ workload: { kind, name } });
    const denied = (name: string, source: object) => ({
      name,
      from: source,
      to: { service: { name: 'target' }, port: 8080 },
      expect: 'Deny',
    });
    await world.apply(
      connectivityTest(
        namespace,
        'look-alikes',
        [
          denied('deployment', from('Deployment', 'deployed')),
          denied('another-deployment', from('Deployment', 'numbered')),
          denied('stateful-set', from('StatefulSet', 'stateful')),
          denied('daemon-set', from('DaemonSet', 'daemon')),
          denied('bare-replica-set', from('ReplicaSet', 'bare')),
        ],
        // Long enough for all of them to be seen at once, on a busy machine too.
        { timeoutSeconds: 10 },
      ),
    );
    const probes = await waitFor(
      async () => {
        const pods = await probePodsIn(kubectl, namespace);
        return pods.length === 5 && pods.every(({ status }) => status?.phase === 'Running') && pods;
      },
      { what: 'five running probe pods', timeoutMs: 60_000, everyMs: 100 },
    );
    const during = await snapshot();
    expect(during).toEqual(before);
    for (const { metadata, status } of probes) {
      expect(metadata.ownerReferences).toMatchObject([
        { kind: 'ConnectivityTest', name: 'look-alikes', controller: true },
      ]);
      expect(status?.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('False');
      // What the source wears and the one label of probe pods: another per run would be another identity in the CNI.
      expect(metadata.labels).toEqual({ app: expect.any(String), 'postern.dev/component': 'probe' });
      // A StatefulSet claims pods whose names end in a number.
      expect(metadata.name).toMatch(/^postern-probe-[a-p]+$/);
    }
    for (const { spec } of await specsOf(probes)) {
      expect(spec).toMatchObject({
        automountServiceAccountToken: false,
        restartPolicy: 'Never',
        activeDeadlineSeconds: expect.any(Number),
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      });
      for (const absent of ['volumes', 'hostNetwork', 'affinity', 'topologySpreadConstraints']) {
        expect(spec).not.toHaveProperty(absent);
      }
      expect(spec['containers']).toMatchObject([
        {
          resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { cpu: '500m', memory: '192Mi' } },
          securityContext: { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false },
        },
      ]);
      expect(spec['containers']).not.toHaveProperty('0.ports');
    }

    const test = await nextRun(kubectl, namespace, 'look-alikes');
    expect([...rowsOf(test).values()].map(({ verdict, reason }) => `${verdict} ${reason}`)).toEqual(
      Array.from({ length: 5 }, () => 'Passed Denied'),
    );
    await waitFor(async () => (await probePodsIn(kubectl, namespace)).length === 0, {
      what: 'the probe pods to go',
      timeoutMs: 20_000,
    });
    expect(await snapshot()).toEqual(before);
  });

  it('does not run where a Service would send traffic to pods that are not ready', async () => {
    const { namespace, kubectl } = world;
    await world.apply(connectivityTest(namespace, 'published', [expectation('denied', 'published', 'target', 'Deny')]));
    const test = await nextRun(kubectl, namespace, 'published');
    expect(rowsOf(test).get('denied')).toMatchObject({ verdict: 'Inconclusive', reason: 'ServicePublishesNotReady' });
    expect(test.status?.lastRun?.probePods).toBe(0);
  });

  it('does not stand in the way of a drain', async () => {
    const { namespace, kubectl } = world;
    await world.apply(
      connectivityTest(namespace, 'drained', [expectation('denied', 'deployed', 'target', 'Deny')], {
        timeoutSeconds: 10,
      }),
    );
    const probe = await waitFor(
      async () => (await probePodsIn(kubectl, namespace)).find(({ status }) => status?.phase === 'Running'),
      { what: 'a running probe pod', timeoutMs: 60_000, everyMs: 100 },
    );
    const node = probe.spec.nodeName ?? '';
    try {
      const drained = await kubectl.attempt(
        `drain ${node} --pod-selector=postern.dev/component=probe --ignore-daemonsets --delete-emptydir-data --timeout=30s`,
      );
      expect(`${drained.stdout}${drained.stderr}`).toContain(`${probe.metadata.name} evicted`);
      expect(drained.code).toBe(0);
      const test = await nextRun(kubectl, namespace, 'drained');
      expect(rowsOf(test).get('denied')?.verdict).toBe('Inconclusive');
      expect(rowsOf(test).get('denied')?.reason).toBe('ProbeLost');
    } finally {
      await kubectl(`uncordon ${node}`);
    }
  });
});
