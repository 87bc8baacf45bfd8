import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nextRun, posternNamespace, readTest, rowsOf } from '../harness/postern.ts';
import { waitFor } from '../harness/wait.ts';
import { connectivityTest, expectation, server } from '../harness/workloads.ts';
import { createWorld, type World } from '../harness/world.ts';

describe('running a test day by day', () => {
  let world: World;
  const metrics = (): Promise<string> =>
    world.kubectl(`get --raw /api/v1/namespaces/${posternNamespace}/services/postern-metrics:metrics/proxy/metrics`);

  beforeAll(async () => {
    world = await createWorld('postern-e2e-operations');
    const { namespace } = world;
    await world.apply(...server({ namespace, name: 'server' }), ...server({ namespace, name: 'other' }));
    await world.ready('server', 'other');
  });
  afterAll(() => world.destroy());

  it('sends as many API requests for twenty expectations of a source as for two', async () => {
    const { namespace } = world;
    const many = (count: number): object[] =>
      Array.from({ length: count }, (_, index) => ({
        ...expectation(`reaches-${index}`, 'server', 'other', 'Allow'),
        http: { path: `/healthz?${index}` },
      }));
    await world.apply(connectivityTest(namespace, 'two', many(2)), connectivityTest(namespace, 'twenty', many(20)));
    const two = await nextRun(world.kubectl, namespace, 'two');
    const twenty = await nextRun(world.kubectl, namespace, 'twenty');
    expect(two.status?.verdict).toBe('Passed');
    expect(twenty.status?.verdict).toBe('Passed');
    expect(twenty.status?.lastRun?.probePods).toBe(1);
    expect(twenty.status?.lastRun?.apiRequests).toBe(two.status?.lastRun?.apiRequests);
    expect(await metrics()).toContain(
      `postern_run_api_requests{namespace="${namespace}",test="twenty"} ${twenty.status?.lastRun?.apiRequests}`,
    );
    await world.kubectl(`delete connectivitytest two twenty -n ${namespace}`);
    await waitFor(async () => !(await metrics()).includes(`namespace="${namespace}"`), {
      what: 'the series of deleted tests to go',
      timeoutMs: 20_000,
    });
  });

  it('measures a dry run without letting it count', async () => {
    const { namespace } = world;
    await world.apply(
      connectivityTest(
        namespace,
        'dry',
        [
          { ...expectation('not-yet-denied', 'server', 'other', 'Deny'), dryRun: true },
          expectation('reaches', 'server', 'other', 'Allow'),
        ],
        // The pods have only just come up, which would excuse the connection.
        { enforcementGraceSeconds: 0 },
      ),
    );
    const test = await nextRun(world.kubectl, namespace, 'dry');
    expect(test.status?.summary?.display).toBe('1/1');
    expect(rowsOf(test).get('not-yet-denied')).toMatchObject({
      verdict: 'Skipped',
      reason: 'DryRun',
      outcome: 'Connected',
    });
    expect(rowsOf(test).get('not-yet-denied')?.message).toMatch(/^Would be Failed \(UnexpectedlyReachable\)/);
  });

  it('runs on request, on a new spec, and not while suspended', async () => {
    const { namespace, kubectl } = world;
    await world.apply(connectivityTest(namespace, 'controlled', [expectation('reaches', 'server', 'other', 'Allow')]));
    const first = await nextRun(kubectl, namespace, 'controlled');
    // A new spec next to a change, as pods that came up moments ago are, counts as a run of that change.
    expect(first.status?.lastRun?.trigger).toMatch(/^(Spec|Change)$/);

    await kubectl(`annotate connectivitytest controlled -n ${namespace} postern.dev/run-requested-at=once-more`);
    const requested = await nextRun(kubectl, namespace, 'controlled', { after: first.status?.lastRun?.id });
    expect(requested.status).toMatchObject({ lastHandledRunRequest: 'once-more', lastRun: { trigger: 'Request' } });

    await world.apply(connectivityTest(namespace, 'controlled', [expectation('denied', 'server', 'other', 'Deny')]));
    const changed = await nextRun(kubectl, namespace, 'controlled', { after: requested.status?.lastRun?.id });
    expect(changed.status?.lastRun?.trigger).toMatch(/^(Spec|Change)$/);
    expect(changed.status?.verdict).toBe('Failed');
    expect(
      (await kubectl.attempt(`wait connectivitytest/controlled -n ${namespace} --for=condition=Ready --timeout=1s`))
        .code,
    ).not.toBe(0);

    await world.apply(
      connectivityTest(namespace, 'controlled', [expectation('denied', 'server', 'other', 'Deny')], { suspend: true }),
    );
    const suspended = await waitFor(
      async () => {
        const test = await readTest(kubectl, namespace, 'controlled');
        return test.status?.verdict === 'Skipped' && test;
      },
      { what: 'the suspension to show', timeoutMs: 20_000 },
    );
    expect(suspended.status?.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
      status: 'Unknown',
      reason: 'Suspended',
    });
    expect(await metrics()).not.toContain('test="controlled"');
  });

  it('runs on its period', async () => {
    const { namespace, kubectl } = world;
    await world.apply(
      connectivityTest(namespace, 'periodic', [expectation('reaches', 'server', 'other', 'Allow')], {
        periodSeconds: 10,
      }),
    );
    const first = await nextRun(kubectl, namespace, 'periodic');
    const second = await nextRun(kubectl, namespace, 'periodic', { after: first.status?.lastRun?.id });
    expect(second.status?.lastRun?.trigger).toBe('Period');
    const row = (test: typeof first) => rowsOf(test).get('reaches');
    expect(row(second)?.since).toBe(row(first)?.since);
    await kubectl(`delete connectivitytest periodic -n ${namespace}`);
  });

  it('runs when a CiliumNetworkPolicy appears, and catches what it cuts', async () => {
    const { namespace, kubectl } = world;
    await world.apply(connectivityTest(namespace, 'cilium', [expectation('reaches', 'server', 'other', 'Allow')]));
    const first = await nextRun(kubectl, namespace, 'cilium');
    expect(first.status?.verdict).toBe('Passed');
    await world.apply({
      apiVersion: 'cilium.io/v2',
      kind: 'CiliumNetworkPolicy',
      metadata: { name: 'cut', namespace },
      spec: {
        endpointSelector: { matchLabels: { app: 'other' } },
        ingressDeny: [{ fromEndpoints: [{ matchLabels: { app: 'server' } }] }],
      },
    });
    const cut = await nextRun(kubectl, namespace, 'cilium', { after: first.status?.lastRun?.id });
    expect(rowsOf(cut).get('reaches')).toMatchObject({ verdict: 'Failed', reason: 'Blocked' });
    await kubectl(`delete ciliumnetworkpolicy cut -n ${namespace}`);
    const healed = await nextRun(kubectl, namespace, 'cilium', { after: cut.status?.lastRun?.id });
    expect(healed.status?.verdict).toBe('Passed');
  });
});
