import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConnectivityTest } from '../../src/api/index.ts';
import { rowsOf } from '../harness/postern.ts';
import { probePodsIn } from '../harness/probe-pods.ts';
import { standingOf } from '../harness/standing.ts';
import { waitFor } from '../harness/wait.ts';
import { connectivityTest, networkPolicy, podSpec, server } from '../harness/workloads.ts';
import { createWorld, type World } from '../harness/world.ts';

const home = 'postern-e2e-home';
const abroad = 'postern-e2e-abroad';

/** Probe pods that no test of their own namespace owns: a grant does, or the anchor of a test of the whole cluster. */
describe('probe pods in another namespace', () => {
  let asking: World;
  let world: World;

  beforeAll(async () => {
    asking = await createWorld(home);
    world = await createWorld(abroad);
    const labels = (app: string) => ({ matchLabels: { app } });
    const budget = (name: string, spec: object) => ({
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name, namespace: abroad },
      spec,
    });
    await world.apply(
      ...server({ namespace: abroad, name: 'deployed', replicas: 2 }),
      ...server({ namespace: abroad, name: 'numbered', replicas: 2 }),
      ...server({ namespace: abroad, name: 'target' }),
      {
        apiVersion: 'apps/v1',
        kind: 'ReplicaSet',
        metadata: { name: 'bare', namespace: abroad },
        spec: {
          replicas: 1,
          selector: labels('bare'),
          template: { metadata: { labels: { app: 'bare' } }, spec: podSpec(8080) },
        },
      },
      networkPolicy(abroad, 'guard', { podSelector: labels('target'), policyTypes: ['Ingress'] }),
      budget('percent', { minAvailable: '50%', selector: labels('deployed') }),
      budget('number', { maxUnavailable: 1, selector: labels('numbered') }),
    );
    await world.ready('deployed', 'numbered', 'target');
    await world.kubectl(`wait replicaset/bare -n ${abroad} --for=jsonpath={.status.readyReplicas}=1 --timeout=120s`);
  });
  afterAll(async () => {
    await world.kubectl('delete clusterconnectivitytests --all');
    await asking.destroy();
    await world.destroy();
  });

  const expectations = ['deployed', 'numbered', 'bare'].map((app) => ({
    name: app,
    from: { pods: { matchLabels: { app } }, namespace: abroad },
    to: { service: { name: 'target', namespace: abroad }, port: 8080 },
    expect: 'Deny',
  }));
  const slowly = { timeoutSeconds: 5 };

  it.each<[string, string, readonly object[], string]>([
    [
      'ConnectivityGrant',
      'to-home',
      [
        {
          apiVersion: 'postern.dev/v1alpha1',
          kind: 'ConnectivityGrant',
          metadata: { name: 'to-home', namespace: abroad },
          spec: { from: [{ namespace: home }], as: ['Source'] },
        },
        connectivityTest(home, 'visiting', expectations, slowly),
      ],
      `connectivitytest visiting -n ${home}`,
    ],
    [
      'ProbeAnchor',
      'visiting-all',
      [
        {
          apiVersion: 'postern.dev/v1alpha1',
          kind: 'ClusterConnectivityTest',
          metadata: { name: 'visiting-all' },
          spec: { periodSeconds: 3600, ...slowly, expectations },
        },
      ],
      'clusterconnectivitytest visiting-all',
    ],
  ])('are harmless when a %s owns them', async (kind, name, objects, test) => {
    const { kubectl } = world;
    const before = await waitFor(
      async () => {
        const seen = await standingOf(kubectl, abroad);
        return seen.budgets.every((budget) => (budget?.disruptionsAllowed ?? 0) > 0) && seen;
      },
      { what: 'budgets that allow a disruption', timeoutMs: 60_000 },
    );
    await world.apply(...objects);
    const probes = await waitFor(
      async () => {
        const pods = await probePodsIn(kubectl, abroad);
        return pods.length === 3 && pods.every(({ status }) => status?.phase === 'Running') && pods;
      },
      { what: 'three running probe pods', timeoutMs: 60_000, everyMs: 100 },
    );

    expect(await standingOf(kubectl, abroad)).toEqual(before);
    for (const { metadata, status } of probes) {
      expect(metadata.ownerReferences).toMatchObject([{ kind, name, controller: true }]);
      expect(status?.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('False');
    }
    // The disruption controller adds up what owners say: it must find these.
    const events = await kubectl(
      `get events -n ${abroad} --field-selector=reason=CalculateExpectedPodCountFailed -o name`,
    );
    expect(events.trim()).toBe('');

    const done = await waitFor(
      async () => {
        const seen = await kubectl.json<ConnectivityTest>(`get ${test}`);
        return seen.status?.summary !== undefined && seen;
      },
      { what: 'the verdicts', timeoutMs: 90_000 },
    );
    expect([...rowsOf(done).values()].map(({ verdict, reason }) => `${verdict} ${reason}`)).toEqual(
      Array.from({ length: 3 }, () => 'Passed Denied'),
    );
    await waitFor(async () => (await probePodsIn(kubectl, abroad)).length === 0, {
      what: 'the probe pods to go',
      timeoutMs: 20_000,
    });
    expect(await standingOf(kubectl, abroad)).toEqual(before);
  });

  it.each([
    ['ConnectivityGrant', `connectivitygrant to-home -n ${abroad}`, `connectivitygrant to-home -n ${abroad}`],
    ['ProbeAnchor', `probeanchor visiting-all -n ${abroad}`, 'clusterconnectivitytest visiting-all'],
  ])('go with their %s, though Postern were gone', async (kind, owner, removed) => {
    const { kubectl } = world;
    const { metadata } = await kubectl.json<ConnectivityTest>(`get ${owner}`);
    // Not labelled as a probe pod, so that no sweep of Postern has a part in it.
    const pod = `left-${kind.toLowerCase()}`;
    await world.apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: pod,
        namespace: abroad,
        ownerReferences: [
          { apiVersion: 'postern.dev/v1alpha1', kind, name: metadata.name, uid: metadata.uid, controller: true },
        ],
      },
      spec: podSpec(8080),
    });

    await kubectl(`delete ${removed}`);

    await kubectl(`wait pod/${pod} -n ${abroad} --for=delete --timeout=60s`);
  });
});
