import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConnectivityTest, Node } from '../../src/api/index.ts';
import { currentCluster } from '../cluster/index.ts';
import { expectFiring } from '../harness/alerts.ts';
import { conditionOf, nextCalibration } from '../harness/calibration.ts';
import { raiseFirewall } from '../harness/firewall.ts';
import { readMetrics } from '../harness/metrics.ts';
import { nextRun, rowsOf } from '../harness/postern.ts';
import { connectivityTest, networkPolicy, server } from '../harness/workloads.ts';
import { createWorld, type World } from '../harness/world.ts';

const sides = ['ingress', 'egress'] as const;
const protocols = ['TCP', 'UDP'] as const;

/**
 * A cluster with both families of addresses whose policies know IPv4 alone: each one below stops nothing that IPv6 carries. A
 * firewall refuses over IPv6 what the worker's pods send to one of the targets, which looks as its policy's denial does over IPv4.
 */
describe('on a cluster whose network plugin enforces the policies of IPv4 alone', () => {
  let world: World;
  let test: ConnectivityTest;
  let liftFirewall: () => Promise<void>;
  const row = (name: string) => rowsOf(test).get(name);
  const seen = (name: string): string => `${row(name)?.verdict} ${row(name)?.reason} ${row(name)?.outcome}`;

  beforeAll(async () => {
    world = await createWorld('postern-e2e-half-enforced');
    const { namespace, kubectl } = world;
    const cluster = currentCluster();
    const isolated = (name: string, policyType: 'Ingress' | 'Egress') =>
      networkPolicy(namespace, name, { podSelector: { matchLabels: { app: name } }, policyTypes: [policyType] });
    // The plugin knows the policies that there are when a pod starts.
    await world.apply(isolated('confined', 'Egress'), isolated('guarded', 'Ingress'), isolated('walled', 'Ingress'));
    const nodeSelector = { 'kubernetes.io/hostname': `${cluster.name}-worker` };
    for (const name of ['client', 'confined', 'target', 'guarded', 'walled'])
      await world.apply(...server({ namespace, name, nodeSelector }));
    // From where the firewall lets it through.
    const elsewhere = { 'kubernetes.io/hostname': `${cluster.name}-control-plane` };
    const tolerations = [{ key: 'node-role.kubernetes.io/control-plane', operator: 'Exists' }];
    await world.apply(...server({ namespace, name: 'free', nodeSelector: elsewhere, tolerations }));
    await world.ready('client', 'confined', 'target', 'guarded', 'walled', 'free');
    const { spec } = await kubectl.json<Node & { spec: { podCIDRs: string[] } }>(`get node ${cluster.name}-worker`);
    const from = spec.podCIDRs.find((block) => block.includes(':'));
    const rejection = ['REJECT', '--reject-with', 'icmp6-port-unreachable'];
    liftFirewall = await raiseFirewall(cluster, await world.addressOf('walled', 'IPv6'), rejection, from);
    await nextCalibration(kubectl);
    await world.apply(connectivityTest(namespace, 'boundary', expectations()));
    test = await nextRun(kubectl, namespace, 'boundary');
  });
  afterAll(async () => {
    await liftFirewall();
    await world.destroy();
  });

  it('measures each family for itself', async () => {
    const { status, ...calibration } = await nextCalibration(world.kubectl);

    const [refused, open] = ['Refused', 'Connected'].map((outcome) => ({ ingress: outcome, egress: outcome }));
    expect(status?.denials).toEqual({ ipFamily: 'IPv4', tcp: refused, udp: refused });
    expect(status?.secondaryDenials).toEqual({ ipFamily: 'IPv6', tcp: open, udp: open });
    expect(conditionOf({ ...calibration, ...(status === undefined ? {} : { status }) }, 'Enforced')).toBe(
      'False PartlyEnforced',
    );
  });

  it('raises the alert for the family that is open, and for no other', async () => {
    const metrics = await readMetrics(world.kubectl);

    const labels = (family: string) =>
      sides.flatMap((side) =>
        protocols.map((protocol) => `{direction="${side}",protocol="${protocol}",family="${family}"}`),
      );
    for (const each of labels('IPv4')) expect(metrics).toContain(`postern_policy_enforced${each} 1`);
    for (const each of labels('IPv6')) expect(metrics).toContain(`postern_policy_enforced${each} 0`);
    await expectFiring(currentCluster(), metrics, 'PosternPolicyNotEnforced', labels('IPv6'));
  });

  it('passes a Deny over the family that is enforced', () => {
    expect(seen('confined-target-four')).toBe('Passed Denied Refused');
  });

  it('passes none over the other one, though it is refused beside every proof and as IPv4 denies', () => {
    expect(seen('free-walled-six')).toBe('Passed Reachable Connected');
    expect(seen('client-target-six')).toBe('Passed Reachable Connected');
    expect(seen('client-walled-six')).toBe('Inconclusive PolicyNotEnforced Refused');
    expect(row('client-walled-six')?.message).toContain('this cluster enforces no network policies over IPv6');
  });

  it('fails a Deny whose source gets through over IPv6, and names the family', () => {
    for (const name of ['confined-target-six', 'confined-target']) {
      expect(seen(name)).toBe('Failed PolicyNotEnforced Connected');
      expect(row(name)?.message).toContain('over IPv6');
    }
  });

  it('fails an Allow that holds over one family alone', () => {
    expect(seen('free-guarded-six')).toBe('Passed Reachable Connected');
    expect(seen('free-guarded')).toBe('Failed RefusedOrBlocked Refused');
    expect(seen('free-target')).toBe('Passed Reachable Connected');
  });
});

function expectations(): readonly object[] {
  const deployment = (name: string) => ({ workload: { kind: 'Deployment', name } });
  const expectationFrom = (from: string, to: string, expect: 'Allow' | 'Deny', family?: 'IPv4' | 'IPv6') => ({
    name: [from, to, ...(family === undefined ? [] : [family === 'IPv4' ? 'four' : 'six'])].join('-'),
    from: deployment(from),
    to: { ...deployment(to), port: 8080 },
    expect,
    ...(family === undefined ? {} : { ipFamilies: [family] }),
  });
  return [
    expectationFrom('confined', 'target', 'Deny', 'IPv4'),
    expectationFrom('confined', 'target', 'Deny', 'IPv6'),
    expectationFrom('confined', 'target', 'Deny'),
    expectationFrom('client', 'walled', 'Deny', 'IPv6'),
    expectationFrom('free', 'walled', 'Allow', 'IPv6'),
    expectationFrom('client', 'target', 'Allow', 'IPv6'),
    expectationFrom('free', 'target', 'Allow'),
    expectationFrom('free', 'guarded', 'Allow', 'IPv6'),
    expectationFrom('free', 'guarded', 'Allow'),
  ];
}
