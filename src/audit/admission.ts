import type { Answer, PortRange } from '../policy/index.ts';
import type { AddressRange } from '../prediction/index.ts';
import type { Unit } from './unit.ts';

/** Who may, or may perhaps, connect over some ports. */
export interface Admission {
  /** On the other side: of inbound connections the sources. */
  readonly peers: readonly Peer[];
  /** Which pods of them, where one of both sides uses the host network: those on the same node, or on others. */
  readonly place: Place;
  /** Each of one answer, the same for all. */
  readonly ports: readonly PortRange[];
  readonly answer: Exclude<Answer, 'deny'>;
  /** Why the answer is open, for one of the pairs. */
  readonly because: readonly string[];
}

export type Place = 'Any' | 'SameNode' | 'OtherNode' | 'NodeUnknown';

/** `Cluster` and `Namespace` are every workload there but pods with themselves; `Self` is another pod of the same workload. */
export type Peer =
  | { readonly kind: 'Cluster' }
  | { readonly kind: 'Namespace'; readonly namespace: string }
  | { readonly kind: 'Unit'; readonly unit: Unit }
  | { readonly kind: 'Self' }
  | { readonly kind: 'Outside'; readonly addresses: Addresses };

/** Addresses outside of the cluster, in order. */
export type Addresses = readonly AddressRange[];

/** Ranges by their answer. */
export function byAnswer(ranges: readonly PortRange[]): readonly Pick<Admission, 'answer' | 'ports'>[] {
  return (['allow', 'undefined', 'unknown'] as const).flatMap((answer) => {
    const ports = ranges.filter((range) => range.answer === answer);
    return ports.length === 0 ? [] : [{ answer, ports }];
  });
}
