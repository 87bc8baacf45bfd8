import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConnectivityTest } from '../../src/api/index.ts';
import { nextRun, readTest, rowsOf } from '../harness/postern.ts';
import { waitFor } from '../harness/wait.ts';
import { connectivityTest, expectation, networkPolicy, server } from '../harness/workloads.ts';
import { createWorld, type World } from '../harness/world.ts';

const mostExpectations = 128;

/** What a run says next to a change, and what a test of the largest size costs. */
describe('the verdicts of', () => {
  let world: World;

  beforeAll(async () => {
    world = await createWorld('postern-e2e-convergence');
    const { namespace } = world;
    await world.apply(
      ...server({ namespace, name: 'client' }),
      ...server({ namespace, name: 'closed' }),
      ...server({ namespace, name: 'open' }),
      close('closed'),
    );
    await world.ready('client', 'closed', 'open');
  });
  afterAll(() => world.destroy());

  const close = (app: string): object =>
    networkPolicy(world.namespace, `close-${app}`, {
      podSelector: { matchLabels: { app } },
      policyTypes: ['Ingress'],
      ingress: [],
    });

  it('a failing Deny to a Service whose pods are a source, too, are not probed for ever', async () => {
    const { namespace, kubectl } = world;
    await world.apply(
      connectivityTest(namespace, 'mutual', [
        expectation('opens', 'open', 'client', 'Allow'),
        expectation('does-not-open', 'client', 'open', 'Deny'),
      ]),
    );
    await waitFor(
      async () => rowsOf(await readTest(kubectl, namespace, 'mutual')).get('does-not-open')?.verdict === 'Failed',
      { what: 'the failure', timeoutMs: 90_000 },
    );

    const runs = new Set<string>();
    const until = performance.now() + 40_000;
    await waitFor(
      async () => {
        runs.add((await readTest(kubectl, namespace, 'mutual')).status?.lastRun?.id ?? '');
        return performance.now() > until;
      },
      { what: 'the end of the watch', timeoutMs: 60_000, everyMs: 1000 },
    );
    // The one that failed, one that looks again when the changes are old enough, and one to confirm.
    expect(runs.size).toBeLessThanOrEqual(3);
    await kubectl(`delete connectivitytest mutual -n ${namespace}`);
  });

  it('128 expectations from one source come all at once, though they need two pods', async () => {
    const { namespace, kubectl } = world;
    const { items } = await kubectl.json<{ items: { status: { podIP: string } }[] }>(
      `get pods -n ${namespace} -l app=closed`,
    );
    const from = { workload: { kind: 'Deployment', name: 'client' } };
    const address = items[0]?.status.podIP;
    const many = Array.from({ length: mostExpectations - 2 }, (_, index) => ({
      name: `closed-${index}`,
      from,
      to: { ip: address, port: 10_000 + index },
      control: { mode: 'UnreachableIsEnough' },
      expect: 'Deny',
    }));
    await world.apply(
      connectivityTest(namespace, 'many', [
        expectation('reaches', 'client', 'open', 'Allow'),
        ...many,
        expectation('does-not-reach', 'client', 'closed', 'Deny'),
      ]),
    );

    const test = await nextRun(kubectl, namespace, 'many', { timeoutMs: 150_000 });

    const rows = [...rowsOf(test).values()];
    expect(rows.map(({ verdict, message }) => (verdict === 'Passed' ? verdict : message))).toEqual(
      Array.from({ length: mostExpectations }, () => 'Passed'),
    );
    expect(rowsOf(test).get('does-not-reach')?.reason).toBe('Denied');
    const { probePods = 0, apiRequests = 0, startTime = '', completionTime = '' } = test.status?.lastRun ?? {};
    expect(probePods).toBe(2);
    // Two pods made and deleted, the test pending, the verdicts; at most one event per kind of transition.
    expect(apiRequests).toBeLessThanOrEqual(8);
    const seconds = (Date.parse(completionTime) - Date.parse(startTime)) / 1000;
    process.stderr.write(
      `${rows.length} expectations: ${probePods} pods, ${apiRequests} API requests, ${seconds.toFixed(1)} s\n`,
    );
  });

  it('a Deny that a deleted policy opened are first undecided, then Failed, and at once Failed in the strict mode', async () => {
    const { namespace, kubectl } = world;
    const denied = [expectation('does-not-reach', 'client', 'closed', 'Deny')];
    const tests = { patient: {}, strict: { enforcementGraceSeconds: 0 } };
    const history = new Map<string, string[]>();
    for (const [name, spec] of Object.entries(tests)) {
      await world.apply(connectivityTest(namespace, name, denied, spec));
      const { status } = await nextRun(kubectl, namespace, name);
      expect(status?.verdict).toBe('Passed');
      history.set(name, ['Passed Denied']);
    }

    await kubectl(`delete networkpolicy close-closed -n ${namespace}`);
    await Promise.all(Object.keys(tests).map((name) => followed(name)));

    expect(history.get('strict')).toEqual(['Passed Denied', 'Failed UnexpectedlyReachable']);
    expect(history.get('patient')).toEqual([
      'Passed Denied',
      'Inconclusive EnforcementDelayed',
      'Failed UnexpectedlyReachable',
    ]);

    /** Looks at a test until it has failed, and keeps each verdict that it showed. */
    async function followed(name: string): Promise<ConnectivityTest> {
      const seen = history.get(name) ?? [];
      return waitFor(
        async () => {
          const test = await readTest(kubectl, namespace, name);
          const [row] = rowsOf(test).values();
          const now = `${row?.verdict} ${row?.reason}`;
          if (seen.at(-1) !== now) seen.push(now);
          return row?.verdict === 'Failed' && test;
        },
        { what: `${name} to fail`, timeoutMs: 90_000, everyMs: 200 },
      );
    }
  });
});
