import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Expectation, KubeObject } from '../api/index.ts';
import { expectationOf, grantOf, namespaceOf, podOf, testOf } from '../testing/cluster-view.ts';
import { boundaries, Stage } from '../testing/controller-stage.ts';
import type { StoredObject } from '../testing/json.ts';

// A busy machine is no failure.
vi.setConfig({ testTimeout: 60_000 });

const toApi = { pods: { matchLabels: { app: 'api' } }, port: 8080 };
const fromVault = { pods: { matchLabels: { app: 'vault' } }, namespace: 'bank' };
const foreign = (parts: Partial<Expectation> = {}) =>
  expectationOf({ name: 'vault-reaches-api', from: fromVault, to: toApi, ...parts });
const home = expectationOf({ name: 'web-reaches-api', from: { pods: { matchLabels: { app: 'web' } } }, to: toApi });
const vault = podOf('vault-0', { namespace: 'bank', labels: { app: 'vault' }, ip: '10.0.9.1' });

/** A test of the whole cluster, as a user writes it. */
function clusterTest(expectation: Expectation): KubeObject {
  const { metadata, ...test } = testOf([expectation]);
  const { namespace: _, ...unscoped } = metadata;
  return { ...test, kind: 'ClusterConnectivityTest', metadata: { ...unscoped, name: 'everywhere' } };
}

