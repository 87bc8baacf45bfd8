import clusterTestSchema from '../api/clusterconnectivitytest.schema.json' with { type: 'json' };
import grantSchema from '../api/connectivitygrant.schema.json' with { type: 'json' };
import testSchema from '../api/connectivitytest.schema.json' with { type: 'json' };

/**
 * The shape of what a prediction reads of each kind: enough that nothing behind it meets a type that it does not expect.
 * Policies and tests are closed, because `kubectl apply` refuses a misspelt field there, which else would open a hole silently.
 */
export type Shape = Readonly<object>;

const open = { 'x-kubernetes-preserve-unknown-fields': true } as const;
const text = { type: 'string' } as const;
const texts = { type: 'array', items: text } as const;
const flag = { type: 'boolean' } as const;
const intOrString = { 'x-kubernetes-int-or-string': true } as const;
const labels = { type: 'object', additionalProperties: text } as const;

function map(properties: Readonly<Record<string, Shape>>, required: readonly string[] = []): Shape {
  return { type: 'object', properties, required, ...open };
}

function closedMap(properties: Readonly<Record<string, Shape>>, required: readonly string[] = []): Shape {
  return { type: 'object', properties, required };
}

function list(items: Shape): Shape {
  return { type: 'array', items };
}

const labelSelector = closedMap({
  matchLabels: labels,
  matchExpressions: list(closedMap({ key: text, operator: text, values: texts }, ['key', 'operator'])),
});

const probe = map({
  httpGet: map({ port: intOrString, host: text }),
  tcpSocket: map({ port: intOrString, host: text }),
  grpc: map({ port: { type: 'integer' } }),
});

const podSpec = map(
  {
    containers: list(
      map({
        name: text,
        ports: list(
          map({ name: text, containerPort: { type: 'integer', minimum: 1, maximum: 65535 }, protocol: text }, [
            'containerPort',
          ]),
        ),
        readinessProbe: probe,
      }),
    ),
    hostNetwork: flag,
    serviceAccountName: text,
    dnsPolicy: text,
    dnsConfig: map({ nameservers: texts }),
  },
  ['containers'],
);

const podTemplate = map({ metadata: map({ labels }), spec: podSpec }, ['spec']);

/** `metadata` of any object. */
export const metadataShape = map({
  name: text,
  generateName: text,
  namespace: text,
  uid: text,
  labels,
  annotations: labels,
  ownerReferences: list(map({ kind: text, name: text, uid: text, controller: flag }, ['kind', 'name'])),
});

export const podShape = map(
  {
    spec: podSpec,
    status: map({
      phase: text,
      podIP: text,
      podIPs: list(map({ ip: text })),
      conditions: list(map({ type: text, status: text }, ['type', 'status'])),
    }),
  },
  ['spec'],
);

const count = { type: 'integer', minimum: 0 } as const;

/** A kind with a pod template under `spec`; only the apps kinds must have a selector. */
export function workloadShape(kind: string, group: string): Shape {
  if (kind === 'CronJob' && group === 'batch') {
    const job = map({ spec: map({ template: podTemplate }, ['template']) }, ['spec']);
    return map({ spec: map({ jobTemplate: job }, ['jobTemplate']) }, ['spec']);
  }
  const isApps = group === 'apps';
  const fields = {
    template: podTemplate,
    replicas: count,
    parallelism: count,
    ...(isApps ? { selector: labelSelector } : {}),
  };
  return map({ spec: map(fields, isApps ? ['selector', 'template'] : ['template']) }, ['spec']);
}

export const serviceShape = map(
  {
    spec: map({
      type: text,
      clusterIP: text,
      clusterIPs: texts,
      selector: labels,
      publishNotReadyAddresses: flag,
      internalTrafficPolicy: text,
      ports: list(
        map(
          {
            name: text,
            port: { type: 'integer', minimum: 1, maximum: 65535 },
            protocol: text,
            targetPort: intOrString,
          },
          ['port'],
        ),
      ),
    }),
  },
  ['spec'],
);

export const sliceShape = map(
  {
    addressType: text,
    endpoints: list(
      map(
        {
          addresses: texts,
          conditions: map({ ready: flag, terminating: flag }),
          targetRef: map({ kind: text, namespace: text, name: text, uid: text }),
        },
        ['addresses'],
      ),
    ),
    ports: list(map({ name: text, port: { type: 'integer' }, protocol: text })),
  },
  ['addressType'],
);

const peers = list(
  closedMap({
    podSelector: labelSelector,
    namespaceSelector: labelSelector,
    ipBlock: closedMap({ cidr: text, except: texts }, ['cidr']),
  }),
);
const ports = list(closedMap({ protocol: text, port: intOrString, endPort: { type: 'integer' } }));

/** networking.k8s.io/v1; what the types alone do not tell, such as an `endPort` below its port, the policy model finds. */
export const networkPolicyShape = map({
  spec: closedMap({
    podSelector: labelSelector,
    policyTypes: texts,
    ingress: list(closedMap({ from: peers, ports })),
    egress: list(closedMap({ to: peers, ports })),
  }),
});

/** A policy of another dialect: its rules are the policy model's to read. */
export const policyShape = map({ spec: { type: 'object' }, specs: { type: 'array' } });

/** The generated schemas, as they stand in the cluster; making them of their source would double the time that a check takes. */
export const testShape: Shape = testSchema;
export const clusterTestShape: Shape = clusterTestSchema;
export const grantShape: Shape = grantSchema;
