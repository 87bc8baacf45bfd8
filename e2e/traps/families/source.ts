import { waitFor } from '../../harness/wait.ts';
import { whileCutOff, whileParted } from '../broken-network.ts';
import { crossing, sourceControl, unresolvedName } from '../guards.ts';
import { openForWantOfPolicies, unprovenForWantOfPolicies } from '../presumption.ts';
import type { Scene } from '../scene.ts';
import { deployment, expectationOf, judged, onNode, service, workload } from '../situations.ts';
import type { Family, Trap } from '../trap.ts';

const passed = 'Passed Denied';
const open = { ...deployment('open'), port: 8080 };

/** Sources that cannot send, or cannot look up a name. */
export const source: Family = {
  name: 'source',
  build: async (scene) => {
    const { namespace } = scene;
    const { lonely, busy } = nodesByDns(scene);
    await keepingDnsAway(scene, async () => {
      const there = `--field-selector=spec.nodeName=${lonely}`;
      await scene.kubectl(`delete pods -n kube-system -l k8s-app=kube-dns ${there}`);
    });
    await scene.apply(
      workload(namespace, 'client', { pod: onNode(lonely) }),
      workload(namespace, 'far', { pod: onNode(busy) }),
      workload(namespace, 'open', { pod: onNode(busy) }),
      workload(namespace, 'beyond', { pod: onNode(lonely) }),
      service(namespace, 'open', { app: 'open' }),
      workload(namespace, 'mute', { readiness: 'none' }),
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { name: 'no-dns', namespace },
        spec: {
          podSelector: { matchLabels: { app: 'mute' } },
          policyTypes: ['Egress'],
          egress: [{ ports: [{ protocol: 'TCP', port: 8080 }] }],
        },
      },
    );
    await scene.ready('client', 'far', 'open', 'beyond', 'mute');
  },
  traps: [
    {
      name: "the source's node is cut off",
      guard: sourceControl,
      right: 'Inconclusive NoSourceControl',
      wrong: passed,
      // Nor would the way to the target be seen to be whole.
      fault: crossing,
      elsewhere: { ptp: unprovenForWantOfPolicies },
      spring: cutOff([expectationOf('Deny', deployment('client'), open)]),
      isAlone: true,
    },
    {
      name: "a silent resolver vouches for the source's network",
      guard: {
        file: 'src/probe/program/probe.sh',
        search: '*) echo "resolver N" ;;',
        replace: '*) echo "resolver A" ;;',
      },
      right: 'Inconclusive NoSourceControl',
      wrong: passed,
      // Nor would the way to the target be seen to be whole.
      fault: crossing,
      elsewhere: { ptp: unprovenForWantOfPolicies },
      spring: cutOff([expectationOf('Deny', deployment('client'), open)]),
      isAlone: true,
    },
    {
      name: 'only a source on another node can send',
      guard: {
        file: 'src/verdict/control.ts',
        search: 'other.node === probe.node &&',
        replace: '',
      },
      right: 'Inconclusive NoSourceControl',
      wrong: passed,
      // Nor would the way to the target be seen to be whole.
      fault: crossing,
      elsewhere: { ptp: unprovenForWantOfPolicies },
      spring: cutOff([
        expectationOf('Deny', deployment('client'), open),
        expectationOf('Allow', deployment('far'), open),
      ]),
      isAlone: true,
    },
    {
      name: 'the path between two nodes is broken',
      guard: crossing,
      right: 'Inconclusive NoPathControl',
      wrong: passed,
      elsewhere: { ptp: unprovenForWantOfPolicies },
      // DNS is answered on the source's own node, and the target is Ready by the word of its own.
      spring: parted([expectationOf('Deny', deployment('far'), { ...deployment('beyond'), port: 8080 })]),
      isAlone: true,
    },
    {
      name: 'the path between two nodes is broken in one direction',
      guard: {
        file: 'src/verdict/crossing.ts',
        search: '({ to }) => !probes.some((other) => other.node === node && hasCrossed(other, protocol, to, endsOf)),',
        replace:
          '({ to }) => !probes.some((other) => hasCrossed(other, protocol, other.node === node ? to : node, endsOf)),',
      },
      right: 'Inconclusive NoPathControl',
      wrong: passed,
      elsewhere: { ptp: unprovenForWantOfPolicies },
      spring: parted([
        expectationOf('Deny', deployment('far'), { ...deployment('beyond'), port: 8080 }),
        expectationOf('Allow', deployment('client'), open),
      ]),
      isAlone: true,
    },
    {
      name: 'a policy forgot DNS',
      guard: unresolvedName,
      right: 'Inconclusive NameNotResolved',
      wrong: passed,
      elsewhere: { ptp: openForWantOfPolicies },
      spring: (scene) =>
        judged([
          expectationOf('Deny', deployment('mute'), { host: `open.${scene.namespace}.svc.cluster.local`, port: 8080 }),
        ])(scene),
    },
    {
      name: 'the name does not exist',
      guard: unresolvedName,
      right: 'Inconclusive NameNotResolved',
      wrong: passed,
      presumes: 'nothing',
      spring: judged([expectationOf('Deny', deployment('client'), { host: 'nowhere.invalid', port: 8080 })]),
    },
    {
      name: 'the DNS server is gone',
      guard: unresolvedName,
      right: 'Inconclusive NameNotResolved',
      wrong: passed,
      presumes: 'nothing',
      spring: withoutDns((scene) =>
        judged([
          expectationOf('Deny', deployment('client'), {
            host: `open.${scene.namespace}.svc.cluster.local`,
            port: 8080,
          }),
        ])(scene),
      ),
      isAlone: true,
    },
    {
      name: 'a name leads back into the probe pod',
      guard: {
        file: 'src/probe/program/probe.sh',
        search: 'is_forbidden "$address" && outcome=Fd',
        replace: 'false && outcome=Fd',
      },
      right: 'Inconclusive AddressNotAllowed',
      wrong: 'Failed NothingListening',
      presumes: 'nothing',
      // The kubelet writes this name of ::1 into every pod's hosts file.
      spring: judged([expectationOf('Allow', deployment('client'), { host: 'ip6-localhost', port: 8080 })]),
    },
  ],
};

