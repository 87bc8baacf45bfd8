import { setTimeout as delay } from 'node:timers/promises';
import { confirmation, nodeIsHeard } from '../guards.ts';
import { closeGate, gatedSource, holding, openGate } from '../held-run.ts';
import { openForWantOfPolicies } from '../presumption.ts';
import { closedFor, declaring, deployment, expectationOf, podsOf, verdictOtherThan, workload } from '../situations.ts';
import type { Scene } from '../scene.ts';
import type { Family, Trap } from '../trap.ts';

const passed = 'Passed Denied';
const leaks = 'Failed UnexpectedlyReachable';
const delayed = 'Inconclusive EnforcementDelayed';
const client = deployment('client');
const to = (name: string): object => ({ ...deployment(name), port: 8080 });

/** Worlds that change while a probe looks at them, or after it has looked. */
export const change: Family = {
  name: 'change',
  build: async (scene) => {
    const { namespace } = scene;
    await openGate(scene);
    await scene.apply(
      gatedSource(namespace),
      workload(namespace, 'client'),
      workload(namespace, 'closed'),
      closedFor(namespace, 'closed'),
      workload(namespace, 'open'),
      workload(namespace, 'replaced'),
      ...['by-policy', 'by-namespace', 'by-label'].map((app) =>
        workload(namespace, app, app === 'by-label' ? { labels: { guarded: 'yes' } } : {}),
      ),
    );
    await scene.ready('gated', 'client', 'closed', 'open', 'replaced', 'by-policy', 'by-namespace', 'by-label');
  },
  clear: closeGate,
  traps: [
    {
      name: 'a policy is deleted while the probe runs',
      guard: {
        file: 'src/verdict/judge.ts',
        search: "if (disturbed) return inconclusive('EnforcementDelayed');",
        replace: '',
      },
      right: delayed,
      wrong: passed,
      elsewhere: { ptp: { right: delayed } },
      spring: (scene) =>
        duringTwoRuns(scene, expectationOf('Deny', client, to('closed')), {
          act: () => remove(scene, 'networkpolicy close-closed'),
          undo: () => scene.apply(closedFor(scene.namespace, 'closed')),
        }),
      isAlone: true,
    },
    {
      name: 'a policy is applied while the probe runs',
      guard: {
        file: 'src/verdict/judge.ts',
        search: "if (excused) return inconclusive('EnforcementDelayed');\n  // The cause",
        replace: '  // The cause',
      },
      right: delayed,
      wrong: leaks,
      elsewhere: { ptp: { right: delayed, wrong: 'Failed PolicyNotEnforced' } },
      spring: (scene) =>
        duringTwoRuns(scene, expectationOf('Deny', client, to('open')), {
          act: () => scene.apply(closedFor(scene.namespace, 'open')),
          undo: () => remove(scene, 'networkpolicy close-open'),
        }),
      isAlone: true,
    },
    {
      name: 'a connection is admitted while the probe runs',
      guard: {
        file: 'src/verdict/judge.ts',
        search: "if (evidence.disturbed) return inconclusive('EnforcementDelayed');",
        replace: '',
      },
      right: delayed,
      wrong: 'Failed Blocked',
      elsewhere: { ptp: { right: 'Passed Reachable' } },
      spring: (scene) =>
        duringTwoRuns(scene, expectationOf('Allow', client, to('closed')), {
          act: () => remove(scene, 'networkpolicy close-closed'),
          undo: () => scene.apply(closedFor(scene.namespace, 'closed')),
        }),
      isAlone: true,
    },
    {
      name: 'the target is replaced during every run',
      guard: {
        file: 'src/verdict/judge.ts',
        search: "if (!targetStands) return inconclusive('TargetChanged');",
        replace: '',
      },
      // Nobody is heard of a pod that is gone, which would leave the Deny without a control.
      fault: nodeIsHeard,
      right: 'Inconclusive TargetChanged',
      wrong: passed,
      spring: (scene) => whileReplaced(scene, 'Deny'),
      isAlone: true,
    },
    {
      name: 'a rollout replaces the target during every run',
      guard: {
        file: 'src/verdict/judge.ts',
        search: "if (!evidence.targetStands) return inconclusive('TargetChanged');",
        replace: '',
      },
      right: 'Inconclusive TargetChanged',
      wrong: 'Failed Blocked',
      presumes: 'nothing',
      spring: (scene) => whileReplaced(scene, 'Allow'),
      isAlone: true,
    },
    {
      name: 'a policy is deleted after a pass',
      guard: {
        file: 'src/plan/fingerprint.ts',
        search: 'test.metadata.generation, policies, labels, lines, calibration]',
        replace: 'test.metadata.generation, labels, lines, calibration]',
      },
      // It would see by itself that the policy is gone.
      fault: confirmation,
      right: leaks,
      wrong: passed,
      elsewhere: { ptp: openForWantOfPolicies },
      spring: (scene) =>
        afterAPass(scene, 'by-policy', {
          prepare: () => scene.apply(closedFor(scene.namespace, 'by-policy')),
          open: () => remove(scene, 'networkpolicy close-by-policy'),
        }),
    },
    {
      name: 'a label of the namespace opens a policy after a pass',
      guard: {
        file: 'src/plan/fingerprint.ts',
        search: 'test.metadata.generation, policies, labels, lines, calibration]',
        replace: 'test.metadata.generation, policies, lines, calibration]',
      },
      right: leaks,
      wrong: passed,
      elsewhere: { ptp: openForWantOfPolicies },
      spring: async (scene) => {
        const { namespace, kubectl } = scene;
        const doors = [{ namespaceSelector: { matchLabels: { door: 'open' } } }];
        try {
          return await afterAPass(scene, 'by-namespace', {
            prepare: () => scene.apply(closedFor(namespace, 'by-namespace', doors)),
            open: async () => void (await kubectl(`label namespace ${namespace} door=open`)),
          });
        } finally {
          await kubectl(`label namespace ${namespace} door-`);
        }
      },
    },
    {
      name: 'a pod loses the label by which a policy closes it after a pass',
      guard: {
        file: 'src/plan/fingerprint.ts',
        search: 'target.podUids.map((uid) => sorted(pods.get(uid) ?? {})),',
        replace: '',
      },
      right: leaks,
      wrong: passed,
      elsewhere: { ptp: openForWantOfPolicies },
      spring: async (scene) => {
        const { namespace, kubectl } = scene;
        const guarded = { matchLabels: { guarded: 'yes' } };
        try {
          return await afterAPass(scene, 'by-label', {
            prepare: () =>
              scene.apply({
                apiVersion: 'networking.k8s.io/v1',
                kind: 'NetworkPolicy',
                metadata: { name: 'close-guarded', namespace },
                spec: { podSelector: guarded, policyTypes: ['Ingress'] },
              }),
            open: async () => void (await kubectl(`label pod -n ${namespace} -l app=by-label guarded-`)),
          });
        } finally {
          await kubectl(`label pod -n ${namespace} -l app=by-label guarded=yes --overwrite`);
        }
      },
    },
  ],
};

