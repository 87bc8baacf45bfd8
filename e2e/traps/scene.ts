import { randomBytes } from 'node:crypto';
import type { ConnectivityTest, Pod } from '../../src/api/index.ts';
import { run } from '../cluster/command.ts';
import type { Cluster } from '../cluster/index.ts';
import { waitFor } from '../harness/wait.ts';
import { connectivityTest } from '../harness/workloads.ts';
import { createWorld, type World } from '../harness/world.ts';
import { interruption } from './interruption.ts';
import type { Observer } from './observer.ts';
import type { Operator } from './operator.ts';

type Status = NonNullable<ConnectivityTest['status']>;

/** Where a family's traps play: its namespace, the nodes, and the operator of the moment. */
export interface Scene extends World {
  readonly cluster: Cluster;
  readonly observer: Observer;
  /** Two nodes that workloads run on. */
  readonly workers: readonly [string, string];
  operator(): Operator;
  /** Declares a test under a name of its own. */
  declare(expectations: readonly object[], spec?: object): Promise<string>;
  /** Changes the expectations of a declared test. */
  redeclare(test: string, expectations: readonly object[], spec?: object): Promise<void>;
  withdraw(test: string): Promise<void>;
  /** Verdict and reason of the first expectation in every finished run so far, oldest first. */
  verdictsOf(test: string): readonly string[];
  /** Waits for as many finished runs, and gives verdict and reason of the first expectation in the last of them. */
  verdict(test: string, runs?: number): Promise<string>;
  /** Waits for a state of one of the test's probe pods. */
  probePod(test: string, accept: (pod: Pod) => boolean, what: string): Promise<Pod>;
  onNode(node: string, ...command: readonly string[]): Promise<string>;
}

export interface SceneOptions {
  readonly cluster: Cluster;
  readonly observer: Observer;
  readonly operator: () => Operator;
}

export async function createScene(family: string, { cluster, observer, operator }: SceneOptions): Promise<Scene> {
  const world = await createWorld(`postern-trap-${family}`);
  const { namespace } = world;
  // A suite that was interrupted leaves tests behind, whose verdicts must not be taken for those of new ones.
  const token = randomBytes(3).toString('hex');
  let declared = 0;
  const finished = (test: string): readonly Status[] => {
    const runs = observer.statusesOf(namespace, test).filter(isFinished);
    return runs.filter(({ lastRun }, index) => lastRun?.id !== runs[index - 1]?.lastRun?.id);
  };
  const verdictsOf = (test: string): readonly string[] => {
    interruption.throwIfAborted();
    return finished(test).map(({ expectations }) => `${expectations?.[0]?.verdict} ${expectations?.[0]?.reason}`);
  };
  const redeclare = async (test: string, expectations: readonly object[], spec: object = {}): Promise<void> => {
    await world.apply(
      connectivityTest(namespace, test, expectations, { settleSeconds: 3, enforcementGraceSeconds: 1, ...spec }),
    );
  };
  return {
    ...world,
    cluster,
    observer,
    workers: await workersOf(world),
    operator,
    declare: async (expectations, spec) => {
      declared += 1;
      const test = `trap-${token}-${declared}`;
      await redeclare(test, expectations, spec);
      return test;
    },
    redeclare,
    withdraw: async (test) => {
      await world.kubectl(`delete connectivitytest ${test} -n ${namespace} --ignore-not-found`);
    },
    verdictsOf,
    verdict: (test, runs = 1) =>
      waitFor(() => Promise.resolve(verdictsOf(test)[runs - 1]), {
        what: `run ${runs} of ${namespace}/${test}`,
        timeoutMs: 150_000,
        everyMs: 100,
      }),
    probePod: (test, accept, what) => observer.probePod(namespace, test, accept, what),
    onNode: (node, ...command) => run('docker', ['exec', node, ...command]),
  };
}

interface Node {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly taints?: readonly { readonly key: string; readonly effect: string }[] };
}

/** A node that is only cordoned by a trap still counts. */
function takesPods({ spec }: Node): boolean {
  return (spec.taints ?? []).every(
    ({ key, effect }) => effect !== 'NoSchedule' || key === 'node.kubernetes.io/unschedulable',
  );
}

async function workersOf({ kubectl }: World): Promise<readonly [string, string]> {
  const { items } = await kubectl.json<{ items: readonly Node[] }>('get nodes');
  const [first, second] = items
    .filter(takesPods)
    .map(({ metadata }) => metadata.name)
    .toSorted();
  if (first === undefined || second === undefined) throw new Error('the traps need two nodes that take any pod');
  return [first, second];
}

/** Whether a status tells of a finished run, of the spec that the test has now. */
function isFinished({ conditions, lastRun }: Status): boolean {
  const passed = conditions?.find(({ type }) => type === 'Passed');
  return lastRun !== undefined && passed !== undefined && passed.reason !== 'NoResultYet';
}