describe('the controller, between namespaces', () => {
  let stage: Stage;

  async function raise(options: Parameters<typeof Stage.raise>[0] = {}): Promise<void> {
    stage = await Stage.raise(options);
    stage.write(namespaceOf('bank'));
    stage.write(vault);
  }
  beforeEach(() => raise());
  afterEach(async () => {
    await stage.strike();
  });

  const condition = (type: string, name?: string, namespace?: string) => {
    const found = stage.statusOf(name, namespace)?.conditions?.find((each) => each.type === type);
    return `${found?.status} ${found?.reason}`;
  };
  const podsEver = () => stage.requests('create', 'pods').map(({ namespace }) => namespace);
  const ownersOf = (pod: StoredObject | undefined) => pod?.metadata.ownerReferences;
  const seriesOf = async (metric: string) =>
    (await stage.metrics.expose()).split('\n').filter((line) => line.startsWith(`${metric}{`));

  it('refuses a source that is not granted, says so where its author looks, and runs the rest', async () => {
    await stage.start();
    stage.write(testOf([foreign(), home]));
    await stage.atRest(1);

    expect(stage.verdicts()).toEqual({
      'vault-reaches-api': 'Inconclusive NotGranted',
      'web-reaches-api': 'Passed Reachable',
    });
    expect(condition('Accepted')).toBe('False NotGranted');
    expect(condition('Ready')).toBe('False Inconclusive');
    expect(podsEver()).toEqual(['shop']);
    expect(await seriesOf('postern_test_accepted')).toEqual([
      'postern_test_accepted{namespace="shop",test="boundaries"} 0',
    ]);
  });

  it('is not ready for all that passes when a control is not granted', async () => {
    await stage.start();
    const control = { from: fromVault };
    const { expectations } = boundaries().spec;
    const withControl = expectations.map((each) => (each.expect === 'Deny' ? { ...each, control } : each));
    stage.write(boundaries('boundaries', { spec: { expectations: withControl } }));
    await stage.atRest(1);

    expect(condition('Passed')).toBe('True AllPassed');
    expect(condition('Accepted')).toBe('False NotGranted');
    expect(condition('Ready')).toBe('False NotGranted');
  });

  it('runs when a grant is added, with pods that are its own', async () => {
    await stage.start();
    stage.write(testOf([foreign()]));
    await stage.atRest(1);
    stage.isKubeletAtWork = false;

    stage.write(grantOf('bank', { as: ['Source'] }));
    await stage.passUntil(() => stage.probePods().length === 1, 'a probe pod');
    const [pod] = stage.probePods();
    stage.isKubeletAtWork = true;
    await stage.passUntil(() => stage.concluded === 2, 'its verdict');

    expect(pod?.metadata.namespace).toBe('bank');
    expect(ownersOf(pod)).toMatchObject([{ kind: 'ConnectivityGrant', name: 'grant', controller: true }]);
    expect(stage.verdicts()).toEqual({ 'vault-reaches-api': 'Passed Reachable' });
    expect([condition('Accepted'), condition('Ready')]).toEqual(['True Accepted', 'True AllPassed']);
  });

  it.each<[string, (stage: Stage) => void, string]>([
    ['its grant is removed', (on) => on.remove('ConnectivityGrant', 'grant', 'bank'), 'NotGranted'],
    [
      'its grant is given to others',
      (on) => void on.write(grantOf('bank', { from: [{ namespace: 'zoo' }] })),
      'NotGranted',
    ],
    [
      'the namespace begins to refuse probes',
      (on) => void on.write(namespaceOf('bank', { 'postern.dev/refuse-probes': 'as-source' })),
      'ProbesRefused',
    ],
  ])('stops a run at once when %s, and takes its verdicts back', async (_, withdraw, reason) => {
    stage.write(grantOf('bank'));
    await stage.start();
    stage.write(testOf([foreign()]));
    await stage.atRest(1);
    stage.isKubeletAtWork = false;
    stage.editTest({ annotations: { 'postern.dev/run-requested-at': 'now' } });
    await stage.probing();

    withdraw(stage);
    await stage.passUntil(() => condition('Accepted') === `False ${reason}`, 'the refusal', 10);

    expect(stage.probePods()).toEqual([]);
    expect(stage.concluded).toBe(1);
    expect(stage.verdicts()).toEqual({ 'vault-reaches-api': `Inconclusive ${reason}` });
    expect(stage.statusOf()?.verdict).toBe('Inconclusive');
    const verdicts = await seriesOf('postern_expectation_verdict');
    expect(verdicts.filter((line) => line.endsWith(' 1'))).toEqual([expect.stringContaining('verdict="Inconclusive"')]);
    expect(await seriesOf('postern_test_accepted')).toEqual([expect.stringMatching(/ 0$/)]);
  });

  it('takes verdicts back when the grant is removed between two runs', async () => {
    stage.write(grantOf('bank'));
    await stage.start();
    stage.write(testOf([foreign(), home]));
    await stage.atRest(1);

    stage.remove('ConnectivityGrant', 'grant', 'bank');
    await stage.until(() => condition('Accepted') === 'False NotGranted', 'the refusal');

    expect(stage.concluded).toBe(1);
    expect(stage.verdicts()).toEqual({
      'vault-reaches-api': 'Inconclusive NotGranted',
      'web-reaches-api': 'Passed Reachable',
    });
  });

  it('keeps to itself what the admission of another namespace says', async () => {
    stage.write(grantOf('bank'));
    const message = 'pods "p" is forbidden: exceeded quota: secret-plan, used: pods=7, limited: pods=7';
    stage.server.fault(
      { type: 'Status', status: 403, reason: 'Forbidden', message },
      { verb: 'create', plural: 'pods', times: 1 },
    );
    await stage.start();
    stage.write(testOf([foreign()]));
    await stage.atRest(1);

    expect(stage.verdicts()).toEqual({ 'vault-reaches-api': 'Inconclusive QuotaExceeded' });
    expect(JSON.stringify(stage.statusOf())).not.toContain('secret-plan');
    expect(stage.statusOf()?.expectations?.[0]?.message).toContain('The quota of namespace bank');
  });

  it('runs a test of the whole cluster without grants, from an anchor of its own', async () => {
    stage.isKubeletAtWork = false;
    await stage.start();
    stage.write(clusterTest(foreign({ to: { ...toApi, namespace: 'shop' } })));
    const [pod] = await stage.probing();
    stage.isKubeletAtWork = true;
    await stage.atRest(1);

    expect(pod?.metadata.namespace).toBe('bank');
    expect(ownersOf(pod)).toMatchObject([{ kind: 'ProbeAnchor', name: 'everywhere', controller: true }]);
    const [anchor] = stage.requests('apply', 'probeanchors');
    expect(anchor).toMatchObject({ namespace: 'bank', body: { spec: { probeReplicas: 0 } } });
    expect(condition('Ready', 'everywhere', '')).toBe('True AllPassed');
    expect(await seriesOf('postern_last_run_timestamp_seconds')).toEqual([
      expect.stringContaining('{namespace="(cluster)",test="everywhere"}'),
    ]);
  });

  it('announces what a test of the whole cluster found where such events go', async () => {
    stage.answer = () => 'T';
    await stage.start();
    stage.write(clusterTest(foreign({ to: { ...toApi, namespace: 'shop' } })));
    await stage.atRest(1);
    await stage.until(() => stage.requests('create', 'events').length === 1, 'the event');

    expect(stage.requests('create', 'events')).toMatchObject([{ namespace: 'default' }]);
  });

  it('drops what it knew of a test of the whole cluster that is deleted', async () => {
    await stage.start();
    stage.write(clusterTest(foreign({ to: { ...toApi, namespace: 'shop' } })));
    await stage.atRest(1);

    const looks = stage.reconciles;
    stage.remove('ClusterConnectivityTest', 'everywhere');
    await stage.until(() => stage.reconciles > looks, 'a look at it');

    expect(await stage.metrics.expose()).not.toContain('everywhere');
  });

  it('does not let a namespace with many tests keep another one waiting', async () => {
    await stage.strike();
    await raise({ maxProbePods: 2 });
    for (let number = 0; number < 12; number += 1) stage.write(boundaries(`flood-${number}`));
    const { metadata, ...rest } = testOf([foreign({ to: { ...toApi, pods: fromVault.pods } })]);
    stage.write({ ...rest, metadata: { ...metadata, name: 'calm', namespace: 'bank', uid: 'uid-calm' } });

    await stage.start();
    await stage.passUntil(() => stage.concluded === 13, 'all runs', 1_000);

    expect(stage.started.findIndex((run) => run.startsWith('bank/calm'))).toBeLessThan(3);
  });

  it('leaves room for others while a namespace has all that it may have', async () => {
    await stage.strike();
    await raise({ maxProbePods: 4, maxProbePodsPerNamespace: 2 });
    stage.isKubeletAtWork = false;
    for (let number = 0; number < 6; number += 1) stage.write(boundaries(`flood-${number}`));
    await stage.start();

    expect((await stage.probing(2)).map((pod) => pod.metadata.namespace)).toEqual(['shop', 'shop']);
  });

  it('does not run what needs more probe pods than one test may have, and says so', async () => {
    await stage.strike();
    await raise({ maxProbePodsPerTest: 1 });
    stage.write(podOf('web-1', { labels: { app: 'web', tier: 'gold' } }));
    await stage.start();
    stage.write(boundaries());
    await stage.atRest(1);

    expect(condition('Accepted')).toBe('False LimitExceeded');
    expect(podsEver()).toEqual([]);
  });
});
