import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pod } from '../../src/api/index.ts';
import { nextRun, rowsOf } from '../harness/postern.ts';
import { probePodsIn } from '../harness/probe-pods.ts';
import { waitFor } from '../harness/wait.ts';
import { connectivityTest, expectation, networkPolicy, podSpec, server } from '../harness/workloads.ts';
import { createWorld, type World } from '../harness/world.ts';

const taint = { key: 'postern-e2e', value: 'only', effect: 'NoSchedule' };
const priority = 'postern-e2e-important';

/** A probe pod as the API server has it, with what the controller does not read. */
interface PlacedPod extends Pod {
  readonly spec: Pod['spec'] & {
    readonly priority?: number;
    readonly priorityClassName?: string;
    readonly preemptionPolicy?: string;
  };
}

describe('probe pods of a source that is particular about its place', () => {
  let world: World;
  let node: string;

  const deployment = (name: string, replicas: number, spec: object): object => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: world.namespace },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { ...podSpec(8080), ...spec } },
    },
  });

  beforeAll(async () => {
    world = await createWorld('postern-e2e-placement');
    const { namespace, kubectl } = world;
    const nodes = await kubectl.json<{ items: readonly { metadata: { name: string } }[] }>(
      'get nodes -l !node-role.kubernetes.io/control-plane',
    );
    node = nodes.items[0]?.metadata.name ?? '';
    await kubectl(`taint node ${node} ${taint.key}=${taint.value}:${taint.effect} --overwrite`);
    await world.apply(
      {
        apiVersion: 'scheduling.k8s.io/v1',
        kind: 'PriorityClass',
        metadata: { name: priority },
        value: 1000,
        description: 'A priority that no probe pod may have.',
      },
      {
        apiVersion: 'v1',
        kind: 'LimitRange',
        metadata: { name: 'limits', namespace },
        spec: {
          limits: [
            {
              type: 'Container',
              default: { cpu: '100m', memory: '64Mi' },
              defaultRequest: { cpu: '100m', memory: '64Mi' },
              max: { cpu: '1', memory: '256Mi' },
              min: { cpu: '5m', memory: '8Mi' },
            },
          ],
        },
      },
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'pull', namespace }, type: 'Opaque' },
      deployment('particular', 1, {
        nodeSelector: { 'kubernetes.io/hostname': node },
        tolerations: [taint],
        imagePullSecrets: [{ name: 'pull' }],
        priorityClassName: priority,
      }),
      deployment('nowhere', 0, { nodeSelector: { 'example.com/no-such': 'node' } }),
      ...server({ namespace, name: 'target' }),
      networkPolicy(namespace, 'guard', { podSelector: { matchLabels: { app: 'target' } }, policyTypes: ['Ingress'] }),
    );
    await world.ready('particular', 'target');
  });
  afterAll(async () => {
    await world.kubectl(`taint node ${node} ${taint.key}-`);
    await world.destroy();
    await world.kubectl(`delete priorityclass ${priority} --ignore-not-found`);
  });

  it('stand there too, with its pull secrets and within the limits, but without its priority', async () => {
    const { namespace, kubectl } = world;
    await world.apply(
      connectivityTest(namespace, 'particular', [expectation('denied', 'particular', 'target', 'Deny')], {
        timeoutSeconds: 5,
      }),
    );
    const probe = await waitFor(
      async () => (await probePodsIn(kubectl, namespace)).find(({ status }) => status?.phase === 'Running'),
      { what: 'a running probe pod', timeoutMs: 60_000, everyMs: 100 },
    );
    const { spec } = await kubectl.json<PlacedPod>(`get pod ${probe.metadata.name} -n ${namespace}`);

    expect(spec.nodeName).toBe(node);
    expect(spec.tolerations).toContainEqual(taint);
    expect(spec.imagePullSecrets).toContainEqual({ name: 'pull' });
    expect(spec.priorityClassName).not.toBe(priority);
    expect(spec.priority).toBeLessThan(0);
    expect(spec.preemptionPolicy).toBe('Never');
    const test = await nextRun(kubectl, namespace, 'particular');
    expect(rowsOf(test).get('denied')).toMatchObject({ verdict: 'Passed', reason: 'Denied' });
  });

  it('say that no node takes them, in the words of the scheduler', async () => {
    const { namespace, kubectl } = world;
    await world.apply(connectivityTest(namespace, 'nowhere', [expectation('denied', 'nowhere', 'target', 'Deny')]));

    const test = await nextRun(kubectl, namespace, 'nowhere', { timeoutMs: 120_000 });

    expect(rowsOf(test).get('denied')).toMatchObject({ verdict: 'Inconclusive', reason: 'ProbeUnschedulable' });
    expect(rowsOf(test).get('denied')?.message).toContain("didn't match Pod's node affinity/selector");
    await waitFor(async () => (await probePodsIn(kubectl, namespace)).length === 0, {
      what: 'the probe pod to go',
      timeoutMs: 20_000,
    });
  });
});
