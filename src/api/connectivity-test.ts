import type { KubeObject, ObjectMeta } from './objects.ts';
import type { Specification } from './specification.ts';
import type { Status } from './status.ts';

export const group = 'postern.dev';
export const version = 'v1alpha1';

/** Annotation by which a user asks for a run now; any new value starts one and is echoed in the status. */
export const runRequestAnnotation = `${group}/run-requested-at`;

/**
 * A ConnectivityTest as the API server returns it, with defaults applied. A ClusterConnectivityTest is one whose kind says so
 * and whose namespace is the empty string, as Kubernetes' own libraries have it of cluster-scoped objects.
 */
export interface ConnectivityTest extends KubeObject {
  readonly metadata: ObjectMeta & { readonly namespace: string; readonly uid: string; readonly generation: number };
  readonly spec: Specification;
  readonly status?: Status;
}
