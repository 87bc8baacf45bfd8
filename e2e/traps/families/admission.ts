import { setTimeout as delay } from 'node:timers/promises';
import type { Pod } from '../../../src/api/index.ts';
import { waitFor } from '../../harness/wait.ts';
import { silenceOfTheProbe } from '../guards.ts';
import { openForWantOfPolicies } from '../presumption.ts';
import { closedFor, declaring, deployment, expectationOf, hasEnded, judged, workload } from '../situations.ts';
import type { Scene } from '../scene.ts';
import type { Family, Trap } from '../trap.ts';

const client = deployment('client');
const denyOpen = expectationOf('Deny', client, { ...deployment('open'), port: 8080 });
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
    presumes: 'nothing',
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
    await scene.apply(
      workload(namespace, 'client'),
      workload(namespace, 'open'),
      workload(namespace, 'closed'),
      closedFor(namespace, 'closed'),
    );
    await scene.ready('client', 'open', 'closed');
  },
  presumes: 'nothing',
  traps: [
    {
      name: 'the operator loses its right to create pods',
      guard: silenceOfTheProbe,
      right: 'Inconclusive ProbeRejected',
      wrong: passed,
      spring: (scene) => withoutRight(scene, createPods, () => judged([denyOpen])(scene)),
      isAlone: true,
    },
    {
      name: 'the operator loses its right to write statuses during a run',
      guard: {
        file: 'src/controller/reconciler.ts',
        search: "if (!isKubeError(error, 'NotFound')) throw error;",
        replace: '',
      },
      right: 'Failed UnexpectedlyReachable',
      wrong: passed,
      spring: duringWhichNothingIsWritten,
      presumes: 'silence',
      elsewhere: { ptp: openForWantOfPolicies },
      isAlone: true,
    },
  ],
};

interface ClusterRole {
  readonly rules: readonly { readonly resources?: readonly string[]; readonly verbs: readonly string[] }[];
}

interface Right {
  readonly verb: string;
  readonly resource: string;
  /** How `kubectl auth can-i` names the resource. */
  readonly question: string;
}

const createPods: Right = { verb: 'create', resource: 'pods', question: 'create pods' };
const writeStatuses: Right = {
  verb: 'patch',
  resource: 'connectivitytests/status',
  question: 'patch connectivitytests.postern.dev --subresource=status',
};

async function withoutRight<T>({ kubectl }: Scene, right: Right, work: () => Promise<T>): Promise<T> {
  const role = await kubectl.json<ClusterRole>('get clusterrole postern');
  const setRules = async (rules: ClusterRole['rules']): Promise<void> => {
    const patch = JSON.stringify([{ op: 'replace', path: '/rules', value: rules }]);
    await kubectl(`patch clusterrole postern --type=json -p ${patch}`);
  };
  const isGranted = async (): Promise<boolean> => {
    const answer = await kubectl.attempt(`auth can-i ${right.question} --as=system:serviceaccount:postern:postern`);
    return answer.stdout.trim() === 'yes';
  };
  await setRules(
    role.rules.map((rule) =>
      rule.resources?.includes(right.resource) === true
        ? { ...rule, verbs: rule.verbs.filter((verb) => verb !== right.verb) }
        : rule,
    ),
  );
  try {
    await waitFor(async () => !(await isGranted()), { what: 'the right to be gone', timeoutMs: 20_000 });
    return await work();
  } finally {
    await setRules(role.rules);
    await waitFor(isGranted, { what: 'the right to be back', timeoutMs: 20_000 });
  }
}

/** A pass; then a policy goes, which the operator sees on the wire but cannot say for some seconds. */
async function duringWhichNothingIsWritten(scene: Scene): Promise<string> {
  const { namespace, kubectl } = scene;
  const deny = expectationOf('Deny', client, { ...deployment('closed'), port: 8080 });
  const watch = async (test: string): Promise<string> => {
    await scene.verdict(test);
    const [before] = scene.observer.probePodsOf(namespace, test);
    await withoutRight(scene, writeStatuses, async () => {
      await kubectl(`delete networkpolicy close-closed -n ${namespace}`);
      const isNewAndOver = (pod: Pod): boolean => pod.metadata.uid !== before?.metadata.uid && hasEnded(pod);
      await scene.probePod(test, isNewAndOver, 'over, without its verdict being written');
      await delay(2_000);
    });
    // Sooner than the second look after the change would set it right.
    for (let look = 0; look < 24 && scene.verdictsOf(test).at(-1) === passed; look += 1) await delay(500);
    return scene.verdictsOf(test).at(-1) ?? 'nothing';
  };
  try {
    return await declaring(scene, [deny], watch);
  } finally {
    await scene.apply(closedFor(namespace, 'closed'));
  }
}
