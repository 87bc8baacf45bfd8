import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConnectivityTest } from '../../src/api/index.ts';
import { currentCluster } from '../cluster/index.ts';
import { conditionOf, nextCalibration } from '../harness/calibration.ts';
import { raiseFirewall } from '../harness/firewall.ts';
import { nextRun, rowsOf } from '../harness/postern.ts';
import {
  closedPort,
  connectivityTest,
  deafenedPodSpec,
  expectation,
  expectationOfDatagrams,
  expectationOfPods,
  networkPolicy,
  server,
} from '../harness/workloads.ts';
import { createWorld, type World } from '../harness/world.ts';

const denials = { ingress: 'Refused', egress: 'Refused' };

/**
 * A cluster whose policies refuse connections on either side, so that a denial looks like a closed port. The part of the policy
 * engine is played by a CNI plugin of this project; packets, refusals and policies are real.
 */
describe('on a cluster that refuses what it denies', () => {
  let world: World;
  let test: ConnectivityTest;
  const firewalls: (() => Promise<void>)[] = [];
  const seen = (name: string): string => {
    const row = rowsOf(test).get(name);
    return `${row?.verdict} ${row?.reason} ${row?.outcome}`;
  };

  beforeAll(async () => {
    world = await createWorld('postern-e2e-refusing');
    const { namespace, kubectl } = world;
    const names = ['free', 'confined', 'target', 'guarded', 'dropped', 'rejected'];
    const isolated = (name: string, policyType: 'Ingress' | 'Egress') =>
      networkPolicy(namespace, name, { podSelector: { matchLabels: { app: name } }, policyTypes: [policyType] });
    // The plugin knows the policies that there are when a pod starts.
    await world.apply(isolated('confined', 'Egress'), isolated('guarded', 'Ingress'));
    // Beside each other, so that what one source hears shows that the network of the other works.
    const nodeSelector = { 'kubernetes.io/hostname': `${currentCluster().name}-worker` };
    await world.apply(...names.flatMap((name) => server({ namespace, name, nodeSelector })));
    await world.apply(deafened(namespace, 'deaf'));
    await world.ready(...names, 'deaf');
    await kubectl(`exec deployment/deaf -n ${namespace} -- sh /tmp/deafen`);
    firewalls.push(await raiseFirewall(currentCluster(), await world.addressOf('dropped'), ['DROP']));
    const rejection = ['REJECT', '--reject-with', 'icmp-admin-prohibited'];
    firewalls.push(await raiseFirewall(currentCluster(), await world.addressOf('rejected'), rejection));
    await nextCalibration(kubectl);
    await world.apply(connectivityTest(namespace, 'boundary', expectations()));
    test = await nextRun(kubectl, namespace, 'boundary');
  });
  afterAll(async () => {
    for (const lift of firewalls) await lift();
    await world.destroy();
  });

  it('measures the refusal', async () => {
    const calibration = await nextCalibration(world.kubectl);

    expect(calibration.status?.denials).toEqual({ ipFamily: 'IPv4', tcp: denials, udp: denials });
    expect(conditionOf(calibration, 'Enforced')).toBe('True Enforced');
  });

  it('passes a refused Deny where somebody connected to that very port meanwhile', () => {
    expect(seen('egress-denied')).toBe('Passed Denied Refused');
    expect(seen('egress-denied-service')).toBe('Passed Denied Refused');
    expect(seen('egress-denied-udp')).toBe('Passed Denied Refused');
  });

  it('takes no refusal for a denial where the port may be closed', () => {
    expect(seen('open-closed-port')).toBe('Inconclusive NoTargetControl Refused');
    expect(seen('open-closed-port-udp')).toBe('Inconclusive NoTargetControl Refused');
    expect(seen('egress-denied-closed-port')).toBe('Inconclusive NoTargetControl Refused');
    // Its pod is Ready by the kubelet's readiness probe on that very port, which has closed since.
    expect(seen('open-deaf')).toBe('Inconclusive NoTargetControl Refused');
    // So readiness proves nothing of a port that is refused, though here it is a policy that does.
    expect(seen('ingress-denied')).toBe('Inconclusive NoTargetControl Refused');
  });

  it('takes neither silence nor another rejection for a denial, whatever is proved beside it', () => {
    expect(seen('dropped')).toBe('Inconclusive UnlikeDenial TimedOut');
    expect(seen('rejected')).toBe('Inconclusive RejectedUnproven Unreachable');
  });

  it('fails a Deny that connects, and an Allow that does not, without guessing why', () => {
    expect(seen('open')).toBe('Failed UnexpectedlyReachable Connected');
    expect(seen('allow-denied')).toBe('Failed RefusedOrBlocked Refused');
    expect(seen('allow-closed-port')).toBe('Failed RefusedOrBlocked Refused');
    expect(seen('allow-dropped')).toBe('Failed Blocked TimedOut');
    expect(seen('allow')).toBe('Passed Reachable Connected');
  });
});

function deafened(namespace: string, name: string): object {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: deafenedPodSpec() } },
  };
}

function expectations(): readonly object[] {
  return [
    expectationOfPods('egress-denied', 'confined', 'target', 'Deny'),
    expectation('egress-denied-service', 'confined', 'target', 'Deny'),
    expectation('allow-service', 'free', 'target', 'Allow'),
    expectationOfDatagrams('egress-denied-udp', 'confined', 'target', 'Deny'),
    expectationOfPods('egress-denied-closed-port', 'confined', 'target', 'Deny', closedPort),
    expectationOfPods('ingress-denied', 'free', 'guarded', 'Deny'),
    expectationOfPods('open-closed-port', 'free', 'target', 'Deny', closedPort),
    expectationOfDatagrams('open-closed-port-udp', 'free', 'target', 'Deny', closedPort),
    expectationOfPods('open-deaf', 'free', 'deaf', 'Deny'),
    expectationOfPods('dropped', 'free', 'dropped', 'Deny'),
    expectationOfPods('rejected', 'free', 'rejected', 'Deny'),
    expectationOfPods('open', 'free', 'target', 'Deny'),
    expectationOfPods('allow-denied', 'confined', 'target', 'Allow'),
    expectationOfPods('allow-closed-port', 'free', 'target', 'Allow', closedPort),
    expectationOfPods('allow-dropped', 'free', 'dropped', 'Allow'),
    expectationOfPods('allow', 'free', 'target', 'Allow'),
    expectationOfDatagrams('allow-udp', 'free', 'target', 'Allow'),
  ];
}
