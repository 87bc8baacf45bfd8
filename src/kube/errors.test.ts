import { describe, expect, it } from 'vitest';
import { errorFromAnswer, errorFromFailure, isKubeError, KubeError, type KubeErrorCode } from './errors.ts';

const NOW = Date.UTC(2026, 0, 1, 12, 0, 0);

describe('errorFromAnswer', () => {
  it.each<{ status: number; reason?: string; code: KubeErrorCode; retryable: boolean }>([
    { status: 400, reason: 'BadRequest', code: 'BadRequest', retryable: false },
    { status: 401, reason: 'Unauthorized', code: 'Unauthorized', retryable: true },
    { status: 403, reason: 'Forbidden', code: 'Forbidden', retryable: false },
    { status: 404, reason: 'NotFound', code: 'NotFound', retryable: false },
    { status: 405, reason: 'MethodNotAllowed', code: 'BadRequest', retryable: false },
    { status: 409, reason: 'AlreadyExists', code: 'AlreadyExists', retryable: false },
    { status: 409, reason: 'Conflict', code: 'Conflict', retryable: true },
    { status: 410, reason: 'Gone', code: 'Gone', retryable: true },
    { status: 410, reason: 'Expired', code: 'Gone', retryable: true },
    { status: 415, code: 'BadRequest', retryable: false },
    { status: 422, reason: 'Invalid', code: 'Invalid', retryable: false },
    { status: 429, reason: 'TooManyRequests', code: 'TooManyRequests', retryable: true },
    { status: 500, reason: 'InternalError', code: 'ServerError', retryable: true },
    { status: 503, reason: 'ServiceUnavailable', code: 'ServerError', retryable: true },
    { status: 504, reason: 'Timeout', code: 'Timeout', retryable: true },
  ])('maps $status $reason to $code', ({ status, reason, code, retryable }) => {
    const error = errorFromAnswer('Reading pods a/b', { status, body: { reason, message: 'why' }, now: NOW });

    expect(error).toMatchObject({ code, retryable, status, reason, message: 'Reading pods a/b: why' });
  });

  it.each<{ form: string; retryAfter?: string; body?: object; want: number | undefined }>([
    { form: 'seconds', retryAfter: '7', want: 7 },
    { form: 'a date', retryAfter: 'Thu, 01 Jan 2026 12:00:30 GMT', want: 30 },
    { form: 'a date that is over', retryAfter: 'Thu, 01 Jan 2026 11:00:00 GMT', want: 0 },
    { form: 'the details of the body', body: { details: { retryAfterSeconds: 9 } }, want: 9 },
    { form: 'nonsense, which counts as nothing', retryAfter: 'soon', want: undefined },
    { form: 'negative seconds, which count as none', retryAfter: '-5', want: 0 },
    { form: 'nothing', want: undefined },
  ])('reads Retry-After as $form', ({ retryAfter, body = {}, want }) => {
    const error = errorFromAnswer('Listing pods', { status: 429, body, retryAfter, now: NOW });

    expect(error.retryAfterSeconds).toBe(want);
  });

  it.each([
    ['undefined', undefined],
    ['a text', 'oops'],
    ['null', null],
    ['an array', []],
    ['a body with fields of wrong types', { message: 1, reason: {}, details: 'x', code: 'y' }],
  ])('makes do with %s for a body', (_what, body) => {
    const error = errorFromAnswer('Listing pods', { status: 502, body, now: NOW });

    expect(error).toMatchObject({ code: 'ServerError', message: 'Listing pods: HTTP status 502' });
  });

  it('bounds the message and makes it one harmless line', () => {
    const message = `\u001b[31mline\nline\u202e ${'x'.repeat(10_000)}`;

    const error = errorFromAnswer('Applying pods a/b', { status: 422, body: { message }, now: NOW });

    expect(error.message).toMatch(/^Applying pods a\/b: line line x+…$/);
    expect(Buffer.byteLength(error.message)).toBeLessThanOrEqual(512);
  });
});

describe('errorFromFailure', () => {
  it.each<{ failure: unknown; code: KubeErrorCode; message: string }>([
    {
      failure: Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }),
      code: 'Network',
      message: 'Listing pods: connect ECONNREFUSED',
    },
    {
      failure: Object.assign(new Error('Headers Timeout Error'), { code: 'UND_ERR_HEADERS_TIMEOUT' }),
      code: 'Timeout',
      message: 'Listing pods: Headers Timeout Error',
    },
    {
      failure: Object.assign(new Error('connect ETIMEDOUT'), { code: 'ETIMEDOUT' }),
      code: 'Timeout',
      message: 'Listing pods: connect ETIMEDOUT',
    },
    {
      failure: Object.assign(new AggregateError([], ''), { code: 'ENETUNREACH' }),
      code: 'Network',
      message: 'Listing pods: ENETUNREACH',
    },
    { failure: 'thrown text', code: 'Network', message: 'Listing pods: the connection failed' },
  ])('maps $failure to $code', ({ failure, code, message }) => {
    const error = errorFromFailure('Listing pods', failure);

    expect(error).toMatchObject({ code, message, retryable: true });
  });

  it('leaves a KubeError as it is', () => {
    const error = new KubeError('Gone', 'old');

    expect(errorFromFailure('Listing pods', error)).toBe(error);
  });
});

describe('isKubeError', () => {
  it('tells errors apart by their codes', () => {
    const error = new KubeError('Gone', 'old');

    expect(isKubeError(error)).toBe(true);
    expect(isKubeError(error, 'Gone', 'Conflict')).toBe(true);
    expect(isKubeError(error, 'Conflict')).toBe(false);
    expect(isKubeError(new Error('other'))).toBe(false);
  });
});
