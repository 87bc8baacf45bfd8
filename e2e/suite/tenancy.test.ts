import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConnectivityTest, Pod } from '../../src/api/index.ts';
import { nextRun, readTest, rowsOf } from '../harness/postern.ts';
import { probePodsIn } from '../harness/probe-pods.ts';
import { waitFor } from '../harness/wait.ts';
import { connectivityTest, manifests, networkPolicy, server } from '../harness/workloads.ts';
import { createWorld, type World } from '../harness/world.ts';

const mine = 'postern-e2e-tenant';
const theirs = 'postern-e2e-victim';
/** May edit its own namespace, and nothing else. */
const tenant = `system:serviceaccount:${mine}:tenant`;
/** Administers the other namespace, and nothing else. */
const owner = `system:serviceaccount:${theirs}:owner`;

const account = (namespace: string, name: string, role: string): object[] => [
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: `${name}-${role}`, namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [{ kind: 'ServiceAccount', name, namespace }],
  },
];
const grant = (namespace: string, spec: object): object => ({
  apiVersion: 'postern.dev/v1alpha1',
  kind: 'ConnectivityGrant',
  metadata: { name: 'to-tenant', namespace },
  spec: { from: [{ namespace: mine }], ...spec },
});
const clusterTest = (name: string, expectations: readonly object[], spec: object = {}): object => ({
  apiVersion: 'postern.dev/v1alpha1',
  kind: 'ClusterConnectivityTest',
  metadata: { name },
  spec: { periodSeconds: 3600, ...spec, expectations },
});
const deployment = (name: string) => ({ workload: { kind: 'Deployment', name } });
const allow = (name: string, from: object, to: object) => ({ name, from, to: { port: 8080, ...to }, expect: 'Allow' });
const selectTheirs = { namespaces: { matchLabels: { 'postern-e2e': 'victim' } } };

