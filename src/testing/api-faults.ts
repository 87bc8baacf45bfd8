import type { ServerResponse } from 'node:http';

/** What can go wrong with a request. */
export type Fault =
  /** Answers with an error status, and Retry-After as a header (seconds or a date) or in the body. */
  | {
      readonly type: 'Status';
      readonly status: number;
      readonly reason?: string;
      readonly message?: string;
      readonly retryAfter?: string;
      readonly retryAfterSeconds?: number;
    }
  /** Answers late. */
  | { readonly type: 'Hold'; readonly until: Promise<void> }
  /** Never answers. */
  | { readonly type: 'Stall' }
  /** Hangs up without an answer. */
  | { readonly type: 'HangUp' }
  /** Answers with the first half of the JSON, as if it were all. */
  | { readonly type: 'Truncate' }
  /** Watch: hangs up in the middle of the next event. */
  | { readonly type: 'DropMidLine' }
  /** Watch: sends the next event as half a line that ends properly. */
  | { readonly type: 'BrokenLine' }
  /** Watch: opens, and then sends nothing, whatever happens. */
  | { readonly type: 'Silent' }
  /** Watch: ends as soon as it opened. */
  | { readonly type: 'End' }
  /** Watch: says in the stream that the version is too old. */
  | { readonly type: 'GoneEvent' };

/** Which requests a fault hits. */
export interface FaultScope {
  readonly verb?: string;
  readonly plural?: string;
  /** How many requests. Default: 1. */
  readonly times?: number;
}

interface PlannedFault {
  readonly fault: Fault;
  readonly scope: FaultScope;
  left: number;
}

/** The faults that a test planned. */
export class FaultPlan {
  readonly #planned: PlannedFault[] = [];

  add(fault: Fault, scope: FaultScope): void {
    this.#planned.push({ fault, scope, left: scope.times ?? 1 });
  }

  clear(): void {
    this.#planned.length = 0;
  }

  /** The fault for this request, which counts as having happened then. */
  take(verb: string, plural: string): Fault | undefined {
    const planned = this.#planned.find(
      ({ scope, left }) => left > 0 && (scope.verb ?? verb) === verb && (scope.plural ?? plural) === plural,
    );
    if (planned === undefined) return undefined;
    planned.left -= 1;
    return planned.fault;
  }
}

/** The lines of one watch, spoiled by a fault if there is one. */
export class WatchWriter {
  readonly #response: ServerResponse;
  readonly #fault: Fault | undefined;
  #isSpoiled = false;

  constructor(response: ServerResponse, fault: Fault | undefined) {
    this.#response = response;
    this.#fault = fault;
  }

  send(event: { readonly type: string; readonly object: unknown }): void {
    const line = `${JSON.stringify(event)}\n`;
    const half = line.slice(0, line.length / 2);
    if (this.#isSpoiled || this.#response.writableEnded) return;
    switch (this.#fault?.type) {
      case 'Silent':
        return;
      case 'DropMidLine':
        this.#isSpoiled = true;
        // The half line must be on the wire before the socket goes.
        this.#response.write(half, () => this.#response.destroy());
        return;
      case 'BrokenLine':
        this.#isSpoiled = true;
        this.#response.write(`${half}\n`);
        return;
      default:
        this.#response.write(line);
    }
  }
}
