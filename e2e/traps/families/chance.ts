import { setTimeout as delay } from 'node:timers/promises';
import { whileLost } from '../broken-network.ts';
import { secondLook } from '../guards.ts';
import { openForWantOfPolicies } from '../presumption.ts';
import { addressOf, declaring, deployment, expectationOf, isRunning, judged, onNode, workload } from '../situations.ts';
import type { Scene } from '../scene.ts';
import type { Family } from '../trap.ts';

const client = deployment('client');
const to = (name: string): object => ({ ...deployment(name), port: 8080 });
const leaks = 'Failed UnexpectedlyReachable';
const passed = 'Passed Denied';

/** Networks that lose packets, servers that are late, and things that only seem to answer. */
export const chance: Family = {
  name: 'chance',
  build: async (scene) => {
    const { namespace, workers } = scene;
    await scene.apply(
      workload(namespace, 'client', { pod: onNode(workers[0]) }),
      workload(namespace, 'late', { pod: onNode(workers[1]) }),
      workload(namespace, 'lossy', { pod: onNode(workers[1]) }),
      workload(namespace, 'beside', { pod: onNode(workers[1]) }),
      workload(namespace, 'web'),
      workload(namespace, 'hollow', { readiness: 'none', args: ['tcp-reset', '--port=8080'] }),
    );
    await scene.ready('client', 'late', 'lossy', 'beside', 'web', 'hollow');
  },
  traps: [
    {
      name: 'a target begins to listen late',
      guard: {
        file: 'src/probe/program/probe.sh',
        search: 'is_settled && break',
        replace: 'break',
      },
      right: 'Passed Reachable',
      wrong: 'Failed Blocked',
      presumes: 'nothing',
      spring: (scene) =>
        lostAtFirst(scene, 'late', {
          expectations: [expectationOf('Allow', client, to('late'))],
          healAfterMs: 2_000,
          spec: { settleSeconds: 10 },
        }),
    },
    {
      name: 'the first packets of a Deny get lost',
      guard: secondLook,
      right: leaks,
      wrong: passed,
      elsewhere: { ptp: openForWantOfPolicies },
      spring: (scene) =>
        lostAtFirst(scene, 'lossy', {
          expectations: [expectationOf('Deny', client, to('lossy'))],
          healAfterMs: 2_000,
          spec: { timeoutSeconds: 3 },
        }),
    },
    {
      name: 'another expectation of the same source connects',
      guard: {
        file: 'src/verdict/conclude.ts',
        search: "expected === 'Deny' ? disproofOf(check, stated, proofs) : undefined;",
        replace: 'undefined;',
      },
      // It would see by itself what the other expectation sees.
      fault: secondLook,
      right: leaks,
      wrong: passed,
      elsewhere: { ptp: openForWantOfPolicies },
      spring: (scene) =>
        lostAtFirst(scene, 'beside', {
          expectations: [expectationOf('Deny', client, to('beside')), expectationOf('Allow', client, to('beside'))],
          healAfterMs: 5_000,
          spec: { settleSeconds: 12 },
        }),
    },
    {
      name: 'a proxy accepts every connection',
      guard: {
        file: 'src/probe/program/probe.sh',
        search: 'http*:Cc) request',
        replace: 'http*:Cc) : request',
      },
      right: 'Failed Reset',
      wrong: 'Passed Reachable',
      presumes: 'nothing',
      spring: judged([expectationOf('Allow', client, to('hollow'), { http: { path: '/' } })]),
    },
    {
      name: 'a server answers with an error',
      guard: { file: 'src/probe/program/probe.sh', search: 'outcome=Mh', replace: 'outcome=Ch' },
      right: 'Failed HTTPMismatch',
      wrong: 'Passed Reachable',
      presumes: 'nothing',
      spring: judged([
        expectationOf('Allow', client, to('web'), { http: { path: '/echo?msg=down&code=503', status: [200] } }),
      ]),
    },
  ],
};

interface LostAtFirst {
  readonly expectations: readonly object[];
  readonly healAfterMs: number;
  readonly spec: object;
}

/** Loses what the client sends to a target until some time after the probe has begun. */
async function lostAtFirst(scene: Scene, app: string, { expectations, healAfterMs, spec }: LostAtFirst) {
  const address = await addressOf(scene, app);
  return await whileLost(scene, { node: scene.workers[0], address }, (heal) =>
    declaring(
      scene,
      expectations,
      async (test) => {
        await scene.probePod(test, isRunning, 'running');
        await delay(healAfterMs);
        await heal();
        return await scene.verdict(test);
      },
      spec,
    ),
  );
}
