import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Condition, Pod } from '../../src/api/index.ts';
import { podMetrics, podMetricsDefinition } from '../harness/pod-metrics.ts';
import { nextRun, rowsOf } from '../harness/postern.ts';
import { probePodsIn } from '../harness/probe-pods.ts';
import { waitFor } from '../harness/wait.ts';
import { agnhost, connectivityTest, expectation, networkPolicy, server } from '../harness/workloads.ts';
import { createWorld, type World } from '../harness/world.ts';

interface Autoscaler {
  readonly status: {
    readonly desiredReplicas: number;
    readonly conditions?: readonly Condition[];
    readonly currentMetrics?: readonly { readonly resource?: { readonly current: { averageUtilization?: number } } }[];
  };
}

/** Utilisation that the autoscaler aims at, in percent of a request of 10m. */
const aim = 60;

describe('an autoscaler whose pods are looked like', () => {
  let world: World;

  beforeAll(async () => {
    world = await createWorld('postern-e2e-autoscaler');
    const { namespace, kubectl } = world;
    await world.apply(podMetricsDefinition);
    await kubectl(`wait crd/${podMetricsDefinition.metadata.name} --for=condition=Established --timeout=60s`);
    await world.apply(
      ...server({ namespace, name: 'scaled', replicas: 2 }),
      ...server({ namespace, name: 'target' }),
      networkPolicy(namespace, 'guard', { podSelector: { matchLabels: { app: 'target' } }, policyTypes: ['Ingress'] }),
      {
        apiVersion: 'autoscaling/v2',
        kind: 'HorizontalPodAutoscaler',
        metadata: { name: 'scaled', namespace },
        spec: {
          scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'scaled' },
          minReplicas: 1,
          maxReplicas: 6,
          metrics: [
            { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: aim } } },
          ],
        },
      },
    );
    await world.ready('scaled', 'target');
  });
  afterAll(async () => {
    await world.destroy();
    await world.kubectl(`delete crd ${podMetricsDefinition.metadata.name} --ignore-not-found`);
  });

  /** Lets the application use so many thousandths of a processor, and waits until the autoscaler has looked at that. */
  async function use(milli: number): Promise<Autoscaler> {
    const { namespace, kubectl } = world;
    const { items } = await kubectl.json<{ items: readonly Pod[] }>(
      `get pods -n ${namespace} -l app=scaled,postern.dev/component!=probe`,
    );
    await world.apply(...items.map((pod) => podMetrics(pod, `${milli}m`)));
    return waitFor(
      async () => {
        const autoscaler = await kubectl.json<Autoscaler>(`get hpa scaled -n ${namespace}`);
        const [metric] = autoscaler.status.currentMetrics ?? [];
        return metric?.resource?.current.averageUtilization === 10 * milli && autoscaler;
      },
      { what: `the autoscaler to see ${milli}m`, timeoutMs: 90_000 },
    );
  }

  const activity = ({ status }: Autoscaler): Condition | undefined =>
    status.conditions?.find(({ type }) => type === 'ScalingActive');

  it('goes on as if there were no probe pod', async () => {
    const { namespace, kubectl } = world;
    const before = await use(aim / 10);
    expect(before.status.desiredReplicas).toBe(2);
    // An Allow that is denied keeps its probe pod for longer than an autoscaler's period of 15 seconds.
    await world.apply(
      connectivityTest(namespace, 'blocked', [expectation('reaches', 'scaled', 'target', 'Allow')], {
        settleSeconds: 60,
      }),
    );
    const probe = await waitFor(
      async () => (await probePodsIn(kubectl, namespace)).find(({ status }) => status?.phase === 'Running'),
      { what: 'a running probe pod', timeoutMs: 60_000, everyMs: 100 },
    );

    const during = await use(aim / 10 - 1);

    const [alive] = await probePodsIn(kubectl, namespace);
    expect(alive?.metadata.uid).toBe(probe.metadata.uid);
    expect(alive?.status?.phase).toBe('Running');
    expect(activity(during)).toMatchObject({ status: 'True', reason: 'ValidMetricFound' });
    expect(during.status.desiredReplicas).toBe(2);
    const test = await nextRun(kubectl, namespace, 'blocked', { timeoutMs: 120_000 });
    expect(rowsOf(test).get('reaches')).toMatchObject({ verdict: 'Failed', reason: 'Blocked' });
  });

  it('would stop at a look-alike without requests', async () => {
    const { namespace, kubectl } = world;
    await world.apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'careless', namespace, labels: { app: 'scaled' } },
      spec: {
        terminationGracePeriodSeconds: 1,
        readinessGates: [{ conditionType: 'example.com/never' }],
        containers: [{ name: 'server', image: agnhost, args: ['pause'] }],
      },
    });

    await waitFor(
      async () => {
        const autoscaler = await kubectl.json<Autoscaler>(`get hpa scaled -n ${namespace}`);
        const condition = activity(autoscaler);
        return condition?.status === 'False' && condition.message.includes('missing request for cpu');
      },
      { what: 'the autoscaler to fail', timeoutMs: 60_000 },
    );
  });
});
