import { calibrationName, calibrationStatus } from './calibration.ts';
import { clusterSpecification } from './cluster-connectivity-test.ts';
import { group, version } from './connectivity-test.ts';
import { anchorSpecification, grantSpecification, scaleStatus } from './grant.ts';
import { specification } from './specification.ts';
import { status } from './status.ts';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

interface Kind {
  readonly kind: string;
  readonly shortNames: readonly string[];
  readonly scope: 'Namespaced' | 'Cluster';
  readonly columns: readonly Json[];
  /** Beside the status. */
  readonly subresources?: { readonly [key: string]: Json };
  readonly schema: { readonly [key: string]: Json };
}

/** What an owner of probe pods reports to whoever counts its pods. */
const scale = { specReplicasPath: '.spec.probeReplicas', statusReplicasPath: '.status.probeReplicas' };

const testColumns: readonly Json[] = [
  column('Ready', 'string', ".status.conditions[?(@.type=='Ready')].status", 'Whether everything passed.'),
  column('Result', 'string', '.status.summary.display', 'Passed of all expectations that count.'),
  column('Failed', 'integer', '.status.summary.failed', 'Violated expectations.'),
  column('Inconclusive', 'integer', '.status.summary.inconclusive', 'Expectations that nothing proved.'),
  column('Last-Run', 'date', '.status.lastRun.completionTime', 'Time since the newest run.'),
  column('Age', 'date', '.metadata.creationTimestamp', 'Time since creation.'),
  column('Period', 'integer', '.spec.periodSeconds', 'Seconds between runs.', 1),
  column('Severity', 'string', '.spec.severity', 'Severity of a violation.', 1),
  column('Reason', 'string', ".status.conditions[?(@.type=='Ready')].reason", 'Why it is (not) ready.', 1),
  column('Message', 'string', ".status.conditions[?(@.type=='Ready')].message", 'The same in words.', 1),
];

/** The CustomResourceDefinition of ConnectivityTest (apiextensions.k8s.io/v1), made from the TypeBox schemas. */
export function connectivityTestDefinition(): Json {
  return definitionOf({
    kind: 'ConnectivityTest',
    shortNames: ['conntest'],
    scope: 'Namespaced',
    columns: testColumns,
    subresources: { scale },
    schema: connectivityTestSchema(),
  });
}

/** The schema of a ConnectivityTest alone: what the API server, the offline check and editors hold it against. */
export function connectivityTestSchema(): { readonly [key: string]: Json } {
  return {
    description:
      'ConnectivityTest declares which connections must succeed and which must not. Postern verifies it with short-lived probe pods that wear the identity of the source.',
    required: ['spec'],
    properties: { ...typeMeta('ConnectivityTest'), spec: structural(specification), status: structural(status) },
  };
}

/** The CustomResourceDefinition of ClusterConnectivityTest. */
export function clusterConnectivityTestDefinition(): Json {
  return definitionOf({
    kind: 'ClusterConnectivityTest',
    shortNames: ['clusterconntest'],
    scope: 'Cluster',
    columns: testColumns,
    schema: clusterConnectivityTestSchema(),
  });
}

/** The schema of a ClusterConnectivityTest alone. */
export function clusterConnectivityTestSchema(): { readonly [key: string]: Json } {
  return {
    description:
      'ClusterConnectivityTest is a ConnectivityTest for administrators: it spans namespaces, each of which it names, and needs no ConnectivityGrant. Namespaces that refuse probes refuse its probes, too.',
    required: ['spec'],
    properties: {
      ...typeMeta('ClusterConnectivityTest'),
      spec: structural(clusterSpecification),
      status: structural(status),
    },
  };
}

/** The CustomResourceDefinition of ConnectivityGrant. */
export function connectivityGrantDefinition(): Json {
  return definitionOf({
    kind: 'ConnectivityGrant',
    shortNames: ['conngrant'],
    scope: 'Namespaced',
    columns: [
      column('From', 'string', '.spec.from[*].namespace', 'Namespaces whose tests are granted this.'),
      column('As', 'string', '.spec.as', 'What the pods here may be to those tests.'),
      column('Age', 'date', '.metadata.creationTimestamp', 'Time since creation.'),
    ],
    subresources: { scale },
    schema: connectivityGrantSchema(),
  });
}

/** The schema of a ConnectivityGrant alone. */
export function connectivityGrantSchema(): { readonly [key: string]: Json } {
  return {
    description:
      'ConnectivityGrant lets ConnectivityTests of other namespaces use pods of this one as a source or a target. It counts only in the namespace it stands in; removing it stops them at once.',
    required: ['spec'],
    properties: {
      ...typeMeta('ConnectivityGrant'),
      spec: structural(grantSpecification),
      status: structural(scaleStatus),
    },
  };
}

