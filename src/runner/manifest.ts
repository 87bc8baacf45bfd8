import { type ConnectivityTest, group, type KubeObject, version } from '../api/index.ts';
import { type Assignment, probeLabel } from '../plan/index.ts';
import { planText } from '../probe/index.ts';

/** What an administrator decides about probe pods; no part of a test can. */
export interface ProbeSettings {
  readonly image: string;
  readonly imagePullPolicy: string;
  readonly imagePullSecrets: readonly string[];
  readonly priorityClassName?: string;
}

export interface ProbePodOptions {
  readonly name: string;
  readonly runId: string;
  readonly nonce: string;
  readonly settings: ProbeSettings;
}

/** Seconds that a probe pod may take from the kubelet's first sight of it to its result, beside the probing itself. */
const startAllowanceSeconds = 60;

/** Annotation that names the run a probe pod belongs to. An annotation, since a label would mint CNI identities. */
const runAnnotation = `${group}/run`;

/** Annotations that keep others' hands off a probe pod: no sidecar, no obstacle to scaling nodes down. */
const harmlessAnnotations = {
  'cluster-autoscaler.kubernetes.io/safe-to-evict': 'true',
  'karpenter.sh/do-not-disrupt': 'false',
  'sidecar.istio.io/inject': 'false',
  'linkerd.io/inject': 'disabled',
};

/**
 * The probe pod of one assignment: the source's identity around a fixed program, harmless by construction. It is never Ready
 * (a readiness gate that nobody sets), so no Service sends it traffic; its owner is a controller, so no ReplicaSet or
 * DaemonSet adopts it, drains evict it, and garbage collection removes it should the operator be gone.
 */
export function probePodManifest(test: ConnectivityTest, assignment: Assignment, options: ProbePodOptions): KubeObject {
  const { identity, checks } = assignment;
  const { settings } = options;
  const timeoutSeconds = test.spec.timeoutSeconds ?? 2;
  const settleSeconds = test.spec.settleSeconds ?? 4;
  const pullSecrets = [
    ...settings.imagePullSecrets.map((name) => ({ name })),
    ...(identity.pod.imagePullSecrets ?? []),
  ];
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: options.name,
      namespace: identity.namespace,
      labels: { ...identity.labels, [probeLabel.key]: probeLabel.value },
      annotations: { [runAnnotation]: options.runId, ...harmlessAnnotations },
      ownerReferences: [
        {
          apiVersion: `${group}/${version}`,
          kind: 'ConnectivityTest',
          name: test.metadata.name,
          uid: test.metadata.uid,
          controller: true,
        },
      ],
    },
    spec: {
      ...identity.pod,
      ...(pullSecrets.length > 0 ? { imagePullSecrets: pullSecrets } : {}),
      ...(identity.serviceAccountName === undefined ? {} : { serviceAccountName: identity.serviceAccountName }),
      ...(settings.priorityClassName === undefined ? {} : { priorityClassName: settings.priorityClassName }),
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      restartPolicy: 'Never',
      // With 0 the API object would go before the process has ended.
      terminationGracePeriodSeconds: 1,
      activeDeadlineSeconds: startAllowanceSeconds + probingSeconds(timeoutSeconds, settleSeconds),
      readinessGates: [{ conditionType: `${group}/never-ready` }],
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 65532,
        runAsGroup: 65532,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [
        {
          name: 'probe',
          image: settings.image,
          imagePullPolicy: settings.imagePullPolicy,
          env: [
            { name: 'POSTERN_NONCE', value: options.nonce },
            { name: 'POSTERN_TIMEOUT_SECONDS', value: String(timeoutSeconds) },
            { name: 'POSTERN_SETTLE_SECONDS', value: String(settleSeconds) },
            { name: 'POSTERN_PLAN', value: escapeExpansion(planText(checks)) },
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
  };
  return pod;
}

/**
 * Longest time that the probe program itself may take: the last attempt begins when the settling time is over, a success is
 * confirmed, and each of these two takes at most twice the timeout for the name, and once for the connection and the answer.
 */
export function probingSeconds(timeoutSeconds: number, settleSeconds: number): number {
  return settleSeconds + 8 * timeoutSeconds;
}

/** The kubelet expands `$(NAME)` in the value of a variable, and URL paths may hold those characters; `$$` is a plain `$`. */
function escapeExpansion(text: string): string {
  return text.replaceAll('$', '$$$$');
}
