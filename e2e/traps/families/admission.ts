import { waitFor } from '../../harness/wait.ts';
import { silenceOfTheProbe } from '../guards.ts';
import { deployment, expectationOf, judged, workload } from '../situations.ts';
import type { Scene } from '../scene.ts';
import type { Family, Trap } from '../trap.ts';

const denyOpen = expectationOf('Deny', deployment('client'), { ...deployment('open'), port: 8080 });
const passed = 'Passed Denied';

/** A client, and a target that nothing closes, in a namespace that has no room for more. */
function crampedFamily(name: string, limits: (namespace: string) => object, trap: Trap): Family {
  return {
    name,
    build: async (scene) => {
      const { namespace } = scene;
      await scene.apply(workload(namespace, 'client'), workload(namespace, 'open'));
      await scene.ready('client', 'open');
      await scene.apply(limits(namespace));
    },
    traps: [trap],
  };
}

export const quota = crampedFamily(
  'quota',
  (namespace) => ({
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'full', namespace },
    spec: { hard: { pods: '2' } },
  }),
  {
    name: 'the quota leaves no room for a probe pod',
    guard: silenceOfTheProbe,
    right: 'Inconclusive QuotaExceeded',
    wrong: passed,
    spring: async (scene) => {
      const full = '--for=jsonpath={.status.used.pods}=2 resourcequota/full';
      await scene.kubectl(`wait ${full} -n ${scene.namespace} --timeout=30s`);
      return await judged([denyOpen])(scene);
    },
  },
);

export const limits = crampedFamily(
  'limits',
  (namespace) => ({
    apiVersion: 'v1',
    kind: 'LimitRange',
    metadata: { name: 'tiny', namespace },
    spec: { limits: [{ type: 'Container', max: { cpu: '20m' } }] },
  }),
  {
    name: 'admission refuses the probe pod',
    guard: silenceOfTheProbe,
    right: 'Inconclusive ProbeRejected',
    wrong: passed,
    spring: judged([denyOpen]),
  },
);

export const rights: Family = {
  name: 'rights',
  build: async (scene) => {
    const { namespace } = scene;
    await scene.apply(workload(namespace, 'client'), workload(namespace, 'open'));
    await scene.ready('client', 'open');
  },
  traps: [
    {
      name: 'the operator loses its right to create pods',
      guard: silenceOfTheProbe,
      right: 'Inconclusive ProbeRejected',
      wrong: passed,
      spring: (scene) => withoutPodCreation(scene, () => judged([denyOpen])(scene)),
      isAlone: true,
    },
  ],
};

interface ClusterRole {
  readonly rules: readonly { readonly resources?: readonly string[]; readonly verbs: readonly string[] }[];
}

async function withoutPodCreation<T>({ kubectl }: Scene, work: () => Promise<T>): Promise<T> {
  const role = await kubectl.json<ClusterRole>('get clusterrole postern');
  const setRules = async (rules: ClusterRole['rules']): Promise<void> => {
    const patch = JSON.stringify([{ op: 'replace', path: '/rules', value: rules }]);
    await kubectl(`patch clusterrole postern --type=json -p ${patch}`);
  };
  const mayCreate = async (): Promise<boolean> => {
    const answer = await kubectl.attempt('auth can-i create pods --as=system:serviceaccount:postern:postern');
    return answer.stdout.trim() === 'yes';
  };
  await setRules(
    role.rules.map((rule) =>
      rule.resources?.includes('pods') === true
        ? { ...rule, verbs: rule.verbs.filter((verb) => verb !== 'create') }
        : rule,
    ),
  );
  try {
    await waitFor(async () => !(await mayCreate()), { what: 'the right to be gone', timeoutMs: 20_000 });
    return await work();
  } finally {
    await setRules(role.rules);
    await waitFor(mayCreate, { what: 'the right to be back', timeoutMs: 20_000 });
  }
}
