import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { calibrateNow, conditionOf } from '../harness/calibration.ts';
import { nextRun, rowsOf } from '../harness/postern.ts';
import { waitFor } from '../harness/wait.ts';
import { connectivityTest, expectation, networkPolicy, server } from '../harness/workloads.ts';
import { createWorld, type World } from '../harness/world.ts';

/**
 * A cluster whose network plugin enforces nothing. It is made of the shared one by turning enforcement off in Cilium's agents,
 * and turned back at the end; so it runs by itself (`npm run test:calibration`).
 */
describe('on a cluster that enforces no policy', () => {
  let world: World;

  const enforce = async (mode: 'default' | 'never'): Promise<void> => {
    const { kubectl } = world;
    await kubectl(`patch configmap cilium-config -n kube-system --type merge -p {"data":{"enable-policy":"${mode}"}}`);
    await kubectl('rollout restart daemonset/cilium -n kube-system');
    await kubectl('rollout status daemonset/cilium -n kube-system --timeout=240s');
  };

  beforeAll(async () => {
    world = await createWorld('postern-e2e-unenforced');
    const { namespace } = world;
    await world.apply(
      ...server({ namespace, name: 'client' }),
      ...server({ namespace, name: 'target' }),
      networkPolicy(namespace, 'guard', { podSelector: { matchLabels: { app: 'target' } }, policyTypes: ['Ingress'] }),
    );
    await world.ready('client', 'target');
    await world.apply(connectivityTest(namespace, 'boundary', [expectation('denied', 'client', 'target', 'Deny')]));
    await calibrateNow(world.kubectl);
    await waitFor(async () => (await nextRun(world.kubectl, namespace, 'boundary')).status?.verdict === 'Passed', {
      what: 'the boundary to hold at first',
      timeoutMs: 120_000,
    });
  });
  afterAll(async () => {
    await enforce('default');
    const calibration = await calibrateNow(world.kubectl);
    await world.destroy();
    expect(conditionOf(calibration, 'Enforced')).toBe('True Enforced');
  });

  it('says so in the calibration, in the metrics, and in the verdict of every Deny, by itself', async () => {
    const { kubectl, namespace } = world;
    await enforce('never');

    const calibration = await calibrateNow(kubectl);

    expect(calibration.status?.denials).toMatchObject({ tcp: { ingress: 'Connected', egress: 'Connected' } });
    expect(conditionOf(calibration, 'Enforced')).toBe('False PolicyNotEnforced');
    const row = await waitFor(
      async () => {
        const denied = rowsOf(await nextRun(kubectl, namespace, 'boundary')).get('denied');
        return denied?.verdict === 'Failed' && denied;
      },
      { what: 'the new calibration to start a run', timeoutMs: 60_000 },
    );
    expect(row).toMatchObject({ reason: 'PolicyNotEnforced', outcome: 'Connected' });
    expect(row.message).toContain('enforces no network policies at all');
    const metrics = await kubectl(
      'get --raw /api/v1/namespaces/postern/services/postern-metrics:metrics/proxy/metrics',
    );
    expect(metrics).toContain('postern_policy_enforced{direction="ingress",protocol="TCP",family="IPv4"} 0');
    expect(metrics).toContain('postern_policy_enforced{direction="egress",protocol="TCP",family="IPv4"} 0');
  });
});
