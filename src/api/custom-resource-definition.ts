import { group, version } from './connectivity-test.ts';
import { specification } from './specification.ts';
import { status } from './status.ts';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** The CustomResourceDefinition of ConnectivityTest (apiextensions.k8s.io/v1), made from the TypeBox schemas. */
export function connectivityTestDefinition(): Json {
  const column = (name: string, type: string, jsonPath: string, description: string, priority = 0): Json => ({
    name,
    type,
    jsonPath,
    description,
    ...(priority > 0 ? { priority } : {}),
  });
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `connectivitytests.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: {
        kind: 'ConnectivityTest',
        listKind: 'ConnectivityTestList',
        plural: 'connectivitytests',
        singular: 'connectivitytest',
        shortNames: ['conntest'],
        categories: ['connectivity'],
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          additionalPrinterColumns: [
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
          ],
          subresources: {
            status: {},
            scale: { specReplicasPath: '.spec.probeReplicas', statusReplicasPath: '.status.probeReplicas' },
          },
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description:
                'ConnectivityTest declares which connections must succeed and which must not. Postern verifies it with short-lived probe pods that wear the identity of the source.',
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string', description: 'postern.dev/v1alpha1.' },
                kind: { type: 'string', description: 'ConnectivityTest.' },
                metadata: { type: 'object' },
                spec: structural(specification),
                status: structural(status),
              },
            },
          },
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
