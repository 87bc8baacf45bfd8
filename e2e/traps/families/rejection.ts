import { setTimeout as delay } from 'node:timers/promises';
import { whileLost, whileOffTheLink, whileRejected } from '../broken-network.ts';
import {
  arrivalWhereSilent,
  connectedControls,
  crossing,
  denialAsMeasured,
  nodeIsHeard,
  targetControl,
} from '../guards.ts';
import { addressOf, declaring, deployment, expectationOf, isRunning, judged, onNode, workload } from '../situations.ts';
import type { Scene } from '../scene.ts';
import type { Family } from '../trap.ts';

const free = deployment('free');
const confined = deployment('confined');
const to = (name: string, port = 8080): object => ({ ...deployment(name), port });
const unproven = 'Inconclusive NoTargetControl';
const passed = 'Passed Denied';

/** An address of the documentation range that the nodes have no way to. */
const nowhere = '203.0.113.8';

/** A cluster that answers denied egress with ICMP, and others than policies that give the same answer. */
export const rejection: Family = {
  name: 'rejection',
  build: async (scene) => {
    const { namespace, workers } = scene;
    const here = onNode(workers[0]);
    const there = onNode(workers[1]);
    await scene.apply(
      workload(namespace, 'free', { pod: here }),
      workload(namespace, 'far', { pod: there }),
      workload(namespace, 'confined', { labels: { egress: 'dns' }, pod: here }),
      workload(namespace, 'confined-too', { labels: { egress: 'dns' }, pod: here }),
      workload(namespace, 'silenced', { pod: here }),
      workload(namespace, 'open', { pod: there }),
      workload(namespace, 'flapping', { pod: there }),
      workload(namespace, 'walled', { pod: there }),
      workload(namespace, 'dead', { port: 8081, readiness: 'none', pod: there }),
      egressPolicy(namespace, 'dns-only', { egress: 'dns' }, [{ ports: [{ protocol: 'UDP', port: 53 }] }]),
      egressPolicy(namespace, 'silence', { app: 'silenced' }, []),
    );
    await scene.ready('free', 'far', 'confined', 'confined-too', 'silenced', 'open', 'flapping', 'walled', 'dead');
    for (const node of workers) await scene.onNode(node, 'ip', 'route', 'replace', 'unreachable', `${nowhere}/32`);
  },
  clear: async (scene) => {
    for (const node of scene.workers) await scene.onNode(node, 'ip', 'route', 'flush', 'exact', `${nowhere}/32`);
  },
  presumes: 'rejection',
  traps: [
    {
      name: 'a rejection hides that nothing listens',
      guard: targetControl,
      right: unproven,
      wrong: passed,
      spring: judged([expectationOf('Deny', confined, to('dead'))]),
    },
    {
      name: 'two rejected Denies vouch for each other',
      guard: connectedControls,
      right: unproven,
      wrong: passed,
      spring: judged([
        expectationOf('Deny', confined, to('dead')),
        expectationOf('Deny', deployment('confined-too'), to('dead'), { name: 'denied-too' }),
      ]),
    },
    {
      name: "a rejection vouches for its source's network",
      guard: {
        file: 'src/verdict/control.ts',
        search: 'return hasNetwork(seen, check) && !late.includes(seen.firstOutcome);',
        replace: "return seen.outcome === 'Unreachable' || hasNetwork(seen, check);",
      },
      right: 'Inconclusive NoSourceControl',
      wrong: passed,
      spring: judged([expectationOf('Deny', deployment('silenced'), to('open'))]),
    },
    {
      name: 'a router answers as policies do',
      guard: targetControl,
      right: unproven,
      wrong: passed,
      spring: judged([expectationOf('Deny', free, { ip: nowhere, port: 8080 })]),
    },
    {
      name: "the neighbours of the target's node answer as policies do",
      guard: nodeIsHeard,
      right: unproven,
      wrong: passed,
      // Nor would the way to the target be seen to be whole.
      fault: crossing,
      spring: withoutNeighbour,
      isAlone: true,
    },
    {
      name: 'somebody on the way refuses what others reach',
      guard: denialAsMeasured,
      right: 'Inconclusive RefusedOrClosed',
      wrong: passed,
      spring: behindWall([
        expectationOf('Deny', free, to('walled')),
        expectationOf('Allow', deployment('far'), to('walled')),
      ]),
      isAlone: true,
    },
    {
      name: 'a refusal on the way looks like a closed port',
      guard: arrivalWhereSilent,
      right: 'Inconclusive RefusedOrClosed',
      wrong: 'Failed ReachedClosedPort',
      spring: behindWall([expectationOf('Deny', free, to('walled'))]),
      isAlone: true,
    },
    {
      name: 'a broken link is silent, and then unreachable',
      guard: {
        file: 'src/verdict/judge.ts',
        search: "if (stage !== 'connect' || firstOutcome !== outcome || attempts < 2) {",
        replace: "if (stage !== 'connect' || attempts < 2) {",
      },
      right: 'Inconclusive RejectedUnproven',
      wrong: passed,
      spring: silentThenUnreachable,
      isAlone: true,
    },
  ],
};

function egressPolicy(
  namespace: string,
  name: string,
  matchLabels: Readonly<Record<string, string>>,
  egress: readonly object[],
): object {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, namespace },
    spec: { podSelector: { matchLabels }, policyTypes: ['Egress'], egress },
  };
}

/** A node that has lost its link: whoever looks for its address in vain is told that the host is unreachable. */
async function withoutNeighbour(scene: Scene): Promise<string> {
  const [, node] = scene.workers;
  try {
    return await whileOffTheLink(scene, node, () =>
      // Longer than the kernel looks for a neighbour (arp(7): mcast_solicit times retrans_time_ms, three seconds).
      judged([expectationOf('Deny', free, to('open'))], { timeoutSeconds: 5 })(scene),
    );
  } finally {
    // The node must have been heard of anew before it is asked for.
    await delay(15_000);
    await scene.kubectl(`wait node/${node} --for=condition=Ready --timeout=120s`);
    await scene.ready('far', 'open', 'flapping', 'walled', 'dead');
  }
}

/** The source's node answers in the target's place, as a proxy or a firewall does. */
function behindWall(expectations: readonly object[]): (scene: Scene) => Promise<string> {
  return async (scene) => {
    const wall = { node: scene.workers[0], address: await addressOf(scene, 'walled'), answer: 'tcp-reset' };
    return await whileRejected(scene, wall, () => judged(expectations)(scene));
  };
}

/** A link that loses packets at the first attempt and is known to be broken at the second. */
async function silentThenUnreachable(scene: Scene): Promise<string> {
  const [node] = scene.workers;
  const address = await addressOf(scene, 'flapping');
  return await whileRejected(scene, { node, address, answer: 'icmp-host-unreachable' }, () =>
    whileLost(scene, { node, address }, (heal) =>
      declaring(
        scene,
        [expectationOf('Deny', free, to('flapping'))],
        async (test) => {
          await scene.probePod(test, isRunning, 'running');
          await delay(6_000);
          await heal();
          return await scene.verdict(test);
        },
        { settleSeconds: 12 },
      ),
    ),
  );
}
