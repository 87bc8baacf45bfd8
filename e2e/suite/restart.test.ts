import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Pod } from '../../src/api/index.ts';
import { attempt, run } from '../cluster/command.ts';
import { probePodsIn } from '../harness/probe-pods.ts';
import { nextRun, posternNamespace } from '../harness/postern.ts';
import { waitFor } from '../harness/wait.ts';
import { connectivityTest, expectation, networkPolicy, server } from '../harness/workloads.ts';
import { createWorld, type World } from '../harness/world.ts';

type Stage = 'unschedulable' | 'starting' | 'running' | 'finished';

/** Whether a probe pod is at the stage that the operator is to be killed at. */
function isAt(stage: Stage, { status }: Pod): boolean {
  const state = status?.containerStatuses?.[0]?.state;
  switch (stage) {
    case 'unschedulable':
      return (
        status?.conditions?.some(({ type, reason }) => type === 'PodScheduled' && reason === 'Unschedulable') === true
      );
    case 'starting':
      return status?.phase === 'Pending';
    case 'running':
      return state?.running !== undefined;
    case 'finished':
      return state?.terminated !== undefined;
  }
}

describe('an operator that dies', () => {
  let world: World;

  const probesOf = async (test: string): Promise<readonly Pod[]> =>
    (await probePodsIn(world.kubectl, world.namespace)).filter(({ metadata }) =>
      metadata.ownerReferences?.some(({ name }) => name === test),
    );
  const scale = async (replicas: number): Promise<void> => {
    await world.kubectl(`scale deployment postern -n ${posternNamespace} --replicas=${replicas}`);
  };
  /** Stops the operator where it stands, so that it can neither go on nor tidy up. */
  const freeze = async (): Promise<void> => {
    const { items } = await world.kubectl.json<{ items: readonly Pod[] }>(
      `get pods -n ${posternNamespace} -l app.kubernetes.io/name=postern`,
    );
    for (const { spec } of items) {
      await run('docker', ['exec', spec.nodeName ?? '', 'pkill', '-STOP', '-f', 'src/main/operator.ts']);
    }
  };
  /** Ends a frozen operator as a power cut would, with nobody to take over. */
  const kill = async (): Promise<void> => {
    await scale(0);
    await world.kubectl(`delete pod -n ${posternNamespace} -l app.kubernetes.io/name=postern --force --grace-period=0`);
    await waitFor(async () => (await posternPods()) === 0, { what: 'the operator to be gone', timeoutMs: 60_000 });
  };
  const posternPods = async (): Promise<number> => {
    const { items } = await world.kubectl.json<{ items: readonly Pod[] }>(
      `get pods -n ${posternNamespace} -l app.kubernetes.io/name=postern`,
    );
    return items.length;
  };
  const revive = async (): Promise<void> => {
    await scale(1);
    await world.kubectl(`rollout status deployment/postern -n ${posternNamespace} --timeout=120s`);
  };

  beforeAll(async () => {
    world = await createWorld('postern-e2e-restart');
    const { namespace } = world;
    await world.apply(
      ...server({ namespace, name: 'client' }),
      ...server({ namespace, name: 'target' }),
      ...server({ namespace, name: 'homeless', nodeSelector: { 'postern.dev/no-such-node': 'true' } }),
      networkPolicy(namespace, 'guard', { podSelector: { matchLabels: { app: 'target' } }, policyTypes: ['Ingress'] }),
    );
    await world.ready('client', 'target');
  });
  afterEach(async () => {
    await world.kubectl(`delete connectivitytests --all -n ${world.namespace}`);
    await revive();
  });
  afterAll(() => world.destroy());

  it.each<Stage>(['unschedulable', 'starting', 'running', 'finished'])(
    'leaves no probe pod after a restart: killed while one is %s',
    async (stage) => {
      const { namespace, kubectl } = world;
      const source = stage === 'unschedulable' ? 'homeless' : 'client';
      // Ten seconds of silence twice: long enough to be killed in the middle of.
      await world.apply(
        connectivityTest(namespace, `killed-${stage}`, [expectation('denied', source, 'target', 'Deny')], {
          timeoutSeconds: stage === 'finished' ? 2 : 10,
        }),
      );
      const find = (wanted: Stage): Promise<Pod> =>
        waitFor(async () => (await probesOf(`killed-${stage}`)).find((pod) => isAt(wanted, pod)), {
          what: `a probe pod that is ${wanted}`,
          timeoutMs: 60_000,
          everyMs: 50,
        });
      // A finished probe pod is deleted at once, unless the operator is stopped before it can see it.
      const killed = await find(stage === 'finished' ? 'running' : stage);
      await freeze();
      if (stage === 'finished') await find('finished');
      await kill();
      const left = await probesOf(`killed-${stage}`);
      expect(left.map(({ metadata }) => metadata.uid)).toContain(killed.metadata.uid);

      await revive();
      await waitFor(
        async () => (await probesOf(`killed-${stage}`)).every(({ metadata }) => metadata.uid !== killed.metadata.uid),
        { what: 'the orphan to be deleted', timeoutMs: 60_000 },
      );
      if (source === 'client') {
        const test = await nextRun(kubectl, namespace, `killed-${stage}`);
        expect(test.status?.verdict).toBe('Passed');
      }
      await kubectl(`delete connectivitytest killed-${stage} -n ${namespace}`);
      await waitFor(async () => (await probesOf(`killed-${stage}`)).length === 0, {
        what: 'garbage collection of the deleted test',
        timeoutMs: 60_000,
      });
    },
  );

  it('has its probe processes end by themselves if nobody comes back', async () => {
    const { namespace, kubectl } = world;
    await world.apply(
      connectivityTest(namespace, 'abandoned', [expectation('denied', 'client', 'target', 'Deny')], {
        timeoutSeconds: 10,
      }),
    );
    const running = await waitFor(async () => (await probesOf('abandoned')).find((pod) => isAt('running', pod)), {
      what: 'a running probe',
      timeoutMs: 60_000,
      everyMs: 100,
    });
    await freeze();
    await kill();
    const deadlineSeconds = await kubectl(
      `get pod ${running.metadata.name} -n ${namespace} -o jsonpath={.spec.activeDeadlineSeconds}`,
    );
    expect(Number(deadlineSeconds)).toBeLessThanOrEqual(150);
    await waitFor(async () => (await probesOf('abandoned')).every((pod) => isAt('finished', pod)), {
      what: 'the probe to end by itself',
      timeoutMs: 1000 * Number(deadlineSeconds) + 20_000,
    });
    const processes = await attempt('docker', [
      'exec',
      running.spec.nodeName ?? '',
      'pgrep',
      '-f',
      '/postern/probe.sh',
    ]);
    expect(processes.stdout).toBe('');
    await kubectl(`delete connectivitytest abandoned -n ${namespace}`);
    await waitFor(async () => (await probesOf('abandoned')).length === 0, {
      what: 'garbage collection without an operator',
      timeoutMs: 60_000,
    });
  });
});
