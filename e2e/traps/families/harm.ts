import { setTimeout as delay } from 'node:timers/promises';
import type { EndpointSlice, Pod } from '../../../src/api/index.ts';
import { agnhost } from '../../harness/workloads.ts';
import { targetControl } from '../guards.ts';
import {
  closedFor,
  declaring,
  deployment,
  expectationOf,
  isRunning,
  podsOf,
  service,
  workload,
} from '../situations.ts';
import type { Scene } from '../scene.ts';
import type { Family } from '../trap.ts';

const closed = { ...deployment('closed'), port: 8080 };
/** Keeps a probe pod of the source busy until it has settled, on any cluster: nothing listens there. */
const slow = (from: object): object => expectationOf('Allow', from, { ...deployment('closed'), port: 9 });
const slowly = { settleSeconds: 8 };

/** Probe pods that would harm the application they look like. */
export const harm: Family = {
  name: 'harm',
  build: async (scene) => {
    const { namespace } = scene;
    const labels = { app: 'bare' };
    await scene.apply(
      workload(namespace, 'client'),
      service(namespace, 'client', { app: 'client' }),
      workload(namespace, 'published'),
      service(namespace, 'published', { app: 'published' }, { clusterIP: 'None', publishNotReadyAddresses: true }),
      workload(namespace, 'closed'),
      workload(namespace, 'dead', { port: 8081, readiness: 'none' }),
      closedFor(namespace, 'closed'),
      closedFor(namespace, 'dead'),
      {
        apiVersion: 'apps/v1',
        kind: 'ReplicaSet',
        metadata: { name: 'bare', namespace },
        spec: {
          replicas: 1,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: {
              terminationGracePeriodSeconds: 1,
              containers: [{ name: 'server', image: agnhost, args: ['pause'] }],
            },
          },
        },
      },
    );
    await scene.ready('client', 'published', 'closed', 'dead');
  },
  presumes: 'nothing',
  traps: [
    {
      name: 'a Service sends its traffic to the probe pod',
      guard: {
        file: 'src/runner/manifest.ts',
        search: 'readinessGates: [{ conditionType: `${group}/never-ready` }],',
        replace: '',
      },
      right: 'no endpoint',
      wrong: 'an endpoint of client',
      spring: (scene) => whetherPublished(scene, 'client'),
    },
    {
      name: 'a Service that publishes unready pods sends its traffic to the probe pod',
      guard: {
        file: 'src/plan/plan.ts',
        search: 'if (publisher !== undefined) {',
        replace: 'if (publisher === probeLabel.key) {',
      },
      right: 'no endpoint',
      wrong: 'an endpoint of published',
      spring: (scene) => whetherPublished(scene, 'published'),
    },
    {
      name: 'a ReplicaSet takes the probe pod for its own',
      guard: { file: 'src/runner/manifest.ts', search: 'controller: true,', replace: '' },
      right: 'left alone',
      wrong: 'adopted',
      spring: whetherAdopted,
    },
    {
      name: 'the probe pod holds a token of the service account',
      guard: {
        file: 'src/runner/manifest.ts',
        search: 'automountServiceAccountToken: false,',
        replace: '',
      },
      right: 'no token',
      wrong: 'a token',
      spring: (scene) =>
        declaring(scene, [expectationOf('Deny', deployment('client'), closed)], async (test) => {
          const pod = await scene.probePod(test, () => true, 'there');
          await scene.verdict(test);
          return JSON.stringify(pod.spec).includes('serviceAccountToken') ? 'a token' : 'no token';
        }),
    },
    {
      name: 'a gate opens on what nobody has proved',
      guard: {
        file: 'src/verdict/status.ts',
        search: "status: verdict === 'Inconclusive' ? 'False' : status, reason, message },",
        replace: "status: verdict === 'Failed' ? 'False' : 'True', reason, message },",
      },
      right: 'Ready False',
      wrong: 'Ready True',
      spring: (scene) => readiness(scene, { ...deployment('dead'), port: 8080 }),
    },
    {
      name: 'a gate opens on a target that answers nobody',
      guard: targetControl,
      right: 'Ready False',
      wrong: 'Ready True',
      presumes: 'silence',
      elsewhere: { ptp: { right: 'Ready False' }, 'ptp-refusing': { right: 'Ready False' } },
      spring: (scene) => readiness(scene, { ...deployment('dead'), port: 8080 }),
    },
  ],
};

async function readiness(scene: Scene, target: object): Promise<string> {
  return await declaring(scene, [expectationOf('Deny', deployment('client'), target)], async (test) => {
    await scene.verdict(test);
    const path = "-o jsonpath={.status.conditions[?(@.type=='Ready')].status}";
    return `Ready ${await scene.kubectl(`get connectivitytest ${test} -n ${scene.namespace} ${path}`)}`;
  });
}

/** Looks at a Service's endpoints from before a run until after it. */
async function whetherPublished(scene: Scene, app: string): Promise<string> {
  const { kubectl, namespace } = scene;
  const own = new Set((await podsOf(scene, app)).map(({ metadata }) => metadata.uid));
  const expectation = expectationOf('Deny', deployment(app), closed);
  return await declaring(
    scene,
    [expectation, slow(deployment(app))],
    async (test) => {
      while (scene.verdictsOf(test).length === 0) {
        const slices = await kubectl.json<{ items: readonly EndpointSlice[] }>(
          `get endpointslices -n ${namespace} -l kubernetes.io/service-name=${app}`,
        );
        const strangers = slices.items
          .flatMap(({ endpoints }) => endpoints ?? [])
          .filter(({ conditions, targetRef }) => conditions?.ready === true && !own.has(targetRef?.uid));
        if (strangers.length > 0) return `an endpoint of ${app}`;
        await delay(250);
      }
      return 'no endpoint';
    },
    slowly,
  );
}

async function whetherAdopted(scene: Scene): Promise<string> {
  const source = { pods: { matchLabels: { app: 'bare' } } };
  return await declaring(
    scene,
    [expectationOf('Deny', source, closed), slow(source)],
    async (test) => {
      const pod = await scene.probePod(test, isRunning, 'running');
      await scene.verdict(test);
      const states = scene.observer.probePodsOf(scene.namespace, test);
      const isAdopted = ({ metadata }: Pod): boolean =>
        metadata.uid === pod.metadata.uid &&
        metadata.ownerReferences?.some(({ kind }) => kind === 'ReplicaSet') === true;
      return states.some(isAdopted) ? 'adopted' : 'left alone';
    },
    slowly,
  );
}
