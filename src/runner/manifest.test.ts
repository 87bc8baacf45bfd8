import { describe, expect, it } from 'vitest';
import { type Cluster, expectationOf, podOfDeployment, testOf, viewOf, workloadOf } from '../testing/cluster-view.ts';
import type { PodSpec } from '../api/index.ts';
import { planFor } from '../plan/index.ts';
import { probePodManifest, probingSeconds, type ProbeSettings, type ProbeTimes } from './manifest.ts';

const plainSettings: ProbeSettings = {
  image: 'registry.example/postern-probe:1',
  imagePullPolicy: 'IfNotPresent',
  imagePullSecrets: [],
};

interface Parts {
  readonly settings?: ProbeSettings;
  readonly spec?: { readonly [K in keyof PodSpec]?: PodSpec[K] };
  readonly labels?: Readonly<Record<string, string>>;
  readonly expectation?: Parameters<typeof expectationOf>[0];
  readonly times?: ProbeTimes;
  readonly listen?: { readonly port: number; readonly seconds: number };
}

function manifestOf({
  settings = plainSettings,
  spec = {},
  labels = {},
  expectation = {},
  times = {},
  listen,
}: Parts = {}) {
  const test = testOf([expectationOf({ to: { ip: '10.1.2.3', port: 443 }, expect: 'Deny', ...expectation })]);
  const cluster: Cluster = {
    workloads: [workloadOf('Deployment', 'web')],
    pods: [podOfDeployment('web', 'a', { spec, labels })],
  };
  const [assignment] = planFor(test, viewOf(cluster)).assignments;
  if (assignment === undefined) throw new Error('nothing to probe');
  return probePodManifest(
    test,
    { ...assignment, ...(listen === undefined ? {} : { listen }) },
    {
      name: 'postern-probe-abcdefgh',
      runId: 'ponmlkjihgfedcba',
      nonce: 'abcdefghijklmnop',
      settings,
      times,
    },
  );
}

/** A manifest's specification, whose shape the first test below holds. */
function specOf(manifest: object): { readonly containers: readonly object[] } {
  if (!('spec' in manifest)) throw new Error('no specification');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the first test below says what it is
  return manifest.spec as { readonly containers: readonly object[] };
}

