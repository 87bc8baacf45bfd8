import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { KubeObject, Policy } from '../api/index.ts';
import { listening, podOf, policyOf } from '../testing/cluster-view.ts';
import { api, boundaries, db, Stage, web } from '../testing/controller-stage.ts';

// A busy machine is no failure.
vi.setConfig({ testTimeout: 60_000 });

const passed = { 'web-reaches-api': 'Passed Reachable', 'web-not-db': 'Passed Denied' };
const policy = policyOf('lock', { matchLabels: { app: 'db' } });
const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels: { team: 'shop' } } };

function labelled<T extends KubeObject>(object: T, labels: Readonly<Record<string, string>>): T {
  return { ...object, metadata: { ...object.metadata, labels: { ...object.metadata.labels, ...labels } } };
}

function annotated<T extends KubeObject>(object: T): T {
  return { ...object, metadata: { ...object.metadata, annotations: { seen: 'yes' } } };
}

function elsewhere<T extends KubeObject>(object: T): T {
  return { ...object, metadata: { ...object.metadata, namespace: 'elsewhere' } };
}

function ciliumPolicy(kind: string, where: object): Policy {
  return { apiVersion: 'cilium.io/v2', kind, metadata: { name: 'lock', ...where }, spec: { ingress: [] } };
}

/** The kubelet's heartbeat: nothing that anybody depends on. */
function beating<T extends KubeObject>(pod: T & { readonly status?: object }): T {
  const conditions = [{ type: 'Ready', status: 'True', lastProbeTime: 'now' }, { type: 'DiskPressure' }];
  return { ...pod, status: { ...pod.status, conditions, startTime: 'now' } };
}