async function remove({ kubectl, namespace }: Scene, what: string): Promise<void> {
  await kubectl(`delete ${what} -n ${namespace} --ignore-not-found`);
}

/**
 * One change is excused by running again, so the second is the one that the verdict must survive: first a policy about nobody,
 * then the change that matters, when the probe has seen what it sees.
 */
async function duringTwoRuns(
  scene: Scene,
  expectation: object,
  { act, undo }: { readonly act: () => Promise<void>; readonly undo: () => Promise<void> },
): Promise<string> {
  try {
    return await holding(
      scene,
      { expectations: [expectation], during: [() => scene.apply(closedFor(scene.namespace, 'nobody')), act] },
      1,
    );
  } finally {
    await remove(scene, 'networkpolicy close-nobody');
    await undo();
  }
}

/** After three runs that were overtaken by changes, verdicts count as they are; then nothing but the target's absence speaks. */
function whileReplaced(scene: Scene, expect: 'Allow' | 'Deny'): Promise<string> {
  const replace = async (): Promise<void> => {
    const [old] = await podsOf(scene, 'replaced');
    await remove(scene, `pod ${old?.metadata.name} --force --grace-period=0`);
    await scene.ready('replaced');
  };
  return holding(
    scene,
    {
      expectations: [expectationOf(expect, deployment('gated'), to('replaced'))],
      during: [replace, replace, replace],
      isHeldItself: true,
    },
    2,
  );
}

/** Waits for a pass, opens the path, and gives the verdict that is shown some seconds later. */
function afterAPass(
  scene: Scene,
  app: string,
  { prepare, open }: { readonly prepare: () => Promise<void>; readonly open: () => Promise<void> },
): ReturnType<Trap['spring']> {
  return (async () => {
    await prepare();
    return await declaring(scene, [expectationOf('Deny', client, to(app))], async (test) => {
      const hasPassed = (): boolean => scene.verdictsOf(test).includes(passed);
      for (let look = 0; look < 120 && !hasPassed(); look += 1) await delay(500);
      if (!hasPassed()) return scene.verdictsOf(test).at(-1) ?? 'no verdict';
      await open();
      // Other traps change the namespace as well, so that a new verdict alone says nothing.
      // And what the network plugin was told may take effect only after the first look.
      return await verdictOtherThan(scene, test, passed, () => (scene.verdictsOf(test).length === 1 ? 45 : 120));
    });
  })();
}
