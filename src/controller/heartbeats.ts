import type { Lease } from '../api/index.ts';
import type { Clock } from '../clock/index.ts';
import type { Change } from '../kube/index.ts';

/** News of a renewal that comes later than this says nothing about the moment in which it comes. */
const lateMs = 5_000;

/**
 * When the kubelet of each node was last heard of, by the Leases that kubelets renew every ten seconds (KEP-589). A node counts as
 * Ready for most of a minute after it died; its Lease tells sooner. Only a renewal that was seen to happen counts: the clocks of
 * nodes are their own, so that the time in a Lease can only be compared with an earlier one of the same node.
 */
export class Heartbeats {
  readonly #clock: Clock;
  /** The newest renewal of each node, by the node's clock, and when it was told of. */
  readonly #news = new Map<string, { readonly renewed: number; readonly told: number }>();
  readonly #heard = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes in news of a Lease, and says whether its node has been heard of. */
  take({ type, object }: Change<Lease>): boolean {
    const node = object.metadata.name;
    const before = this.#news.get(node);
    const renewed = Date.parse(object.spec?.renewTime ?? '');
    if (type === 'Deleted' || Number.isNaN(renewed)) {
      this.#news.delete(node);
      this.#heard.delete(node);
      return false;
    }
    if (before?.renewed === renewed) return false;
    const told = this.#clock.monotonic();
    this.#news.set(node, { renewed, told });
    // A list after an interrupted watch tells of what may have happened long before.
    const isLate = before === undefined || told - before.told > renewed - before.renewed + lateMs;
    if (!isLate) this.#heard.set(node, told);
    return !isLate;
  }

  /** Milliseconds of the monotonic clock; undefined if no renewal was seen. */
  lastOf(node: string): number | undefined {
    return this.#heard.get(node);
  }
}
