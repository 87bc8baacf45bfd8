import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConnectivityTest } from '../../src/api/index.ts';
import { currentCluster } from '../cluster/index.ts';
import { conditionOf, nextCalibration } from '../harness/calibration.ts';
import { raiseFirewall } from '../harness/firewall.ts';
import { nextRun, rowsOf } from '../harness/postern.ts';
import { agnhost, connectivityTest, expectation, networkPolicy, server, udpPort } from '../harness/workloads.ts';
import { createWorld, type World } from '../harness/world.ts';

const denials = { ingress: 'Refused', egress: 'Refused' };
/** Nothing listens there. */
const closedPort = 9;
/** `hostname`, which agnhost answers. */
const answeredPayload = Buffer.from('hostname').toString('hex');

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

/** A server that stops listening when `/tmp/deafen` runs in it, and whose readiness probe takes its time to believe it. */
function deafened(namespace: string, name: string): object {
  const serve =
    "/agnhost netexec --http-port=8080 & echo kill $! >/tmp/deafen; trap 'exit 0' TERM; while :; do wait; sleep 1; done";
  const readinessProbe = { tcpSocket: { port: 8080 }, periodSeconds: 1, failureThreshold: 1_000 };
  const container = { name: 'server', image: agnhost, command: ['sh', '-c', serve], readinessProbe };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { terminationGracePeriodSeconds: 1, containers: [container] },
      },
    },
  };
}

function expectations(): readonly object[] {
  const tcp = (name: string, from: string, to: string, expect: 'Allow' | 'Deny', port = 8080) => ({
    name,
    from: { workload: { kind: 'Deployment', name: from } },
    to: { workload: { kind: 'Deployment', name: to }, port },
    expect,
  });
  const udp = (name: string, from: string, to: string, expect: 'Allow' | 'Deny', port = udpPort) => ({
    ...tcp(name, from, to, expect, port),
    protocol: 'UDP',
    udp: { payload: answeredPayload },
  });
  return [
    tcp('egress-denied', 'confined', 'target', 'Deny'),
    expectation('egress-denied-service', 'confined', 'target', 'Deny'),
    expectation('allow-service', 'free', 'target', 'Allow'),
    udp('egress-denied-udp', 'confined', 'target', 'Deny'),
    tcp('egress-denied-closed-port', 'confined', 'target', 'Deny', closedPort),
    tcp('ingress-denied', 'free', 'guarded', 'Deny'),
    tcp('open-closed-port', 'free', 'target', 'Deny', closedPort),
    udp('open-closed-port-udp', 'free', 'target', 'Deny', closedPort),
    tcp('open-deaf', 'free', 'deaf', 'Deny'),
    tcp('dropped', 'free', 'dropped', 'Deny'),
    tcp('rejected', 'free', 'rejected', 'Deny'),
    tcp('open', 'free', 'target', 'Deny'),
    tcp('allow-denied', 'confined', 'target', 'Allow'),
    tcp('allow-closed-port', 'free', 'target', 'Allow', closedPort),
    tcp('allow-dropped', 'free', 'dropped', 'Allow'),
    tcp('allow', 'free', 'target', 'Allow'),
    udp('allow-udp', 'free', 'target', 'Allow'),
  ];
}