/** The node that DNS is asked from over the network, and the one where its servers are. */
function nodesByDns({ workers: [busy, lonely] }: Scene): { readonly lonely: string; readonly busy: string } {
  return { lonely, busy };
}

/** Sees to it that no DNS server runs on the lonely node, whatever starts some anew. */
async function keepingDnsAway({ kubectl, ...scene }: Scene, restart: () => Promise<void>): Promise<void> {
  const { lonely } = nodesByDns({ kubectl, ...scene });
  await kubectl(`cordon ${lonely}`);
  try {
    await restart();
    await kubectl('rollout status deployment/coredns -n kube-system --timeout=90s');
  } finally {
    await kubectl(`uncordon ${lonely}`);
  }
}

function cutOff(expectations: readonly object[]): Trap['spring'] {
  return async (scene) => {
    const { lonely } = nodesByDns(scene);
    return await whileCutOff(scene, { node: lonely, what: 'pods' }, () => judged(expectations)(scene));
  };
}

/** What new connections of the busy node send to pods of the lonely one gets lost; answers to it do not. */
function parted(expectations: readonly object[]): Trap['spring'] {
  return async (scene) => {
    const { lonely, busy } = nodesByDns(scene);
    return await whileParted(scene, { from: busy, to: lonely }, () => judged(expectations)(scene));
  };
}

function withoutDns(spring: Trap['spring']): Trap['spring'] {
  return async (scene) => {
    const scale = async (replicas: number): Promise<void> => {
      await scene.kubectl(`scale deployment coredns -n kube-system --replicas=${replicas}`);
      await waitFor(
        async () => {
          const ready = await scene.kubectl(
            'get deployment coredns -n kube-system -o jsonpath={.status.readyReplicas}',
          );
          const left = await scene.kubectl('get pods -n kube-system -l k8s-app=kube-dns -o name');
          return replicas === 0 ? left.trim() === '' : Number(ready) === replicas;
        },
        { what: `${replicas} DNS servers`, timeoutMs: 90_000 },
      );
    };
    await scale(0);
    try {
      return await spring(scene);
    } finally {
      await keepingDnsAway(scene, () => scale(2));
    }
  };
}
