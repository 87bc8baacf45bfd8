import type { Clock } from '../clock/index.ts';

/** So many at once, then one more each `refillMs`. */
interface BucketSize {
  readonly burst: number;
  readonly refillMs: number;
}

interface Bucket {
  tokens: number;
  filledAt: number;
}

/** For one object: a flapping test may not flood its namespace. */
const PER_OBJECT: BucketSize = { burst: 10, refillMs: 60_000 };
/** For all objects: whatever breaks in the whole cluster at once may not flood the API server. */
const OVERALL: BucketSize = { burst: 100, refillMs: 200 };
const MAX_OBJECTS = 2_000;

/** Decides which events are sent: token buckets, one per object and one over all. */
export class EventBudget {
  readonly #clock: Clock;
  readonly #overall: Bucket;
  readonly #objects = new Map<string, Bucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#overall = { tokens: OVERALL.burst, filledAt: clock.monotonic() };
  }

  /** Whether one more event about this object is within the budget; if so it is taken from it. */
  take(object: string): boolean {
    const now = this.#clock.monotonic();
    const bucket = this.#objects.get(object) ?? { tokens: PER_OBJECT.burst, filledAt: now };
    // Put back as the newest, so that the oldest is the one to forget.
    this.#objects.delete(object);
    this.#objects.set(object, bucket);
    const [oldest] = this.#objects.keys();
    if (this.#objects.size > MAX_OBJECTS && oldest !== undefined) this.#objects.delete(oldest);

    refill(bucket, PER_OBJECT, now);
    refill(this.#overall, OVERALL, now);
    if (bucket.tokens < 1 || this.#overall.tokens < 1) return false;
    bucket.tokens -= 1;
    this.#overall.tokens -= 1;
    return true;
  }
}

function refill(bucket: Bucket, size: BucketSize, now: number): void {
  const earned = Math.max(0, now - bucket.filledAt) / size.refillMs;
  bucket.tokens = Math.min(size.burst, bucket.tokens + earned);
  bucket.filledAt = now;
}
