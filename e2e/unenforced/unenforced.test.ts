import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConnectivityTest } from '../../src/api/index.ts';
import { currentCluster } from '../cluster/index.ts';
import { expectFiring } from '../harness/alerts.ts';
import { conditionOf, nextCalibration, readCalibration } from '../harness/calibration.ts';
import { raiseFirewall } from '../harness/firewall.ts';
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

const sides = ['ingress', 'egress'] as const;
const protocols = ['TCP', 'UDP'] as const;

/**
 * A cluster whose network plugin knows no policies: each one below is accepted by the API server and does nothing. A firewall on
 * the nodes drops what goes to one of the targets, which looks like the denial that its policy asks for.
 */
describe('on a cluster whose network plugin enforces nothing', () => {
  let world: World;
  let test: ConnectivityTest;
  let liftFirewall: () => Promise<void>;
  const rows = () => rowsOf(test);

  beforeAll(async () => {
    world = await createWorld('postern-e2e-unenforced');
    const { namespace, kubectl } = world;
    await world.apply(
      ...server({ namespace, name: 'client' }),
      ...server({ namespace, name: 'isolated' }),
      ...server({ namespace, name: 'walled' }),
      networkPolicy(namespace, 'deny-all', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] }),
    );
    await world.ready('client', 'isolated', 'walled');
    liftFirewall = await raiseFirewall(currentCluster(), await world.addressOf('walled'), ['DROP']);
    await nextCalibration(kubectl);
    await world.apply(connectivityTest(namespace, 'boundary', expectations()));
    test = await nextRun(kubectl, namespace, 'boundary');
  });
  afterAll(async () => {
    await liftFirewall();
    await world.destroy();
  });

  it('says so in the calibration', async () => {
    const calibration = await readCalibration(world.kubectl);

    const open = { ingress: 'Connected', egress: 'Connected' };
    expect(calibration.status?.denials).toEqual({ ipFamily: 'IPv4', tcp: open, udp: open });
    expect(conditionOf(calibration, 'Calibrated')).toBe('True Measured');
    expect(conditionOf(calibration, 'Enforced')).toBe('False PolicyNotEnforced');
    expect(await world.kubectl('get calibration')).toMatch(
      /^cluster +False +Connected +Connected +Connected +Connected /m,
    );
  });

  it('says so in the metrics, and raises the alert for either side over either protocol', async () => {
    const metrics = await readMetrics(world.kubectl);

    const labels = sides.flatMap((side) =>
      protocols.map((protocol) => `{direction="${side}",protocol="${protocol}",family="IPv4"}`),
    );
    for (const each of labels) expect(metrics).toContain(`postern_policy_enforced${each} 0`);
    await expectFiring(currentCluster(), metrics, 'PosternPolicyNotEnforced', labels);
  });

  it.each(['tcp-open', 'pod-open', 'udp-open', 'udp-closed', 'dns-open'])(
    'fails the Deny %s, whose packets arrive, and names the cause',
    (name) => {
      expect(rows().get(name)).toMatchObject({ verdict: 'Failed', reason: 'PolicyNotEnforced' });
      expect(rows().get(name)?.message).toContain('this cluster enforces no network policies at all');
    },
  );

  it.each([
    ['tcp-walled', 'TimedOut'],
    ['udp-walled', 'TimedOut'],
    ['tcp-closed', 'Refused'],
  ])('passes the Deny %s for nothing, though it ends %s beside every proof', (name, outcome) => {
    expect(rows().get(name)).toMatchObject({ verdict: 'Inconclusive', reason: 'PolicyNotEnforced', outcome });
    expect(rows().get(name)?.message).toContain('this cluster enforces no network policies at all');
  });

  it('passes every Allow that holds, and fails those that do not, for their own reasons', () => {
    for (const name of ['allow-tcp', 'allow-http', 'allow-udp', 'allow-dns'])
      expect(rows().get(name)).toMatchObject({ verdict: 'Passed', reason: 'Reachable' });
    expect(rows().get('allow-walled')).toMatchObject({ verdict: 'Failed', reason: 'Blocked' });
    expect(rows().get('allow-closed')).toMatchObject({ verdict: 'Failed', reason: 'NothingListening' });
  });

  it('passes no Deny, but the one that asks for an effect alone and says so', () => {
    const passed = [...rows().values()].filter((row) => row.expect === 'Deny' && row.verdict === 'Passed');
    expect(rows().size).toBe(expectations().length);
    expect(passed.map(({ name, reason }) => `${name} ${reason}`)).toEqual(['tcp-walled-is-enough NotReached']);
  });
});

function expectations(): readonly object[] {
  const from = (name: string) => ({ workload: { kind: 'Deployment', name } });
  const dns = { name: 'kubernetes.default.svc.cluster.local.' };
  return [
    expectation('tcp-open', 'client', 'isolated', 'Deny'),
    expectationOfPods('pod-open', 'client', 'isolated', 'Deny'),
    expectationOfDatagrams('udp-open', 'client', 'isolated', 'Deny'),
    expectationOfDatagrams('udp-closed', 'client', 'isolated', 'Deny', closedPort),
    { name: 'dns-open', from: from('client'), to: { dns }, expect: 'Deny' },
    expectation('tcp-walled', 'client', 'walled', 'Deny'),
    { ...expectation('tcp-walled-is-enough', 'client', 'walled', 'Deny'), control: { mode: 'UnreachableIsEnough' } },
    expectationOfDatagrams('udp-walled', 'client', 'walled', 'Deny'),
    expectationOfPods('tcp-closed', 'client', 'isolated', 'Deny', closedPort),
    expectation('allow-tcp', 'isolated', 'client', 'Allow'),
    { ...expectation('allow-http', 'isolated', 'client', 'Allow'), http: { path: '/healthz' } },
    expectationOfDatagrams('allow-udp', 'isolated', 'client', 'Allow'),
    { name: 'allow-dns', from: from('isolated'), to: { dns }, expect: 'Allow' },
    expectation('allow-walled', 'isolated', 'walled', 'Allow'),
    expectationOfPods('allow-closed', 'isolated', 'client', 'Allow', closedPort),
  ];
}
