import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConnectivityTest } from '../../src/api/index.ts';
import { conditionOf, nextCalibration } from '../harness/calibration.ts';
import { readMetrics } from '../harness/metrics.ts';
import { nextRun, rowsOf } from '../harness/postern.ts';
import {
  closedPort,
  connectivityTest,
  expectation,
  expectationOfDatagrams,
  expectationOfPods,
  networkPolicy,
  server,
} from '../harness/workloads.ts';
import { createWorld, type World } from '../harness/world.ts';

/** What a probe sees of a denial here: egress is answered with ICMP, ingress with nothing. */
const denials = { ingress: 'TimedOut', egress: 'Unreachable' };

/** Cilium with `policyDenyResponse: icmp`. */
describe('on a cluster that rejects denied egress and drops denied ingress', () => {
  let world: World;
  let test: ConnectivityTest;
  const seen = (name: string): string => {
    const row = rowsOf(test).get(name);
    return `${row?.verdict} ${row?.reason} ${row?.outcome}`;
  };

  beforeAll(async () => {
    world = await createWorld('postern-e2e-rejecting');
    const { namespace, kubectl } = world;
    await world.apply(
      ...['free', 'confined', 'silenced', 'target', 'guarded'].flatMap((name) => server({ namespace, name })),
      networkPolicy(namespace, 'confined', {
        podSelector: { matchLabels: { app: 'confined' } },
        policyTypes: ['Egress'],
        egress: [
          { to: [{ namespaceSelector: {} }], ports: [{ protocol: 'UDP', port: 53 }] },
          { to: [{ podSelector: { matchLabels: { app: 'free' } } }] },
        ],
      }),
      networkPolicy(namespace, 'silenced', {
        podSelector: { matchLabels: { app: 'silenced' } },
        policyTypes: ['Egress'],
      }),
      networkPolicy(namespace, 'guarded', {
        podSelector: { matchLabels: { app: 'guarded' } },
        policyTypes: ['Ingress'],
      }),
    );
    await world.ready('free', 'confined', 'silenced', 'target', 'guarded');
    await nextCalibration(kubectl);
    await world.apply(connectivityTest(namespace, 'boundary', expectations()));
    test = await nextRun(kubectl, namespace, 'boundary');
  });
  afterAll(() => world.destroy());

  it('measures each side for itself', async () => {
    const calibration = await nextCalibration(world.kubectl);

    expect(calibration.status?.denials).toEqual({ ipFamily: 'IPv4', tcp: denials, udp: denials });
    expect(conditionOf(calibration, 'Enforced')).toBe('True Enforced');
    const metrics = await readMetrics(world.kubectl);
    for (const protocol of ['TCP', 'UDP']) {
      const outcome = (side: string, name: string) =>
        `postern_calibration_outcome{direction="${side}",protocol="${protocol}",family="IPv4",outcome="${name}"} 1`;
      expect(metrics).toContain(outcome('egress', 'Unreachable'));
      expect(metrics).toContain(outcome('ingress', 'TimedOut'));
    }
  });

  it('passes a Deny on what its side was measured to do, beside its proofs', () => {
    expect(seen('egress-denied')).toBe('Passed Denied Unreachable');
    expect(seen('egress-denied-udp')).toBe('Passed Denied Unreachable');
    expect(seen('ingress-denied')).toBe('Passed Denied TimedOut');
    expect(seen('both-denied')).toBe('Passed Denied Unreachable');
    // Cilium's answer speaks of the pod behind the Service, so the socket that dialled the Service hears nothing.
    expect(seen('egress-denied-service')).toBe('Passed Denied TimedOut');
  });

  it('takes no rejection for a proof that something listens', () => {
    expect(seen('egress-denied-closed-port')).toBe('Inconclusive NoTargetControl Unreachable');
    expect(seen('ingress-denied-closed-port')).toBe('Inconclusive NoTargetControl TimedOut');
  });

  it('takes no rejection for a proof that its source can send', async () => {
    const { kubectl, namespace } = world;
    const [cutOff] = expectations('silenced');
    await world.apply(connectivityTest(namespace, 'cut-off', [cutOff ?? {}]));

    const row = rowsOf(await nextRun(kubectl, namespace, 'cut-off')).get('egress-denied');

    expect(row).toMatchObject({ verdict: 'Inconclusive', reason: 'NoSourceControl', outcome: 'Unreachable' });
  });

  it('takes no refusal of an open path for a denial', () => {
    expect(seen('open-closed-port')).toBe('Inconclusive RefusedOrClosed Refused');
    expect(seen('open-closed-port-udp')).toBe('Failed ReachedClosedPort Refused');
    expect(seen('open')).toBe('Failed UnexpectedlyReachable Connected');
  });

  it('tells an Allow that a policy blocks from one that nothing answers', () => {
    expect(seen('allow-through-egress')).toBe('Failed Blocked Unreachable');
    expect(seen('allow-through-ingress')).toBe('Failed Blocked TimedOut');
    expect(seen('allow-to-closed-port')).toBe('Failed NothingListening Refused');
    expect(seen('allow')).toBe('Passed Reachable Connected');
  });

  it('sees the hole that the deleted policy leaves', async () => {
    const { kubectl, namespace } = world;
    await kubectl(`delete networkpolicy confined -n ${namespace}`);

    test = await nextRun(kubectl, namespace, 'boundary', { after: test.status?.lastRun?.id });

    expect(seen('egress-denied')).toBe('Failed UnexpectedlyReachable Connected');
    expect(seen('ingress-denied')).toBe('Passed Denied TimedOut');
    expect(seen('allow-through-egress')).toBe('Passed Reachable Connected');
  });
});

function expectations(confined = 'confined'): readonly object[] {
  return [
    expectationOfPods('egress-denied', confined, 'target', 'Deny'),
    expectationOfDatagrams('egress-denied-udp', 'confined', 'target', 'Deny'),
    expectation('egress-denied-service', 'confined', 'target', 'Deny'),
    expectationOfPods('ingress-denied', 'free', 'guarded', 'Deny'),
    expectationOfPods('both-denied', 'confined', 'guarded', 'Deny'),
    expectationOfPods('egress-denied-closed-port', 'confined', 'target', 'Deny', closedPort),
    expectationOfPods('ingress-denied-closed-port', 'free', 'guarded', 'Deny', closedPort),
    expectationOfPods('open-closed-port', 'free', 'target', 'Deny', closedPort),
    expectationOfDatagrams('open-closed-port-udp', 'free', 'target', 'Deny', closedPort),
    expectationOfPods('open', 'free', 'target', 'Deny'),
    expectationOfPods('allow-through-egress', 'confined', 'target', 'Allow'),
    expectationOfPods('allow-through-ingress', 'free', 'guarded', 'Allow'),
    expectationOfPods('allow-to-closed-port', 'free', 'target', 'Allow', closedPort),
    expectationOfPods('allow', 'free', 'target', 'Allow'),
    expectationOfDatagrams('allow-udp', 'free', 'target', 'Allow'),
  ];
}
