import type { Pod } from '../../../src/api/index.ts';
import { agnhost } from '../../harness/workloads.ts';
import { openForWantOfPolicies } from '../presumption.ts';
import { podsOf, deployment, expectationOf, judged, service, workload } from '../situations.ts';
import type { Scene } from '../scene.ts';
import type { Family } from '../trap.ts';

const client = deployment('client');
const pair = { ...deployment('pair'), port: 8080 };
const leaks = 'Failed UnexpectedlyReachable';
const passed = 'Passed Denied';

/** Targets of several pods that are not alike. */
export const replicas: Family = {
  name: 'replicas',
  build: async (scene) => {
    const { namespace } = scene;
    await scene.apply(
      workload(namespace, 'client'),
      workload(namespace, 'pair', { replicas: 2 }),
      workload(namespace, 'listed', { replicas: 2 }),
      service(namespace, 'listed', { app: 'listed' }, { clusterIP: 'None' }),
      ...['pair', 'listed'].map((app) => ({
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { name: `close-${app}`, namespace },
        spec: {
          podSelector: {
            matchLabels: { app },
            matchExpressions: [{ key: 'exempt', operator: 'DoesNotExist' }],
          },
          policyTypes: ['Ingress'],
        },
      })),
    );
    // Addresses come with readiness.
    await scene.ready('client', 'pair', 'listed');
    // The one that a prober which stops at the first would not see.
    await exemptLast(scene, 'pair', ({ metadata }) => metadata.name);
    await exemptLast(scene, 'listed', ({ status }) => status?.podIP ?? '');
  },
  elsewhere: { ptp: openForWantOfPolicies },
  traps: [
    {
      name: 'one of two pods is open',
      guard: {
        file: 'src/plan/target.ts',
        search: 'of sample.members) {',
        replace: 'of sample.members.slice(0, 1)) {',
      },
      right: leaks,
      wrong: passed,
      spring: judged([expectationOf('Deny', client, pair)]),
    },
    {
      name: 'one of two endpoints of a headless Service is open',
      guard: {
        file: 'src/plan/target.ts',
        search: 'sample.members.map(',
        replace: 'sample.members.slice(0, 1).map(',
      },
      right: leaks,
      wrong: passed,
      spring: judged([expectationOf('Deny', client, { service: { name: 'listed' }, port: 8080 })]),
    },
    {
      name: 'a pass of one pod outweighs the failure of another',
      guard: {
        file: 'src/verdict/judge.ts',
        search: "['Failed', 'Inconclusive', 'Passed', 'Skipped']",
        replace: "['Passed', 'Failed', 'Inconclusive', 'Skipped']",
      },
      right: leaks,
      wrong: passed,
      spring: judged([expectationOf('Deny', client, pair)]),
    },
    {
      name: 'a pod that is going away no longer listens',
      guard: {
        file: 'src/plan/view.ts',
        search: 'pod.metadata.deletionTimestamp !== undefined || isProbePod(pod)',
        replace: 'isProbePod(pod)',
      },
      right: 'Passed Reachable',
      wrong: 'Failed NothingListening',
      presumes: 'nothing',
      elsewhere: {},
      spring: whileOneGoesAway,
    },
  ],
};

async function exemptLast(scene: Scene, app: string, by: (pod: Pod) => string): Promise<void> {
  const pods = await podsOf(scene, app);
  const last = pods.toSorted((a, b) => (by(a) < by(b) ? -1 : 1)).at(-1);
  await scene.kubectl(`label pod ${last?.metadata.name} -n ${scene.namespace} exempt=yes`);
}

/** A pod that listens no more, and takes its time to end: the middle of a rollout. */
async function whileOneGoesAway(scene: Scene): Promise<string> {
  const { namespace, kubectl } = scene;
  const labels = { team: 'leaving' };
  const container = (args: readonly string[], lifecycle: object = {}): object => ({
    terminationGracePeriodSeconds: 40,
    containers: [{ name: 'server', image: agnhost, args, ...lifecycle }],
  });
  const pod = (name: string, args: readonly string[], lifecycle: object = {}): object => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels },
    spec: container(args, lifecycle),
  });
  await scene.apply(
    pod('staying', ['netexec', '--http-port=8080']),
    // It serves another port only, and its end waits for a hook.
    pod('leaving', ['netexec', '--http-port=8081'], { lifecycle: { preStop: { sleep: { seconds: 35 } } } }),
  );
  await kubectl(`wait pod/staying pod/leaving -n ${namespace} --for=condition=Ready --timeout=60s`);
  await kubectl(`delete pod leaving -n ${namespace} --wait=false`);
  try {
    return await judged([expectationOf('Allow', client, { pods: { matchLabels: labels }, port: 8080 })])(scene);
  } finally {
    await kubectl(`delete pod staying leaving -n ${namespace} --ignore-not-found --force --grace-period=0`);
  }
}
