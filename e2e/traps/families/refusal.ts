import { deafenedPodSpec } from '../../harness/workloads.ts';
import { whileLost, whileRejected } from '../broken-network.ts';
import { arrivalWhereSilent, connectedControls, denialAsMeasured, readyEndpoints, targetControl } from '../guards.ts';
import { addressOf, deployment, expectationOf, judged, onNode, service, workload } from '../situations.ts';
import type { Family } from '../trap.ts';

const free = deployment('free');
const confined = deployment('confined');
const to = (name: string, port = 8080): object => ({ ...deployment(name), port });
const unproven = 'Inconclusive NoTargetControl';
const passed = 'Passed Denied';

/** A cluster whose policies refuse connections, so that a denial looks like a closed port. */
export const refusal: Family = {
  name: 'refusal',
  build: async (scene) => {
    const { namespace, workers } = scene;
    // The plugin knows the policies that there are when a pod starts.
    await scene.apply({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'confined', namespace },
      spec: { podSelector: { matchLabels: { app: 'confined' } }, policyTypes: ['Egress'] },
    });
    // Beside each other, so that what one source hears shows that the network of the other works.
    const here = { pod: onNode(workers[0]) };
    await scene.apply(
      ...['free', 'other', 'confined', 'open', 'walled', 'cut'].map((name) => workload(namespace, name, here)),
      workload(namespace, 'deaf', { pod: { ...here.pod, ...deafenedPodSpec() } }),
      workload(namespace, 'empty', { replicas: 0 }),
      service(namespace, 'empty', { app: 'empty' }),
    );
    await scene.ready('free', 'other', 'confined', 'open', 'walled', 'cut', 'deaf');
    await scene.kubectl(`exec deployment/deaf -n ${namespace} -- sh /tmp/deafen`);
  },
  presumes: 'refusal',
  traps: [
    {
      name: 'a closed port refuses as policies do',
      guard: targetControl,
      right: unproven,
      wrong: passed,
      spring: judged([expectationOf('Deny', free, to('open', 9))]),
    },
    {
      name: 'two refused Denies vouch for each other',
      guard: connectedControls,
      right: unproven,
      wrong: passed,
      spring: judged([
        expectationOf('Deny', free, to('open', 9)),
        expectationOf('Deny', deployment('other'), to('open', 9), { name: 'denied-too' }),
      ]),
    },
    {
      name: 'a port that the kubelet saw open has closed',
      guard: {
        file: 'src/verdict/control.ts',
        search: "if (observation?.outcome === 'Refused') return undefined;",
        replace: '',
      },
      right: unproven,
      wrong: passed,
      spring: judged([expectationOf('Deny', free, to('deaf'))]),
    },
    {
      name: 'a firewall is silent where policies refuse',
      guard: denialAsMeasured,
      right: 'Inconclusive UnlikeDenial',
      wrong: passed,
      spring: async (scene) =>
        await whileLost(scene, { node: scene.workers[0], address: await addressOf(scene, 'cut') }, () =>
          judged([expectationOf('Deny', free, to('cut'))])(scene),
        ),
    },
    {
      name: 'a firewall rejects where policies refuse',
      guard: denialAsMeasured,
      right: 'Inconclusive RejectedUnproven',
      wrong: passed,
      spring: async (scene) => {
        const address = await addressOf(scene, 'walled');
        const wall = { node: scene.workers[0], address, answer: 'icmp-admin-prohibited' };
        return await whileRejected(scene, wall, () => judged([expectationOf('Deny', free, to('walled'))])(scene));
      },
    },
    {
      name: 'a policy refuses what it denies',
      guard: { ...arrivalWhereSilent, replace: 'true;' },
      right: passed,
      wrong: 'Failed ReachedClosedPort',
      spring: judged([expectationOf('Deny', confined, to('open')), expectationOf('Allow', free, to('open'))]),
    },
    {
      name: 'a policy refuses an Allow as a closed port would',
      guard: {
        file: 'src/verdict/judge.ts',
        search: "isDenial(denials, outcome) ? 'RefusedOrBlocked' : 'NothingListening';",
        replace: "false ? 'RefusedOrBlocked' : 'NothingListening';",
      },
      right: 'Failed RefusedOrBlocked',
      wrong: 'Failed NothingListening',
      spring: judged([expectationOf('Allow', confined, to('open'))]),
    },
    {
      name: 'kube-proxy refuses an Allow for a Service without endpoints',
      guard: readyEndpoints,
      right: 'Inconclusive TargetNotReady',
      wrong: 'Failed RefusedOrBlocked',
      elsewhere: { ptp: { right: 'Inconclusive TargetNotReady', wrong: 'Failed NothingListening' } },
      spring: judged([expectationOf('Allow', free, { service: { name: 'empty' }, port: 8080 })]),
    },
  ],
};
