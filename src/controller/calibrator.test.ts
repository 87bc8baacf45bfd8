import { describe, expect, it } from 'vitest';
import type { Calibration, KubeObject, Node, Pod } from '../api/index.ts';
import { type KubeClient, KubeError } from '../kube/index.ts';
import { createMetrics } from '../metrics/index.ts';
import { createRunner } from '../runner/index.ts';
import { FakeClock } from '../testing/index.ts';
import { Calibrator } from './calibrator.ts';
import { resources } from './resources.ts';

const signal = new AbortController().signal;
const hour = 3_600_000;
const node: Node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'worker', uid: 'w' } };

/** What each probe states, by the label of its pod: outcome letters of its checks. */
type Statements = Readonly<Record<string, string>>;
const drops: Statements = { open: 'CT', 'egress-denied': 'T' };
const rejectsEgress: Statements = { open: 'CT', 'egress-denied': 'U' };
const enforcesNothing: Statements = { open: 'CC', 'egress-denied': 'C' };

/** A cluster with kubelets that run every pod at once. */
function setUp(
  parts: { status?: Calibration['status'] | undefined; refuse?: () => Error | undefined; nodes?: Node[] } = {},
) {
  const clock = new FakeClock();
  const pods = new Map<string, Pod>();
  const created: Pod[] = [];
  const nodes = parts.nodes ?? [node];
  let statements: readonly Statements[] = [drops];
  let stored: Calibration | undefined = parts.status === undefined ? undefined : { ...blank(), status: parts.status };
  let changes = 0;
  const unused = (): never => {
    throw new Error('unused');
  };
  const client: KubeClient = {
    list: unused,
    get: unused,
    watch: unused,
    isServed: unused,
    withObserver: unused,
    close: unused,
    create: async <T extends KubeObject>(_: unknown, object: T): Promise<T> => {
      await Promise.resolve();
      const refusal = parts.refuse?.();
      if (refusal !== undefined) throw refusal;
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the calibrator creates nothing else
      const pod = object as unknown as Pod;
      const started = run(pod, pods.size, statements);
      created.push(started);
      pods.set(pod.metadata.name, started);
      return { ...object, metadata: { ...object.metadata, uid: started.metadata.uid } };
    },
    delete: async (_, { name }) => {
      await Promise.resolve();
      pods.delete(name);
    },
    apply: async <T extends KubeObject>(_: unknown, object: T): Promise<T> => {
      await Promise.resolve();
      stored = { ...(stored ?? blank()), ...statusIn(object) };
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the calibrator applies nothing else
      return stored as unknown as T;
    },
  };
  let tokens = 0;
  const calibrator = new Calibrator({
    client,
    clock,
    metrics: createMetrics({ version: '0', revision: 'x' }),
    log: { debug: () => {}, info: () => {}, warn: () => {} },
    runner: createRunner({
      client,
      pods: resources.pods,
      clock,
      settings: { image: 'probe', imagePullPolicy: 'Always', imagePullSecrets: [] },
      token: () => String.fromCharCode(97 + (tokens++ % 16)).repeat(8) + String(tokens).padStart(8, '0'),
      podNamed: (_, name) => pods.get(name),
      onProbeStarted: () => {},
    }),
    view: { calibration: () => stored, nodes: () => nodes, podNamed: (_, name) => pods.get(name) },
    namespace: 'postern',
    instance: 'postern-x',
    periodMs: hour,
    onChange: () => {
      changes += 1;
    },
  });
  calibrator.begin();
  return {
    calibrator,
    clock,
    pods,
    created,
    nodes,
    changes: () => changes,
    stored: () => stored,
    drop: () => (stored = undefined),
    says: (...rounds: readonly Statements[]) => (statements = rounds),
    /** Steps until there is nothing to do at once; gives how long to wait then. */
    settle: async (): Promise<number> => {
      for (let steps = 0; steps < 12; steps += 1) {
        const waitMs = await calibrator.step(signal);
        if (waitMs > 0) return waitMs;
      }
      throw new Error('no end of steps');
    },
  };
}

