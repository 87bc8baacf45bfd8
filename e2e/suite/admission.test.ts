import { afterEach, describe, expect, it } from 'vitest';
import { nextRun, readTest, rowsOf } from '../harness/postern.ts';
import { waitFor } from '../harness/wait.ts';
import { connectivityTest, expectation, server } from '../harness/workloads.ts';
import { createWorld, type World } from '../harness/world.ts';

const quota = (namespace: string, hard: object): object => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'quota', namespace },
  spec: { hard },
});

describe('namespaces that restrict their pods', () => {
  let world: World;
  afterEach(() => world.destroy());

  it('runs under Pod Security "restricted" with enough quota', async () => {
    world = await createWorld('postern-e2e-restricted', { 'pod-security.kubernetes.io/enforce': 'restricted' });
    const { namespace } = world;
    await world.apply(
      quota(namespace, {
        pods: '4',
        'requests.cpu': '1',
        'requests.memory': '1Gi',
        'limits.cpu': '4',
        'limits.memory': '1Gi',
      }),
      ...server({ namespace, name: 'server', replicas: 2 }),
    );
    await world.ready('server');
    await world.apply(connectivityTest(namespace, 'restricted', [expectation('reaches', 'server', 'server', 'Allow')]));
    const test = await nextRun(world.kubectl, namespace, 'restricted');
    expect(rowsOf(test).get('reaches')).toMatchObject({ verdict: 'Passed', reason: 'Reachable' });
  });

  it('says QuotaExceeded, and nothing else, where the quota leaves no room, and tries again by itself', async () => {
    world = await createWorld('postern-e2e-quota');
    const { namespace } = world;
    await world.apply(...server({ namespace, name: 'server', replicas: 2 }));
    await world.ready('server');
    await world.apply(quota(namespace, { pods: '0' }));
    await world.kubectl(`wait --for=jsonpath={.status.hard.pods}=0 resourcequota/quota -n ${namespace} --timeout=30s`);
    await world.apply(
      connectivityTest(namespace, 'crowded', [
        expectation('reaches', 'server', 'server', 'Allow'),
        expectation('does-not-reach', 'server', 'server', 'Deny'),
      ]),
    );
    const test = await nextRun(world.kubectl, namespace, 'crowded');
    const verdicts = [...rowsOf(test).values()].map(({ verdict, reason }) => `${verdict} ${reason}`);
    expect(verdicts).toEqual(['Inconclusive QuotaExceeded', 'Inconclusive QuotaExceeded']);
    expect(rowsOf(test).get('reaches')?.message).toContain('exceeded quota');

    // Nothing that Postern watches changes, and the period is an hour.
    await world.kubectl(`delete resourcequota quota -n ${namespace}`);
    const { status } = await waitFor(
      async () => {
        const newest = await readTest(world.kubectl, namespace, 'crowded');
        return rowsOf(newest).get('reaches')?.verdict === 'Passed' && newest;
      },
      { what: 'the run after the quota', timeoutMs: 90_000 },
    );
    expect(status?.lastRun).toMatchObject({ trigger: 'Retry' });
  });
});
