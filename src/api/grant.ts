import { Type, type Static } from 'typebox';
import type { KubeObject, ObjectMeta } from './objects.ts';
import { dnsLabel, stringEnum, withRules } from './schema-parts.ts';
import { podSelector, workload } from './specification.ts';

/** What a namespace may be to a test: where its probe pods come from, or what they dial. */
export const roles = ['Source', 'Target'] as const;
export type Role = (typeof roles)[number];

/** Always 0, for the scale subresource of an owner of probe pods. */
export const probeReplicas = (description: string) => Type.Integer({ description, default: 0, minimum: 0, maximum: 0 });

const granted = withRules(
  Type.Object(
    { workload: Type.Optional(workload), pods: Type.Optional(podSelector) },
    { description: 'One workload, or pods by their labels.' },
  ),
  [
    {
      rule: 'has(self.workload) != has(self.pods)',
      message: 'write either `workload: {kind: Deployment, name: web}` or `pods: {matchLabels: {app: web}}`',
    },
  ],
);

/** `spec` of a ConnectivityGrant. */
export const grantSpecification = Type.Object(
  {
    from: Type.Array(
      Type.Object(
        { namespace: dnsLabel('Namespace of the tests that are granted this, by name.', 'monitoring') },
        { description: 'Whose tests.' },
      ),
      {
        description: 'The namespaces whose ConnectivityTests are granted this, 1 to 16. There is no wildcard.',
        minItems: 1,
        maxItems: 16,
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['namespace'],
      },
    ),
    as: Type.Array(
      stringEnum(roles, {
        description:
          'Source: their probe pods may run here and wear the identity of these pods. Target: they may look these pods up and dial them.',
      }),
      {
        description: 'What these pods may be to those tests: Source, Target or both.',
        minItems: 1,
        maxItems: 2,
        'x-kubernetes-list-type': 'set',
      },
    ),
    to: Type.Optional(
      Type.Array(granted, {
        description: 'Which pods of this namespace are granted. Every one if absent.',
        minItems: 1,
        maxItems: 16,
        'x-kubernetes-list-type': 'atomic',
      }),
    ),
    probeReplicas: Type.Optional(
      probeReplicas(
        'Always 0; leave it out. It is what the scale subresource reports, so that a PodDisruptionBudget whose selector matches a probe pod expects no further pod on its account.',
      ),
    ),
  },
  { description: 'Who is granted what.' },
);

/** `status` of a ConnectivityGrant and of a ProbeAnchor: nobody writes it. */
export const scaleStatus = Type.Object(
  {
    probeReplicas: Type.Optional(
      Type.Integer({ description: 'Always 0; see spec.probeReplicas.', minimum: 0, maximum: 0 }),
    ),
  },
  { description: 'Only what the scale subresource reports.' },
);

/** `spec` of a ProbeAnchor. */
export const anchorSpecification = Type.Object(
  {
    probeReplicas: Type.Optional(
      probeReplicas(
        'Always 0. It is what the scale subresource reports, so that a PodDisruptionBudget whose selector matches a probe pod expects no further pod on its account.',
      ),
    ),
  },
  { description: 'Only what the scale subresource reports.' },
);

export type GrantSpecification = Static<typeof grantSpecification>;

/** A ConnectivityGrant as the API server returns it. It counts for the namespace it stands in, and for no other. */
export interface ConnectivityGrant extends KubeObject {
  readonly metadata: ObjectMeta & { readonly namespace: string; readonly uid: string };
  readonly spec: GrantSpecification;
}

/**
 * Label by which a namespace refuses to be probed, whoever asks: `as-source` no probe pod there, `as-target` nothing there is
 * dialled. Any other value means both, so that a misspelt refusal is still one.
 */
export const refuseProbesLabel = 'postern.dev/refuse-probes';
