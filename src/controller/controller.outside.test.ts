import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { expectationOf } from '../testing/cluster-view.ts';
import { boundaries, Stage } from '../testing/controller-stage.ts';
import { resultOf, terminate } from '../testing/kubelet.ts';
import { resources } from './resources.ts';

// A busy machine is no failure.
vi.setConfig({ testTimeout: 60_000 });

const denied = expectationOf({
  name: 'web-not-out',
  from: { pods: { matchLabels: { app: 'web' } } },
  to: { ip: '203.0.113.7', port: 443 },
  expect: 'Deny',
});
const test = boundaries('boundaries', { spec: { expectations: [denied] } });

describe('a control from the own namespace of Postern', () => {
  let stage: Stage;

  beforeEach(async () => {
    stage = await Stage.raise();
    stage.isKubeletAtWork = false;
    await stage.start();
  });
  afterEach(() => stage.strike());

  it('belongs to the calibration, since a test owns nothing there, and speaks for the test', async () => {
    stage.write(test);
    const pods = await stage.probing(2);
    const own = pods.find(({ metadata }) => metadata.namespace === 'postern');
    const source = pods.find(({ metadata }) => metadata.namespace === 'shop');
    if (own === undefined || source === undefined) throw new Error('There are not two probe pods');
    expect(own.metadata).toMatchObject({
      labels: { 'postern.dev/control': 'outside' },
      ownerReferences: [{ kind: 'Calibration', name: 'cluster', controller: true }],
    });
    expect(source.metadata).toMatchObject({ ownerReferences: [{ kind: 'ConnectivityTest', name: 'boundaries' }] });

    terminate(
      stage.server,
      source,
      resultOf(source, () => 'T'),
    );
    // The last to end wakes the test, though the test does not own it.
    terminate(
      stage.server,
      own,
      resultOf(own, () => 'C'),
    );
    await stage.atRest(1);

    expect(stage.statusOf()?.expectations).toMatchObject([
      {
        verdict: 'Passed',
        reason: 'Denied',
        control: "a probe pod in Postern's own namespace connected to it in the same run",
      },
    ]);
    expect(stage.statusOf()?.lastRun?.probePods).toBe(2);
  });

  it('waits for the calibration to be there again', async () => {
    let admit = (): void => {};
    const until = new Promise<void>((resolve) => {
      admit = resolve;
    });
    stage.server.fault({ type: 'Hold', until }, { verb: 'apply', plural: 'calibrations' });
    stage.server.remove(resources.calibrations, undefined, 'cluster');
    await stage.until(() => stage.requests('apply', 'calibrations').length > 0, 'the calibration is created again');

    stage.write(test);
    await stage.until(() => stage.clock.sleeps.includes(1000), 'the test waits');
    expect(stage.probePods()).toEqual([]);

    admit();
    const control = () =>
      stage.probePods().find(({ metadata }) => metadata.labels?.['postern.dev/control'] === 'outside');
    await stage.passUntil(() => control() !== undefined, 'the control');
    const calibration = stage.server.find(resources.calibrations, undefined, 'cluster');
    expect(control()?.metadata).toMatchObject({ ownerReferences: [{ uid: calibration?.metadata.uid }] });
  });
});
