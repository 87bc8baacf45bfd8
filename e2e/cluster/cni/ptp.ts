import { run } from '../command.ts';
import { type Cni, type CniTarget, ipv6Subnets, podSubnet } from './cni.ts';
import { installPlugin, pluginOf } from './plugin.ts';

const policyEngine = pluginOf('refused-policies');

/**
 * The reference plugins `ptp` and `host-local` with routes between the nodes, as kind's own network has them. Nothing reads a
 * NetworkPolicy here: the API server accepts each one, and no packet is stopped by any.
 */
export const ptp: Cni = {
  title: 'ptp and routes between the nodes',
  configuration: () => `${configurationOf([], [])}\n${podSubnet}`,
  images: [],
  // As many as the traps need.
  workers: 2,
  workloads: [],
  install: (target) => route(target, []),
};

/** The same with a policy engine that refuses denied connections on either side. */
export const ptpRefusing: Cni = {
  ...ptp,
  title: `${ptp.title}, with policies that refuse`,
  configuration: () => [ptp.configuration(), policyEngine.script, policyReaders()].join('\n'),
  install: async (target) => {
    await installPlugin(target, policyEngine);
    await run(target.kubectl, ['--kubeconfig', target.kubeconfig, 'apply', '-f', '-'], { input: policyReaders() });
    await route(target, [policyEngine.type]);
  },
};

/** Both families of addresses, of which the policy engine knows IPv4 alone: of what IPv6 carries, policies stop nothing. */
export const ptpHalf: Cni = {
  ...ptpRefusing,
  title: `${ptp.title} for both families, with policies that refuse over IPv4`,
  isDualStack: true,
  workers: 1,
};

/** Where a node and its pods are, by family of addresses. */
export interface NodeAddresses {
  readonly name: string;
  readonly families: readonly { readonly address: string; readonly podCidr: string }[];
}

interface NodeList {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly spec: { readonly podCIDRs?: readonly string[] };
    readonly status: { readonly addresses: readonly { readonly type: string; readonly address: string }[] };
  }[];
}

async function route({ kubectl, kubeconfig }: CniTarget, chained: readonly string[]): Promise<void> {
  const nodes = addressesOf(await run(kubectl, ['--kubeconfig', kubeconfig, 'get', 'nodes', '-o', 'json']));
  await Promise.all(
    nodes.map(({ name }) =>
      run('docker', ['exec', '-i', name, 'sh', '-eu'], { input: nodeScript(name, nodes, chained) }),
    ),
  );
}

/**
 * The addresses in a list of nodes as kubectl prints it.
 *
 * @throws Error if a node has none yet.
 */
export function addressesOf(json: string): readonly NodeAddresses[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the API server's own answer
  const { items } = JSON.parse(json) as NodeList;
  return items.map(({ metadata: { name }, spec, status }) => {
    const own = status.addresses.flatMap(({ type, address }) => (type === 'InternalIP' ? [address] : []));
    const families = (spec.podCIDRs ?? []).flatMap((podCidr) => {
      const address = own.find((each) => isIpv6(each) === isIpv6(podCidr));
      return address === undefined ? [] : [{ address, podCidr }];
    });
    if (families.length === 0) throw new Error(`node ${name} has no addresses for pods`);
    return { name, families };
  });
}

/** What a node runs so that its pods get addresses and reach those of the other nodes, and what is outside. */
export function nodeScript(name: string, nodes: readonly NodeAddresses[], chained: readonly string[] = []): string {
  const own = nodes.find((node) => node.name === name)?.families.map(({ podCidr }) => podCidr) ?? [];
  return [
    ...nodes
      .filter((node) => node.name !== name)
      .flatMap(({ families }) => families)
      .map(({ podCidr, address }) => `ip route replace ${podCidr} via ${address}`),
    ...own.map((podCidr) => {
      const [iptables, pods] = isIpv6(podCidr) ? ['ip6tables', ipv6Subnets.pods] : ['iptables', podSubnet];
      return `${iptables} -w -t nat -A POSTROUTING -s ${podCidr} ! -d ${pods} -j MASQUERADE`;
    }),
    // Last, because the node is Ready once it is there.
    `echo '${configurationOf(own, chained)}' >/etc/cni/net.d/10-ptp.conflist`,
    '',
  ].join('\n');
}

function isIpv6(address: string): boolean {
  return address.includes(':');
}

function configurationOf(podCidrs: readonly string[], chained: readonly string[]): string {
  const ipam = {
    type: 'host-local',
    ranges: podCidrs.map((subnet) => [{ subnet }]),
    routes: podCidrs.map((subnet) => ({ dst: isIpv6(subnet) ? '::/0' : '0.0.0.0/0' })),
  };
  const plugins = [{ type: 'ptp', ipam }, ...chained.map((type) => ({ type }))];
  return JSON.stringify({ cniVersion: '1.0.0', name: 'ptp', plugins });
}

/** Kubelets, with whose credentials the plugin asks, read the pods of their node by themselves. */
function policyReaders(): string {
  const name = 'refused-policies';
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const rules = [{ apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'], verbs: ['list'] }];
  const role = { apiVersion, kind: 'ClusterRole', metadata: { name }, rules };
  const binding = {
    apiVersion,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:nodes' }],
  };
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [role, binding] });
}
