import type { KubeObject, Pod } from '../api/index.ts';
import { type Check, type ClusterView, isProbePod } from '../plan/index.ts';

/** The workload that a pod's labels are written in, as far as the caches have it; else the pod itself. */
export function workloadOf(pod: Pod, view: ClusterView): KubeObject {
  const { namespace = '', ownerReferences = [], labels = {} } = pod.metadata;
  const owner = ownerReferences.find(({ controller }) => controller === true);
  switch (owner?.kind) {
    case 'StatefulSet':
    case 'DaemonSet':
      return view.workload(owner.kind, namespace, owner.name) ?? pod;
    case 'ReplicaSet': {
      // Its name is the Deployment's and the pod-template-hash.
      const suffix = `-${labels['pod-template-hash'] ?? ''}`;
      const name = owner.name.endsWith(suffix) ? owner.name.slice(0, -suffix.length) : '';
      return view.workload('Deployment', namespace, name) ?? pod;
    }
    default:
      return pod;
  }
}

/** The workload whose identity a check wears: that of a pod with the same labels. */
export function sourceOf({ identity }: Check, view: ClusterView): KubeObject | undefined {
  const wearer = view
    .pods(identity.namespace)
    .find(
      (pod) =>
        !isProbePod(pod) &&
        Object.entries(identity.labels).every(([key, value]) => pod.metadata.labels?.[key] === value) &&
        pod.spec.serviceAccountName === identity.serviceAccountName,
    );
  return wearer === undefined ? undefined : workloadOf(wearer, view);
}