function statusIn(object: KubeObject): Pick<Calibration, 'status'> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the calibrator applies nothing else
  const { status } = object as Calibration;
  return status === undefined ? {} : { status };
}

function blank(): Calibration {
  return {
    apiVersion: 'postern.dev/v1alpha1',
    kind: 'Calibration',
    metadata: { name: 'cluster', uid: 'u', generation: 1 },
  };
}

function environmentOf({ spec }: Pod): readonly { readonly name: string; readonly value?: string }[] {
  const [container] = spec.containers;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- src/runner/manifest.test.ts holds the shape
  return (container as unknown as { env: { name: string; value?: string }[] }).env;
}

/** The pod as its kubelet leaves it. A probe that waits for doors to be closed belongs to the second round. */
function run(pod: Pod, index: number, rounds: readonly Statements[]): Pod {
  const told = new Map(environmentOf(pod).map(({ name, value }) => [name, value ?? '']));
  const metadata = { ...pod.metadata, uid: `uid-${pod.metadata.name}` };
  const plan = told.get('POSTERN_PLAN');
  if (plan === undefined) {
    const container = { name: 'probe', ready: true, state: { running: {} } };
    return {
      ...pod,
      metadata,
      status: { phase: 'Running', podIP: `10.0.0.${index + 1}`, containerStatuses: [container] },
    };
  }
  const statements = rounds.at(plan.includes(' seal ') ? 1 : 0) ?? {};
  const letters = statements[pod.metadata.labels?.['postern.dev/calibration'] ?? ''] ?? '';
  const lines = plan
    .split('\n')
    // UDP, which comes second, ends as TCP does.
    .map((line, place) => [line.split(' ')[0], letters[place % letters.length]])
    .map(([id, letter]) => `${id} ${letter}c 2 9 ${letter}c -`);
  const nonce = told.get('POSTERN_NONCE');
  const message = [`postern/1 ${nonce} ${lines.length}`, ...lines, `end ${nonce} N`, ''].join('\n');
  const state = { terminated: { exitCode: 0, message } };
  return { ...pod, metadata, status: { phase: 'Succeeded', containerStatuses: [{ name: 'probe', state }] } };
}

const reasonOf = (calibration: Calibration | undefined) =>
  calibration?.status?.conditions?.map(({ status, reason }) => `${status} ${reason}`);