describe('probePodManifest', () => {
  it('makes a pod that wears the identity of its source and can do no harm', () => {
    const spec = {
      containers: [
        {
          name: 'app',
          ports: [{ name: 'http', containerPort: 8080 }],
          readinessProbe: { httpGet: { port: 8080 } },
          env: [{ name: 'PASSWORD', value: 'x' }],
        },
      ],
      nodeName: 'node-1',
      serviceAccountName: 'web',
      nodeSelector: { disk: 'ssd' },
      tolerations: [{ key: 'x', operator: 'Exists' }],
      dnsPolicy: 'ClusterFirst',
      dnsConfig: { options: [{ name: 'ndots', value: '2' }] },
      imagePullSecrets: [{ name: 'application' }],
      priorityClassName: 'most-important',
      affinity: { podAntiAffinity: {} },
      topologySpreadConstraints: [{ maxSkew: 1 }],
      volumes: [{ name: 'data', emptyDir: {} }],
      shareProcessNamespace: true,
    };
    const labels = { 'app.kubernetes.io/instance': 'shop', 'sidecar.istio.io/inject': 'true' };

    // The whole of it: nothing else may be there, whatever the source has.
    expect(manifestOf({ spec, labels })).toEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'postern-probe-abcdefgh',
        namespace: 'shop',
        labels: { app: 'web', 'app.kubernetes.io/instance': 'shop', 'postern.dev/component': 'probe' },
        annotations: {
          'postern.dev/run': 'ponmlkjihgfedcba',
          'cluster-autoscaler.kubernetes.io/safe-to-evict': 'true',
          'karpenter.sh/do-not-disrupt': 'false',
          'sidecar.istio.io/inject': 'false',
          'linkerd.io/inject': 'disabled',
        },
        ownerReferences: [
          {
            apiVersion: 'postern.dev/v1alpha1',
            kind: 'ConnectivityTest',
            name: 'boundaries',
            uid: 'uid-boundaries',
            controller: true,
          },
        ],
      },
      spec: {
        nodeSelector: { disk: 'ssd' },
        tolerations: [{ key: 'x', operator: 'Exists' }],
        dnsPolicy: 'ClusterFirst',
        dnsConfig: { options: [{ name: 'ndots', value: '2' }] },
        imagePullSecrets: [{ name: 'application' }],
        serviceAccountName: 'web',
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        restartPolicy: 'Never',
        terminationGracePeriodSeconds: 1,
        activeDeadlineSeconds: 80,
        readinessGates: [{ conditionType: 'postern.dev/never-ready' }],
        securityContext: {
          runAsNonRoot: true,
          runAsUser: 65532,
          runAsGroup: 65532,
          seccompProfile: { type: 'RuntimeDefault' },
        },
        containers: [
          {
            name: 'probe',
            image: 'registry.example/postern-probe:1',
            imagePullPolicy: 'IfNotPresent',
            env: [
              { name: 'POSTERN_NONCE', value: 'abcdefghijklmnop' },
              { name: 'POSTERN_TIMEOUT_SECONDS', value: '2' },
              { name: 'POSTERN_SETTLE_SECONDS', value: '4' },
              { name: 'POSTERN_PLAN', value: '0 guard tcp 10.1.2.3 443 - - -' },
            ],
            resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { cpu: '500m', memory: '192Mi' } },
            securityContext: {
              allowPrivilegeEscalation: false,
              readOnlyRootFilesystem: true,
              capabilities: { drop: ['ALL'] },
            },
            terminationMessagePolicy: 'File',
          },
        ],
      },
    });
  });

  it("adds what an administrator decides, the operator's pull secrets first", () => {
    const settings = { ...plainSettings, imagePullSecrets: ['mirror'], priorityClassName: 'postern-probe' };

    expect(manifestOf({ settings, spec: { imagePullSecrets: [{ name: 'application' }] } })).toMatchObject({
      spec: { imagePullSecrets: [{ name: 'mirror' }, { name: 'application' }], priorityClassName: 'postern-probe' },
    });
  });

  it('tells the probe the times of the test, and gives it the time for them', () => {
    expect(manifestOf({ times: { timeoutSeconds: 10, settleSeconds: 60 } })).toMatchObject({
      spec: {
        activeDeadlineSeconds: 200,
        containers: [
          {
            env: [
              {},
              { name: 'POSTERN_TIMEOUT_SECONDS', value: '10' },
              { name: 'POSTERN_SETTLE_SECONDS', value: '60' },
              {},
            ],
          },
        ],
      },
    });
  });

  it('lets a probe stand for a while before it dials, and gives it the time for that', () => {
    expect(manifestOf({ times: { delaySeconds: 10 } })).toMatchObject({
      spec: {
        activeDeadlineSeconds: 90,
        containers: [{ env: [{}, {}, {}, { name: 'POSTERN_DELAY_SECONDS', value: '10' }, {}] }],
      },
    });
  });

  it('makes a pod that listens as harmless as one that dials', () => {
    const dialling = manifestOf();
    const listening = manifestOf({ listen: { port: 8080, seconds: 100 } });

    const program = {
      command: ['/bin/sh', '/postern/listen.sh'],
      env: [
        { name: 'POSTERN_ADDRESSES', valueFrom: { fieldRef: { fieldPath: 'status.podIPs' } } },
        { name: 'POSTERN_PORT', value: '8080' },
      ],
      readinessProbe: {
        exec: { command: ['/bin/sh', '/postern/listen.sh', 'check'] },
        periodSeconds: 1,
        timeoutSeconds: 3,
      },
    };
    const { containers, ...spec } = specOf(dialling);
    expect(specOf(listening)).toEqual({
      ...spec,
      activeDeadlineSeconds: 160,
      containers: [{ ...containers[0], ...program }],
    });
    expect(listening.metadata).toEqual(dialling.metadata);
  });

  it('keeps the kubelet from expanding what looks like a variable', () => {
    const expectation = { expect: 'Allow', http: { path: '/$(POSTERN_NONCE)/$$/$' } } as const;

    expect(manifestOf({ expectation })).toMatchObject({
      spec: {
        containers: [
          {
            env: [
              {},
              {},
              {},
              { name: 'POSTERN_PLAN', value: '0 converge http 10.1.2.3 443 - - /$$(POSTERN_NONCE)/$$$$/$$' },
            ],
          },
        ],
      },
    });
  });
});

describe('probingSeconds', () => {
  it('covers the settling, then a try and its confirmation by name, connection and answer', () => {
    expect(probingSeconds({})).toBe(4 + 2 * (2 * 2 + 2 + 2));
  });
});
