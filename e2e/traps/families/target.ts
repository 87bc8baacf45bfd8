import { connectedControls, readyEndpoints, refusal, targetControl } from '../guards.ts';
import { openForWantOfPolicies, unprovenForWantOfPolicies } from '../presumption.ts';
import { closedFor, deployment, expectationOf, judged, service, workload } from '../situations.ts';
import type { Scene } from '../scene.ts';
import type { Family } from '../trap.ts';

const client = deployment('client');
const deny = (to: object, from: object = client, name = 'denied'): object => expectationOf('Deny', from, to, { name });
const to = (name: string, port = 8080): object => ({ ...deployment(name), port });
const toService = (name: string): object => ({ service: { name }, port: 8080 });

/** An address of the documentation range that the nodes have no way to. */
const nowhere = '203.0.113.7';
const unproven = 'Inconclusive NoTargetControl';
const notReady = 'Inconclusive TargetNotReady';
const passed = 'Passed Denied';

/** Silence, refusal and absence that are no policy's doing. */
export const target: Family = {
  name: 'target',
  build: async (scene) => {
    const { namespace } = scene;
    const closed = ['dead', 'guarded', 'elsewhere', 'borrowed', 'misled', 'mixed-a', 'mixed-b'];
    const open = service(namespace, 'open', { app: 'open' });
    await scene.apply(
      workload(namespace, 'client'),
      workload(namespace, 'other'),
      workload(namespace, 'open'),
      open,
      workload(namespace, 'dead', { port: 8081, readiness: 'none' }),
      workload(namespace, 'guarded'),
      workload(namespace, 'elsewhere', { port: 8081 }),
      workload(namespace, 'misled'),
      service(namespace, 'misled', { app: 'misled' }, { ports: [{ port: 8080, targetPort: 9090 }] }),
      workload(namespace, 'mixed-a', { labels: { tier: 'mixed' } }),
      workload(namespace, 'mixed-b', { labels: { tier: 'mixed' }, port: 8081, readiness: 'none' }),
      service(namespace, 'mixed', { tier: 'mixed' }),
      workload(namespace, 'empty', { replicas: 0 }),
      service(namespace, 'empty', { app: 'empty' }),
      ...closed.map((app) =>
        closedFor(namespace, app, app === 'guarded' ? [{ podSelector: { matchLabels: { app: 'other' } } }] : []),
      ),
    );
    const host = await clusterAddress(scene, 'open');
    const readiness = { httpGet: { path: '/healthz', port: 8080, host }, periodSeconds: 1 };
    await scene.apply(workload(namespace, 'borrowed', { port: 8081, readiness }));
    await scene.ready('client', 'other', 'open', ...closed);
    // What a cluster does with packets for a Service without endpoints is its own affair; many a one swallows them.
    const empty = await clusterAddress(scene, 'empty');
    for (const node of scene.workers) {
      await scene.onNode(node, 'ip', 'route', 'replace', 'blackhole', `${empty}/32`);
      await scene.onNode(node, 'ip', 'route', 'replace', 'unreachable', `${nowhere}/32`);
    }
  },
  clear: async (scene) => {
    for (const node of scene.workers) {
      await scene.onNode(node, 'sh', '-c', 'ip route flush type blackhole; ip route flush type unreachable');
    }
  },
  elsewhere: { ptp: unprovenForWantOfPolicies },
  traps: [
    {
      name: 'nothing listens behind a policy',
      guard: targetControl,
      right: unproven,
      wrong: passed,
      spring: judged([deny(to('dead'))]),
      isQuick: true,
    },
    {
      name: 'only another port of the target answers',
      guard: {
        file: 'src/verdict/control.ts',
        search: 'JSON.stringify([transportOf(check), address, port])',
        replace: 'JSON.stringify([transportOf(check), address])',
      },
      right: unproven,
      wrong: passed,
      spring: judged([deny(to('guarded', 9)), expectationOf('Allow', deployment('other'), to('guarded'))]),
    },
    {
      name: 'only another target answers',
      guard: {
        file: 'src/verdict/control.ts',
        search: 'JSON.stringify([transportOf(check), address, port])',
        replace: 'JSON.stringify([transportOf(check), port])',
      },
      right: unproven,
      wrong: passed,
      spring: judged([deny(to('dead')), expectationOf('Allow', deployment('other'), to('open'))]),
    },
    {
      name: 'two silent Denies vouch for each other',
      guard: connectedControls,
      right: unproven,
      wrong: passed,
      spring: judged([deny(to('dead')), deny(to('dead'), deployment('other'), 'denied-too')]),
    },
    {
      name: 'the readiness probe looks at another port',
      guard: {
        file: 'src/plan/pod-port.ts',
        search: "if (typeof dialled === 'number') return dialled === port;",
        replace: "if (typeof dialled === 'number') return true;",
      },
      right: unproven,
      wrong: passed,
      spring: judged([deny(to('elsewhere'))]),
    },
    {
      name: 'the readiness probe looks at another host',
      guard: {
        file: 'src/plan/pod-port.ts',
        search: "action === undefined || (action.host ?? '') !== '' ?",
        replace: 'action === undefined ?',
      },
      right: unproven,
      wrong: passed,
      spring: judged([deny(to('borrowed'))]),
    },
    {
      name: 'the Service leads to a port where nothing listens',
      guard: {
        file: 'src/plan/target.ts',
        search: 'hasReadinessProbeOn(pod, endpoint.port)',
        replace: 'hasReadinessProbeOn(pod, servicePort)',
      },
      right: unproven,
      wrong: passed,
      spring: judged([deny(toService('misled'))]),
    },
    {
      name: 'one of two endpoints answers nobody',
      guard: {
        file: 'src/plan/target.ts',
        search: 'readinessProved: endpoints.every(proved),',
        replace: 'readinessProved: endpoints.some(proved),',
      },
      right: unproven,
      wrong: passed,
      // Which of the two is asked is up to chance.
      elsewhere: { ptp: {} },
      spring: judged([deny(toService('mixed'))]),
    },
    {
      name: 'a Service without endpoints is silent',
      guard: readyEndpoints,
      right: notReady,
      wrong: passed,
      elsewhere: { 'cilium-rejecting': { right: notReady }, ptp: { right: notReady } },
      spring: judged([deny(toService('empty'))]),
      isQuick: true,
    },
    {
      name: 'a Service without endpoints blocks an Allow',
      guard: readyEndpoints,
      right: notReady,
      wrong: 'Failed Blocked',
      presumes: 'nothing',
      // Cilium answers for a Service without endpoints, which only pods that compute their own checksums hear.
      elsewhere: { 'cilium-rejecting': { right: notReady, wrong: 'Failed NothingListening' } },
      spring: judged([expectationOf('Allow', client, toService('empty'))]),
      isQuick: true,
    },
    {
      name: 'a closed port refuses',
      guard: refusal,
      right: 'Failed ReachedClosedPort',
      wrong: passed,
      elsewhere: {
        'cilium-rejecting': { right: 'Inconclusive RefusedOrClosed', wrong: passed },
        'ptp-refusing': { right: unproven, wrong: passed },
        ptp: { ...unprovenForWantOfPolicies, wrong: passed },
      },
      spring: judged([deny(to('open', 9))]),
      isQuick: true,
    },
    {
      name: 'a closed port refuses a datagram',
      guard: refusal,
      right: 'Failed ReachedClosedPort',
      wrong: passed,
      elsewhere: {
        'ptp-refusing': { right: unproven, wrong: passed },
        ptp: { ...openForWantOfPolicies, wrong: passed },
      },
      spring: judged([expectationOf('Deny', client, to('open', 9), { protocol: 'UDP', udp: { payload: '00' } })]),
    },
    {
      name: 'a router knows no way to the address',
      guard: {
        file: 'src/verdict/judge.ts',
        search: "return judgeDenial('RejectedUnproven', observation, evidence);",
        replace: "return { verdict: 'Passed', reason: 'Denied' };",
      },
      right: 'Inconclusive RejectedUnproven',
      wrong: passed,
      elsewhere: {
        'cilium-rejecting': { right: unproven, wrong: passed },
        'ptp-refusing': { right: 'Inconclusive RejectedUnproven', wrong: passed },
        ptp: { ...unprovenForWantOfPolicies, wrong: passed },
      },
      spring: judged([deny({ ip: nowhere, port: 8080 })]),
    },
  ],
};

async function clusterAddress({ kubectl, namespace }: Scene, name: string): Promise<string> {
  return await kubectl(`get service ${name} -n ${namespace} -o jsonpath={.spec.clusterIP}`);
}