describe('a calibration', () => {
  it('measures with four pods, shows what it found, and leaves nothing behind', async () => {
    const world = setUp();
    world.says(rejectsEgress);

    const waitMs = await world.settle();

    expect(world.calibrator.denials()).toEqual({
      IPv4: {
        TCP: { ingress: 'TimedOut', egress: 'Unreachable' },
        UDP: { ingress: 'TimedOut', egress: 'Unreachable' },
      },
    });
    expect(world.created).toHaveLength(4);
    expect(world.created.map(({ metadata }) => metadata.ownerReferences)).toEqual(
      Array.from({ length: 4 }, () => [
        { apiVersion: 'postern.dev/v1alpha1', kind: 'Calibration', name: 'cluster', uid: 'u', controller: true },
      ]),
    );
    expect(world.pods.size).toBe(0);
    expect(world.calibrator.batches()).toEqual([]);
    expect(world.stored()?.status?.lastRun).toMatchObject({ trigger: 'Start', apiRequests: 8 });
    expect(waitMs).toBe(hour);
  });

  it('keeps tests waiting until it has ended, and no longer', async () => {
    const world = setUp();
    expect(world.calibrator.holdMs()).toBeGreaterThan(0);

    await world.settle();

    expect(world.calibrator.holdMs()).toBe(0);
    expect(world.changes()).toBe(1);
  });

  it('keeps no test waiting for ever', async () => {
    const world = setUp();

    await world.clock.advance(90_000);

    expect(world.calibrator.holdMs()).toBe(0);
    expect(world.calibrator.denials()).toEqual({});
  });

  it('dials an open door once more before it says that nothing is enforced', async () => {
    const world = setUp();
    world.says(enforcesNothing, enforcesNothing);

    const waitMs = await world.settle();

    expect(world.created).toHaveLength(6);
    expect(world.stored()?.status?.lastRun?.apiRequests).toBe(12);
    expect(reasonOf(world.stored())).toEqual(['True Measured', 'False PolicyNotEnforced']);
    expect(waitMs).toBe(300_000);
  });

  it('does not take a policy that came late for one that is not enforced', async () => {
    const world = setUp();
    world.says(enforcesNothing, drops);

    await world.settle();

    expect(reasonOf(world.stored())).toEqual(['True Measured', 'True Enforced']);
  });

  it('reuses what an operator before this one measured', async () => {
    const first = setUp();
    await first.settle();

    const second = setUp({ status: first.stored()?.status });
    const waitMs = await second.settle();

    expect(second.created).toEqual([]);
    expect(second.calibrator.denials()).toEqual(first.calibrator.denials());
    expect(second.calibrator.holdMs()).toBe(0);
    expect(waitMs).toBe(hour);
  });

  it('measures again when a node has come', async () => {
    const world = setUp();
    await world.settle();

    world.nodes.push({ ...node, metadata: { name: 'new', uid: 'n' } });
    expect(await world.settle()).toBe(15_000);
    await world.clock.advance(15_000);
    await world.settle();

    expect(world.stored()?.status?.lastRun?.trigger).toBe('Nodes');
  });

  it('keeps a result that is still valid when it fails, and tries again', async () => {
    let refusal: Error | undefined;
    const world = setUp({ refuse: () => refusal });
    await world.settle();

    refusal = new KubeError('Forbidden', 'exceeded quota: small');
    await world.clock.advance(hour);
    expect(await world.settle()).toBe(15_000);

    expect(reasonOf(world.stored())).toEqual(['True QuotaExceeded', 'True Enforced']);
    expect(world.calibrator.denials()).toEqual({
      IPv4: {
        TCP: { ingress: 'TimedOut', egress: 'TimedOut' },
        UDP: { ingress: 'TimedOut', egress: 'TimedOut' },
      },
    });
    expect(world.pods.size).toBe(0);

    refusal = undefined;
    await world.clock.advance(15_000);
    await world.settle();
    expect(world.stored()?.status?.lastRun?.trigger).toBe('Retry');
    expect(reasonOf(world.stored())).toEqual(['True Measured', 'True Enforced']);
  });

  it('gives up a result that is out of date', async () => {
    const world = setUp();
    await world.settle();

    await world.clock.advance(3 * hour);

    expect(world.calibrator.denials()).toEqual({});
  });

  it('lets tests begin when the first attempt fails, without a result', async () => {
    const world = setUp({ refuse: () => new KubeError('Forbidden', 'violates PodSecurity') });

    await world.settle();

    expect(world.calibrator.holdMs()).toBe(0);
    expect(world.calibrator.denials()).toEqual({});
    expect(reasonOf(world.stored())).toEqual(['False ProbeRejected', 'Unknown NotCalibrated']);
  });

  it('keeps its result when somebody deletes the object, and makes it anew', async () => {
    const world = setUp();
    await world.settle();
    const before = world.calibrator.denials();

    world.drop();
    await world.calibrator.step(signal);

    expect(world.stored()).toBeDefined();
    expect(world.calibrator.denials()).toEqual(before);
  });

  it('deletes its pods when the operator stops', async () => {
    const world = setUp();
    await world.calibrator.step(signal);
    expect(world.pods.size).toBe(2);

    await world.calibrator.abandon(signal);

    expect(world.pods.size).toBe(0);
  });
});
