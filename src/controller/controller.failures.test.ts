import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ConnectivityTest } from '../api/index.ts';
import { podOf, policyOf } from '../testing/cluster-view.ts';
import { boundaries, Stage, web } from '../testing/controller-stage.ts';
import type { Fault } from '../testing/index.ts';
import { resultOf } from '../testing/kubelet.ts';
import { resources } from './resources.ts';

// A busy machine is no failure.
vi.setConfig({ testTimeout: 60_000 });

const passed = { 'web-reaches-api': 'Passed Reachable', 'web-not-db': 'Passed Denied' };
const both = (verdict: string) => ({ 'web-reaches-api': verdict, 'web-not-db': verdict });

const accepted = { type: 'Passed', status: 'True', reason: 'AllPassed', observedGeneration: 1 };
const neverEnded = { id: 'x', trigger: 'Period', startTime: 'once', completionTime: 'never', fingerprint: 'x' };

describe('the controller', () => {
  let stage: Stage;

  beforeEach(async () => {
    stage = await Stage.raise({ requestTimeoutMs: 1_000 });
  });

  afterEach(async () => {
    await stage.strike();
  });

  const refusal = (status: number, reason: string, message = 'no'): Fault => ({
    type: 'Status',
    status,
    reason,
    message,
  });

  it.each<[string, Fault, string]>([
    ['a full quota', refusal(403, 'Forbidden', 'pods "x" is forbidden: exceeded quota: few'), 'QuotaExceeded'],
    ['an admission policy', refusal(403, 'Forbidden', 'pods "x" is forbidden: not here'), 'ProbeRejected'],
    ['validation', refusal(422, 'Invalid'), 'ProbeRejected'],
    ['a broken API server', refusal(500, 'InternalError'), 'ProbeNotStarted'],
    ['a busy API server', refusal(429, 'TooManyRequests'), 'ProbeNotStarted'],
    ['silence', { type: 'Stall' }, 'ProbeNotStarted'],
    ['half an answer about a pod that was created', { type: 'Truncate' }, 'ProbeNotStarted'],
  ])('says why when a probe pod is refused by %s, and tries again ever more seldom', async (_, fault, reason) => {
    stage.isKubeletAtWork = false;
    stage.server.fault(fault, { verb: 'create', plural: 'pods' });
    await stage.start();

    stage.write(boundaries());
    await stage.atRest(1);
    expect(stage.verdicts()).toEqual(both(`Inconclusive ${reason}`));
    expect(stage.statusOf()?.lastRun?.brokenRuns).toBe(1);

    stage.server.fault(fault, { verb: 'create', plural: 'pods' });
    await stage.pass(15_000);
    await stage.atRest(2);
    expect(stage.statusOf()?.lastRun?.brokenRuns).toBe(2);
    await stage.pass(29_000);
    expect(stage.started).toEqual(['shop/boundaries Spec', 'shop/boundaries Retry']);

    stage.isKubeletAtWork = true;
    await stage.pass(1000);
    await stage.atRest(3);
    expect(stage.verdicts()).toEqual(passed);
    expect(stage.statusOf()?.lastRun).not.toHaveProperty('brokenRuns');
  });

  it('judges what the other probe pods saw when one is refused', async () => {
    const expectations = boundaries().spec.expectations.map((each) => ({ ...each, from: { pods: {} } }));
    stage.server.fault(refusal(422, 'Invalid'), { verb: 'create', plural: 'pods' });
    stage.write(boundaries('boundaries', { spec: { expectations } }));

    await stage.start();
    await stage.atRest(1);

    expect(stage.statusOf()?.lastRun?.probePods).toBe(3);
    expect(stage.requests('delete', 'pods')).toHaveLength(2);
    // The refused one stands for db, which is not asked to dial itself.
    expect(stage.verdicts()).toEqual({ ...passed, 'web-reaches-api': 'Inconclusive ProbeRejected' });
  });

  it.each<[string, (result: string) => string]>([
    ['lost its head', (result) => result.slice(10)],
    ['lost its end', (result) => result.slice(0, -10)],
    ['lost its last byte', (result) => result.slice(0, -1)],
    ['ends as that of another pod', (result) => result.replace(/^end [a-p]{16}/m, `end ${'p'.repeat(16)}`)],
    ['lost a line', (result) => result.replace(/^0 .*\n/m, '')],
    ['is of another pod', (result) => result.replaceAll(/[a-p]{16}/g, 'p'.repeat(16))],
    ['is empty', () => ''],
    ['is noise', () => '\u0000\u001B[31m Connected'],
  ])('believes nothing of a result that %s', async (_, spoil) => {
    await stage.startProbing();

    stage.finishProbes((pod) => spoil(resultOf(pod, stage.answer)));
    await stage.atRest(1);

    expect(stage.verdicts()).toEqual(both('Inconclusive ProbeLost'));
  });

  it('says so when a probe pod is deleted by somebody', async () => {
    const pod = await stage.startProbing();
    const before = stage.reconciles;
    const pending = { ...pod, status: { phase: 'Pending' } };
    stage.write(pending);
    // Seen once, so that its absence means something.
    await stage.until(() => stage.reconciles > before, 'the pod is seen');

    stage.remove('Pod', pod.metadata.name);
    await stage.atRest(1);

    expect(stage.verdicts()).toEqual(both('Inconclusive ProbeLost'));
  });

  it('does not believe a pod that took the place and the name of its own', async () => {
    const pod = await stage.startProbing();

    stage.server.dropConnections();
    stage.remove('Pod', pod.metadata.name);
    stage.write(pod);
    stage.finishProbes();
    // The controller sees one pod after the other by a list, not the deletion in between.
    stage.server.compact();
    await stage.passUntil(() => stage.concluded === 1, 'the end of the run');

    expect(stage.verdicts()).toEqual(both('Inconclusive ProbeLost'));
  });

  it('gives up a probe pod that never starts', async () => {
    await stage.startProbing();

    await stage.pass(64_999);
    expect(stage.concluded).toBe(0);
    await stage.pass(1);
    await stage.atRest(1);

    expect(stage.verdicts()).toEqual(both('Inconclusive ProbeNotStarted'));
  });

  it.each<[string, Fault]>([
    ['500', refusal(500, 'InternalError')],
    ['409', refusal(409, 'Conflict')],
    ['silence', { type: 'Stall' }],
  ])('writes the verdicts later, without a second run, when the status was refused by %s', async (_, fault) => {
    await stage.startProbing();

    stage.server.fault(fault, { verb: 'apply', times: 2 });
    stage.finishProbes();
    await stage.passUntil(() => stage.concluded === 1, 'the end of the run');

    expect(stage.started).toEqual(['shop/boundaries Spec']);
    expect(stage.verdicts()).toEqual(passed);
    // What was seen is as old as it is, and the period counts from then.
    const seenAt = Date.parse(stage.statusOf()?.lastRun?.completionTime ?? '');
    expect(stage.clock.now() - seenAt).toBeGreaterThan(500);
  });

  it('starts nothing before it could say that it does', async () => {
    stage.server.fault(refusal(500, 'InternalError'), { verb: 'apply' });
    await stage.start();
    stage.write(boundaries());
    await stage.until(() => stage.requests('apply', 'connectivitytests').length === 1, 'the refusal');
    await stage.until(() => stage.clock.sleeps.includes(750), 'the pause after it');
    expect(stage.requests('create', 'pods')).toHaveLength(0);

    await stage.passUntil(() => stage.concluded === 1, 'the end of the run');

    expect(stage.started).toEqual(['shop/boundaries Spec']);
  });

  it('takes the deletion of a test just before its verdicts for what it is', async () => {
    await stage.startProbing();
    const gate = Promise.withResolvers<void>();
    stage.server.fault({ type: 'Hold', until: gate.promise }, { verb: 'apply' });

    stage.finishProbes();
    await stage.until(() => stage.requests('apply', 'connectivitytests').length === 2, 'the write of the verdicts');
    stage.remove('ConnectivityTest', 'boundaries');
    gate.resolve();
    await stage.atRest(1);
    await stage.pass(60_000);

    expect(stage.requests('apply', 'connectivitytests')).toHaveLength(2);
    expect(stage.logged.filter(({ level }) => level === 'warn')).toEqual([]);
    expect(await stage.metrics.expose()).not.toContain('boundaries');
  });

  it('does without events when they are refused', async () => {
    stage.answer = () => 'C';
    stage.server.fault(refusal(403, 'Forbidden'), { plural: 'events', times: Infinity });
    stage.write(boundaries());

    await stage.start();
    await stage.atRest(1);
    await stage.pass(300_000);
    await stage.atRest(2);

    expect(stage.requests('create', 'events')).toHaveLength(1);
    expect(stage.verdicts()).toMatchObject({ 'web-not-db': 'Failed UnexpectedlyReachable' });
  });

  it('lets the sweep delete what could not be deleted after a run', async () => {
    await stage.startProbing();
    stage.server.fault(refusal(500, 'InternalError'), { verb: 'delete' });

    stage.finishProbes();
    await stage.until(() => stage.concluded === 1, 'the end of the run');
    expect(stage.probePods()).toHaveLength(1);
    expect(stage.verdicts()).toEqual(passed);
    await stage.passUntil(() => stage.probePods().length === 0, 'the sweep', 1_000);

    expect(stage.started).toHaveLength(1);
  });

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['no spec', { spec: null }],
    ['words for expectations', { spec: { expectations: 'all' } }],
    ['an expectation that is none', { spec: { expectations: [null] } }],
    ['words for a period', { spec: { ...boundaries().spec, periodSeconds: 'often' } }],
    ['a status of another shape', { status: { expectations: {}, conditions: 'fine', lastRun: 7 } }],
    ['a run that ended at no time', { status: { lastRun: neverEnded, conditions: [accepted] } }],
    ['a port that is an object', { spec: { expectations: [{ name: 'x', from: {}, to: { port: {} }, expect: 7 }] } }],
  ])('looks after the other tests when one has %s', async (_, parts) => {
    const poison: ConnectivityTest = { ...boundaries('a-poison'), ...parts };
    stage.write(poison);
    stage.write(boundaries());
    await stage.start();
    await stage.until(() => stage.statusOf()?.verdict === 'Passed', 'verdicts on the other test');

    stage.write(policyOf('new', {}));
    await stage.noticed();
    await stage.pass(60_000);

    expect(stage.started.filter((run) => run.startsWith('shop/boundaries'))).toEqual([
      'shop/boundaries Spec',
      'shop/boundaries Change',
    ]);
    expect(stage.reconciles).toBeLessThan(100);
  });

  it('looks after the tests when objects of the cluster are not what they should be', async () => {
    const nothing = { spec: null, status: null };
    const endpoints = { addressType: 'IPv4', endpoints: null, ports: null };
    const slice = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...web.metadata, labels: {} },
    };
    stage.write({ ...policyOf('void', {}), ...nothing });
    stage.write({ ...slice, ...endpoints });
    stage.write({ ...podOf('void'), ...nothing });
    stage.write(boundaries());

    await stage.start();
    await stage.atRest(1);

    expect(stage.verdicts()).toEqual(passed);
  });

  it('misses nothing of what happens while its watches are down, and runs for it once and once more', async () => {
    stage.write(boundaries());
    await stage.start();
    await stage.atRest(1);

    stage.server.dropConnections();
    stage.write(policyOf('new', {}));
    stage.write({ ...web, metadata: { ...web.metadata, labels: { app: 'web', tier: 'gold' } } });
    stage.server.compact();
    await stage.passUntil(() => stage.concluded === 3, 'the runs after the changes');
    await stage.pass(60_000);

    expect(stage.started).toEqual(['shop/boundaries Spec', 'shop/boundaries Change', 'shop/boundaries Confirmation']);
    expect(stage.server.openWatches).toBe(Object.keys(resources).length);
  });

  it('takes in a result that came while its watches were down', async () => {
    await stage.startProbing();

    stage.server.dropConnections();
    stage.finishProbes();
    await stage.passUntil(() => stage.concluded === 1, 'the end of the run');

    expect(stage.started).toHaveLength(1);
    expect(stage.verdicts()).toEqual(passed);
  });
});
