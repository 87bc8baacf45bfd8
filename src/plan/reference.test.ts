import { describe, expect, it } from 'vitest';
import type { ConnectivityTest, LabelSelector, Namespace, Role } from '../api/index.ts';
import {
  type Cluster,
  clusterTestOf,
  expectationOf,
  grantOf,
  namespaceOf,
  podOf,
  serviceOf,
  testOf,
  viewOf,
} from '../testing/cluster-view.ts';
import { type Reference, resolveReference, resolveTarget } from './reference.ts';

const mine = testOf([]);
const administrators = clusterTestOf([]);
const both: readonly Namespace[] = [namespaceOf('shop', { team: 'a' }), namespaceOf('bank', { team: 'b' })];
const closed = (value: string): readonly Namespace[] => [
  namespaceOf('shop', { 'postern.dev/refuse-probes': value }),
  namespaceOf('bank', { 'postern.dev/refuse-probes': value }),
];

const refer = (parts: Partial<Reference> = {}): Reference => ({
  role: 'Source',
  needs: 'Consent',
  what: 'Deployment web',
  ...parts,
});

/** The namespaces, each with what of it may be used, or the reason. */
function answer(test: ConnectivityTest, reference: Partial<Reference>, cluster: Cluster): unknown {
  const resolved = resolveReference(test, refer(reference), viewOf(cluster));
  if ('reason' in resolved) return resolved.reason;
  return resolved.scopes.map(({ namespace, parts }) => (parts === undefined ? namespace : [namespace, parts]));
}

const web = { workload: { kind: 'Deployment', name: 'web' } } as const;
const toBank = { namespace: 'bank' };
const grantedTo = (namespace: string) => ({ from: [{ namespace }] });
const inBank = (...grants: Cluster['grants'] & {}): Cluster => ({ namespaces: both, grants });

