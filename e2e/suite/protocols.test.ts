import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nextRun, rowsOf } from '../harness/postern.ts';
import { connectivityTest, expectation, networkPolicy, server, udpPort } from '../harness/workloads.ts';
import { createWorld, type World } from '../harness/world.ts';

const hex = (text: string): string => Buffer.from(text).toString('hex');
const from = (name: string): object => ({ workload: { kind: 'Deployment', name } });
const kubeDns = { service: { name: 'kube-dns', namespace: 'kube-system' } };

/** A client that may send anywhere, one that may only reach the web server, and a server that lets only these two in. */
describe('UDP, DNS and HTTPS', () => {
  let world: World;

  beforeAll(async () => {
    world = await createWorld('postern-e2e-protocols');
    const { namespace } = world;
    await world.apply(
      ...server({ namespace, name: 'client' }),
      ...server({ namespace, name: 'confined' }),
      ...server({ namespace, name: 'stranger' }),
      ...server({ namespace, name: 'web' }),
      networkPolicy(namespace, 'web', {
        podSelector: { matchLabels: { app: 'web' } },
        policyTypes: ['Ingress'],
        ingress: [
          {
            from: [
              { podSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['client', 'confined'] }] } },
            ],
          },
        ],
      }),
      networkPolicy(namespace, 'confined', {
        podSelector: { matchLabels: { app: 'confined' } },
        policyTypes: ['Egress'],
        egress: [{ to: [{ podSelector: { matchLabels: { app: 'web' } } }], ports: [{ port: 8080 }] }],
      }),
    );
    await world.ready('client', 'confined', 'stranger', 'web');
  });
  afterAll(() => world.destroy());

  const verdictsOf = async (name: string, expectations: readonly object[]): Promise<Record<string, string>> => {
    await world.apply(connectivityTest(world.namespace, name, expectations));
    const rows = rowsOf(await nextRun(world.kubectl, world.namespace, name));
    return Object.fromEntries([...rows].map(([row, { verdict, reason }]) => [row, `${verdict} ${reason}`]));
  };

  it('tells names that resolve from names that do not, and both from a resolver out of reach', async () => {
    const dns = { name: 'kubernetes.default.svc' };
    const seen = await verdictsOf('dns', [
      { name: 'resolves', from: from('client'), to: { dns }, expect: 'Allow' },
      { name: 'resolves-over-tcp', from: from('client'), to: { dns }, protocol: 'TCP', expect: 'Allow' },
      { name: 'resolves-at-a-server', from: from('client'), to: { dns, ...kubeDns }, expect: 'Allow' },
      {
        name: 'unknown',
        from: from('client'),
        to: { dns: { name: 'nowhere.default.svc.cluster.local.' } },
        expect: 'Allow',
      },
      {
        name: 'unknown-is-no-denial',
        from: from('client'),
        to: { dns: { name: 'nowhere.default.svc.cluster.local.' } },
        expect: 'Deny',
      },
      { name: 'must-not-resolve', from: from('client'), to: { dns }, expect: 'Deny' },
      { name: 'denied', from: from('confined'), to: { dns }, expect: 'Deny' },
      { name: 'denied-over-tcp', from: from('confined'), to: { dns }, protocol: 'TCP', expect: 'Deny' },
      { name: 'forgotten', from: from('confined'), to: { dns }, expect: 'Allow' },
      expectation('confined-can-send', 'confined', 'web', 'Allow'),
    ]);

    expect(seen).toEqual({
      resolves: 'Passed Reachable',
      'resolves-over-tcp': 'Passed Reachable',
      'resolves-at-a-server': 'Passed Reachable',
      unknown: 'Failed NameNotResolved',
      'unknown-is-no-denial': 'Inconclusive NameNotResolved',
      'must-not-resolve': 'Failed UnexpectedlyReachable',
      denied: 'Passed Denied',
      'denied-over-tcp': 'Passed Denied',
      forgotten: 'Failed Blocked',
      'confined-can-send': 'Passed Reachable',
    });
  });

  it('counts only an answer to a datagram, and silence only beside one', async () => {
    const to = { service: { name: 'web' }, port: udpPort };
    const asked = { protocol: 'UDP', udp: { payload: hex('hostname') } };
    const ignored = { protocol: 'UDP', udp: { payload: hex('nonsense') } };
    const closed = { workload: { kind: 'Deployment', name: 'web' }, port: 9 };
    const seen = await verdictsOf('udp', [
      { name: 'answered', from: from('client'), to, ...asked, expect: 'Allow' },
      { name: 'denied', from: from('stranger'), to, ...asked, expect: 'Deny' },
      { name: 'must-not-answer', from: from('client'), to, ...asked, expect: 'Deny' },
      { name: 'blocked', from: from('stranger'), to, ...asked, expect: 'Allow' },
      { name: 'ignored', from: from('client'), to, ...ignored, expect: 'Allow' },
      { name: 'ignored-is-no-denial', from: from('stranger'), to, ...ignored, expect: 'Deny' },
      { name: 'closed', from: from('client'), to: closed, ...asked, expect: 'Allow' },
      {
        name: 'preset',
        from: from('client'),
        to: { ...kubeDns, port: 'dns' },
        protocol: 'UDP',
        udp: { preset: 'DNS' },
        expect: 'Allow',
      },
    ]);

    expect(seen).toEqual({
      answered: 'Passed Reachable',
      denied: 'Passed Denied',
      'must-not-answer': 'Failed UnexpectedlyReachable',
      blocked: 'Failed Blocked',
      ignored: 'Inconclusive NoDatagramAnswer',
      'ignored-is-no-denial': 'Inconclusive NoTargetControl',
      closed: 'Failed NothingListening',
      preset: 'Passed Reachable',
    });
    // By itself: a kernel sends one client few refusals a second, and an Allow that tries again uses them up.
    const refused = { name: 'closed-was-reached', from: from('client'), to: closed, ...asked, expect: 'Deny' };
    expect(await verdictsOf('udp-closed', [refused])).toEqual({ 'closed-was-reached': 'Failed ReachedClosedPort' });
  });

  it('completes a TLS handshake, and tells a server that speaks none', async () => {
    const apiServer = { service: { name: 'kubernetes', namespace: 'default' }, port: 'https' };
    const seen = await verdictsOf('https', [
      {
        name: 'answers',
        from: from('client'),
        to: apiServer,
        http: { scheme: 'HTTPS', path: '/livez', status: [200, 401, 403] },
        expect: 'Allow',
      },
      {
        name: 'speaks-plain-http',
        from: from('client'),
        to: { service: { name: 'web' }, port: 8080 },
        http: { scheme: 'HTTPS' },
        expect: 'Allow',
      },
    ]);

    expect(seen).toEqual({ answers: 'Passed Reachable', 'speaks-plain-http': 'Failed TLSFailed' });
  });
});
