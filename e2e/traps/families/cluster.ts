import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '../../harness/wait.ts';
import { whileCutOff } from '../broken-network.ts';
import { confirmation, crossing, nodeIsHeard, refusal, silenceOfTheProbe, targetControl } from '../guards.ts';
import { openForWantOfPolicies, unprovenForWantOfPolicies } from '../presumption.ts';
import { closedFor, declaring, deployment, expectationOf, judged, onNode, workload } from '../situations.ts';
import type { Scene } from '../scene.ts';
import type { Family } from '../trap.ts';

const passed = 'Passed Denied';
const to = (name: string): object => ({ ...deployment(name), port: 8080 });
const noAgent = { skipped: 'the network plugin has no agent that could be down' };
const notTurnedOff = { skipped: 'enforcement cannot be turned off' };
const quickly = { timeoutSeconds: 1, settleSeconds: 0 };

/** Parts of the cluster itself that fail under a run. */
export const cluster: Family = {
  name: 'cluster',
  build: async (scene) => {
    const { namespace, workers } = scene;
    await scene.apply(
      workload(namespace, 'client', { pod: onNode(workers[0]) }),
      workload(namespace, 'doomed', {
        // Cilium taints nodes whose agent is gone.
        pod: { ...onNode(workers[1]), tolerations: [{ operator: 'Exists', effect: 'NoSchedule' }] },
      }),
      workload(namespace, 'ready', { pod: onNode(workers[1]) }),
      workload(namespace, 'open', { pod: onNode(workers[0]) }),
      workload(namespace, 'unwatched', { readiness: 'none', pod: onNode(workers[1]) }),
      workload(namespace, 'target', { pod: onNode(workers[0]) }),
      workload(namespace, 'guarded', { pod: onNode(workers[0]) }),
      closedFor(namespace, 'guarded'),
    );
    await scene.ready('client', 'doomed', 'ready', 'open', 'unwatched', 'target', 'guarded');
  },
  traps: [
    {
      name: "the target's node is gone",
      guard: targetControl,
      right: 'Inconclusive NoTargetControl',
      wrong: passed,
      elsewhere: { ptp: unprovenForWantOfPolicies },
      spring: (scene) =>
        withoutNode(scene, () => judged([expectationOf('Deny', deployment('client'), to('unwatched'))])(scene)),
      isAlone: true,
    },
    {
      name: "the target's node is gone, and its pods are still called Ready",
      guard: nodeIsHeard,
      right: 'Inconclusive NoTargetControl',
      wrong: passed,
      // Nor would the way to the target be seen to be whole.
      fault: crossing,
      elsewhere: { ptp: unprovenForWantOfPolicies },
      spring: (scene) =>
        withoutNode(scene, () =>
          judged([expectationOf('Deny', deployment('client'), to('ready'))], { timeoutSeconds: 1 })(scene),
        ),
      isAlone: true,
    },
    {
      name: "the source's node is gone",
      guard: silenceOfTheProbe,
      right: 'Inconclusive ProbeNotStarted',
      wrong: passed,
      presumes: 'nothing',
      spring: (scene) =>
        withoutNode(scene, () => judged([expectationOf('Deny', deployment('doomed'), to('open'))], quickly)(scene)),
      isAlone: true,
    },
    {
      name: "the CNI's agent is down on the source's node",
      guard: silenceOfTheProbe,
      right: 'Inconclusive ProbeNotStarted',
      wrong: passed,
      elsewhere: { ptp: noAgent, 'ptp-refusing': noAgent, 'ptp-half': noAgent },
      spring: (scene) =>
        withoutAgent(scene, () => judged([expectationOf('Deny', deployment('doomed'), to('open'))], quickly)(scene)),
      isAlone: true,
    },
    {
      name: 'the CNI enforces nothing, and the port is closed',
      guard: refusal,
      right: 'Inconclusive RefusedOrClosed',
      wrong: passed,
      elsewhere: {
        ptp: { skipped: 'there is no enforcement to turn off: see the family unenforced' },
        'ptp-refusing': notTurnedOff,
        'ptp-half': notTurnedOff,
      },
      spring: (scene) =>
        withoutEnforcement(scene, () =>
          judged([expectationOf('Deny', deployment('client'), { ...deployment('guarded'), port: 9 })])(scene),
        ),
      isAlone: true,
    },
    {
      name: 'a policy is deleted right after the API server restarted',
      guard: {
        file: 'src/kube/reflector.ts',
        search: "const pauseMs = cause === 'gone' && isFirst ? 0 : pauseAfterFailure(this.#failures, error, clock);",
        replace: "const pauseMs = cause === 'gone' && isFirst ? 0 : 3_600_000;",
      },
      // It would fail on the way, or see by itself that the policy is gone.
      fault: confirmation,
      right: 'Failed UnexpectedlyReachable',
      wrong: passed,
      elsewhere: { ptp: openForWantOfPolicies },
      spring: acrossRestart,
      isAlone: true,
    },
  ],
};

