import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pod } from '../../src/api/index.ts';
import { nextRun, rowsOf } from '../harness/postern.ts';
import { probePodsIn } from '../harness/probe-pods.ts';
import { waitFor } from '../harness/wait.ts';
import { connectivityTest, networkPolicy, server } from '../harness/workloads.ts';
import { createWorld, type World } from '../harness/world.ts';

describe('the path between two pods', () => {
  let world: World;

  beforeAll(async () => {
    world = await createWorld('postern-e2e-paths');
    const { namespace } = world;
    await world.apply(
      ...server({ namespace, name: 'source' }),
      ...server({ namespace, name: 'open' }),
      ...server({ namespace, name: 'closed' }),
      networkPolicy(namespace, 'closed', { podSelector: { matchLabels: { app: 'closed' } }, policyTypes: ['Ingress'] }),
    );
    await world.ready('source', 'open', 'closed');
  });
  afterAll(() => world.destroy());

  const expectation = (name: string, expect: 'Allow' | 'Deny', paths: readonly string[]): object => ({
    name,
    from: { workload: { kind: 'Deployment', name: 'source' } },
    to: { workload: { kind: 'Deployment', name }, port: 8080 },
    expect,
    paths,
  });

  it('is taken on one node and between two, as it was asked for', async () => {
    const { namespace, kubectl } = world;
    const both = ['SameNode', 'OtherNode'];
    await world.apply(
      connectivityTest(namespace, 'both', [expectation('open', 'Allow', both), expectation('closed', 'Deny', both)], {
        timeoutSeconds: 5,
      }),
    );
    const target = await kubectl.json<{ items: readonly Pod[] }>(`get pods -n ${namespace} -l app=closed`);
    const nodes = await waitFor(
      async () => {
        const placed = (await probePodsIn(kubectl, namespace)).flatMap(({ spec }) => spec.nodeName ?? []);
        return placed.length >= 2 && placed;
      },
      { what: 'placed probe pods', timeoutMs: 60_000, everyMs: 100 },
    );
    expect(nodes).toContain(target.items[0]?.spec.nodeName);
    expect(new Set(nodes).size).toBe(2);

    const test = await nextRun(kubectl, namespace, 'both');
    expect(rowsOf(test).get('open')).toMatchObject({ verdict: 'Passed', reason: 'Reachable' });
    expect(rowsOf(test).get('closed')).toMatchObject({ verdict: 'Passed', reason: 'Denied' });
  });

  it('is not taken for another one where there is no node for it', async () => {
    const { namespace, kubectl } = world;
    const source = await kubectl.json<{ items: readonly Pod[] }>(`get pods -n ${namespace} -l app=source`);
    const node = source.items[0]?.spec.nodeName ?? '';
    const selector = { 'kubernetes.io/hostname': node };
    await world.apply(
      ...server({ namespace, name: 'pinned', nodeSelector: selector }),
      ...server({ namespace, name: 'beside', nodeSelector: selector }),
    );
    await world.ready('pinned', 'beside');
    await world.apply(
      connectivityTest(namespace, 'none', [
        {
          name: 'other',
          from: { workload: { kind: 'Deployment', name: 'pinned' } },
          to: { workload: { kind: 'Deployment', name: 'beside' }, port: 8080 },
          expect: 'Allow',
          paths: ['OtherNode'],
        },
      ]),
    );
    const test = await nextRun(kubectl, namespace, 'none');
    expect(rowsOf(test).get('other')).toMatchObject({ verdict: 'Inconclusive', reason: 'PathUnavailable' });
  });
});