describe('resolveReference to a namespace by name', () => {
  it.each<[string, ConnectivityTest, Partial<Reference>, Cluster, unknown]>([
    ['is free at home', mine, {}, { namespaces: both }, ['shop']],
    ['is free at home by name', mine, { namespace: 'shop' }, { namespaces: both }, ['shop']],
    ['is refused elsewhere', mine, toBank, inBank(), 'NotGranted'],
    ['is granted', mine, toBank, inBank(grantOf('bank')), ['bank']],
    ['is not granted to others', mine, toBank, inBank(grantOf('bank', grantedTo('zoo'))), 'NotGranted'],
    [
      'is granted to each that is named',
      mine,
      toBank,
      inBank(grantOf('bank', { from: [{ namespace: 'zoo' }, { namespace: 'shop' }] })),
      ['bank'],
    ],
    ['is not granted from another namespace', mine, toBank, inBank(grantOf('zoo'), grantOf('shop')), 'NotGranted'],
    ['takes no wildcard for a name', mine, toBank, inBank(grantOf('bank', grantedTo('*'))), 'NotGranted'],
    ['is not granted in the other role', mine, toBank, inBank(grantOf('bank', { as: ['Target'] })), 'NotGranted'],
    [
      'is granted in that role',
      mine,
      { ...toBank, role: 'Target' },
      inBank(grantOf('bank', { as: ['Target'] })),
      ['bank'],
    ],
    ['is limited to what is granted', mine, toBank, inBank(grantOf('bank', { to: [web] })), [['bank', [web]]]],
    [
      'adds grants up',
      mine,
      toBank,
      inBank(grantOf('bank', { to: [web] }, 'a'), grantOf('bank', { to: [{ pods: {} }] }, 'b')),
      [['bank', [web, { pods: {} }]]],
    ],
    [
      'is not limited where one grant is not',
      mine,
      toBank,
      inBank(grantOf('bank', { to: [web] }, 'a'), grantOf('bank', {}, 'b')),
      ['bank'],
    ],
    ['of which there is none is not granted', mine, { namespace: 'nowhere' }, inBank(grantOf('bank')), 'NotGranted'],
    ['needs no grant from administrators', administrators, toBank, inBank(), ['bank']],
    [
      'needs none for what anybody could dial',
      mine,
      { ...toBank, role: 'Target', needs: 'NoRefusal' },
      inBank(),
      ['bank'],
    ],
  ])('%s', (_, test, reference, cluster, wanted) => {
    expect(answer(test, reference, cluster)).toEqual(wanted);
  });

  it('says the same of what is absent and what is not granted', () => {
    const messages = [{ namespaces: both }, {}].map((cluster) =>
      resolveReference(mine, refer({ namespace: 'bank' }), viewOf(cluster)),
    );

    expect(messages[0]).toEqual(messages[1]);
    expect(messages[0]).toEqual({
      reason: 'NotGranted',
      message:
        'There is no Deployment web in namespace bank, or nothing there grants it to this test as a source. Ask for a ConnectivityGrant there with `from: [{namespace: shop}]` and `as: [Source]`.',
    });
  });

  it('counts a grant that is being deleted no more', () => {
    const grant = grantOf('bank');
    const leaving = { ...grant, metadata: { ...grant.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };

    expect(answer(mine, toBank, inBank(leaving))).toBe('NotGranted');
  });

  it('names the grant that owns probe pods there: the first by name, whatever the order of the cache', () => {
    const grants = [grantOf('bank', {}, 'b'), grantOf('bank', {}, 'a')];

    for (const each of [grants, grants.toReversed()]) {
      expect(resolveReference(mine, refer(toBank), viewOf({ grants: each }))).toMatchObject({
        scopes: [{ grant: { metadata: { name: 'a' } } }],
      });
    }
  });
});

describe('a namespace that refuses probes', () => {
  const refused = 'ProbesRefused';
  it.each<[string, string, Role, unknown]>([
    ['all', 'all', 'Source', refused],
    ['all', 'all', 'Target', refused],
    ['as-source', 'as-source', 'Source', refused],
    ['as-source', 'as-source', 'Target', ['bank']],
    ['as-target', 'as-target', 'Source', ['bank']],
    ['as-target', 'as-target', 'Target', refused],
    ['a misspelt value', 'as_target', 'Source', refused],
    ['no value', '', 'Target', refused],
  ])('by %s (%s) as %s', (_, value, role, wanted) => {
    const cluster = { namespaces: closed(value), grants: [grantOf('bank')] };

    expect(answer(mine, { namespace: 'bank', role }, cluster)).toEqual(wanted);
    expect(answer(administrators, { namespace: 'bank', role }, cluster)).toEqual(wanted);
    if (role === 'Target') {
      expect(answer(mine, { namespace: 'bank', role, needs: 'NoRefusal' }, cluster)).toEqual(wanted);
    }
  });

  it('refuses its own tests, too', () => {
    expect(answer(mine, {}, { namespaces: closed('all') })).toBe(refused);
  });

  it('does not tell whom it grants nothing', () => {
    expect(answer(mine, { namespace: 'bank' }, { namespaces: closed('all') })).toBe('NotGranted');
  });
});

describe('resolveReference to namespaces by selector', () => {
  const select = (namespaces: LabelSelector): Partial<Reference> => ({ namespaces });
  const everything = select({});
  const three = [...both, namespaceOf('zoo', { team: 'b' })];

  it.each<[string, ConnectivityTest, Partial<Reference>, Cluster, unknown]>([
    [
      'takes those that grant, and its own',
      mine,
      everything,
      { namespaces: three, grants: [grantOf('bank')] },
      ['bank', 'shop'],
    ],
    [
      'looks at labels',
      mine,
      select({ matchLabels: { team: 'b' } }),
      { namespaces: three, grants: [grantOf('bank'), grantOf('zoo')] },
      ['bank', 'zoo'],
    ],
    [
      'looks at expressions',
      mine,
      select({ matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['b'] }] }),
      { namespaces: three, grants: [grantOf('bank')] },
      ['shop'],
    ],
    ['refuses where none is left', mine, select({ matchLabels: { team: 'b' } }), { namespaces: three }, 'NotGranted'],
    [
      'refuses where none matches, for the same reason',
      mine,
      select({ matchLabels: { team: 'c' } }),
      { namespaces: three },
      'NotGranted',
    ],
    ['takes all for administrators', administrators, everything, { namespaces: three }, ['bank', 'shop', 'zoo']],
    [
      'leaves out those that refuse',
      administrators,
      everything,
      { namespaces: [...closed('all'), namespaceOf('zoo')] },
      ['zoo'],
    ],
    [
      'tells administrators that all refuse',
      administrators,
      everything,
      { namespaces: closed('all') },
      'ProbesRefused',
    ],
    [
      'tells administrators that none matches',
      administrators,
      select({ matchLabels: { team: 'c' } }),
      { namespaces: three },
      'SourceNotFound',
    ],
  ])('%s', (_, test, reference, cluster, wanted) => {
    expect(answer(test, reference, cluster)).toEqual(wanted);
  });

  it('says the same whether none matches or none grants', () => {
    const said = [{ namespaces: both }, {}].map((cluster) =>
      resolveReference(mine, refer(select({ matchLabels: { team: 'b' } })), viewOf(cluster)),
    );

    expect(said[0]).toEqual(said[1]);
    expect(said[0]).toMatchObject({ message: expect.stringContaining('in any namespace with team=b') });
  });

  it('says how many were left out, and no names', () => {
    const resolved = resolveReference(mine, refer(everything), viewOf({ namespaces: three }));

    expect(resolved).toMatchObject({
      note: '2 selected namespaces were left out for want of a ConnectivityGrant, or because probes are refused there.',
    });
    expect(JSON.stringify(resolved)).not.toMatch(/bank|zoo/);
  });

  it('says that some were left out, but not how many, of those that it picks by name', () => {
    const picked = select({
      matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: ['shop', 'bank'] }],
    });
    const said = [both, both.slice(0, 1)].map((namespaces) =>
      resolveReference(mine, refer(picked), viewOf({ namespaces })),
    );

    expect(said[0]).toEqual(said[1]);
    expect(said[0]).toMatchObject({
      note: 'Namespaces that do not exist, grant this test nothing or refuse probes were left out.',
    });
  });
});

