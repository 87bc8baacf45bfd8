import type { Pod } from '../../src/api/index.ts';

/**
 * Stands in for metrics-server: to its clients a custom resource of the same group and kind looks the same, since autoscalers
 * only list `/apis/metrics.k8s.io/v1beta1/namespaces/NAMESPACE/pods` by label.
 */
export const podMetricsDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: 'pods.metrics.k8s.io',
    // Groups under k8s.io are Kubernetes' own; whoever takes one has to say that nobody approved it.
    annotations: { 'api-approved.kubernetes.io': 'unapproved, stands in for metrics-server in tests' },
  },
  spec: {
    group: 'metrics.k8s.io',
    scope: 'Namespaced',
    names: { plural: 'pods', singular: 'podmetrics', kind: 'PodMetrics', listKind: 'PodMetricsList' },
    versions: [
      {
        name: 'v1beta1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

/** What a pod's container `server` uses now, such as `6m`. */
export function podMetrics({ metadata }: Pod, cpu: string): object {
  return {
    apiVersion: 'metrics.k8s.io/v1beta1',
    kind: 'PodMetrics',
    metadata: { name: metadata.name, namespace: metadata.namespace, labels: metadata.labels },
    timestamp: new Date().toISOString(),
    window: '1s',
    containers: [{ name: 'server', usage: { cpu, memory: '16Mi' } }],
  };
}
