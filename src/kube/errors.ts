import { plainText } from '../text/index.ts';
import { isRecord } from './json.ts';

/** Why a request to the API server failed: a closed family, so that callers can switch over it. */
export type KubeErrorCode =
  | 'Aborted'
  | 'AlreadyExists'
  | 'BadRequest'
  | 'Conflict'
  | 'Credentials'
  | 'Forbidden'
  | 'Gone'
  | 'Invalid'
  | 'Malformed'
  | 'Network'
  | 'NotFound'
  | 'ServerError'
  | 'Timeout'
  | 'TooManyRequests'
  | 'Unauthorized';

/** Whether the same request may succeed later. Unauthorized may: tokens rotate. */
const RETRYABLE: Readonly<Record<KubeErrorCode, boolean>> = {
  Aborted: false,
  AlreadyExists: false,
  BadRequest: false,
  Conflict: true,
  Credentials: true,
  Forbidden: false,
  Gone: true,
  Invalid: false,
  Malformed: true,
  Network: true,
  NotFound: false,
  ServerError: true,
  Timeout: true,
  TooManyRequests: true,
  Unauthorized: true,
};

const MAX_MESSAGE_BYTES = 512;

export interface KubeErrorDetails {
  /** The HTTP status, if there was an answer. */
  readonly status?: number | undefined;
  /** The `reason` of the Status object, for example `NamespaceTerminating`'s `Forbidden`. */
  readonly reason?: string | undefined;
  /** How long the server asks us to stay away. */
  readonly retryAfterSeconds?: number | undefined;
  readonly cause?: unknown;
}

/** A failed request. The message is one bounded line; it never holds headers, tokens or bodies. */
export class KubeError extends Error {
  readonly code: KubeErrorCode;
  readonly retryable: boolean;
  readonly status: number | undefined;
  readonly reason: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: KubeErrorCode, message: string, details: KubeErrorDetails = {}) {
    super(plainText(message, MAX_MESSAGE_BYTES), details.cause === undefined ? {} : { cause: details.cause });
    this.name = 'KubeError';
    this.code = code;
    this.retryable = RETRYABLE[code];
    this.status = details.status;
    this.reason = details.reason;
    this.retryAfterSeconds = details.retryAfterSeconds;
  }
}

/** Whether an error is a KubeError, with one of the codes if any are given. */
export function isKubeError(error: unknown, ...codes: KubeErrorCode[]): error is KubeError {
  return error instanceof KubeError && (codes.length === 0 || codes.includes(error.code));
}

/** The part of the API server's Status object that errors are made from. */
interface StatusBody {
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly retryAfterSeconds?: number;
}

/** What an error answer consists of. `retryAfter` is the header; `now` resolves its date form. */
export interface ErrorAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfter?: string | undefined;
  readonly now: number;
}

/** The error for an answer with an error status, or for the Status object of an `ERROR` watch event. */
export function errorFromAnswer(attempted: string, answer: ErrorAnswer): KubeError {
  const body = statusBodyFrom(answer.body);
  const status = body.code ?? answer.status;
  const retryAfterSeconds = secondsFromRetryAfter(answer.retryAfter, answer.now) ?? body.retryAfterSeconds;
  return new KubeError(codeFor(status, body.reason), `${attempted}: ${body.message ?? `HTTP status ${status}`}`, {
    status,
    reason: body.reason,
    retryAfterSeconds,
  });
}

/** The error for a request that got no answer, or only a part of one. */
export function errorFromFailure(attempted: string, failure: unknown): KubeError {
  if (failure instanceof KubeError) return failure;
  const code = isTimeout(failure) ? 'Timeout' : 'Network';
  return new KubeError(code, `${attempted}: ${describeFailure(failure)}`, { cause: failure });
}

function codeFor(status: number, reason: string | undefined): KubeErrorCode {
  if (reason === 'AlreadyExists') return 'AlreadyExists';
  if (reason === 'Expired') return 'Gone';
  switch (status) {
    case 401:
      return 'Unauthorized';
    case 403:
      return 'Forbidden';
    case 404:
      return 'NotFound';
    case 409:
      return 'Conflict';
    case 410:
      return 'Gone';
    case 422:
      return 'Invalid';
    case 429:
      return 'TooManyRequests';
    case 504:
      return 'Timeout';
    default:
      return status >= 400 && status < 500 ? 'BadRequest' : 'ServerError';
  }
}

function statusBodyFrom(body: unknown): StatusBody {
  if (!isRecord(body)) return {};
  const { message, reason, code, details } = body;
  const seconds = isRecord(details) ? details['retryAfterSeconds'] : undefined;
  return {
    ...(typeof message === 'string' && message !== '' ? { message } : {}),
    ...(typeof reason === 'string' && reason !== '' ? { reason } : {}),
    ...(typeof code === 'number' && code >= 400 ? { code } : {}),
    ...(typeof seconds === 'number' && seconds > 0 ? { retryAfterSeconds: seconds } : {}),
  };
}

/** Seconds to wait by a Retry-After header: a number of seconds or an HTTP date. */
function secondsFromRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined || header.trim() === '') return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - now) / 1000));
}

function isTimeout(failure: unknown): boolean {
  const { name, code } = namesOf(failure);
  return (
    name === 'TimeoutError' ||
    code === 'ETIMEDOUT' ||
    (code?.startsWith('UND_ERR_') === true && code.endsWith('_TIMEOUT'))
  );
}

function describeFailure(failure: unknown): string {
  if (!(failure instanceof Error)) return 'the connection failed';
  const { code } = namesOf(failure);
  // Some of Node's socket errors (AggregateError of several addresses) have an empty message.
  return failure.message === '' ? (code ?? failure.name) : failure.message;
}

function namesOf(failure: unknown): { name: string | undefined; code: string | undefined } {
  if (!(failure instanceof Error)) return { name: undefined, code: undefined };
  const code = 'code' in failure && typeof failure.code === 'string' ? failure.code : undefined;
  return { name: failure.name, code };
}
