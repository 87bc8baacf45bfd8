import { isAddress } from './address.ts';
import type { Observation, Outcome, Stage } from './outcome.ts';

/** A complete and authentic result of one probe pod. */
export interface ProbeResult {
  /** By the check's id. */
  readonly observations: ReadonlyMap<number, Observation>;
  /** Whether the pod's own resolver answered: proof that the source's network works. */
  readonly resolverAnswered: boolean;
}

const outcomeOf: Readonly<Record<string, Outcome>> = {
  C: 'Connected',
  R: 'Refused',
  T: 'TimedOut',
  U: 'Unreachable',
  X: 'Reset',
  N: 'NameNotResolved',
  M: 'HTTPMismatch',
  S: 'TLSFailed',
  D: 'NameServerFailed',
  F: 'AddressNotAllowed',
  E: 'ProbeLost',
};
const stageOf: Readonly<Record<string, Stage>> = { d: 'dns', c: 'connect', t: 'tls', h: 'http' };

/** The kubelet keeps no more of a termination message (KEP-266); a longer one is nobody's statement. */
const maxMessageLength = 4096;

/**
 * Reads a termination message (format: program/probe.sh). Anything but a complete message of this very run gives
 * `undefined`: torn at either end, another nonce, a count that does not fit, an unknown or missing or repeated check. What is
 * returned says no more and no less than the message.
 */
export function parseResult(message: string, nonce: string, expectedIds: readonly number[]): ProbeResult | undefined {
  if (message.length > maxMessageLength) return undefined;
  const lines = message.split('\n');
  if (lines.pop() !== '') return undefined;
  if (lines[0] !== `postern/1 ${nonce} ${expectedIds.length}`) return undefined;
  const end = /^end (\S+) ([AN])$/.exec(lines.at(-1) ?? '');
  if (end?.[1] !== nonce) return undefined;

  const expected = new Set(expectedIds);
  const observations = new Map<number, Observation>();
  for (const text of lines.slice(1, -1)) {
    const parsed = parseLine(text);
    if (parsed === undefined || !expected.has(parsed.id) || observations.has(parsed.id)) return undefined;
    observations.set(parsed.id, parsed.observation);
  }
  return observations.size === expected.size ? { observations, resolverAnswered: end[2] === 'A' } : undefined;
}

/** Numbers have one notation, and there is no statement without an attempt. */
const statement = /^(0|[1-9]\d{0,3}) ([A-Z])([a-z]) ([1-9]\d{0,3}) (0|[1-9]\d{0,6}) ([A-Z])([a-z]) (\S{1,45})$/;

function parseLine(text: string): { id: number; observation: Observation } | undefined {
  const fields = statement.exec(text);
  if (fields === null) return undefined;
  const [, id, code, stageCode, attempts, centiseconds, firstCode, firstStage, detail] = fields;
  const outcome = outcomeOf[code ?? ''];
  const firstOutcome = outcomeOf[firstCode ?? ''];
  const stage = stageOf[stageCode ?? ''];
  if (outcome === undefined || firstOutcome === undefined || stage === undefined) return undefined;
  if (stageOf[firstStage ?? ''] === undefined) return undefined;
  const facts = detailFacts(detail ?? '');
  if (facts === undefined) return undefined;
  return {
    id: Number(id),
    observation: {
      outcome,
      stage,
      firstOutcome,
      attempts: Number(attempts),
      elapsedMs: Number(centiseconds) * 10,
      ...facts,
    },
  };
}

function detailFacts(detail: string): Pick<Observation, 'httpStatus' | 'address'> | undefined {
  if (detail === '-') return {};
  if (/^[1-5]\d\d$/.test(detail)) return { httpStatus: Number(detail) };
  return isAddress(detail) ? { address: detail } : undefined;
}
