import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { KubeObject } from '../api/index.ts';
import { expectationOf, podOf, policyOf, testOf } from '../testing/cluster-view.ts';
import { boundaries, Stage } from '../testing/controller-stage.ts';

// A busy machine is no failure.
vi.setConfig({ testTimeout: 60_000 });

const passed = { 'web-reaches-api': 'Passed Reachable', 'web-not-db': 'Passed Denied' };

/** A pod with the label of a probe pod, owned by somebody. */
function labelledAsProbe(name: string, owner: { readonly apiVersion: string; readonly kind: string }): KubeObject {
  const pod = podOf(name, { labels: { app: 'web', 'postern.dev/component': 'probe' } });
  const ownerReferences = [{ ...owner, name: 'boundaries', uid: 'u', controller: true }];
  return { ...pod, metadata: { ...pod.metadata, ownerReferences } };
}

describe('the controller', () => {
  let stage: Stage;

  beforeEach(async () => {
    stage = await Stage.raise();
  });

  afterEach(async () => {
    await stage.strike();
  });

  const probePodNames = () => stage.probePods().map(({ metadata }) => metadata.name);

  describe('when a test is taken away or changed', () => {
    it('removes the probe pods of a test that is suspended, and shows no verdict until it is resumed', async () => {
      await stage.startProbing();

      stage.editTest({ spec: { suspend: true } });
      await stage.until(() => stage.statusOf()?.verdict === 'Skipped', 'the suspension is shown');
      expect(stage.probePods()).toEqual([]);
      await stage.pass(600_000);
      expect(stage.started).toHaveLength(1);
      expect(stage.verdicts()).toEqual({ 'web-reaches-api': 'Skipped Suspended', 'web-not-db': 'Skipped Suspended' });
      stage.isKubeletAtWork = true;
      stage.editTest({ spec: { suspend: false } });
      await stage.atRest(1);

      expect(stage.verdicts()).toEqual(passed);
    });

    it('removes the probe pods and the metrics of a test that is deleted', async () => {
      await stage.startProbing();

      stage.remove('ConnectivityTest', 'boundaries');
      await stage.until(() => stage.probePods().length === 0, 'the pods are gone');
      await stage.pass(60_000);

      expect(stage.started).toHaveLength(1);
      expect(await stage.metrics.expose()).not.toContain('boundaries');
    });

    it('tries again to remove the probe pods of a deleted test', async () => {
      await stage.startProbing();
      const failure = { type: 'Status', status: 500, reason: 'InternalError' } as const;
      stage.server.fault(failure, { verb: 'delete', plural: 'pods', times: 2 });

      stage.remove('ConnectivityTest', 'boundaries');
      await stage.passUntil(() => stage.probePods().length === 0, 'the pods are gone');

      expect(stage.requests('delete', 'pods')).toHaveLength(3);
    });

    it('gives a test that was made anew under its name verdicts of its own', async () => {
      const old = await stage.startProbing();

      stage.remove('ConnectivityTest', 'boundaries');
      stage.write(boundaries('boundaries', { spec: { expectations: boundaries().spec.expectations.slice(1) } }));
      await stage.until(() => stage.started.length === 2, 'the run of the new test');
      await stage.until(() => probePodNames().some((name) => name !== old.metadata.name), 'its probe pod');
      stage.isKubeletAtWork = true;
      await stage.until(() => stage.concluded === 1, 'the end of a run');

      expect(stage.verdicts()).toEqual({ 'web-not-db': 'Passed Denied' });
      await stage.passUntil(() => stage.probePods().length === 0, 'nothing is left of the old run', 1_000);
      expect(stage.started).toEqual(['shop/boundaries Spec', 'shop/boundaries Spec']);
    });

    it('owes a test nothing that it remembers of an earlier one, even if it saw no deletion', async () => {
      await stage.start();
      stage.write(boundaries());
      await stage.atRest(1);

      stage.server.dropConnections();
      stage.remove('ConnectivityTest', 'boundaries');
      stage.write(boundaries());
      stage.server.compact();
      await stage.passUntil(() => stage.concluded === 2, 'the run of the new test');

      expect(stage.started).toEqual(['shop/boundaries Spec', 'shop/boundaries Spec']);
    });
  });

  describe('when the operator stops and starts', () => {
    it('deletes the probe pods that it started, and no others', async () => {
      const old = labelledAsProbe('stranger', { apiVersion: 'apps/v1', kind: 'ReplicaSet' });
      stage.write(old);
      await stage.startProbing();

      await stage.halt();

      expect(probePodNames()).toEqual(['stranger']);
    });

    it('deletes a probe pod whose creation was under way', async () => {
      stage.isKubeletAtWork = false;
      const gate = Promise.withResolvers<void>();
      stage.server.fault({ type: 'Hold', until: gate.promise }, { verb: 'create', plural: 'pods' });
      stage.write(boundaries());
      await stage.start();
      await stage.until(() => stage.requests('create', 'pods').length === 1, 'the creation');

      const halted = stage.halt();
      gate.resolve();
      await halted;
      await stage.until(() => stage.requests('delete', 'pods').length === 1, 'the deletion');

      expect(stage.started).toHaveLength(1);
    });

    it('sweeps what an earlier operator left, and leaves strangers alone', async () => {
      stage.isKubeletAtWork = false;
      stage.write(labelledAsProbe('ours', { apiVersion: 'postern.dev/v1alpha1', kind: 'ConnectivityTest' }));
      stage.write(labelledAsProbe('of-a-replica-set', { apiVersion: 'apps/v1', kind: 'ReplicaSet' }));
      stage.write(labelledAsProbe('of-another-group', { apiVersion: 'example.org/v1', kind: 'ConnectivityTest' }));
      stage.write(podOf('of-nobody', { labels: { 'postern.dev/component': 'probe' } }));

      stage.write(boundaries());
      await stage.start();
      await stage.until(() => !probePodNames().includes('ours'), 'the sweep');
      await stage.until(() => probePodNames().length === 4, 'the pod of a run');
      await stage.pass(60_000);

      expect(probePodNames().filter((name) => !name.startsWith('postern-probe-'))).toEqual([
        'of-a-replica-set',
        'of-another-group',
        'of-nobody',
      ]);
      // That of the run under way is known, and stays as well.
      expect(probePodNames()).toHaveLength(4);
    });

    it('runs nothing after a restart until the period is over, if nothing changed', async () => {
      await stage.start();
      stage.write(boundaries());
      await stage.atRest(1);
      await stage.pass(100_000);

      await stage.halt();
      await stage.start();
      await stage.pass(199_799);
      expect(stage.started).toHaveLength(1);
      await stage.pass(1);

      expect(stage.started.slice(1)).toEqual(['shop/boundaries Period']);
    });

    it('runs after a restart if something changed meanwhile', async () => {
      await stage.start();
      stage.write(boundaries());
      await stage.atRest(1);

      await stage.halt();
      stage.write(policyOf('new', {}));
      await stage.start();
      await stage.pass(1_000);
      await stage.atRest(2);

      expect(stage.started.slice(1)).toEqual(['shop/boundaries Change']);
    });

    it('runs again what a stop broke off', async () => {
      await stage.startProbing();

      await stage.halt();
      stage.isKubeletAtWork = true;
      await stage.start();
      await stage.atRest(1);

      expect(stage.started).toEqual(['shop/boundaries Spec', 'shop/boundaries Spec']);
      expect(stage.verdicts()).toEqual(passed);
    });
  });

  describe('with 200 tests and 1000 pods', () => {
    const namespaces = 20;
    const testsEach = 10;

    it('looks at the tests of one namespace after a change of one pod, and runs the one that depends on it', async () => {
      for (let place = 0; place < namespaces; place += 1) {
        for (let number = 0; number < testsEach; number += 1) furnish(`space-${place}`, number);
      }
      await stage.start();
      await stage.passUntil(() => stage.concluded === namespaces * testsEach, 'the first verdicts of all', 1_000);
      await stage.until(() => stage.probePods().length === 0, 'the end of all runs');

      const beat = await costOf(() => {
        const pod = target('space-7', 3, 0);
        const beating = { ...pod, status: { ...pod.status, startTime: 'now' } };
        stage.write(beating);
      });
      const label = await costOf(() => {
        const pod = target('space-7', 3, 0);
        stage.write({ ...pod, metadata: { ...pod.metadata, labels: { ...pod.metadata.labels, tier: 'gold' } } });
      });

      expect(beat).toEqual({ reconciles: testsEach, requests: 0 });
      // Beside the look at each: the quiet time's end, and the steps of one run of one pod, which writes three times.
      expect(label.requests).toBe(3);
      expect(label.reconciles).toBeLessThan(2 * testsEach);
    });

    const target = (namespace: string, number: number, replica: number) =>
      podOf(`api-${number}-${replica}`, {
        namespace,
        labels: { app: `api-${number}` },
        ip: `10.${number}.0.${replica}`,
      });

    /** A test with one source pod and four target pods. */
    function furnish(namespace: string, number: number): void {
      const test = testOf([
        expectationOf({
          from: { pods: { matchLabels: { app: `web-${number}` } } },
          to: { pods: { matchLabels: { app: `api-${number}` } }, port: 8080 },
        }),
      ]);
      // Long enough that none is due by its period meanwhile.
      const spec = { ...test.spec, periodSeconds: 86_400 };
      stage.write(podOf(`web-${number}`, { namespace, labels: { app: `web-${number}` } }));
      for (let replica = 0; replica < 4; replica += 1) stage.write(target(namespace, number, replica));
      const placed = { ...test, metadata: { ...test.metadata, namespace, name: `test-${number}` }, spec };
      stage.write(placed);
    }

    async function costOf(change: () => void): Promise<{ reconciles: number; requests: number }> {
      const before = { reconciles: stage.reconciles, requests: requests() };
      const runs = stage.started.length;
      change();
      await stage.noticed();
      await stage.pass(200);
      await stage.pass(1_000);
      await stage.atRest(stage.started.length);
      await stage.pass(5_000);
      expect(stage.started.length - runs).toBeLessThan(2);
      return { reconciles: stage.reconciles - before.reconciles, requests: requests() - before.requests };
    }

    const requests = () => stage.server.requests.filter(({ verb }) => verb !== 'watch' && verb !== 'list').length;
  });
});
