import { Type, type Static } from 'typebox';
import { explanationStatus } from './explanation-status.ts';
import { type Reason, reasons, verdicts } from './reasons.ts';
import { stringEnum } from './schema-parts.ts';

/** A point in time, RFC 3339. */
export const time = (description: string) => Type.String({ description, format: 'date-time' });

const condition = Type.Object(
  {
    type: Type.String({ description: 'What the condition tells.', maxLength: 316 }),
    status: stringEnum(['True', 'False', 'Unknown'], { description: 'True, False or Unknown.' }),
    observedGeneration: Type.Optional(
      Type.Integer({
        description: 'The generation of the spec that the condition speaks of.',
        format: 'int64',
        minimum: 0,
      }),
    ),
    lastTransitionTime: time('When the status last changed.'),
    reason: Type.String({ description: 'Machine-readable cause.', minLength: 1, maxLength: 1024 }),
    message: Type.String({ description: 'The same for people.', maxLength: 32768 }),
  },
  { description: 'A condition as in metav1.Condition.' },
);

/** The conditions of an object, keyed by type. */
export const conditionsOf = (description: string) =>
  Type.Array(condition, {
    description,
    maxItems: 8,
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['type'],
  });

const expectationStatus = Type.Object(
  {
    name: Type.String({ description: 'Name of the expectation.', maxLength: 63 }),
    expect: Type.String({ description: 'What was expected: Allow or Deny.', maxLength: 5 }),
    verdict: stringEnum(verdicts, {
      description: 'Passed, Failed, Inconclusive (nothing is proved either way) or Skipped.',
    }),
    reason: Type.Unsafe<Reason>({
      type: 'string',
      maxLength: 64,
      description: `Why, in one word. ${Object.entries(reasons)
        .map(([name, text]) => `${name}: ${text}.`)
        .join(' ')}`,
    }),
    message: Type.String({ description: 'Why, in one sentence, and what to do next.', maxLength: 1024 }),
    outcome: Type.Optional(
      Type.String({
        description: 'What the deciding probe saw on the wire, such as Connected or TimedOut.',
        maxLength: 32,
      }),
    ),
    firstObserved: Type.Optional(
      Type.String({
        description:
          'What the first attempt of the deciding probe saw, as `outcome`; of a Deny whose attempts differ, the silence.',
        maxLength: 32,
      }),
    ),
    convergedAfterMilliseconds: Type.Optional(
      Type.Integer({
        description:
          'How long after its first attempt an Allow connected, for the slowest of its checks; with the start of the probe pod not counted.',
        minimum: 0,
      }),
    ),
    excusedRuns: Type.Optional(
      Type.Integer({
        description:
          'Runs in a row, the newest included, in which a Deny was EnforcementDelayed. After the third a connection fails it, whatever changes.',
        minimum: 1,
      }),
    ),
    observed: Type.Optional(
      Type.Object(
        {
          verdict: stringEnum(verdicts, { description: 'The verdict of the newest run.' }),
          reason: Type.Unsafe<Reason>({ type: 'string', maxLength: 64, description: 'Its reason.' }),
          message: Type.String({ description: 'Its sentence.', maxLength: 1024 }),
          runs: Type.Integer({ description: 'Runs in a row that came to it.', minimum: 1 }),
          needed: Type.Integer({ description: 'Runs in a row after which the row takes it over.', minimum: 2 }),
        },
        { description: 'What the newest runs came to, where `spec.thresholds` keeps the row from saying so yet.' },
      ),
    ),
    control: Type.Optional(
      Type.String({ description: 'What proved that the target answers somebody.', maxLength: 256 }),
    ),
    command: Type.Optional(
      Type.String({
        description: 'The command that shows the same when run by hand in a pod of the source.',
        maxLength: 2048,
      }),
    ),
    explanation: Type.Optional(explanationStatus),
    since: time('Since when the verdict is what it is.'),
  },
  { description: 'Verdict on one expectation.' },
);

const lastRun = Type.Object(
  {
    id: Type.String({ description: 'Identifies the run in logs and in the probe pods’ annotations.', maxLength: 64 }),
    trigger: stringEnum(['Spec', 'Change', 'Confirmation', 'Retry', 'Period', 'Request'], {
      description:
        'What started it: a new spec, a change of policies, pods, Services or the calibration, a second look when such a change must have taken effect, another try because a probe pod did not come to state what it saw, the period, or the annotation postern.dev/run-requested-at.',
    }),
    startTime: time('When the run began.'),
    completionTime: time('When the last probe had reported what it saw.'),
    brokenRuns: Type.Optional(
      Type.Integer({
        description:
          'Runs in a row, the newest included, in which a probe pod was refused, did not start or was lost, or no path between nodes was shown. The test is tried again after 15 seconds, then after twice as long each time, at most a period.',
        minimum: 1,
      }),
    ),
    probePods: Type.Integer({ description: 'How many probe pods it used: one per source identity.', minimum: 0 }),
    apiRequests: Type.Integer({
      description:
        'Requests sent to the API server for this run, its status and events included: they grow with source identities.',
      minimum: 0,
    }),
    fingerprint: Type.String({
      description: 'Digest of everything observed that the verdicts depend on. The test runs again when it changes.',
      maxLength: 64,
    }),
  },
  { description: 'The newest complete run.' },
);

/** `status` of a ConnectivityTest. */
export const status = Type.Object(
  {
    observedGeneration: Type.Optional(
      Type.Integer({
        description: 'The generation of the spec that this status speaks of.',
        format: 'int64',
        minimum: 0,
      }),
    ),
    verdict: Type.Optional(
      stringEnum(verdicts, {
        description: 'The worst verdict: Failed before Inconclusive before Passed before Skipped.',
      }),
    ),
    summary: Type.Optional(
      Type.Object(
        {
          display: Type.String({ description: 'Passed of all that count, such as 10/12.', maxLength: 16 }),
          total: Type.Integer({ description: 'Number of expectations.', minimum: 0 }),
          passed: Type.Integer({ description: 'How many passed.', minimum: 0 }),
          failed: Type.Integer({ description: 'How many failed.', minimum: 0 }),
          inconclusive: Type.Integer({ description: 'How many are unproven.', minimum: 0 }),
          skipped: Type.Integer({ description: 'How many were skipped or only measured.', minimum: 0 }),
        },
        { description: 'Counts of the verdicts.' },
      ),
    ),
    lastRun: Type.Optional(lastRun),
    lastSuccessTime: Type.Optional(time('When all expectations last passed.')),
    lastHandledRunRequest: Type.Optional(
      Type.String({
        description: 'The value of the annotation postern.dev/run-requested-at that was last acted on.',
        maxLength: 64,
      }),
    ),
    expectations: Type.Optional(
      Type.Array(expectationStatus, {
        description: 'One row per expectation.',
        maxItems: 128,
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
      }),
    ),
    conditions: Type.Optional(
      conditionsOf(
        'Accepted: the spec can be run. Passed: every expectation passed in the newest run. Ready: both; made for `kubectl wait`.',
      ),
    ),
    probeReplicas: Type.Optional(
      Type.Integer({ description: 'Always 0; see spec.probeReplicas.', minimum: 0, maximum: 0 }),
    ),
  },
  { description: 'What was seen. Written by Postern alone.' },
);

export type Status = Static<typeof status>;
export type ExpectationStatus = Static<typeof expectationStatus>;
export type Condition = Static<typeof condition>;
export type LastRun = Static<typeof lastRun>;
export type Trigger = LastRun['trigger'];
