import { Type, type Static } from 'typebox';
import type { KubeObject, ObjectMeta } from './objects.ts';
import { stringEnum } from './schema-parts.ts';
import { ipFamilies } from './specification.ts';
import { conditionsOf, time } from './status.ts';

/** The one Calibration of a cluster. */
export const calibrationName = 'cluster';

/** What a probe can see of a connection that a policy admits on neither side. */
export const measuredOutcomes = ['TimedOut', 'Refused', 'Unreachable', 'Connected'] as const;
export type MeasuredOutcome = (typeof measuredOutcomes)[number];

const side = (description: string) => stringEnum(measuredOutcomes, { description });
const pair = (protocol: string) =>
  Type.Object(
    {
      ingress: side(`What a source sees of a ${protocol} target whose ingress is denied. Connected: not enforced.`),
      egress: side(`What a source sees whose own egress over ${protocol} is denied. Connected: not enforced.`),
    },
    { description: `How a denied connection over ${protocol} ends. Absent if it was not measured.` },
  );

const familyDenials = (description: string) =>
  Type.Object(
    {
      ipFamily: Type.Optional(
        stringEnum(ipFamilies, { description: 'The family of addresses over which this was measured.' }),
      ),
      tcp: Type.Optional(pair('TCP')),
      udp: Type.Optional(pair('UDP')),
    },
    { description },
  );

/** `status` of a Calibration. */
export const calibrationStatus = Type.Object(
  {
    observedGeneration: Type.Optional(
      Type.Integer({
        description: 'The generation of the spec that this status speaks of.',
        format: 'int64',
        minimum: 0,
      }),
    ),
    denials: Type.Optional(
      familyDenials(
        'How this cluster denies over the primary family of its pods. Only these outcomes count as a denial.',
      ),
    ),
    secondaryDenials: Type.Optional(
      familyDenials(
        'How this cluster denies over the other family, where pods have both. Where it could not be measured only the family is named, and no Deny passes over that.',
      ),
    ),
    freshPodDelayMilliseconds: Type.Optional(
      Type.Integer({
        description:
          'How long after their start fresh pods could still connect where a policy denies it; 0 if they never could. Probes stand for longer before they dial.',
        minimum: 0,
      }),
    ),
    measuredTime: Type.Optional(time('When the denials were measured.')),
    nodes: Type.Optional(
      Type.String({
        description: 'Digest of the nodes that there were then. A change of nodes starts a new measurement.',
        maxLength: 64,
      }),
    ),
    lastRun: Type.Optional(
      Type.Object(
        {
          id: Type.String({
            description: 'Identifies the run in logs and in the probe pods’ annotations.',
            maxLength: 64,
          }),
          trigger: stringEnum(['Start', 'Nodes', 'Period', 'Request', 'Retry'], {
            description:
              'What started it: no valid result, a change of nodes, the period, the annotation postern.dev/run-requested-at, or a failure before.',
          }),
          startTime: time('When the run began.'),
          completionTime: time('When it ended, with a result or without.'),
          apiRequests: Type.Integer({ description: 'Requests sent to the API server for its pods.', minimum: 0 }),
        },
        { description: 'The newest run, successful or not.' },
      ),
    ),
    lastHandledRunRequest: Type.Optional(
      Type.String({
        description: 'The value of the annotation postern.dev/run-requested-at that was last acted on.',
        maxLength: 64,
      }),
    ),
    conditions: Type.Optional(
      conditionsOf(
        'Calibrated: there is a valid result; its reason and message tell if the newest run failed. Enforced: policies are enforced on both sides.',
      ),
    ),
  },
  { description: 'What was measured. Written by Postern alone.' },
);

export type FamilyDenialsStatus = NonNullable<Static<typeof calibrationStatus>['denials']>;
export type CalibrationStatus = Static<typeof calibrationStatus>;
export type CalibrationTrigger = NonNullable<CalibrationStatus['lastRun']>['trigger'];

/** The Calibration as the API server returns it. It has no spec: there is nothing to set. */
export interface Calibration extends KubeObject {
  readonly metadata: ObjectMeta & { readonly uid: string; readonly generation: number };
  readonly status?: CalibrationStatus;
}
