import { request as send, type Dispatcher } from 'undici';
import type { Clock } from '../clock/index.ts';
import { Connections } from './connections.ts';
import type { Credentials } from './credentials.ts';
import { errorFromAnswer, errorFromFailure, isKubeError, KubeError } from './errors.ts';

/** The kinds of requests, as metrics tell them apart. */
type Verb = 'list' | 'get' | 'create' | 'apply' | 'delete' | 'watch' | 'discover';

/** One finished request, for metrics. `code` is the HTTP status or, without an answer, the code of the error. */
export interface RequestObservation {
  readonly verb: Verb;
  /** The plural of the resource type. */
  readonly resource: string;
  readonly code: string;
  /** Until the end of the answer; for a watch, until it opened. */
  readonly seconds: number;
}

export type RequestObserver = (request: RequestObservation) => void;

export interface KubeRequest {
  readonly verb: Verb;
  readonly resource: string;
  /** What is attempted, on what: the start of every error message. */
  readonly attempted: string;
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: object;
  readonly contentType?: string;
  readonly signal: AbortSignal;
}

export interface TransportOptions {
  readonly credentials: Credentials;
  readonly userAgent: string;
  readonly requestTimeoutMs: number;
  readonly clock: Clock;
}

/** An open answer. To leave a loop over its bytes is to close it. */
export interface ByteStream {
  readonly bytes: AsyncIterable<Buffer>;
  /** Lets go of the caller's signal. Must be called in the end. */
  release(): void;
}

/** Sends requests to the API server over shared connections, and turns whatever goes wrong into a KubeError. */
export class Transport {
  readonly #options: TransportOptions;
  readonly #connections: Connections;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#connections = new Connections(Math.min(10_000, options.requestTimeoutMs));
  }

  /** Sends a request and gives the parsed JSON of its answer. */
  async json(request: KubeRequest, observers: readonly RequestObserver[]): Promise<unknown> {
    // Undici watches for silence; this deadline bounds what it does not see: waiting for a connection, and trickling.
    const deadline = new Deadline(request.signal, this.#options.requestTimeoutMs * 2);
    try {
      return await this.#observed(request, observers, deadline, async () => {
        const response = await this.#send(request, deadline, this.#options.requestTimeoutMs, 'requests');
        const text = await response.body.text();
        if (response.statusCode >= 400) throw this.#errorFrom(request, response, text);
        return { status: response.statusCode, value: parseJson(request, text) };
      });
    } finally {
      deadline.clear();
    }
  }

  /**
   * Opens a stream of bytes, which fails after `idleTimeoutMs` without any. Undici's own timer is used for that because
   * over HTTP/2 it then also checks whether the connection itself is dead.
   */
  async stream(
    request: KubeRequest,
    observers: readonly RequestObserver[],
    idleTimeoutMs: number,
  ): Promise<ByteStream> {
    const opening = new Deadline(request.signal, this.#options.requestTimeoutMs * 2);
    try {
      const body = await this.#observed(request, observers, opening, async () => {
        const response = await this.#send(request, opening, idleTimeoutMs, 'watches');
        if (response.statusCode >= 400) throw this.#errorFrom(request, response, await response.body.text());
        return { status: response.statusCode, value: response.body };
      });
      opening.stopTimer();
      return {
        bytes: body,
        release: () => opening.clear(),
      };
    } catch (error) {
      opening.clear();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#connections.close();
  }

  async #send(
    request: KubeRequest,
    deadline: Deadline,
    bodyTimeout: number,
    pool: 'requests' | 'watches',
  ): Promise<Dispatcher.ResponseData> {
    const access = await this.#options.credentials();
    // Only now: the first credentials may take a while, and that is not the server's fault.
    deadline.start();
    const url = new URL(access.server + request.path);
    for (const [name, value] of Object.entries(request.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    const headers: Record<string, string> = {
      ...access.headers,
      accept: 'application/json',
      'user-agent': this.#options.userAgent,
    };
    if (request.body !== undefined) headers['content-type'] = request.contentType ?? 'application/json';
    return send(url, {
      method: request.method,
      headers,
      body: request.body === undefined ? null : JSON.stringify(request.body),
      signal: deadline.signal,
      dispatcher: this.#connections.poolsFor(access)[pool],
      headersTimeout: this.#options.requestTimeoutMs,
      bodyTimeout,
    });
  }

  /** Runs a request, tells the observers how it went, and maps its failure. */
  async #observed<R>(
    request: KubeRequest,
    observers: readonly RequestObserver[],
    deadline: Deadline,
    run: () => Promise<{ readonly status: number; readonly value: R }>,
  ): Promise<R> {
    const started = this.#options.clock.monotonic();
    const observe = (code: string): void => {
      const seconds = Math.max(0, this.#options.clock.monotonic() - started) / 1000;
      for (const observer of observers) observer({ verb: request.verb, resource: request.resource, code, seconds });
    };
    let outcome: { readonly status: number; readonly value: R };
    try {
      if (request.signal.aborted) throw request.signal.reason;
      outcome = await run();
    } catch (failure) {
      const error = failureToError(request, failure, deadline);
      observe(String(error.status ?? error.code));
      throw error;
    }
    observe(String(outcome.status));
    return outcome.value;
  }

  #errorFrom(request: KubeRequest, response: Dispatcher.ResponseData, text: string): KubeError {
    const header = response.headers['retry-after'];
    return errorFromAnswer(request.attempted, {
      status: response.statusCode,
      body: jsonOrUndefined(text),
      retryAfter: typeof header === 'string' ? header : undefined,
      now: this.#options.clock.now(),
    });
  }
}

/** A signal that aborts with another one or some time after its start, and leaves no listener behind. */
class Deadline {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal;
  readonly #ms: number;
  #timer: NodeJS.Timeout | undefined;
  readonly #onAbort = (): void => this.#controller.abort(this.#outer.reason);
  passed = false;

  constructor(outer: AbortSignal, ms: number) {
    this.#outer = outer;
    this.#ms = ms;
    if (outer.aborted) this.#onAbort();
    else outer.addEventListener('abort', this.#onAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  start(): void {
    this.#timer = setTimeout(() => {
      this.passed = true;
      this.#controller.abort();
    }, this.#ms);
  }

  stopTimer(): void {
    clearTimeout(this.#timer);
  }

  clear(): void {
    this.stopTimer();
    this.#outer.removeEventListener('abort', this.#onAbort);
  }
}

function failureToError(request: KubeRequest, failure: unknown, deadline: Deadline): KubeError {
  if (isKubeError(failure)) return failure;
  if (request.signal.aborted) return new KubeError('Aborted', `${request.attempted}: aborted`);
  if (deadline.passed) return new KubeError('Timeout', `${request.attempted}: no complete answer in time`);
  return errorFromFailure(request.attempted, failure);
}

function parseJson(request: KubeRequest, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No cause: the message of a JSON error quotes the body.
    throw new KubeError('Malformed', `${request.attempted}: the answer is not JSON`);
  }
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
