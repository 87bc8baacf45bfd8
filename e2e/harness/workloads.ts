/** Manifests that the suites build their worlds from; JSON is YAML enough for kubectl. */
export const agnhost = 'registry.k8s.io/e2e-test-images/agnhost:2.63.0';

/** Nothing listens there. */
export const closedPort = 9;

/** Every server answers the datagram `hostname` here, and no other. */
export const udpPort = 8081;

export interface ServerOptions {
  readonly namespace: string;
  readonly name: string;
  readonly port?: number;
  readonly replicas?: number;
  /** A readiness probe on another port than the one that the server's clients use proves nothing about that one. */
  readonly readiness?: 'onPort' | 'none';
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly tolerations?: readonly object[];
  readonly publishNotReadyAddresses?: boolean;
}

/** A Deployment that serves HTTP, labelled `app: NAME`, and a Service of that name; fit for Pod Security `restricted`. */
export function server({
  namespace,
  name,
  port = 8080,
  replicas = 1,
  readiness = 'onPort',
  nodeSelector,
  tolerations,
  publishNotReadyAddresses,
}: ServerOptions): object[] {
  const labels = { app: name };
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace },
      spec: {
        replicas,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            ...podSpec(port, readiness),
            ...(nodeSelector === undefined ? {} : { nodeSelector }),
            ...(tolerations === undefined ? {} : { tolerations }),
          },
        },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: {
        selector: labels,
        ...(publishNotReadyAddresses === true ? { publishNotReadyAddresses, clusterIP: 'None' } : {}),
        ports: [
          { name: 'http', port, targetPort: port },
          { name: 'udp', port: udpPort, targetPort: udpPort, protocol: 'UDP' },
        ],
      },
    },
  ];
}

/** The pod of a server, as restricted as namespaces may ask for. */
export function podSpec(port: number, readiness: 'onPort' | 'none' = 'onPort'): object {
  return {
    terminationGracePeriodSeconds: 1,
    securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: 'server',
        image: agnhost,
        args: ['netexec', `--http-port=${port}`, `--udp-port=${udpPort}`],
        ports: [{ name: 'http', containerPort: port }],
        ...(readiness === 'none' ? {} : { readinessProbe: { httpGet: { path: '/healthz', port }, periodSeconds: 1 } }),
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { cpu: '500m', memory: '64Mi' } },
      },
    ],
  };
}

/**
 * The pod of a server on port 8080 that stops listening when `/tmp/deafen` runs in it, and whose readiness probe takes hours to
 * believe it.
 */
export function deafenedPodSpec(): object {
  const serve =
    "/agnhost netexec --http-port=8080 & echo kill $! >/tmp/deafen; trap 'exit 0' TERM; while :; do wait; sleep 1; done";
  const readinessProbe = { tcpSocket: { port: 8080 }, periodSeconds: 1, failureThreshold: 10_000 };
  return {
    terminationGracePeriodSeconds: 1,
    containers: [{ name: 'server', image: agnhost, command: ['sh', '-c', serve], readinessProbe }],
  };
}

export function namespace(name: string, labels: Readonly<Record<string, string>> = {}): object {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

export function networkPolicy(namespace: string, name: string, spec: object): object {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace }, spec };
}

export function connectivityTest(
  namespace: string,
  name: string,
  expectations: readonly object[],
  spec: object = {},
): object {
  return {
    apiVersion: 'postern.dev/v1alpha1',
    kind: 'ConnectivityTest',
    metadata: { name, namespace },
    spec: { periodSeconds: 3600, ...spec, expectations },
  };
}

/** One expectation from a Deployment to a Service of the same namespace. */
export function expectation(
  name: string,
  from: string,
  service: string,
  expect: 'Allow' | 'Deny',
  port = 8080,
): object {
  return {
    name,
    from: { workload: { kind: 'Deployment', name: from } },
    to: { service: { name: service }, port },
    expect,
  };
}

/** One expectation from a Deployment to the pods of another one, each dialled by its own address. */
export function expectationOfPods(
  name: string,
  from: string,
  to: string,
  expect: 'Allow' | 'Deny',
  port = 8080,
): object {
  return { ...expectation(name, from, to, expect, port), to: { workload: { kind: 'Deployment', name: to }, port } };
}

/** The same over UDP, with a datagram that every server answers. */
export function expectationOfDatagrams(
  name: string,
  from: string,
  to: string,
  expect: 'Allow' | 'Deny',
  port = udpPort,
): object {
  const payload = Buffer.from('hostname').toString('hex');
  return { ...expectationOfPods(name, from, to, expect, port), protocol: 'UDP', udp: { payload } };
}

/** Several objects as one input of `kubectl apply -f -`. */
export function manifests(...objects: readonly object[]): string {
  return objects.map((object) => JSON.stringify(object)).join('\n---\n');
}
