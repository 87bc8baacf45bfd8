import { currentCluster, ensureProjectImages, type OutsideServer, startOutsideServer } from '../cluster/index.ts';
import { networkPolicy, podSpec, server, udpPort } from '../harness/workloads.ts';
import { createWorld, type World } from '../harness/world.ts';

/** Servers outside of the cluster, with their IPv6 addresses. */
export interface Outside {
  readonly closed: Required<OutsideServer>;
  readonly open: Required<OutsideServer>;
  stop(): Promise<void>;
}

export async function startOutside(): Promise<Outside> {
  const start = async (): Promise<Required<OutsideServer>> => {
    const { ipv6Address, ...rest } = await startOutsideServer(currentCluster());
    if (ipv6Address === undefined) throw new Error('The server outside has no IPv6 address');
    return { ...rest, ipv6Address };
  };
  const [closed, open] = [await start(), await start()];
  return {
    closed,
    open,
    stop: async () => {
      await closed.stop();
      await open.stop();
    },
  };
}

/**
 * Workloads with both families. `free` goes wherever it likes, `confined` to name servers alone; `no-ipv4` and `no-ipv6` go anywhere
 * but to the closed server outside by that family. All of these stand on one node, so that what one of them hears shows that the
 * network of another works; the servers stand on another node, and two of them listen over one family alone.
 */
export async function buildWorld(name: string, { closed }: Outside): Promise<World> {
  const world = await createWorld(name);
  const { namespace } = world;
  const egress = (app: string, to: readonly object[]) =>
    networkPolicy(namespace, app, {
      podSelector: { matchLabels: { app } },
      policyTypes: ['Egress'],
      egress: [{ to }],
    });
  const block = (cidr: string, except?: string) => ({
    ipBlock: { cidr, ...(except === undefined ? {} : { except: [except] }) },
  });
  const inside = { namespaceSelector: {} };
  await world.apply(
    egress('confined', [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } } }]),
    egress('no-ipv4', [inside, block('0.0.0.0/0', `${closed.address}/32`), block('::/0')]),
    egress('no-ipv6', [inside, block('0.0.0.0/0'), block('::/0', `${closed.ipv6Address}/128`)]),
  );
  for (const app of ['free', 'confined', 'no-ipv4', 'no-ipv6'])
    await world.apply(...server({ namespace, name: app, nodeSelector: onNode('worker') }));
  await world.apply(...server({ namespace, name: 'both', nodeSelector: onNode('worker2') }));
  const { probe } = await ensureProjectImages(currentCluster());
  await world.apply(
    listener(namespace, 'only-ipv4', probe, 'TCP4-LISTEN:8080,bind=0.0.0.0'),
    listener(namespace, 'only-ipv6', probe, 'TCP6-LISTEN:8080,bind=[::],ipv6only=1'),
    service(namespace, 'as-ipv4', { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'] }),
    service(namespace, 'as-ipv6', { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv6'] }),
    service(namespace, 'as-both', { ipFamilyPolicy: 'PreferDualStack' }),
    service(namespace, 'headless', headless),
    service(namespace, 'only-ipv6', headless, 'only-ipv6'),
  );
  await world.ready('free', 'confined', 'no-ipv4', 'no-ipv6', 'both', 'only-ipv4', 'only-ipv6');
  return world;
}

function onNode(node: string): Readonly<Record<string, string>> {
  return { 'kubernetes.io/hostname': `${currentCluster().name}-${node}` };
}

/** A Deployment of one pod that echoes what reaches it over one family. */
function listener(namespace: string, name: string, image: string, address: string): object {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          ...podSpec(8080),
          nodeSelector: onNode('worker2'),
          containers: [{ name: 'server', image, command: ['socat', `${address},fork,reuseaddr`, 'EXEC:cat'] }],
        },
      },
    },
  };
}

const headless = { ipFamilyPolicy: 'PreferDualStack', clusterIP: 'None' };

/** A Service of the pods of `app`. */
function service(namespace: string, name: string, families: object, app = 'both'): object {
  const ports = [
    { name: 'http', port: 8080 },
    { name: 'udp', port: udpPort, protocol: 'UDP' },
  ];
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { selector: { app }, ports, ...families },
  };
}