describe('resolveTarget', () => {
  const namespaces = [namespaceOf('shop'), ...closed('as-target').slice(1)];
  const cluster: Cluster = {
    namespaces,
    pods: [
      podOf('db-0', { namespace: 'bank', ip: 'fd00::1' }),
      podOf('agent', { namespace: 'bank', ip: '172.18.0.2', spec: { hostNetwork: true } }),
    ],
    services: [serviceOf('db', { clusterIP: '10.96.0.9' }, 'bank')],
  };
  const port = 80;

  it.each<[string, Parameters<typeof resolveTarget>[1], boolean]>([
    ['its Service', { service: { name: 'db', namespace: 'bank' }, port }, true],
    ['its Service, absent', { service: { name: 'nothing', namespace: 'bank' }, port }, true],
    ['its Service by host name', { host: 'db.bank.svc.cluster.local', port }, true],
    ['its Service by short host name', { host: 'DB.bank.svc.', port }, true],
    ['its Service by a name for the search domains', { host: 'db.bank', port }, true],
    ['its pod by host name', { host: 'db-0.db.bank.svc', port }, true],
    ['its pod by the host name of an address', { host: '10-0-0-1.bank.pod.cluster.local', port }, true],
    ['its pod by address', { ip: 'fd00::1', port }, true],
    ['its pod by another notation of the address', { ip: 'FD00:0:0::01', port }, true],
    ['its Service by address', { ip: '10.96.0.9', port }, true],
    ['its Service as a name server', { dns: { name: 'a.example' }, service: { name: 'db', namespace: 'bank' } }, true],
    ['a node that one of its pods runs on', { ip: '172.18.0.2', port }, false],
    ['another address', { ip: '10.96.0.10', port }, false],
    ['another host', { host: 'bank.example', port }, false],
    ['the resolver of the source', { dns: { name: 'db.bank.svc' } }, false],
  ])('finds what refuses probes: %s', (_, to, isRefused) => {
    const resolved = resolveTarget(mine, to, viewOf(cluster));

    expect('reason' in resolved && resolved.reason).toBe(isRefused ? 'ProbesRefused' : false);
  });

  it('asks for no consent to a Service', () => {
    const resolved = resolveTarget(
      mine,
      expectationOf({ to: { service: { name: 'api', namespace: 'zoo' }, port } }).to,
      viewOf(cluster),
    );

    expect(resolved).toEqual({ scopes: [{ role: 'Target', namespace: 'zoo' }] });
  });
});
