import type { Namespace, Pod } from '../../src/api/index.ts';
import { type Cluster, ensureProjectImages } from '../cluster/index.ts';
import { type Kubectl, kubectlFor } from '../harness/kubectl.ts';
import { agnhost, manifests, namespace } from '../harness/workloads.ts';

/**
 * The place that every world plays in: three namespaces of three pods, which stay for the whole run. Each pod serves two ports
 * over TCP and UDP, and has a container with the probe program beside its servers, so that what is dialled from it has the
 * pod's own identity.
 */
export interface Stage {
  readonly kubectl: Kubectl;
  readonly namespaces: readonly Namespace[];
  readonly pods: readonly Pod[];
  clear(): Promise<void>;
}

export const ports = [8080, 8081] as const;
export const protocols = ['TCP', 'UDP'] as const;
export const probeContainer = 'probe';

type Labels = Readonly<Record<string, string>>;

/** One has an empty value, and one a key that every JavaScript object has. */
const namespaceLabels: Readonly<Record<string, Labels>> = {
  'worlds-a': { team: 'red', stage: 'live' },
  'worlds-b': { team: 'blue', stage: 'live', special: '' },
  'worlds-c': { team: 'red', constructor: 'x' },
};

export const namespaceNames = Object.keys(namespaceLabels);

interface Server {
  readonly labels: Labels;
  /** Names of the ports, in the order 8080/TCP, 8080/UDP, 8081/TCP, 8081/UDP; an empty one leaves a port unnamed. */
  readonly names: readonly [string, string, string, string];
}

const usual: Server['names'] = ['web', 'dns', 'admin', 'stats'];

/** Keys are missing here and there, or empty; names of ports go to other ports and protocols from pod to pod. */
const servers: Readonly<Record<string, Server>> = {
  'worlds-a/x': { labels: { app: 'x', tier: 'front', special: '' }, names: usual },
  'worlds-a/y': {
    labels: { app: 'y', tier: 'back', 'pod-template-hash': 'one' },
    names: ['admin', 'stats', 'web', 'dns'],
  },
  'worlds-a/z': { labels: { app: 'z' }, names: ['web', '', '', ''] },
  'worlds-b/x': { labels: { app: 'x', tier: 'front' }, names: ['', '', 'web', 'dns'] },
  'worlds-b/y': { labels: { app: 'y', tier: '' }, names: usual },
  'worlds-b/z': { labels: { app: 'z', 'pod-template-hash': 'two' }, names: ['web', 'dns', 'admin', 'stats'] },
  'worlds-c/x': { labels: { tier: 'front', constructor: 'x' }, names: ['dns', 'web', 'stats', 'admin'] },
  'worlds-c/y': { labels: { app: 'y', tier: 'back' }, names: ['', 'dns', 'admin', ''] },
  'worlds-c/z': { labels: { app: 'z', special: '' }, names: usual },
};

/** Sets the stage anew: what an interrupted run left behind goes first. */
export async function setStage(cluster: Cluster): Promise<Stage> {
  const kubectl = kubectlFor(cluster);
  const { probe } = await ensureProjectImages(cluster);
  const remove = `delete namespace ${namespaceNames.join(' ')} --ignore-not-found`;
  await kubectl(`${remove} --wait --timeout=180s`);
  // In turns, so that some pairs are on one node and some are not, and each node has its share of the work.
  const nodes = (await kubectl('get nodes -l !node-role.kubernetes.io/control-plane -o name'))
    .trim()
    .split('\n')
    .map((name) => name.replace('node/', ''));
  await kubectl('apply -f -', {
    input: manifests(
      ...Object.entries(namespaceLabels).map(([name, labels]) => namespace(name, labels)),
      ...Object.entries(servers).map(([path, server], index) =>
        podOf(path, server, { image: probe, node: nodes[index % nodes.length] ?? '' }),
      ),
    ),
  });
  const items = await Promise.all(
    namespaceNames.map(async (name) => {
      await kubectl(`wait pod --all -n ${name} --for=condition=Ready --timeout=180s`);
      const { items: pods } = await kubectl.json<{ readonly items: readonly Pod[] }>(`get pods -n ${name}`);
      return pods;
    }),
  );
  const namespaces = await Promise.all(namespaceNames.map((name) => kubectl.json<Namespace>(`get namespace ${name}`)));
  return { kubectl, namespaces, pods: items.flat(), clear: async () => void (await kubectl(`${remove} --wait=false`)) };
}

interface Place {
  readonly node: string;
  /** Of the probe container. */
  readonly image: string;
}

function podOf(path: string, { labels, names }: Server, { node, image }: Place): object {
  const [space, name] = path.split('/');
  const restricted = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: space, labels },
    spec: {
      terminationGracePeriodSeconds: 1,
      nodeSelector: { 'kubernetes.io/hostname': node },
      securityContext: { runAsNonRoot: true, runAsUser: 65_532, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        // netexec knows one port of each protocol.
        ...ports.map((port, index) => ({
          name: `server-${port}`,
          image: agnhost,
          args: ['netexec', `--http-port=${port}`, `--udp-port=${port}`],
          ports: protocols.map((protocol, offset) => {
            const portName = names[index * 2 + offset] ?? '';
            return { containerPort: port, protocol, ...(portName === '' ? {} : { name: portName }) };
          }),
          readinessProbe: { httpGet: { path: '/healthz', port }, periodSeconds: 1 },
          securityContext: restricted,
          resources: { requests: { cpu: '5m', memory: '16Mi' }, limits: { memory: '64Mi' } },
        })),
        {
          name: probeContainer,
          image,
          // Process 1 has to reap what dialling leaves behind: a shell that waits does, `sleep` does not.
          command: ['sh', '-c', 'sleep infinity; exit'],
          securityContext: restricted,
          resources: { requests: { cpu: '5m', memory: '16Mi' }, limits: { memory: '128Mi' } },
        },
      ],
    },
  };
}
