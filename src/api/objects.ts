/** The fields of `metadata` that Postern reads or writes (Kubernetes API, ObjectMeta). Times are RFC 3339 strings. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly ownerReferences?: readonly OwnerReference[];
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
}

/** Any Kubernetes object as raw JSON: what lists, reads and watches give alike. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

/** A label selector (metav1.LabelSelector). */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

export interface ContainerPort {
  readonly name?: string;
  readonly containerPort: number;
  readonly protocol?: string;
}

export interface ReadinessProbe {
  readonly httpGet?: { readonly port: number | string; readonly host?: string };
  readonly tcpSocket?: { readonly port: number | string; readonly host?: string };
  readonly grpc?: { readonly port: number };
}

export interface Container {
  readonly name: string;
  readonly ports?: readonly ContainerPort[];
  readonly readinessProbe?: ReadinessProbe;
}

export interface Toleration {
  readonly key?: string;
  readonly operator?: string;
  readonly value?: string;
  readonly effect?: string;
  readonly tolerationSeconds?: number;
}

/** The fields of a pod's specification that Postern reads. Those that a probe pod copies are passed on as they are. */
export interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly { readonly name: string; readonly restartPolicy?: string }[];
  readonly hostNetwork?: boolean;
  readonly nodeName?: string;
  readonly serviceAccountName?: string;
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly tolerations?: readonly Toleration[];
  readonly affinity?: unknown;
  readonly dnsPolicy?: string;
  readonly dnsConfig?: unknown;
  readonly hostAliases?: readonly unknown[];
  readonly imagePullSecrets?: readonly { readonly name?: string }[];
}

export interface ContainerStatus {
  readonly name: string;
  readonly ready?: boolean;
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly running?: { readonly startedAt?: string };
    readonly terminated?: {
      readonly exitCode: number;
      readonly reason?: string;
      readonly message?: string;
      readonly startedAt?: string;
      readonly finishedAt?: string;
    };
  };
}

export interface Pod extends KubeObject {
  readonly spec: PodSpec;
  readonly status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly podIP?: string;
    readonly podIPs?: readonly { readonly ip: string }[];
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
      readonly lastTransitionTime?: string;
    }[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

/** A Deployment, StatefulSet, DaemonSet or ReplicaSet (apps/v1), as far as Postern reads them. */
export interface Workload extends KubeObject {
  readonly spec: {
    readonly selector: LabelSelector;
    readonly template: { readonly metadata?: Pick<ObjectMeta, 'labels'>; readonly spec: PodSpec };
  };
}

export interface Service extends KubeObject {
  readonly spec: {
    readonly type?: string;
    readonly clusterIP?: string;
    readonly clusterIPs?: readonly string[];
    readonly externalIPs?: readonly string[];
    readonly selector?: Readonly<Record<string, string>>;
    readonly publishNotReadyAddresses?: boolean;
    readonly internalTrafficPolicy?: string;
    readonly ports?: readonly {
      readonly name?: string;
      readonly port: number;
      readonly protocol?: string;
      readonly targetPort?: number | string;
    }[];
  };
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] } };
}

/** EndpointSlice (discovery.k8s.io/v1). */
export interface EndpointSlice extends KubeObject {
  readonly addressType: string;
  readonly endpoints?: readonly {
    readonly addresses: readonly string[];
    readonly conditions?: { readonly ready?: boolean; readonly terminating?: boolean };
    readonly nodeName?: string;
    readonly targetRef?: {
      readonly kind?: string;
      readonly namespace?: string;
      readonly name?: string;
      readonly uid?: string;
    };
  }[];
  readonly ports?: readonly { readonly name?: string; readonly port?: number; readonly protocol?: string }[];
}

export type Namespace = KubeObject;

export interface Node extends KubeObject {
  readonly spec?: {
    readonly unschedulable?: boolean;
    readonly taints?: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
  };
  readonly status?: {
    readonly addresses?: readonly { readonly type: string; readonly address: string }[];
    readonly nodeInfo?: { readonly kernelVersion?: string; readonly osImage?: string };
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

/** The Lease by which a kubelet says that it lives; it has the node's name. */
export interface Lease extends KubeObject {
  readonly spec?: { readonly renewTime?: string };
}

/** A policy of any kind, or a tier of Calico's: src/policy reads what it says, src/plan only the labels that it names. */
export interface Policy extends KubeObject {
  readonly spec?: unknown;
  readonly specs?: unknown;
}
