import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Pod } from '../../src/api/index.ts';
import { attempt } from '../cluster/command.ts';
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

  const scale = async (replicas: number): Promise<void> => {
    await world.kubectl(`scale deployment postern -n ${posternNamespace} --replicas=${replicas}`);
  };
  /** Kills the operator as a crash would: no signal that it could act on, and nobody to take over. */
  const kill = async (): Promise<void> => {
    await scale(0);
    await world.kubectl(`delete pod -n ${posternNamespace} -l app.kubernetes.io/name=postern --force --grace-period=0`);
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
  afterEach(revive);
  afterAll(() => world.destroy());

  it.each<Stage>(['unschedulable', 'starting', 'running', 'finished'])(
    'leaves no probe pod after a restart: killed while one is %s',
    async (stage) => {
      const { namespace, kubectl } = world;
      const source = stage === 'unschedulable' ? 'homeless' : 'client';
      // Ten seconds of silence twice: long enough to be killed in the middle of.
      await world.apply(
        connectivityTest(namespace, `killed-${stage}`, [expectation('denied', source, 'target', 'Deny')], {
          timeoutSeconds: stage === 'finished' ? 1 : 10,
        }),
      );
      const killed = await waitFor(
        async () => {
          const pods = await probePodsIn(kubectl, namespace);
          return pods.find((pod) => isAt(stage, pod));
        },
        { what: `a probe pod that is ${stage}`, timeoutMs: 60_000, everyMs: 50 },
      );
      await kill();
      const left = await probePodsIn(kubectl, namespace);

      await revive();
      await waitFor(
        async () =>
          (await probePodsIn(kubectl, namespace)).every(({ metadata }) => metadata.uid !== killed.metadata.uid),
        { what: 'the orphan to be deleted', timeoutMs: 60_000 },
      );
      if (stage !== 'finished') expect(left.map(({ metadata }) => metadata.uid)).toContain(killed.metadata.uid);
      if (source === 'client') {
        const test = await nextRun(kubectl, namespace, `killed-${stage}`);
        expect(test.status?.verdict).toBe('Passed');
      }
      await kubectl(`delete connectivitytest killed-${stage} -n ${namespace}`);
      await waitFor(async () => (await probePodsIn(kubectl, namespace)).length === 0, {
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
    const running = await waitFor(
      async () => (await probePodsIn(kubectl, namespace)).find((pod) => isAt('running', pod)),
      { what: 'a running probe', timeoutMs: 60_000, everyMs: 100 },
    );
    await kill();
    const deadlineSeconds = await kubectl(
      `get pod ${running.metadata.name} -n ${namespace} -o jsonpath={.spec.activeDeadlineSeconds}`,
    );
    expect(Number(deadlineSeconds)).toBeLessThanOrEqual(150);
    await waitFor(async () => (await probePodsIn(kubectl, namespace)).every((pod) => isAt('finished', pod)), {
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
    await waitFor(async () => (await probePodsIn(kubectl, namespace)).length === 0, {
      what: 'garbage collection without an operator',
      timeoutMs: 60_000,
    });
  });
});
