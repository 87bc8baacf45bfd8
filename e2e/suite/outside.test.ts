import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { currentCluster, startOutsideServer } from '../cluster/index.ts';
import { nextRun, rowsOf } from '../harness/postern.ts';
import { connectivityTest, networkPolicy, server } from '../harness/workloads.ts';
import { createWorld, type World } from '../harness/world.ts';

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
});
