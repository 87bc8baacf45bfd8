import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pod } from '../../src/api/index.ts';
import { currentCluster, startOutsideServer } from '../cluster/index.ts';
import { nextRun, posternNamespace, rowsOf } from '../harness/postern.ts';
import { probePodsIn } from '../harness/probe-pods.ts';
import { waitFor } from '../harness/wait.ts';
import { connectivityTest, networkPolicy, server } from '../harness/workloads.ts';
import { createWorld, type World } from '../harness/world.ts';

const isControl = ({ metadata }: Pod): boolean => metadata.labels?.['postern.dev/control'] === 'outside';

describe('a server outside of the cluster', () => {
  let world: World;
  let outside: Awaited<ReturnType<typeof startOutsideServer>>;

  beforeAll(async () => {
    outside = await startOutsideServer(currentCluster());
    world = await createWorld('postern-e2e-outside');
    const { namespace } = world;
    await world.apply(
      ...server({ namespace, name: 'free' }),
      ...server({ namespace, name: 'confined' }),
      // Everything but this one address: an ipBlock is for what lies outside of the cluster.
      networkPolicy(namespace, 'confine', {
        podSelector: { matchLabels: { app: 'confined' } },
        policyTypes: ['Egress'],
        egress: [
          { to: [{ ipBlock: { cidr: '0.0.0.0/0', except: [`${outside.address}/32`] } }, { namespaceSelector: {} }] },
        ],
      }),
    );
    await world.ready('free', 'confined');
  });
  afterAll(async () => {
    await world.destroy();
    await outside.stop();
  });

  it('is reached by whom the policies let out, and by nobody else', async () => {
    const { namespace } = world;
    const from = (name: string) => ({ workload: { kind: 'Deployment', name } });
    const to = { ip: outside.address, port: outside.port };
    await world.apply(
      connectivityTest(namespace, 'outside', [
        { name: 'free-gets-out', from: from('free'), to, http: { path: '/healthz', status: [200] }, expect: 'Allow' },
        { name: 'confined-does-not', from: from('confined'), to, expect: 'Deny' },
        {
          name: 'confined-works-inside',
          from: from('confined'),
          to: { service: { name: 'free' }, port: 8080 },
          expect: 'Allow',
        },
        { name: 'no-such-server', from: from('free'), to: { ip: outside.address, port: 9 }, expect: 'Deny' },
      ]),
    );
    const test = await nextRun(world.kubectl, namespace, 'outside');
    const seen = Object.fromEntries(
      [...rowsOf(test)].map(([name, { verdict, reason }]) => [name, `${verdict} ${reason}`]),
    );
    expect(seen).toEqual({
      'free-gets-out': 'Passed Reachable',
      'confined-does-not': 'Passed Denied',
      'confined-works-inside': 'Passed Reachable',
      'no-such-server': 'Inconclusive RefusedOrClosed',
    });
    expect(rowsOf(test).get('confined-does-not')?.control).toContain('Deployment free connected to it in the same run');
  });

  it('is shown to answer by Postern itself, where nobody else in the test goes there', async () => {
    const { namespace, kubectl } = world;
    const confined = { workload: { kind: 'Deployment', name: 'confined' } };
    const inside = await kubectl.json<{ readonly items: readonly Pod[] }>(`get pods -n ${namespace} -l app=free`);
    await world.apply(
      networkPolicy(namespace, 'closed', { podSelector: { matchLabels: { app: 'free' } }, policyTypes: ['Ingress'] }),
      connectivityTest(namespace, 'alone', [
        { name: 'outside', from: confined, to: { ip: outside.address, port: outside.port }, expect: 'Deny' },
        {
          name: 'block',
          from: confined,
          to: { cidr: { block: '0.0.0.0/0', except: ['10.0.0.0/8'], sample: outside.address }, port: outside.port },
          expect: 'Deny',
        },
        // An address of the cluster is no business of Postern's, however it is written.
        { name: 'inside', from: confined, to: { ip: inside.items[0]?.status?.podIP, port: 8080 }, expect: 'Deny' },
      ]),
    );
    const own = await waitFor(async () => (await probePodsIn(kubectl, posternNamespace)).find(isControl), {
      what: 'a probe pod in the namespace of Postern',
      timeoutMs: 60_000,
      everyMs: 100,
    });
    expect(own.metadata.ownerReferences).toMatchObject([{ kind: 'Calibration', controller: true }]);

    const test = await nextRun(kubectl, namespace, 'alone');
    expect(rowsOf(test).get('outside')).toMatchObject({
      verdict: 'Passed',
      reason: 'Denied',
      control: "a probe pod in Postern's own namespace connected to it in the same run",
    });
    expect(rowsOf(test).get('block')).toMatchObject({ verdict: 'Passed', reason: 'Denied' });
    expect(rowsOf(test).get('block')?.message).toContain(`Of 0.0.0.0/0, ${outside.address} was dialled`);
    expect(rowsOf(test).get('inside')).toMatchObject({ verdict: 'Inconclusive', reason: 'NoTargetControl' });
    expect(test.status?.lastRun?.probePods).toBe(2);
    await waitFor(async () => !(await probePodsIn(kubectl, posternNamespace)).some(isControl), {
      what: 'the probe pod to go',
      timeoutMs: 20_000,
    });
  });
});
