import { type MeasuredOutcome, measuredOutcomes } from '../api/index.ts';
import type { IpFamily, Observation } from '../probe/index.ts';
import { checkIdOf, type Protocol, protocols } from './pods.ts';

/** How a denied connection ended, by the side that denied it. */
export interface MeasuredPair {
  readonly ingress: MeasuredOutcome;
  readonly egress: MeasuredOutcome;
}

/** What was measured, by protocol: the verdicts' table, but for outcomes that are none of a denial. */
export type Measured = { readonly [P in Protocol]?: MeasuredPair };

/** Why there is no result. */
export interface Failure {
  readonly reason: string;
  readonly message: string;
}

/** What was measured over one family of addresses. */
export interface FamilyMeasurement {
  readonly family: IpFamily;
  readonly measured: Measured;
  /** How long doors were open that must be closed, in milliseconds from the start of their probe; none that was closed at once. */
  readonly openMs: Readonly<Record<string, number>>;
}

/** Why nothing could be measured over one family. */
export interface FamilyFailure {
  readonly family: IpFamily;
  readonly failure: Failure;
}

/**
 * What probes say of one family, which is the `place`-th that they dialled. TCP must be measured; a further protocol that cannot be
 * is left out. A denied connection counts only beside one that was admitted, to the same listener or from the same pod.
 */
export function familyMeasurementOf(
  family: IpFamily,
  place: number,
  observations: ReadonlyMap<number, Observation>,
): FamilyMeasurement | FamilyFailure {
  const measured: { [P in Protocol]?: MeasuredPair } = {};
  const openMs: Record<string, number> = {};
  for (const protocol of protocols) {
    const seenBy = (part: Parameters<typeof checkIdOf>[2]) => observations.get(checkIdOf(place, protocol, part));
    const [control, ingress, egress] = [seenBy('control'), seenBy('ingress'), seenBy('egress')];
    const pair = pairFrom(`${protocol} and ${family}`, control, ingress, egress);
    if (!('reason' in pair)) measured[protocol] = pair;
    else if (protocol === 'TCP') return { family, failure: pair };
    for (const [side, seen] of Object.entries({ ingress, egress })) {
      if (seen?.firstOutcome === 'Connected') openMs[doorOf(protocol, side)] = seen.elapsedMs;
    }
  }
  return { family, measured, openMs };
}

function doorOf(protocol: string, side: string): string {
  return `${protocol} ${side}`;
}

/**
 * For how long fresh pods are open, in milliseconds from the start of their program: the longest that a door was seen open which
 * was closed then. Whole hundredths of a second are what probes state, so it was one more at most.
 */
export function openDelayMsOf({ measured, openMs }: FamilyMeasurement): number {
  const delays = protocols.flatMap((protocol) =>
    (['ingress', 'egress'] as const).map((side) => {
      const open = openMs[doorOf(protocol, side)];
      const outcome = measured[protocol]?.[side];
      return open === undefined || outcome === undefined || outcome === 'Connected' ? 0 : open + 10;
    }),
  );
  return Math.max(0, ...delays);
}

function pairFrom(
  what: string,
  control: Observation | undefined,
  ingress: Observation | undefined,
  egress: Observation | undefined,
): MeasuredPair | Failure {
  if (control?.outcome !== 'Connected') {
    return {
      reason: 'ControlFailed',
      message: `A calibration pod that no policy of the chart denies anything could not reach another one over ${what} (${control?.outcome ?? 'nothing was stated'}). Check whether another policy selects the pods labelled postern.dev/calibration, and the network between nodes.`,
    };
  }
  const pair = { ingress: steady(ingress), egress: steady(egress) };
  if (pair.ingress === undefined) return unsteady(what, 'ingress', ingress);
  if (pair.egress === undefined) return unsteady(what, 'egress', egress);
  return { ingress: pair.ingress, egress: pair.egress };
}

/** The outcome, if it can be one of a denial or of its absence, and the second attempt confirmed it. One connection is enough. */
function steady(observation: Observation | undefined): MeasuredOutcome | undefined {
  if (observation === undefined || observation.stage !== 'connect') return undefined;
  const outcome = measuredOutcomes.find((each) => each === observation.outcome);
  if (outcome === 'Connected') return outcome;
  // What connected at first was dialled until it was denied twice in the same way.
  const isClosedLate = observation.firstOutcome === 'Connected' && observation.attempts >= 3;
  const isSteady = observation.firstOutcome === outcome && observation.attempts >= 2;
  return isClosedLate || isSteady ? outcome : undefined;
}

function unsteady(what: string, side: string, observation: Observation | undefined): Failure {
  const seen = observation === undefined ? 'nothing' : `${observation.firstOutcome}, then ${observation.outcome}`;
  return notTheSame(what, side, seen);
}

function notTheSame(what: string, side: string, seen: string): Failure {
  return {
    reason: 'Unsteady',
    message: `What a probe sees of a denied ${side} over ${what} is not the same twice (${seen}). It is tried again.`,
  };
}

/** Whether a measurement found an open door somewhere, so that it must be made once more. */
export function isSomeDoorOpen({ measured }: FamilyMeasurement): boolean {
  return Object.values(measured).some(({ ingress, egress }) => ingress === 'Connected' || egress === 'Connected');
}

/**
 * What two measurements of a family say together, the second made by pods that dialled until they were denied. A door that was
 * open only at first was about to be closed: fresh pods are. One that opened, or that is closed in another way, is no result.
 */
export function familyRepeated(first: FamilyMeasurement, second: FamilyMeasurement): FamilyMeasurement | FamilyFailure {
  const { family } = second;
  for (const protocol of protocols) {
    const [before, after] = [first.measured[protocol], second.measured[protocol]];
    if (before === undefined || after === undefined) continue;
    for (const side of ['ingress', 'egress'] as const) {
      if (before[side] !== 'Connected' && before[side] !== after[side]) {
        const seen = `${before[side]}, then ${after[side]}`;
        return { family, failure: notTheSame(`${protocol} and ${family}`, side, seen) };
      }
    }
  }
  const openMs = { ...first.openMs };
  for (const [door, ms] of Object.entries(second.openMs)) openMs[door] = Math.max(ms, openMs[door] ?? 0);
  return { family, measured: second.measured, openMs };
}
