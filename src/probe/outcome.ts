/** What one probe saw of one check (vocabulary of the verdicts; see ARCHITECTURE.md). */
export const outcomes = [
  'Connected',
  'Refused',
  'TimedOut',
  'Unreachable',
  'Reset',
  'NameNotResolved',
  'TLSFailed',
  'HTTPMismatch',
  'NameServerFailed',
  'AddressNotAllowed',
  'ProbeNotStarted',
  'ProbeLost',
] as const;
export type Outcome = (typeof outcomes)[number];

/** The stage at which an attempt ended. */
export type Stage = 'dns' | 'connect' | 'tls' | 'http';

/** A positive statement of a probe about one check. */
export interface Observation {
  readonly outcome: Outcome;
  readonly stage: Stage;
  /** How the first attempt ended. A Deny that met silence once and something else once states the silence here. */
  readonly firstOutcome: Outcome;
  readonly attempts: number;
  /**
   * From the first attempt's start to what decided: the first of two connections of a converging check, the first attempt of a
   * sealing one that met a denial, else the end of the last attempt.
   */
  readonly elapsedMs: number;
  /** The HTTP status code, if an HTTP answer came. */
  readonly httpStatus?: number;
  /** The address that a host name resolved to. */
  readonly address?: string;
}
