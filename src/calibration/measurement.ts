import { type ProbeReport, sentenceFor } from '../verdict/index.ts';
import {
  type Failure,
  type FamilyFailure,
  type FamilyMeasurement,
  familyMeasurementOf,
  familyRepeated,
  isSomeDoorOpen,
  openDelayMsOf,
} from './family-measurement.ts';
import { type Listeners, sharedFamilies } from './pods.ts';

/** What was measured, by family of addresses: the primary one of pods, and the other where they have both (KEP-563). */
export interface Measurement {
  readonly primary: FamilyMeasurement;
  readonly secondary?: FamilyMeasurement | FamilyFailure;
}

/**
 * What the reports of both probes say of the listeners that they dialled. The primary family must be measured; each family is
 * measured for itself, since a network plugin may enforce the policies of one alone.
 */
export function measurementOf(
  namespace: string,
  listeners: Listeners,
  reports: readonly ProbeReport[],
): Measurement | { readonly failure: Failure } {
  const trouble = reports.find((report) => report.trouble !== undefined)?.trouble;
  if (trouble !== undefined) return { failure: failureFrom(namespace, trouble) };
  const observations = new Map(reports.flatMap((report) => [...report.observations]));
  const [primary, secondary] = sharedFamilies(listeners).map(({ family }, place) =>
    familyMeasurementOf(family, place, observations),
  );
  return combined(primary, secondary);
}

/** Why the pods did not get so far, in the words of the verdicts. */
export function failureFrom(namespace: string, { reason, message }: NonNullable<ProbeReport['trouble']>): Failure {
  const subject = { source: 'the calibration', target: '', protocol: 'TCP', hasPods: true } as const;
  const trouble = message === '' ? {} : { trouble: message };
  return { reason, message: sentenceFor(reason, { ...subject, namespace, ...trouble }) };
}

/** Whether a measurement found an open door somewhere, so that it must be made once more. */
export function hasOpenDoor(measurement: Measurement): boolean {
  return familiesIn(measurement).some(isSomeDoorOpen);
}

/** For how long fresh pods are open, in milliseconds from the start of their program. */
export function freshPodDelayMsOf(measurement: Measurement): number {
  return Math.max(...familiesIn(measurement).map(openDelayMsOf));
}

/** What two measurements say together; of a family that only one of them could measure the second decides. */
export function repeated(
  first: Measurement,
  second: Measurement | { readonly failure: Failure },
): Measurement | { readonly failure: Failure } {
  if ('failure' in second) return second;
  const again = (after: FamilyMeasurement | FamilyFailure): FamilyMeasurement | FamilyFailure => {
    const before = familiesIn(first).find(({ family }) => family === after.family);
    return before === undefined || 'failure' in after ? after : familyRepeated(before, after);
  };
  const { primary, secondary } = second;
  return combined(again(primary), secondary === undefined ? undefined : again(secondary));
}

function combined(
  primary: FamilyMeasurement | FamilyFailure | undefined,
  secondary: FamilyMeasurement | FamilyFailure | undefined,
): Measurement | { readonly failure: Failure } {
  if (primary === undefined) {
    const message = 'The calibration pods that listen have no family of addresses in common. It is tried again.';
    return { failure: { reason: 'ControlFailed', message } };
  }
  if ('failure' in primary) return { failure: primary.failure };
  return secondary === undefined ? { primary } : { primary, secondary };
}

function familiesIn({ primary, secondary }: Measurement): readonly FamilyMeasurement[] {
  return secondary === undefined || 'failure' in secondary ? [primary] : [primary, secondary];
}
