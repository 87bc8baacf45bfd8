import type { Pod } from '../../../src/api/index.ts';
import { attempt } from '../../cluster/command.ts';
import { silenceOfTheProbe, toolFailure } from '../guards.ts';
import type { Patch } from '../patch.ts';
import { type Elsewhere, openForWantOfPolicies } from '../presumption.ts';
import { closedFor, declaring, deployment, expectationOf, isRunning, judged, workload } from '../situations.ts';
import type { Scene } from '../scene.ts';
import type { Family, Trap } from '../trap.ts';

const passed = 'Passed Denied';
const lost = 'Inconclusive ProbeLost';
const client = deployment('client');
const to = (name: string, port = 8080): object => ({ ...deployment(name), port });
/** Nothing closes this target: whatever makes this Deny pass is no policy. */
const denyOpen = expectationOf('Deny', client, to('open'));
/** Keeps the probe pod busy until it has settled, on any cluster: nothing listens there. */
const slow = expectationOf('Allow', client, to('open', 9));
/** Silence that nobody heard would not pass there either. */
const lostAnyway: Elsewhere = { ptp: { right: lost }, 'ptp-refusing': { right: lost } };
const program = 'src/probe/program/probe.sh';
const toMessage = '  >"${POSTERN_RESULT_FILE:-/dev/termination-log}"';

/** Probes that never say what they saw, or not all of it. */
export const probe: Family = {
  name: 'probe',
  build: async (scene) => {
    const { namespace } = scene;
    await scene.apply(
      workload(namespace, 'client'),
      workload(namespace, 'homeless', { pod: { nodeSelector: { 'trap.postern.dev/no-such-node': 'yes' } } }),
      workload(namespace, 'open'),
      workload(namespace, 'closed'),
      closedFor(namespace, 'closed'),
    );
    await scene.ready('client', 'open', 'closed');
  },
  presumes: 'nothing',
  traps: [
    {
      name: 'the probe pod is deleted before it has a node',
      guard: silenceOfTheProbe,
      right: lost,
      wrong: passed,
      spring: (scene) =>
        declaring(scene, [expectationOf('Deny', deployment('homeless'), to('open'))], async (test) => {
          const pod = await scene.probePod(test, () => true, 'there');
          await removePod(scene, pod);
          return await scene.verdict(test);
        }),
    },
    {
      name: 'no node takes the probe pod',
      guard: silenceOfTheProbe,
      right: 'Inconclusive ProbeUnschedulable',
      wrong: passed,
      spring: judged([expectationOf('Deny', deployment('homeless'), to('open'))], {
        timeoutSeconds: 1,
        settleSeconds: 0,
      }),
    },
    {
      name: 'the probe pod is deleted while it runs',
      guard: silenceOfTheProbe,
      right: lost,
      wrong: passed,
      spring: whileItRuns(removePod),
    },
    {
      name: "the probe's process is killed",
      guard: silenceOfTheProbe,
      right: lost,
      wrong: passed,
      spring: whileItRuns(killContainer),
      isQuick: true,
    },
    {
      name: 'the result lost its head',
      guard: silenceOfTheProbe,
      right: lost,
      wrong: passed,
      fault: { file: program, search: toMessage, replace: toMessage.replace('>', '| tail -c 30 >') },
      spring: judged([denyOpen]),
    },
    {
      name: 'the result lost its end',
      guard: silenceOfTheProbe,
      right: lost,
      wrong: passed,
      fault: { file: program, search: toMessage, replace: toMessage.replace('>', '| head -c 40 >') },
      spring: judged([denyOpen]),
    },
    {
      name: 'the result lost a line in its middle',
      guard: {
        file: 'src/probe/result.ts',
        search: 'return observations.size === expected.size ?',
        replace: `for (const id of expected.difference(new Set(observations.keys()))) {
    observations.set(id, { outcome: 'TimedOut', stage: 'connect', firstOutcome: 'TimedOut', attempts: 2, elapsedMs: 0 });
  }
  return observations.size === expected.size ?`,
      },
      right: lost,
      wrong: passed,
      presumes: 'silence',
      elsewhere: lostAnyway,
      fault: {
        file: program,
        search: `    results="$results$line
"`,
        replace: '    results=',
      },
      spring: judged([denyOpen]),
    },
    {
      name: "the probe's tool is missing",
      guard: toolFailure,
      right: lost,
      wrong: passed,
      presumes: 'silence',
      elsewhere: lostAnyway,
      fault: { file: program, search: 'nc -n -z -v', replace: 'nc-that-is-missing -n -z -v' },
      spring: judged([denyOpen]),
    },
    {
      name: "the probe's tool is killed",
      guard: toolFailure,
      right: lost,
      wrong: passed,
      presumes: 'silence',
      elsewhere: { ptp: openForWantOfPolicies },
      spring: killedTool,
    },
    {
      name: "the probe's image is missing",
      guard: silenceOfTheProbe,
      right: 'Inconclusive ProbeImageUnavailable',
      wrong: passed,
      environment: { POSTERN_PROBE_IMAGE: 'postern/no-such-probe:1', POSTERN_PROBE_IMAGE_PULL_POLICY: 'Never' },
      spring: judged([denyOpen]),
    },
  ] satisfies readonly (Trap & { fault?: Patch })[],
};

/** Does something to a probe pod that has begun to run and will not end for a while. */
function whileItRuns(act: (scene: Scene, pod: Pod, test: string) => Promise<void>): Trap['spring'] {
  return (scene) =>
    declaring(
      scene,
      [denyOpen, slow],
      async (test) => {
        const pod = await scene.probePod(test, isRunning, 'running');
        await act(scene, pod, test);
        return await scene.verdict(test);
      },
      // Long enough for whatever is done meanwhile, even on a busy machine.
      { settleSeconds: 30 },
    );
}

async function removePod({ kubectl, namespace }: Scene, { metadata }: Pod): Promise<void> {
  await kubectl(`delete pod ${metadata.name} -n ${namespace} --force --grace-period=0 --ignore-not-found`);
}

async function killContainer(scene: Scene, { spec, status }: Pod): Promise<void> {
  const [container] = status?.containerStatuses ?? [];
  if (container === undefined || !('containerID' in container)) throw new Error('the probe has no container');
  const id = String(container.containerID).replace('containerd://', '');
  await scene.onNode(spec.nodeName ?? '', 'ctr', '-n', 'k8s.io', 'task', 'kill', '--signal', 'SIGKILL', id);
}

/** Kills the first attempt of a Deny in the middle of its silence; the second is left alone. */
function killedTool(scene: Scene): Promise<string> {
  const timeoutSeconds = 7;
  return declaring(
    scene,
    [expectationOf('Deny', client, to('closed'))],
    async (test) => {
      const { spec } = await scene.probePod(test, isRunning, 'running');
      // No other trap has this timeout.
      await attempt('docker', [
        'exec',
        spec.nodeName ?? '',
        'pkill',
        '-KILL',
        '-f',
        `nc -n -z -v -w ${timeoutSeconds} `,
      ]);
      return await scene.verdict(test);
    },
    { timeoutSeconds },
  );
}
