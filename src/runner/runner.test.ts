import { describe, expect, it } from 'vitest';
import type { KubeObject, Pod } from '../api/index.ts';
import { KubeError, type KubeClient, type KubeErrorCode } from '../kube/index.ts';
import { planFor } from '../plan/index.ts';
import { expectationOf, podOf, testOf, viewOf } from '../testing/cluster-view.ts';
import { FakeClock } from '../testing/index.ts';
import { type BatchOrder, createRunner, isComplete } from './index.ts';

const pods = { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true };
const signal = new AbortController().signal;

function orderOf(identities = 1): BatchOrder {
  const sources = Array.from({ length: identities }, (_, index) =>
    podOf(`web-${index}`, { labels: { own: `${index}` } }),
  );
  const view = viewOf({ pods: sources });
  const test = testOf([expectationOf({ from: { pods: {} }, to: { ip: '10.1.2.3', port: 1 }, expect: 'Deny' })]);
  return { owner: test, tasks: planFor(test, view).assignments, times: {} };
}

/** A cluster that keeps the pods that it is given, or refuses the nth one. */
function setUp(refuse: (index: number) => Error | undefined = () => undefined) {
  const cache = new Map<string, Pod>();
  const deleted: string[] = [];
  const started: number[] = [];
  let creations = 0;
  let underWay = 0;
  let most = 0;
  const unused = (): never => {
    throw new Error('unused');
  };
  const client: KubeClient = {
    list: unused,
    get: unused,
    apply: unused,
    watch: unused,
    isServed: unused,
    withObserver: unused,
    close: unused,
    create: async <T extends KubeObject>(_: unknown, object: T): Promise<T> => {
      creations += 1;
      const refusal = refuse(creations);
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise(setImmediate);
      underWay -= 1;
      if (refusal !== undefined) throw refusal;
      const { name } = object.metadata;
      const pod = podOf(name, { spec: { nodeName: 'node-1' } });
      cache.set(name, { ...pod, status: { phase: 'Pending' } });
      return { ...object, metadata: { ...object.metadata, uid: pod.metadata.uid ?? '' } };
    },
    delete: async (_, { name, uid }) => {
      await Promise.resolve();
      const present = cache.get(name);
      if (uid !== undefined && present !== undefined && present.metadata.uid !== uid) throw refusal('Conflict', 'uid');
      deleted.push(name);
    },
  };
  const clock = new FakeClock();
  let tokens = 0;
  const runner = createRunner({
    client,
    pods,
    clock,
    settings: { image: 'probe', imagePullPolicy: 'Always', imagePullSecrets: [] },
    token: () => {
      tokens += 1;
      return [...tokens.toString(16).padStart(16, '0')]
        .map((digit) => String.fromCharCode(97 + Number.parseInt(digit, 16)))
        .toReversed()
        .join('');
    },
    podNamed: (_, name) => cache.get(name),
    onProbeStarted: (seconds) => started.push(seconds),
  });
  const end = (name: string, message: string): void => {
    const pod = cache.get(name) ?? podOf(name);
    const state = { terminated: { exitCode: 0, message, startedAt: '2026-01-01T00:00:02Z' } };
    cache.set(name, {
      ...pod,
      metadata: { ...pod.metadata, creationTimestamp: '2026-01-01T00:00:00Z' },
      status: { phase: 'Succeeded', containerStatuses: [{ name: 'probe', state }] },
    });
  };
  return { runner, clock, cache, deleted, started, end, mostAtOnce: () => most };
}

function refusal(code: KubeErrorCode, message: string): KubeError {
  return new KubeError(code, message);
}

