import type { KubeObject, Namespace, Pod, Policy } from '../api/index.ts';
import type { ProfileName } from '../policy/index.ts';

/** What an audit looks at. */
export interface AuditWorld {
  /** Those that were read. */
  readonly pods: readonly Pod[];
  /** Pods that were not read and are taken for granted, such as the cluster's resolver: others may reach them, and nothing is found about them. */
  readonly assumed: readonly Pod[];
  readonly namespaces: readonly Namespace[];
  readonly policies: readonly Policy[];
  /** The network plugin whose reading counts, beside the specification's. */
  readonly profile?: ProfileName | undefined;
  /** What a pod belongs to: its workload, or itself. */
  readonly ownerOf: (pod: Pod) => Pick<KubeObject, 'apiVersion' | 'kind' | 'metadata'>;
}