describe('a tenant with rights in one namespace alone', () => {
  let home: World;
  let abroad: World;

  beforeAll(async () => {
    home = await createWorld(mine);
    abroad = await createWorld(theirs, { 'postern-e2e': 'victim' });
    await home.apply(...account(mine, 'tenant', 'edit'), ...server({ namespace: mine, name: 'web' }));
    await abroad.apply(
      ...account(theirs, 'owner', 'admin'),
      ...server({ namespace: theirs, name: 'vault' }),
      ...server({ namespace: theirs, name: 'teller' }),
      networkPolicy(theirs, 'vault', {
        podSelector: { matchLabels: { app: 'vault' } },
        policyTypes: ['Ingress'],
        ingress: [{ from: [{ podSelector: { matchLabels: { app: 'teller' } } }] }],
      }),
    );
    await home.ready('web');
    await abroad.ready('vault', 'teller');
  });
  afterAll(async () => {
    await home.kubectl('delete clusterconnectivitytests --all');
    await home.destroy();
    await abroad.destroy();
  });

  const as = async (user: string, ...objects: readonly object[]) =>
    home.kubectl.attempt(`apply --as=${user} -f -`, { input: manifests(...objects) });
  const can = async (user: string, verb: string) =>
    (await home.kubectl.attempt(`auth can-i ${verb} --as=${user}`)).stdout.trim();
  const accepted = (test: ConnectivityTest) => test.status?.conditions?.find(({ type }) => type === 'Accepted');

  it.each<[string, object]>([
    ['a workload there', allow('x', { ...deployment('teller'), namespace: theirs }, deployment('web'))],
    ['pods there', allow('x', { pods: {}, namespace: theirs }, deployment('web'))],
    ['namespaces by label', allow('x', { pods: {}, ...selectTheirs }, deployment('web'))],
    [
      'namespaces by name in a selector',
      allow(
        'x',
        {
          pods: {},
          namespaces: { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: [theirs] }] },
        },
        deployment('web'),
      ),
    ],
    ['a target workload there', allow('x', deployment('web'), { ...deployment('vault'), namespace: theirs })],
    ['target pods by label', allow('x', deployment('web'), { pods: {}, ...selectTheirs })],
    [
      'a control there',
      {
        name: 'x',
        from: deployment('web'),
        to: { service: { name: 'vault', namespace: theirs }, port: 8080 },
        control: { from: { ...deployment('teller'), namespace: theirs } },
        expect: 'Deny',
      },
    ],
  ])('is refused to probe by naming %s, and told why', async (what, expectation) => {
    const name = what.replaceAll(' ', '-');
    expect(await as(tenant, connectivityTest(mine, name, [expectation]))).toMatchObject({ code: 0 });

    const test = await nextRun(home.kubectl, mine, name);

    expect(accepted(test)).toMatchObject({ status: 'False', reason: 'NotGranted' });
    expect(accepted(test)?.message).toContain('Ask for a ConnectivityGrant there');
    expect(rowsOf(test).get('x')?.verdict).not.toBe('Failed');
    expect(test.status?.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('False');
    expect(await probePodsIn(home.kubectl, theirs)).toEqual([]);
    // Nothing of theirs is to be read there.
    const { items } = await home.kubectl.json<{ items: Pod[] }>(`get pods -n ${theirs}`);
    const status = JSON.stringify(test.status);
    for (const pod of items)
      for (const secret of [pod.status?.podIP, pod.metadata.name]) expect(status).not.toContain(secret);
    await home.kubectl(`delete connectivitytest ${name} -n ${mine}`);
  });

  it('is told the same of what exists and of what does not', async () => {
    const to = deployment('web');
    await as(
      tenant,
      connectivityTest(mine, 'oracle', [
        allow('there', { ...deployment('teller'), namespace: theirs }, to),
        allow('not-there', { ...deployment('nobody'), namespace: theirs }, to),
        allow('no-namespace', { ...deployment('teller'), namespace: 'postern-e2e-nowhere' }, to),
      ]),
    );

    const rows = [...rowsOf(await nextRun(home.kubectl, mine, 'oracle')).values()];

    const said = rows.map(({ reason, message }) =>
      `${reason} ${message}`.replaceAll(/postern-e2e-(nowhere|victim)/g, 'N').replaceAll(/teller|nobody/g, 'W'),
    );
    expect(new Set(said).size).toBe(1);
    expect(rows[0]?.reason).toBe('NotGranted');
  });

  it.each<[string, string, object]>([
    [
      'a test in the other namespace',
      'connectivitytests',
      connectivityTest(theirs, 'x', [allow('x', { pods: {} }, { pods: {} })]),
    ],
    [
      'a test of the whole cluster',
      'clusterconnectivitytests',
      clusterTest('x', [allow('x', { pods: {}, namespace: theirs }, { pods: {}, namespace: theirs })]),
    ],
    ['a grant in the other namespace', 'connectivitygrants', grant(theirs, { as: ['Source'] })],
    ['a grant in its own', 'connectivitygrants', grant(mine, { as: ['Source'] })],
    [
      'an anchor of its own',
      'probeanchors',
      { apiVersion: 'postern.dev/v1alpha1', kind: 'ProbeAnchor', metadata: { name: 'x', namespace: mine } },
    ],
  ])('may not write %s', async (_, resource, object) => {
    const { code, stderr } = await as(tenant, object);

    expect(stderr).toMatch(new RegExp(`${resource}\\.postern\\.dev .*is forbidden`));
    expect(code).not.toBe(0);
  });

  it.each([
    [`patch connectivitytests --subresource=status -n ${mine}`, 'no'],
    [`get connectivitytests -n ${theirs}`, 'no'],
    [`get connectivitygrants -n ${theirs}`, 'no'],
    [`get pods --subresource=log -n ${theirs}`, 'no'],
    ['get clusterconnectivitytests', 'no'],
    [`create connectivitytests -n ${mine}`, 'yes'],
  ])('has the right to %s: %s', async (verb, answer) => {
    expect(await can(tenant, verb)).toBe(answer);
  });

  it('has no use for a grant that stands in its own namespace', async () => {
    await home.apply(grant(mine, { as: ['Source', 'Target'] }));
    await as(
      tenant,
      connectivityTest(mine, 'own-grant', [
        allow('x', { ...deployment('teller'), namespace: theirs }, deployment('web')),
      ]),
    );

    expect(accepted(await nextRun(home.kubectl, mine, 'own-grant'))).toMatchObject({ reason: 'NotGranted' });

    await home.kubectl(`delete connectivitygrant to-tenant -n ${mine}`);
  });

  it('runs when it is granted, as far as it is granted, and stops at once when it is no longer', async () => {
    const { kubectl } = home;
    const vault = { service: { name: 'vault', namespace: theirs } };
    await as(
      tenant,
      connectivityTest(
        mine,
        'granted',
        [
          allow('teller-reaches-vault', { ...deployment('teller'), namespace: theirs }, vault),
          { name: 'web-does-not', from: deployment('web'), to: { ...vault, port: 8080 }, expect: 'Deny' },
          allow('vault-is-not-granted', { ...deployment('vault'), namespace: theirs }, deployment('web')),
        ],
        { timeoutSeconds: 5 },
      ),
    );
    const refused = await nextRun(kubectl, mine, 'granted');
    expect(rowsOf(refused).get('teller-reaches-vault')?.reason).toBe('NotGranted');

    expect(await as(owner, grant(theirs, { as: ['Source'], to: [deployment('teller')] }))).toMatchObject({ code: 0 });
    const granted = await nextRun(kubectl, mine, 'granted', { after: refused.status?.lastRun?.id });
    const verdicts = [...rowsOf(granted).values()].map(({ name, verdict, reason }) => `${name} ${verdict} ${reason}`);
    expect(verdicts).toEqual([
      'teller-reaches-vault Passed Reachable',
      // The teller is the control that the tenant could not name before.
      'web-does-not Passed Denied',
      'vault-is-not-granted Inconclusive NotGranted',
    ]);

    await kubectl(
      `annotate connectivitytest granted -n ${mine} --as=${tenant} --overwrite postern.dev/run-requested-at=again`,
    );
    const [probe] = await waitFor(
      async () => {
        const probes = await probePodsIn(kubectl, theirs);
        return probes.length === 1 && probes;
      },
      { what: 'a probe pod by grant', timeoutMs: 60_000, everyMs: 100 },
    );
    expect(probe?.metadata.ownerReferences).toMatchObject([
      { kind: 'ConnectivityGrant', name: 'to-tenant', controller: true },
    ]);
    await kubectl(`delete connectivitygrant to-tenant -n ${theirs} --as=${owner}`);
    const stopped = await waitFor(
      async () => {
        const test = await readTest(kubectl, mine, 'granted');
        return rowsOf(test).get('teller-reaches-vault')?.reason === 'NotGranted' && test;
      },
      { what: 'the verdict to be taken back', timeoutMs: 30_000, everyMs: 100 },
    );
    expect(stopped.status?.verdict).toBe('Inconclusive');
    expect(accepted(stopped)).toMatchObject({ status: 'False', reason: 'NotGranted' });
    await waitFor(async () => (await probePodsIn(kubectl, theirs)).length === 0, {
      what: 'the probe pod to go',
      timeoutMs: 20_000,
    });
  });

  it('does not learn what a target answers', async () => {
    const { kubectl } = home;
    const { items } = await kubectl.json<{ items: Pod[] }>(`get pods -n ${theirs} -l app=teller`);
    const [answer = ''] = items.map(({ metadata }) => metadata.name);
    const asked = { service: { name: 'teller', namespace: theirs } };
    await as(
      tenant,
      connectivityTest(mine, 'listener', [
        { ...allow('hears', deployment('web'), asked), http: { path: '/hostname' } },
        { ...allow('is-told-off', deployment('web'), asked), http: { path: '/hostname', status: [418] } },
      ]),
    );

    const { status } = await nextRun(kubectl, mine, 'listener');

    expect(status?.expectations?.map(({ reason }) => reason)).toEqual(['Reachable', 'HTTPMismatch']);
    const events = await kubectl(`get events -n ${mine} -o json`);
    const logs = await kubectl('logs -n postern deployment/postern');
    // It is the answer, as its own people can see.
    expect(answer).toContain('teller-');
    for (const sink of [JSON.stringify(status), events, logs]) expect(sink).not.toContain(answer);
  });

  it.each<[string, (podIp: string) => object]>([
    ['by Service', () => ({ service: { name: 'vault', namespace: theirs } })],
    ['by host name', () => ({ host: `vault.${theirs}.svc.cluster.local` })],
    ['by a host name for the search domains', () => ({ host: `vault.${theirs}` })],
    ['by the address of a pod', (ip) => ({ ip })],
  ])('does not dial %s what refuses probes', async (how, to) => {
    const { kubectl } = home;
    const { items } = await kubectl.json<{ items: Pod[] }>(`get pods -n ${theirs} -l app=teller`);
    await kubectl(`label namespace ${theirs} postern.dev/refuse-probes=as-target`);
    const name = how.toLowerCase().replaceAll(' ', '-');
    try {
      const expectation = allow('x', deployment('web'), to(items[0]?.status?.podIP ?? ''));
      expect(await as(tenant, connectivityTest(mine, name, [expectation]))).toMatchObject({ code: 0 });

      // The operator may see the test before it sees the label.
      const test = await waitFor(
        async () => {
          const seen = await nextRun(kubectl, mine, name);
          return accepted(seen)?.status === 'False' && seen.status?.lastRun?.probePods === 0 && seen;
        },
        { what: 'a run that dials nothing', timeoutMs: 30_000 },
      );
      expect(accepted(test)?.reason).toBe('ProbesRefused');
      expect(rowsOf(test).get('x')).toMatchObject({ verdict: 'Inconclusive', reason: 'ProbesRefused' });
    } finally {
      await kubectl(`label namespace ${theirs} postern.dev/refuse-probes-`);
      await kubectl(`delete connectivitytest ${name} -n ${mine}`);
    }
  });
});
