import { createHash } from 'node:crypto';
import type { Pod, Service } from '../api/index.ts';
import type { ClusterView, Identity, Plan } from '../plan/index.ts';
import type { PolicyModel, PolicyWorld } from '../policy/index.ts';

/** What a prediction looks at. */
export interface PredictionWorld {
  readonly view: ClusterView;
  /** Made of a world that `worldOf` completed. */
  readonly model: PolicyModel;
  /** To know a target in whatever namespace it stands. */
  readonly pods: readonly Pod[];
  /** To know a Service by its cluster address. */
  readonly services: readonly Service[];
  /** The address of a host name, as far as somebody said it. */
  readonly addressOf: (host: string) => string | undefined;
}

/**
 * The world with a stand-in for every source of the plans, and with the cluster's resolver. A source is not asked about as one
 * of its own pods but as the probe pod that wears its identity: replicas then are other pods, as they are on the wire.
 */
export function worldOf(world: PolicyWorld, plans: readonly Plan[], view: ClusterView): PolicyWorld {
  const identities = plans.flatMap(({ lines }) =>
    lines.flatMap(({ checks, controls }) => [...checks, ...controls].map(({ identity }) => identity)),
  );
  const standIns = new Map(identities.map((identity) => [identity.key, standInOf(identity)]));
  return { ...world, pods: [...world.pods, ...standIns.values(), ...(hasResolver(view) ? [] : [assumedResolver])] };
}

/** The pod that wears an identity and nothing else. */
export function standInOf({ key, namespace, labels, serviceAccountName }: Identity): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `probe-${createHash('sha256').update(key).digest('hex').slice(0, 12)}`,
      namespace,
      labels,
      // It has an owner, as every probe pod: some network plugins police no others.
      ownerReferences: [{ apiVersion: 'postern.dev/v1alpha1', kind: 'ConnectivityTest', name: 'probe', uid: 'probe' }],
    },
    spec: { containers: [], ...(serviceAccountName === undefined ? {} : { serviceAccountName }) },
    status: { phase: 'Running' },
  };
}

/** Whether a pod of a completed world only stands for a source. */
export function isStandIn({ metadata }: Pod): boolean {
  return metadata.ownerReferences?.some(({ kind, uid }) => kind === 'ConnectivityTest' && uid === 'probe') === true;
}

/** Where the cluster's resolver is. */
export const resolverNamespace = 'kube-system';
export const resolverLabel = { key: 'k8s-app', value: 'kube-dns' } as const;

/** What nearly every cluster has (https://kubernetes.io/docs/tasks/administer-cluster/dns-debugging-resolution/). */
const assumedResolver: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'kube-dns',
    namespace: resolverNamespace,
    labels: { [resolverLabel.key]: resolverLabel.value },
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'kube-dns', uid: 'kube-dns' }],
  },
  spec: {
    containers: [
      {
        name: 'dns',
        ports: [
          { name: 'dns', containerPort: 53, protocol: 'UDP' },
          { name: 'dns-tcp', containerPort: 53, protocol: 'TCP' },
        ],
      },
    ],
  },
  status: { phase: 'Running' },
};

function resolverPods(view: ClusterView): readonly Pod[] {
  return view
    .pods(resolverNamespace)
    .filter(({ metadata }) => metadata.labels?.[resolverLabel.key] === resolverLabel.value);
}

function hasResolver(view: ClusterView): boolean {
  return resolverPods(view).length > 0;
}

export interface Resolver {
  readonly pods: readonly Pod[];
  /** Whether nothing is known of it but the convention. */
  readonly assumed: boolean;
}

/** The cluster's DNS: its pods by the label that they carry everywhere, or the convention where they are not in view. */
export function clusterResolver(view: ClusterView): Resolver {
  const pods = resolverPods(view);
  return pods.length > 0 ? { pods, assumed: false } : { pods: [assumedResolver], assumed: true };
}
