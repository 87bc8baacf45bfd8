import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { boundaries, Stage } from '../testing/controller-stage.ts';
import { fieldAt, isJsonObject, type StoredObject } from '../testing/json.ts';
import { resultOf, terminate } from '../testing/kubelet.ts';
import { resources } from './resources.ts';

// A busy machine is no failure.
vi.setConfig({ testTimeout: 60_000 });

const [, deny] = boundaries().spec.expectations;
const test = boundaries('boundaries', { spec: { expectations: deny === undefined ? [] : [deny] } });

describe('a Deny between two nodes', () => {
  let stage: Stage;
  let source: StoredObject;

  /** The test's probe pod gets node 0 as its node; the database is on node 1. */
  beforeEach(async () => {
    stage = await Stage.raise();
    stage.isKubeletAtWork = false;
    await stage.start();
    stage.write(test);
    const [pod] = await stage.probing(1);
    if (pod === undefined) throw new Error('There is no probe pod');
    source = onNode(pod, 'node-0');
    // What is asked for comes in bursts.
    await stage.noticed();
    await stage.pass(200);
  });
  afterEach(() => stage.strike());

  function onNode(pod: StoredObject, nodeName: string): StoredObject {
    const spec = fieldAt(pod, ['spec']);
    const placed = { ...pod, spec: { ...(isJsonObject(spec) ? spec : {}), nodeName } };
    return stage.server.write(resources.pods, placed);
  }

  /** Postern's own pod beside the test's, once it is there. */
  async function own(pods: number, name?: string): Promise<StoredObject> {
    const there = await stage.probing(pods);
    const found = there.find(({ metadata }) => metadata.namespace === 'postern' && metadata.name !== name);
    if (found === undefined) throw new Error('Postern started no pod of its own');
    return found;
  }

  function run(pod: StoredObject, podIP: string): void {
    const containerStatuses = [{ name: 'probe', state: { running: { startedAt: '2026-01-01T00:00:01Z' } } }];
    const running = { ...scheduled(pod), status: { phase: 'Running', podIP, containerStatuses } };
    stage.server.write(resources.pods, running);
  }

  const nodeOf = (pod: StoredObject): string =>
    /"metadata.name","operator":"In","values":\["([^"]+)"\]/.exec(JSON.stringify(pod))?.[1] ?? 'none';

  /** A pod on the node that it asks for. */
  const scheduled = (pod: StoredObject): StoredObject => onNode(pod, nodeOf(pod));

  /** Starts the pods that dial between the nodes; the listener answers as said. */
  async function dialled(letter: 'C' | 'T'): Promise<void> {
    const listener = await own(2);
    expect(nodeOf(listener)).toBe('node-1');
    expect(listener.metadata).toMatchObject({
      labels: { 'postern.dev/calibration': 'open' },
      ownerReferences: [{ kind: 'Calibration', name: 'cluster', controller: true }],
    });
    run(listener, '10.0.1.9');
    const dialler = scheduled(await own(3, listener.metadata.name));
    expect(nodeOf(dialler)).toBe('node-0');
    terminate(
      stage.server,
      dialler,
      resultOf(dialler, ({ address }) => (address === '10.0.1.9' ? letter : 'R')),
    );
  }

  function endProbe(): void {
    stage.beat();
    terminate(stage.server, source, resultOf(source, stage.answer));
  }

  it('passes when pods of Postern connected between them meanwhile, of which nothing is left', async () => {
    await dialled('C');
    endProbe();
    stage.beat();
    await stage.atRest(1);

    expect(stage.verdicts()).toEqual({ 'web-not-db': 'Passed Denied' });
    expect(stage.statusOf()?.lastRun).toMatchObject({ probePods: 1, apiRequests: 4 });
  });

  it('waits for them when its own probe is over', async () => {
    endProbe();
    stage.beat();
    const listener = await own(1);
    run(listener, '10.0.1.9');
    const dialler = scheduled(await own(2, listener.metadata.name));
    expect(stage.concluded).toBe(0);
    terminate(
      stage.server,
      dialler,
      resultOf(dialler, () => 'C'),
    );
    await stage.atRest(1);

    expect(stage.verdicts()).toEqual({ 'web-not-db': 'Passed Denied' });
  });

  it('is Inconclusive where they could not connect either', async () => {
    await dialled('T');
    endProbe();
    stage.beat();
    await stage.atRest(1);

    expect(stage.verdicts()).toEqual({ 'web-not-db': 'Inconclusive NoPathControl' });
    expect(stage.logged).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        fields: { from: 'node-0', to: 'node-1', family: 'IPv4', protocol: 'TCP' },
        message: 'Pods of Postern could not connect between two nodes',
      }),
    );
  });

  it('is Inconclusive where they do not come to run, and leaves none of them', async () => {
    await own(2);
    endProbe();
    stage.beat();
    await stage.passUntil(() => stage.concluded === 1, 'the end of the run', 1_000);
    await stage.atRest(1);

    expect(stage.verdicts()).toEqual({ 'web-not-db': 'Inconclusive NoPathControl' });
  });

  it('fails at once when it connected', async () => {
    await own(2);
    stage.answer = () => 'C';
    endProbe();
    await stage.until(() => stage.concluded === 1, 'the end of the run');

    expect(stage.verdicts()).toEqual({ 'web-not-db': 'Failed UnexpectedlyReachable' });
  });

  it('leaves no pod when the operator stops', async () => {
    await own(2);
    await stage.halt();

    expect(stage.probePods()).toEqual([]);
  });
});