/** Nothing leaves the node any more; the cluster takes it for well during most of a minute. */
async function withoutNode<T>(scene: Scene, work: () => Promise<T>): Promise<T> {
  const [, node] = scene.workers;
  try {
    return await whileCutOff(scene, { node, what: 'everything' }, work);
  } finally {
    // The node must have been heard of anew before it is asked for.
    await delay(15_000);
    await scene.kubectl(`wait node/${node} --for=condition=Ready --timeout=120s`);
    await scene.ready('doomed', 'ready', 'unwatched');
  }
}

async function withoutAgent<T>({ kubectl, workers }: Scene, work: () => Promise<T>): Promise<T> {
  const [, node] = workers;
  const away = 'trap.postern.dev/no-agent';
  const agentsThere = async (): Promise<string> =>
    (await kubectl(`get pods -n kube-system -l k8s-app=cilium --field-selector=spec.nodeName=${node} -o name`)).trim();
  const setAffinity = async (value: object | null): Promise<void> => {
    const patch = JSON.stringify({ spec: { template: { spec: { affinity: { nodeAffinity: value } } } } });
    await kubectl(`patch daemonset cilium -n kube-system --type=merge -p ${patch}`);
  };
  await kubectl(`label node ${node} ${away}=yes --overwrite`);
  await setAffinity({
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchExpressions: [{ key: away, operator: 'DoesNotExist' }] }],
    },
  });
  try {
    await waitFor(async () => (await agentsThere()) === '', { what: 'the agent to be gone', timeoutMs: 120_000 });
    return await work();
  } finally {
    await setAffinity(null);
    await kubectl(`label node ${node} ${away}-`);
    await kubectl('rollout status daemonset/cilium -n kube-system --timeout=180s');
  }
}

async function withoutEnforcement<T>({ kubectl }: Scene, work: () => Promise<T>): Promise<T> {
  const agents = (await kubectl('get pods -n kube-system -l k8s-app=cilium -o name')).trim().split('\n');
  const enforce = async (mode: 'default' | 'never'): Promise<void> => {
    for (const agent of agents) {
      await kubectl(`exec -n kube-system ${agent} -c cilium-agent -- cilium-dbg config PolicyEnforcement=${mode}`);
    }
    // Every endpoint is regenerated.
    await delay(5_000);
  };
  await enforce('never');
  try {
    return await work();
  } finally {
    await enforce('default');
  }
}

/** A pass, a restart of the API server, and a policy that goes before every watch is open again. */
async function acrossRestart(scene: Scene): Promise<string> {
  const { namespace, kubectl, cluster } = scene;
  const controlPlane = `${cluster.name}-control-plane`;
  await scene.apply(closedFor(namespace, 'target'));
  return await declaring(scene, [expectationOf('Deny', deployment('client'), to('target'))], async (test) => {
    await scene.verdict(test);
    await scene.onNode(controlPlane, 'pkill', '-KILL', 'kube-apiserver');
    await waitFor(
      async () =>
        (await kubectl.attempt(`delete networkpolicy close-target -n ${namespace} --ignore-not-found`)).code === 0,
      { what: 'the API server to be back', timeoutMs: 120_000 },
    );
    const latest = async (): Promise<string> => {
      const path = '{.status.expectations[0].verdict} {.status.expectations[0].reason}';
      return await kubectl(
        `get connectivitytest ${test} -n ${namespace} -o jsonpath=${path.replace(' ', '{"\\u0020"}')}`,
      );
    };
    const before = await latest();
    for (let look = 0; look < 90; look += 1) {
      const now = await latest();
      if (now !== before) return now;
      await delay(1_000);
    }
    return before;
  });
}
