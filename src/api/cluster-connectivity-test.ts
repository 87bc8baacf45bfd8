import type { KubeObject, ObjectMeta } from './objects.ts';
import { type Rule, withRules } from './schema-parts.ts';
import { expectation, type Specification, specification } from './specification.ts';
import type { Status } from './status.ts';

/** A test without a namespace has none of its own to fall back on, so each has to be written. */
const namespacesWritten: readonly Rule[] = [
  {
    rule: 'has(self.from.namespace) || has(self.from.namespaces)',
    message: 'a ClusterConnectivityTest has no namespace of its own: write `from.namespace` or `from.namespaces`',
    fieldPath: '.from',
  },
  {
    rule: '!has(self.to.workload) && !has(self.to.pods) || has(self.to.namespace) || has(self.to.namespaces)',
    message: 'a ClusterConnectivityTest has no namespace of its own: write `to.namespace` or `to.namespaces`',
    fieldPath: '.to',
  },
  {
    rule: '!has(self.to.service) || has(self.to.service.namespace)',
    message: 'a ClusterConnectivityTest has no namespace of its own: write `to.service.namespace`',
    fieldPath: '.to.service',
  },
  {
    rule: '!has(self.control) || !has(self.control.from) || has(self.control.from.namespace) || has(self.control.from.namespaces)',
    message:
      'a ClusterConnectivityTest has no namespace of its own: write `control.from.namespace` or `control.from.namespaces`',
    fieldPath: '.control',
  },
];

/** `spec` of a ClusterConnectivityTest: that of a ConnectivityTest with every namespace written. */
export const clusterSpecification = {
  ...specification,
  properties: {
    ...specification.properties,
    expectations: {
      ...specification.properties.expectations,
      items: withRules(expectation, namespacesWritten),
    },
  },
};

/** A ClusterConnectivityTest as the API server returns it. */
export interface ClusterConnectivityTest extends KubeObject {
  readonly metadata: ObjectMeta & { readonly uid: string; readonly generation: number };
  readonly spec: Specification;
  readonly status?: Status;
}