describe('a run', () => {
  it('has one probe pod per source identity, under names and nonces of their own', () => {
    const { runner } = setUp();

    const run = runner.prepare(orderOf(3));

    expect(run.probes).toHaveLength(3);
    expect(new Set(run.probes.map(({ name }) => name)).size).toBe(3);
    expect(new Set([run.id, ...run.probes.map(({ nonce }) => nonce)]).size).toBe(4);
    for (const { name } of run.probes) expect(name).toMatch(/^postern-probe-[a-p]{8}$/);
    expect(isComplete(run)).toBe(false);
  });

  it('is complete when each probe has spoken', async () => {
    const { runner, end, started } = setUp();
    const order = orderOf(2);
    const run = runner.prepare(order);
    await runner.start(order, run, signal);

    const [first, second] = run.probes;
    end(first?.name ?? '', `postern/1 ${first?.nonce} 1\n0 Tc 2 401 Tc -\nend ${first?.nonce} A\n`);
    runner.advance(run);

    expect(isComplete(run)).toBe(false);
    expect(first?.report).toMatchObject({ resolverAnswered: true, node: 'node-1' });

    end(second?.name ?? '', `postern/1 ${second?.nonce} 1\n1 Cc 1 1 Cc -\nend ${second?.nonce} N\n`);
    runner.advance(run);

    expect(isComplete(run)).toBe(true);
    expect(run.apiRequests).toBe(2);
    expect(started).toEqual([2, 2]);
  });

  it("does not take one probe's statement for another's", async () => {
    const { runner, end, started } = setUp();
    const order = orderOf(2);
    const run = runner.prepare(order);
    await runner.start(order, run, signal);

    const [first, second] = run.probes;
    end(second?.name ?? '', `postern/1 ${first?.nonce} 1\n0 Tc 2 401 Tc -\nend ${first?.nonce} A\n`);
    runner.advance(run);

    expect(second?.report).toMatchObject({ trouble: { reason: 'ProbeLost' } });
    expect(started).toEqual([]);
  });

  it('gives up on a probe that is overdue', async () => {
    const { runner, clock } = setUp();
    const order = orderOf();
    const run = runner.prepare(order);
    await runner.start(order, run, signal);

    await clock.advance(run.deadline - clock.monotonic() - 1);
    // Somebody sets the machine's clock: no time has passed.
    clock.jump(86_400_000);
    runner.advance(run);
    expect(isComplete(run)).toBe(false);

    await clock.advance(1);
    runner.advance(run);
    expect(run.probes[0]?.report).toMatchObject({ trouble: { reason: 'ProbeNotStarted' } });
  });

  it('gives up on a probe whose pod somebody deleted', async () => {
    const { runner, cache } = setUp();
    const order = orderOf();
    const run = runner.prepare(order);
    await runner.start(order, run, signal);
    runner.advance(run);

    cache.clear();
    runner.advance(run);

    expect(run.probes[0]?.report).toMatchObject({ trouble: { reason: 'ProbeLost', message: 'the pod was deleted' } });
  });

  it.each<[string, KubeErrorCode, string, string]>([
    ['a quota', 'Forbidden', 'pods "x" is forbidden: exceeded quota: small', 'QuotaExceeded'],
    [
      'a quota that wants limits',
      'Forbidden',
      'pods "x" is forbidden: failed quota: small: must specify',
      'QuotaExceeded',
    ],
    ['an admission policy', 'Forbidden', 'pods "x" is forbidden: violates PodSecurity', 'ProbeRejected'],
    ['a webhook', 'BadRequest', 'admission webhook denied the request', 'ProbeRejected'],
    ['a schema', 'Invalid', 'Pod "x" is invalid', 'ProbeRejected'],
    ['a missing namespace', 'NotFound', 'namespaces "shop" not found', 'ProbeRejected'],
    ['a busy API server', 'TooManyRequests', 'too many requests', 'ProbeNotStarted'],
    ['a broken connection', 'Network', 'connection reset', 'ProbeNotStarted'],
  ])('goes on without the pod that %s refused', async (_, code, message, reason) => {
    const { runner } = setUp((index) => (index === 1 ? refusal(code, message) : undefined));
    const order = orderOf(2);
    const run = runner.prepare(order);

    await runner.start(order, run, signal);

    expect(run.probes.map(({ report }) => report?.trouble)).toEqual([{ reason, message }, undefined]);
    expect(run.probes[1]?.uid).toBeDefined();
  });

  it('leaves the rest to the next start of the operator when it is told to stop', async () => {
    const { runner } = setUp(() => refusal('Aborted', 'aborted'));
    const order = orderOf(2);
    const run = runner.prepare(order);

    await runner.start(order, run, signal);

    expect(run.probes.map(({ report }) => report)).toEqual([undefined, undefined]);
  });

  it('tries all pods before it reports a defect', async () => {
    const { runner, cache } = setUp((index) => (index === 1 ? new TypeError('a defect') : undefined));
    const order = orderOf(12);
    const run = runner.prepare(order);

    await expect(runner.start(order, run, signal)).rejects.toThrow('a defect');

    expect(cache.size).toBe(11);
  });

  it('creates few pods at a time', async () => {
    const { runner, mostAtOnce } = setUp();
    const order = orderOf(30);

    await runner.start(order, runner.prepare(order), signal);

    expect(mostAtOnce()).toBe(8);
  });

  it('deletes its pods, also those that may exist, but none that was refused', async () => {
    const codes: readonly (KubeErrorCode | undefined)[] = [undefined, 'Timeout', 'Forbidden'];
    const { runner, deleted } = setUp((index) => {
      const code = codes[index - 1];
      return code === undefined ? undefined : refusal(code, 'no');
    });
    const order = orderOf(3);
    const run = runner.prepare(order);
    await runner.start(order, run, signal);

    await runner.cleanUp(run, signal);

    expect(deleted).toEqual(run.probes.slice(0, 2).map(({ name }) => name));
    expect(run.apiRequests).toBe(5);
  });

  it('leaves a pod alone that took the name of its own', async () => {
    const { runner, cache, deleted } = setUp();
    const order = orderOf(2);
    const run = runner.prepare(order);
    await runner.start(order, run, signal);
    const name = run.probes[0]?.name ?? '';
    cache.set(name, { ...podOf(name), metadata: { ...podOf(name).metadata, uid: 'stranger' } });

    await runner.cleanUp(run, signal);

    expect(deleted).toEqual([run.probes[1]?.name]);
  });
});
