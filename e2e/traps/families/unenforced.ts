import { whileLost } from '../broken-network.ts';
import type { Patch } from '../patch.ts';
import { addressOf, closedFor, deployment, expectationOf, judged, onNode, workload } from '../situations.ts';
import type { Family } from '../trap.ts';

const client = deployment('client');
const to = (name: string, port = 8080): object => ({ ...deployment(name), port });

/** Nothing is a policy's doing where no policy is enforced. */
const enforcement: Patch = {
  file: 'src/verdict/judge.ts',
  search: "if (isNothingEnforced(denials)) return 'PolicyNotEnforced';",
  replace: 'if (isNothingEnforced(denials)) return undefined;',
};

/** A cluster whose network plugin knows no policies, and things that look as if it did. */
export const unenforced: Family = {
  name: 'unenforced',
  build: async (scene) => {
    const { namespace, workers } = scene;
    const here = { pod: onNode(workers[0]) };
    await scene.apply(
      workload(namespace, 'client', here),
      workload(namespace, 'other', { pod: onNode(workers[1]) }),
      workload(namespace, 'guarded', here),
      workload(namespace, 'walled', here),
      closedFor(namespace, 'guarded'),
      closedFor(namespace, 'walled'),
    );
    await scene.ready('client', 'other', 'guarded', 'walled');
  },
  presumes: 'no policies',
  traps: [
    {
      name: 'a firewall does what no policy does',
      guard: enforcement,
      right: 'Inconclusive PolicyNotEnforced',
      wrong: 'Passed Denied',
      spring: async (scene) =>
        await whileLost(scene, { node: scene.workers[0], address: await addressOf(scene, 'walled') }, () =>
          judged([
            expectationOf('Deny', client, to('walled')),
            expectationOf('Allow', deployment('other'), to('walled')),
          ])(scene),
        ),
    },
    {
      name: 'a hole is put down to the policies that were written',
      guard: {
        file: 'src/verdict/judge.ts',
        search: 'const isFutile = denials !== undefined && isNothingEnforced(denials);',
        replace: 'const isFutile = false;',
      },
      right: 'Failed PolicyNotEnforced',
      wrong: 'Failed UnexpectedlyReachable',
      spring: judged([expectationOf('Deny', client, to('guarded'))]),
    },
  ],
};
