import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nextRun, rowsOf } from '../harness/postern.ts';
import { connectivityTest, expectation, networkPolicy, server } from '../harness/workloads.ts';
import { createWorld, type World } from '../harness/world.ts';

/** Worlds in which a Deny sees silence, or an Allow fails, for reasons that are no policy's doing. */
describe('what proves nothing is not a pass', () => {
  let world: World;

  beforeAll(async () => {
    world = await createWorld('postern-e2e-unproven');
    const { namespace } = world;
    await world.apply(
      ...server({ namespace, name: 'client' }),
      ...server({ namespace, name: 'guarded' }),
      ...server({ namespace, name: 'unwatched', readiness: 'none' }),
      ...server({ namespace, name: 'half-open', readiness: 'none' }),
      ...server({ namespace, name: 'stranger' }),
      ...server({ namespace, name: 'empty', replicas: 0 }),
      networkPolicy(namespace, 'half-open', {
        podSelector: { matchLabels: { app: 'half-open' } },
        policyTypes: ['Ingress'],
        ingress: [{ from: [{ podSelector: { matchLabels: { app: 'client' } } }] }],
      }),
      networkPolicy(namespace, 'guard', {
        podSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['guarded', 'unwatched'] }] },
        policyTypes: ['Ingress'],
      }),
    );
    await world.ready('client', 'guarded', 'unwatched', 'half-open', 'stranger');
  });
  afterAll(() => world.destroy());

  it('tells a denial from a closed port, an absent endpoint and a name that does not resolve', async () => {
    const { namespace } = world;
    const from = { workload: { kind: 'Deployment', name: 'client' } };
    await world.apply(
      connectivityTest(namespace, 'reasons', [
        expectation('denied', 'client', 'guarded', 'Deny'),
        expectation('nobody-can-tell', 'client', 'unwatched', 'Deny'),
        expectation('no-endpoints', 'client', 'empty', 'Deny'),
        {
          name: 'closed-port',
          from,
          to: { workload: { kind: 'Deployment', name: 'stranger' }, port: 9 },
          expect: 'Deny',
        },
        {
          name: 'closed-port-behind-policy',
          from,
          to: { workload: { kind: 'Deployment', name: 'guarded' }, port: 9 },
          expect: 'Deny',
        },
        {
          name: 'control-named',
          from: { workload: { kind: 'Deployment', name: 'stranger' } },
          to: { workload: { kind: 'Deployment', name: 'half-open' }, port: 8080 },
          control: { from },
          expect: 'Deny',
        },
        {
          name: 'control-declared',
          from,
          to: { workload: { kind: 'Deployment', name: 'unwatched' }, port: 8080 },
          control: { mode: 'Declared' },
          expect: 'Deny',
        },
        {
          name: 'unreachable-is-enough',
          from,
          to: { ip: '169.254.169.254', port: 80 },
          control: { mode: 'UnreachableIsEnough' },
          expect: 'Deny',
        },
        { name: 'unknown-name', from, to: { host: 'nowhere.invalid', port: 80 }, expect: 'Deny' },
        { name: 'no-such-port', from, to: { service: { name: 'guarded' }, port: 81 }, expect: 'Deny' },
        {
          name: 'nothing-listens',
          from,
          to: { workload: { kind: 'Deployment', name: 'stranger' }, port: 9 },
          expect: 'Allow',
        },
      ]),
    );
    const rows = rowsOf(await nextRun(world.kubectl, namespace, 'reasons'));
    const seen = Object.fromEntries([...rows].map(([name, { verdict, reason }]) => [name, `${verdict} ${reason}`]));
    expect(seen).toEqual({
      denied: 'Passed Denied',
      'control-named': 'Passed Denied',
      'control-declared': 'Passed Denied',
      'unreachable-is-enough': 'Passed NotReached',
      'nobody-can-tell': 'Inconclusive NoTargetControl',
      'no-endpoints': 'Inconclusive TargetNotReady',
      // Its policies let it pass, and this cluster drops what they do not.
      'closed-port': 'Failed ReachedClosedPort',
      'closed-port-behind-policy': 'Inconclusive NoTargetControl',
      'unknown-name': 'Inconclusive NameNotResolved',
      'no-such-port': 'Inconclusive PortNotFound',
      'nothing-listens': 'Failed NothingListening',
    });
  });

  it('brings results out of a namespace that nothing may leave', async () => {
    const { namespace } = world;
    await world.apply(
      networkPolicy(namespace, 'nothing-leaves', {
        podSelector: { matchLabels: { app: 'client' } },
        policyTypes: ['Egress'],
      }),
      connectivityTest(namespace, 'sealed', [
        expectation('allowed-in-vain', 'client', 'guarded', 'Allow'),
        expectation('denied', 'client', 'guarded', 'Deny'),
      ]),
    );
    const test = await nextRun(world.kubectl, namespace, 'sealed');
    expect(rowsOf(test).get('allowed-in-vain')).toMatchObject({ verdict: 'Failed', reason: 'Blocked' });
    // Nothing shows that this client could send anything at all, so its silence is no proof of a denial.
    expect(rowsOf(test).get('denied')).toMatchObject({ verdict: 'Inconclusive', reason: 'NoSourceControl' });
    expect(test.status?.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('False');
    await world.kubectl(`delete networkpolicy nothing-leaves -n ${namespace}`);
  });
});
