import { whileLost } from '../broken-network.ts';
import { confirmation } from '../guards.ts';
import { openForWantOfPolicies } from '../presumption.ts';
import {
  addressOf,
  closedFor,
  declaring,
  deployment,
  expectationOf,
  onNode,
  verdictOtherThan,
  workload,
} from '../situations.ts';
import type { Family } from '../trap.ts';

const client = deployment('client');
const to = (name: string): object => ({ ...deployment(name), port: 8080 });

/** Machines whose clock somebody sets. */
export const clock: Family = {
  name: 'clock',
  build: async (scene) => {
    const { namespace, workers } = scene;
    await scene.apply(
      workload(namespace, 'client', { pod: onNode(workers[0]) }),
      // Beside the client: waiting for a path to be shown, the test would be looked at all the time.
      workload(namespace, 'closed', { pod: onNode(workers[0]) }),
      workload(namespace, 'cut', { pod: onNode(workers[1]) }),
    );
    await scene.ready('client', 'closed', 'cut');
  },
  traps: [
    {
      name: 'the clock is set ahead, and a policy is deleted',
      guard: {
        file: 'src/workqueue/work-queue.ts',
        search: 'const due = this.#clock.monotonic() + ms;',
        replace: 'const due = this.#clock.now() + ms;',
      },
      // It would be due by the wall clock, whatever the queue waits for.
      fault: confirmation,
      right: 'Failed UnexpectedlyReachable',
      wrong: 'Passed Denied',
      elsewhere: { ptp: openForWantOfPolicies },
      environment: { TRAP_CLOCK_JUMP_SECONDS: '3600' },
      spring: async (scene) => {
        const { namespace, kubectl } = scene;
        await scene.apply(closedFor(namespace, 'closed'));
        return await declaring(scene, [expectationOf('Deny', client, to('closed'))], async (test) => {
          await scene.verdict(test);
          scene.operator().signal('SIGUSR2');
          await kubectl(`delete networkpolicy close-closed -n ${namespace}`);
          return await verdictOtherThan(scene, test, 'Passed Denied');
        });
      },
      isAlone: true,
    },
    {
      name: 'the clock is set back, and the path breaks',
      guard: {
        file: 'src/schedule/index.ts',
        search: 'const isEarly = completedAt <= now && now < nextAt;',
        replace: 'const isEarly = now < nextAt;',
      },
      right: 'Failed Blocked',
      wrong: 'Passed Reachable',
      presumes: 'nothing',
      // Not so far that the calibration is no longer valid: that alone would start a run.
      environment: { TRAP_CLOCK_JUMP_SECONDS: '-3600' },
      spring: async (scene) => {
        const address = await addressOf(scene, 'cut');
        return await declaring(
          scene,
          [expectationOf('Allow', client, to('cut'))],
          async (test) => {
            await scene.verdict(test);
            scene.operator().signal('SIGUSR2');
            return await whileLost(scene, { node: scene.workers[0], address }, () =>
              verdictOtherThan(scene, test, 'Passed Reachable'),
            );
          },
          { periodSeconds: 10 },
        );
      },
      isAlone: true,
    },
  ],
};
