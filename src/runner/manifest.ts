import { group, type KubeObject, type ObjectMeta } from '../api/index.ts';
import { probeLabel } from '../plan/index.ts';
import { planText } from '../probe/index.ts';
import type { Task } from './run.ts';

/** What an administrator decides about probe pods; no part of a test can. */
export interface ProbeSettings {
  readonly image: string;
  readonly imagePullPolicy: string;
  readonly imagePullSecrets: readonly string[];
  readonly priorityClassName?: string;
}

/** The object that a probe pod goes with: of the same namespace, or of none. */
export interface ProbeOwner extends KubeObject {
  readonly metadata: ObjectMeta & { readonly uid: string };
}

/** The times that probes are told. */
export interface ProbeTimes {
  /** Of one attempt; 2 if left out. */
  readonly timeoutSeconds?: number | undefined;
  /** How long a connection that must succeed is tried; 4 if left out. */
  readonly settleSeconds?: number | undefined;
  /** How long a probe pod stands before it dials; 0 if left out. */
  readonly delaySeconds?: number | undefined;
}

export interface ProbePodOptions {
  readonly name: string;
  readonly runId: string;
  readonly nonce: string;
  readonly settings: ProbeSettings;
  readonly times: ProbeTimes;
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
 * The pod of one task: the source's identity around a fixed program, harmless by construction. It is never Ready
 * (a readiness gate that nobody sets), so no Service sends it traffic; its owner is a controller, so no ReplicaSet or
 * DaemonSet adopts it, drains evict it, and garbage collection removes it should the operator be gone.
 */
export function probePodManifest(owner: ProbeOwner, task: Task, options: ProbePodOptions): KubeObject {
  const { identity } = task;
  const { settings } = options;
  const { seconds, ...program } = programOf(task, options);
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
          apiVersion: owner.apiVersion,
          kind: owner.kind,
          name: owner.metadata.name,
          uid: owner.metadata.uid,
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
      activeDeadlineSeconds: startAllowanceSeconds + seconds,
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
          ...program,
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

/** What the container runs, what it is told, and for how many seconds at most. */
function programOf({ checks, listen }: Task, { nonce, times }: ProbePodOptions): Program {
  if (listen !== undefined) {
    const command = ['/bin/sh', '/postern/listen.sh'];
    return {
      seconds: listen.seconds,
      command,
      env: [
        { name: 'POSTERN_ADDRESSES', valueFrom: { fieldRef: { fieldPath: 'status.podIPs' } } },
        { name: 'POSTERN_PORT', value: String(listen.port) },
      ],
      // Asked from within the pod, so that no policy and no CNI has a say in whether it listens.
      readinessProbe: { exec: { command: [...command, 'check'] }, periodSeconds: 1, timeoutSeconds: 3 },
    };
  }
  const { timeoutSeconds, settleSeconds, delaySeconds } = withDefaults(times);
  return {
    seconds: probingSeconds(times),
    env: [
      { name: 'POSTERN_NONCE', value: nonce },
      { name: 'POSTERN_TIMEOUT_SECONDS', value: String(timeoutSeconds) },
      { name: 'POSTERN_SETTLE_SECONDS', value: String(settleSeconds) },
      ...(delaySeconds === 0 ? [] : [{ name: 'POSTERN_DELAY_SECONDS', value: String(delaySeconds) }]),
      { name: 'POSTERN_PLAN', value: escapeExpansion(planText(checks)) },
    ],
  };
}

interface Program {
  readonly seconds: number;
  readonly env: readonly object[];
  readonly command?: readonly string[];
  readonly readinessProbe?: object;
}

/**
 * Longest time that the probe program itself may take: the last attempt begins when the settling time is over, a success is
 * confirmed, and each of these two takes at most twice the timeout for the name, and once for the connection and the answer.
 * Names with several silent addresses or name servers take longer, out of the time that the pod has for its start.
 */
export function probingSeconds(times: ProbeTimes): number {
  const { timeoutSeconds, settleSeconds, delaySeconds } = withDefaults(times);
  return delaySeconds + settleSeconds + 8 * timeoutSeconds;
}

function withDefaults({ timeoutSeconds = 2, settleSeconds = 4, delaySeconds = 0 }: ProbeTimes) {
  return { timeoutSeconds, settleSeconds, delaySeconds };
}

/** The kubelet expands `$(NAME)` in the value of a variable, and URL paths may hold those characters; `$$` is a plain `$`. */
function escapeExpansion(text: string): string {
  return text.replaceAll('$', '$$$$');
}