/** The CustomResourceDefinition of ProbeAnchor. */
export function probeAnchorDefinition(): Json {
  return definitionOf({
    kind: 'ProbeAnchor',
    shortNames: [],
    scope: 'Namespaced',
    columns: [column('Age', 'date', '.metadata.creationTimestamp', 'Time since creation.')],
    subresources: { scale },
    schema: {
      description:
        'ProbeAnchor stands for a ClusterConnectivityTest in a namespace: it owns the probe pods there. Postern writes it; it is removed with the test.',
      required: ['spec'],
      properties: {
        ...typeMeta('ProbeAnchor'),
        spec: structural(anchorSpecification),
        status: structural(scaleStatus),
      },
    },
  });
}

/** The CustomResourceDefinition of Calibration. */
export function calibrationDefinition(): Json {
  const calibrated = ".status.conditions[?(@.type=='Calibrated')]";
  return definitionOf({
    kind: 'Calibration',
    shortNames: [],
    scope: 'Cluster',
    columns: [
      column(
        'Enforced',
        'string',
        ".status.conditions[?(@.type=='Enforced')].status",
        'Whether policies are enforced.',
      ),
      column('Ingress-TCP', 'string', '.status.denials.tcp.ingress', 'What a denied ingress looks like over TCP.'),
      column('Egress-TCP', 'string', '.status.denials.tcp.egress', 'What a denied egress looks like over TCP.'),
      column('Ingress-UDP', 'string', '.status.denials.udp.ingress', 'What a denied ingress looks like over UDP.'),
      column('Egress-UDP', 'string', '.status.denials.udp.egress', 'What a denied egress looks like over UDP.'),
      column('Last-Run', 'date', '.status.lastRun.completionTime', 'Time since the newest run.'),
      column('Age', 'date', '.metadata.creationTimestamp', 'Time since creation.'),
      column('Measured', 'date', '.status.measuredTime', 'Time since the result was measured.', 1),
      column('Reason', 'string', `${calibrated}.reason`, 'Why there is a valid result, or none.', 1),
      column('Message', 'string', `${calibrated}.message`, 'The same in words.', 1),
    ],
    schema: {
      description:
        'Calibration tells how this cluster denies a connection, measured by Postern with its own pods and static policies in its own namespace. There is one, named cluster, which Postern creates.',
      'x-kubernetes-validations': [
        {
          rule: `self.metadata.name == '${calibrationName}'`,
          message: `there is one Calibration per cluster: name it "${calibrationName}"`,
        },
      ],
      properties: { ...typeMeta('Calibration'), status: structural(calibrationStatus) },
    },
  });
}

function typeMeta(kind: string): { readonly [key: string]: Json } {
  return {
    apiVersion: { type: 'string', description: `${group}/${version}.` },
    kind: { type: 'string', description: `${kind}.` },
    metadata: { type: 'object' },
  };
}

function column(name: string, type: string, jsonPath: string, description: string, priority = 0): Json {
  return { name, type, jsonPath, description, ...(priority > 0 ? { priority } : {}) };
}

function definitionOf({ kind, shortNames, scope, columns, subresources = {}, schema }: Kind): Json {
  const singular = kind.toLowerCase();
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${singular}s.${group}` },
    spec: {
      group,
      scope,
      names: {
        kind,
        listKind: `${kind}List`,
        plural: `${singular}s`,
        singular,
        ...(shortNames.length > 0 ? { shortNames } : {}),
        categories: ['connectivity'],
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          additionalPrinterColumns: columns,
          subresources: { status: {}, ...subresources },
          schema: { openAPIV3Schema: { type: 'object', ...schema } },
        },
      ],
    },
  };
}

/**
 * A TypeBox schema as a structural schema (KEP-2335): records become `additionalProperties`, and what is not JSON schema
 * (TypeBox's own non-enumerable markers) falls away.
 */
function structural(schema: unknown): Json {
  if (typeof schema === 'string' || typeof schema === 'number' || typeof schema === 'boolean') return schema;
  if (Array.isArray(schema)) return schema.map(structural);
  if (typeof schema !== 'object' || schema === null) return null;
  const result: Record<string, Json> = {};
  for (const [key, member] of Object.entries(schema)) {
    if (key === 'patternProperties') {
      const [valueSchema] = Object.values<unknown>(member);
      result['additionalProperties'] = structural(valueSchema);
    } else {
      result[key] = structural(member);
    }
  }
  return result;
}
