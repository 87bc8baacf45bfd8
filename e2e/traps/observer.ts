import type { ConnectivityTest, KubeObject, Pod, Status } from '../../src/api/index.ts';
import { systemClock } from '../../src/clock/index.ts';
import { createKubeClient, Reflector, type ResourceType } from '../../src/kube/index.ts';
import { isProbePod } from '../../src/plan/index.ts';
import { waitFor } from '../harness/wait.ts';
import { interruption } from './interruption.ts';

const tests: ResourceType = {
  group: 'postern.dev',
  version: 'v1alpha1',
  plural: 'connectivitytests',
  kind: 'ConnectivityTest',
  namespaced: true,
};
const pods: ResourceType = { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true };

/** Sees every state that tests and probe pods pass through, also those that last for milliseconds only. */
export interface Observer {
  /** Every status that the test has had, oldest first. */
  statusesOf(namespace: string, test: string): readonly Status[];
  /** Waits for a state of a probe pod of the test that the predicate accepts, past ones included. */
  probePod(namespace: string, test: string, accept: (pod: Pod) => boolean, what: string): Promise<Pod>;
  /** Every state of the test's probe pods, oldest first. */
  probePodsOf(namespace: string, test: string): readonly Pod[];
  stop(): Promise<void>;
}

export async function startObserver(kubeconfig: string): Promise<Observer> {
  const client = createKubeClient({ kubeconfigPath: kubeconfig, userAgent: 'postern-traps', requestTimeoutMs: 15_000 });
  const stopping = new AbortController();
  const statuses = new Map<string, Status[]>();
  const states = new Map<string, Pod[]>();
  const log = { debug: () => {}, info: () => {}, warn: () => {} };
  const reflect = <T extends KubeObject>(resource: ResourceType, onChange: (object: T) => void): Reflector<T> =>
    new Reflector<T>({ client, resource, clock: systemClock, log, onChange: ({ object }) => onChange(object) });
  const remember = <T>(into: Map<string, T[]>, key: string, value: T): void => {
    into.set(key, [...(into.get(key) ?? []), value]);
  };
  const reflectors = [
    reflect<ConnectivityTest>(tests, ({ metadata, status }) => {
      if (status !== undefined) remember(statuses, `${metadata.namespace}/${metadata.name}`, status);
    }),
    reflect<Pod>(pods, (pod) => {
      const owner = pod.metadata.ownerReferences?.find(({ kind }) => kind === 'ConnectivityTest');
      if (owner !== undefined && isProbePod(pod)) remember(states, `${pod.metadata.namespace}/${owner.name}`, pod);
    }),
  ] as const;
  const running = Promise.all(reflectors.map((reflector) => reflector.run(stopping.signal)));
  await Promise.all(reflectors.map(({ synced }) => synced));

  const probePodsOf = (namespace: string, test: string): readonly Pod[] => states.get(`${namespace}/${test}`) ?? [];
  return {
    statusesOf: (namespace, test) => statuses.get(`${namespace}/${test}`) ?? [],
    probePodsOf,
    probePod: (namespace, test, accept, what) =>
      waitFor(
        async () => {
          interruption.throwIfAborted();
          return probePodsOf(namespace, test).find(accept);
        },
        {
          what: `a probe pod of ${namespace}/${test} that is ${what}`,
          timeoutMs: 60_000,
          everyMs: 20,
        },
      ),
    stop: async () => {
      stopping.abort();
      await running;
      await client.close();
    },
  };
}