describe('the controller', () => {
  let stage: Stage;

  beforeEach(async () => {
    stage = await Stage.raise();
  });

  afterEach(async () => {
    await stage.strike();
  });

  /** The writing requests so far. */
  const writes = (): number =>
    ['create', 'apply', 'delete'].flatMap((verb) => stage.server.requests.filter((request) => request.verb === verb))
      .length;

  async function startWithVerdicts(): Promise<void> {
    stage.write(policy);
    await stage.start();
    stage.write(boundaries());
    await stage.atRest(1);
  }

  it('runs a new test at once and writes its verdicts', async () => {
    await stage.start();

    stage.write(boundaries());
    await stage.atRest(1);

    expect(stage.started).toEqual(['shop/boundaries Spec']);
    expect(stage.verdicts()).toEqual(passed);
    expect(stage.statusOf()).toMatchObject({
      observedGeneration: 1,
      verdict: 'Passed',
      summary: { display: '2/2' },
      // Pending, the pod's creation and deletion, and the verdicts.
      lastRun: { trigger: 'Spec', probePods: 1, apiRequests: 4 },
      conditions: [{ type: 'Accepted' }, { type: 'Passed', status: 'True' }, { type: 'Ready', status: 'True' }],
    });
    expect(writes()).toBe(4);
  });

  it('runs again when the period is over, and not before', async () => {
    await startWithVerdicts();

    await stage.pass(299_999);
    expect(stage.started).toHaveLength(1);
    await stage.pass(1);

    expect(stage.started).toEqual(['shop/boundaries Spec', 'shop/boundaries Period']);
  });

  it.each<[string, (on: Stage) => void]>([
    ['a new NetworkPolicy', (on) => on.write(policyOf('new', {}))],
    ['another spec of a NetworkPolicy', (on) => on.write(policyOf('lock', {}))],
    ['the end of a NetworkPolicy', (on) => on.remove('NetworkPolicy', 'lock')],
    ['a CiliumNetworkPolicy', (on) => on.write(ciliumPolicy('CiliumNetworkPolicy', { namespace: 'shop' }))],
    ['a policy for the whole cluster', (on) => on.write(ciliumPolicy('CiliumClusterwideNetworkPolicy', {}))],
    ['another label of the namespace', (on) => on.write(labelled(namespace, { tier: 'gold' }))],
    ['another label of the source', (on) => on.write(labelled(web, { tier: 'gold' }))],
    ['another label of a target', (on) => on.write(labelled(db, { tier: 'gold' }))],
    ['one more target', (on) => on.write(podOf('api-1', { labels: { app: 'api' }, ip: '10.0.0.9' }))],
    ['the end of a target', (on) => on.remove('Pod', 'api-0')],
    ['a target that is no longer ready', (on) => on.write(podOf('db-0', { labels: { app: 'db' }, ready: false }))],
  ])(
    'runs after %s, when that has stood for a second, and once more when it must have taken effect',
    async (_, change) => {
      await startWithVerdicts();

      change(stage);
      await stage.noticed();
      await stage.pass(200);
      await stage.pass(999);
      expect(stage.started).toHaveLength(1);
      await stage.pass(1);
      expect(stage.started).toEqual(['shop/boundaries Spec', 'shop/boundaries Change']);
      await stage.atRest(2);
      await stage.pass(15_000);
      await stage.atRest(3);
      await stage.pass(60_000);

      expect(stage.started.slice(2)).toEqual(['shop/boundaries Confirmation']);
    },
  );

  it('takes the run of a new spec for one of a change that came with it, and looks once more', async () => {
    await startWithVerdicts();

    stage.write(policyOf('lock', { matchLabels: { tier: 'gold' } }));
    stage.editTest({ spec: { timeoutSeconds: 3 } });
    await stage.atRest(2);
    expect(stage.started).toEqual(['shop/boundaries Spec', 'shop/boundaries Change']);
    await stage.pass(15_000);
    await stage.atRest(3);

    expect(stage.started.slice(2)).toEqual(['shop/boundaries Confirmation']);
  });

  it('takes no change of long ago for one that came with a new spec', async () => {
    await startWithVerdicts();
    stage.write(policyOf('lock', { matchLabels: { tier: 'gold' } }));
    await stage.noticed();
    await stage.pass(1_200);
    await stage.atRest(2);
    await stage.pass(15_000);
    await stage.atRest(3);

    stage.editTest({ spec: { timeoutSeconds: 3 } });
    await stage.atRest(4);

    expect(stage.started.slice(3)).toEqual(['shop/boundaries Spec']);
  });

  it('takes a run on request for one of a change that came with it, and looks once more', async () => {
    await startWithVerdicts();

    stage.write(policyOf('lock', { matchLabels: { tier: 'gold' } }));
    await stage.noticed();
    stage.write({
      ...boundaries(),
      metadata: { ...boundaries().metadata, annotations: { 'postern.dev/run-requested-at': 'now' } },
    });
    await stage.atRest(2);
    expect(stage.started).toEqual(['shop/boundaries Spec', 'shop/boundaries Change']);
    expect(stage.statusOf()?.lastHandledRunRequest).toBe('now');
    await stage.pass(15_000);
    await stage.atRest(3);

    expect(stage.started.slice(2)).toEqual(['shop/boundaries Confirmation']);
  });

  it('waits for the end of a burst of changes, but for five seconds at most', async () => {
    await startWithVerdicts();
    const times: number[] = [];
    const began = stage.clock.now();

    for (let step = 0; step < 12; step += 1) {
      stage.write(policyOf('lock', { matchLabels: { step: String(step) } }));
      await stage.noticed();
      await stage.pass(500);
      if (stage.started.length > 1) times.push(stage.clock.now() - began);
    }

    expect(times[0]).toBeGreaterThan(4_500);
    expect(times[0]).toBeLessThanOrEqual(5_500);
  });

  // The last change of each goes over the same watch and wakes the controller: by then it has seen the others.
  it.each<[string, (on: Stage) => void]>([
    ['a heartbeat of a source and a target', (on) => [web, db].forEach((pod) => on.write(beating(pod)))],
    ['an annotation of an involved pod', (on) => on.write(annotated(api))],
    ['metadata of a policy', (on) => on.write(annotated(labelled(policy, { by: 'tool' })))],
    ['a pod that nobody selects', (on) => on.write(podOf('other', { labels: { app: 'other' } }))],
    [
      'pods of another namespace',
      (on) => [elsewhere(web), elsewhere(api), beating(web)].forEach((pod) => on.write(pod)),
    ],
    ['a policy of another namespace', (on) => [elsewhere(policy), annotated(policy)].forEach((each) => on.write(each))],
    [
      'an annotation of the test or its status',
      (on) => {
        on.editTest({ annotations: { seen: 'yes' } });
        on.write(boundaries('other', { spec: { suspend: true } }));
        on.write(beating(web));
      },
    ],
  ])('runs nothing after %s', async (_, change) => {
    await startWithVerdicts();
    const before = writes();

    change(stage);
    await stage.noticed();
    await stage.pass(60_000);

    expect(stage.started).toHaveLength(1);
    expect(writes() - before).toBe(stage.statusOf('other') === undefined ? 0 : 1);
  });

  it('gives up a run that a newer spec overtook', async () => {
    stage.isKubeletAtWork = false;
    await stage.start();
    stage.write(boundaries());
    const [overtaken] = await stage.probing();

    stage.editTest({ spec: { expectations: boundaries().spec.expectations.slice(0, 1) } });
    await stage.until(() => stage.started.length === 2, 'the run of the newer spec');
    const [pod] = await stage.probing();
    stage.finishProbes();
    await stage.atRest(1);

    expect(pod?.metadata.name).not.toBe(overtaken?.metadata.name);
    expect(stage.started).toEqual(['shop/boundaries Spec', 'shop/boundaries Spec']);
    expect(stage.statusOf()).toMatchObject({ observedGeneration: 2, verdict: 'Passed' });
    expect(stage.verdicts()).toEqual({ 'web-reaches-api': 'Passed Reachable' });
  });

  it('discards a run during which something changed, and judges the next one even if it happens again', async () => {
    stage.isKubeletAtWork = false;
    await stage.start();
    stage.write(boundaries());

    for (const name of ['first', 'second']) {
      await stage.probing();
      stage.write(policyOf(name, {}));
      await stage.noticed();
      await stage.pass(200);
      stage.finishProbes();
      await stage.until(
        () => stage.discarded.length + stage.concluded > (name === 'first' ? 0 : 1),
        'the end of a run',
      );
    }

    expect(stage.discarded).toEqual(['the cluster changed during the run']);
    expect(stage.verdicts()).toEqual({
      'web-reaches-api': 'Passed Reachable',
      'web-not-db': 'Inconclusive EnforcementDelayed',
    });
    stage.isKubeletAtWork = true;
    await stage.passUntil(() => stage.concluded === 2, 'the run on the world as it is now');
    expect(stage.verdicts()).toEqual(passed);
    // The new test's run was overtaken by a change, so the next ones are that change's, and looked at again.
    expect(stage.started).toEqual(['Spec', 'Change', 'Change'].map((trigger) => `shop/boundaries ${trigger}`));
  });

  it('waits to hear of the node of a target that only its readiness probe vouches for', async () => {
    stage.isNodeAlive = false;
    await stage.start();
    stage.write(boundaries());
    await stage.until(() => stage.clock.sleeps.includes(15_000), 'the controller waits for the node');
    expect(stage.concluded).toBe(0);

    stage.beat();
    await stage.atRest(1);

    expect(stage.verdicts()).toEqual(passed);
  });

  it('believes no readiness probe on a node that is not heard of', async () => {
    stage.isNodeAlive = false;
    await stage.start();
    stage.write(boundaries());
    await stage.passUntil(() => stage.concluded === 1, 'the end of the run');

    expect(stage.verdicts()).toEqual({ ...passed, 'web-not-db': 'Inconclusive NoTargetControl' });
  });

  it('does not run twice because the watch is late with the status just written', async () => {
    stage.write(boundaries());
    stage.server.fault({ type: 'Silent' }, { verb: 'watch', plural: 'connectivitytests' });
    await stage.start();
    await stage.atRest(1);

    stage.write(beating(web));
    await stage.noticed();
    await stage.pass(120_000);

    expect(stage.started).toEqual(['shop/boundaries Spec']);
    expect(stage.requests('apply', 'connectivitytests')).toHaveLength(2);
  });

  it('runs once per request by annotation, also if one comes during a run', async () => {
    await startWithVerdicts();
    const request = (value: string) => stage.editTest({ annotations: { 'postern.dev/run-requested-at': value } });

    stage.isKubeletAtWork = false;
    request('1');
    await stage.probing();
    request('2'.repeat(100));
    stage.isKubeletAtWork = true;
    await stage.atRest(3);
    await stage.pass(60_000);

    expect(stage.started.slice(1)).toEqual(['shop/boundaries Request', 'shop/boundaries Request']);
    expect(stage.statusOf()?.lastHandledRunRequest).toBe('2'.repeat(64));
  });

  it('starts no more probe pods at a time than it may, whoever is due', async () => {
    await stage.strike();
    stage = await Stage.raise({ maxProbePods: 2 });
    for (let number = 0; number < 8; number += 1) stage.write(boundaries(`test-${number}`));
    stage.write(podOf('web-1', { labels: { app: 'web', tier: 'gold' }, spec: { containers: [listening({})] } }));

    await stage.start();
    await stage.passUntil(() => stage.concluded === 8, 'eight runs', 1_000);

    expect(mostAtATime(stage)).toBe(2);
  });

  it('runs a test alone that needs more probe pods than there may be', async () => {
    await stage.strike();
    stage = await Stage.raise({ maxProbePods: 1 });
    stage.write(podOf('web-1', { labels: { app: 'web', tier: 'gold' } }));
    for (const name of ['one', 'two', 'three']) stage.write(boundaries(name));

    await stage.start();
    await stage.passUntil(() => stage.concluded === 3, 'three runs', 1_000);

    expect(mostAtATime(stage)).toBe(2);
  });
});

/** How many probe pods there were at most, by the order in which creations and deletions were asked for. */
function mostAtATime(stage: Stage): number {
  let pods = 0;
  let most = 0;
  for (const { plural, verb } of stage.server.requests) {
    if (plural !== 'pods') continue;
    if (verb === 'create') pods += 1;
    if (verb === 'delete') pods -= 1;
    most = Math.max(most, pods);
  }
  return most;
}
