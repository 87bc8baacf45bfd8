import type {
  BlockCondition,
  ExaminedCondition,
  ExaminedRule,
  ExaminedSection,
  Peer,
  PolicyReference,
  PortMatch,
  Requirement,
} from '../policy/index.ts';

/** One statement that a rule makes and that is not true of the connection. */
export type FailedPredicate =
  | {
      readonly kind: 'SubjectTerm' | 'PeerTerm';
      readonly path: string;
      readonly requirement: Requirement;
      /** Nobody knows that it fails: an input is missing. */
      readonly isOpen?: true;
    }
  /** A peer without namespaceSelector means the policy's own namespace. */
  | { readonly kind: 'PeerScope'; readonly path: string }
  /** A selector of pods, and the other side is none. */
  | { readonly kind: 'PeerIsNoPod'; readonly path: string }
  | {
      readonly kind: 'PeerBlock';
      readonly path: string;
      readonly condition: BlockCondition;
      /** Nobody knows that it fails: the API leaves it open, or the address is missing. */
      readonly isOpen?: true;
    }
  | { readonly kind: 'Port' | 'Protocol' | 'PortName'; readonly path: string; readonly entry: PortMatch }
  /** What other dialects ask for: named, and not taken apart. */
  | { readonly kind: 'Other'; readonly path: string };

/** One way in which a rule could have admitted the connection, and why it did not. */
export interface Miss {
  readonly policy: PolicyReference;
  readonly rule: ExaminedRule;
  readonly peer?: Peer;
  readonly port?: PortMatch;
  readonly failed: readonly FailedPredicate[];
}

export function distanceOf({ failed }: Miss): number {
  return failed.length;
}

interface Asked {
  readonly protocol: string;
  readonly port: number;
  readonly hasName: (entry: PortMatch) => boolean;
}

/** Every combination of a peer and the nearest port entry of the admitting rules of a section, nearest first. */
export function missesOf(examined: ExaminedSection, asked: Asked): readonly Miss[] {
  const { section, subject, rules } = examined;
  const unselected = examined.selects === 'yes' ? [] : subject.flatMap((each) => subjectFailures(each));
  return rules
    .filter(({ rule }) => rule.action === 'allow')
    .flatMap((rule) => {
      const ports = nearestPort(rule, asked);
      const peers =
        rule.rule.peers === undefined
          ? [{ failed: [] }]
          : rule.peers.map(({ peer, matches, conditions }) => ({
              peer,
              failed: matches === 'yes' ? [] : conditions.flatMap((each) => peerFailures(peer, each)),
            }));
      return peers.map(({ failed, ...peer }) => ({
        policy: section.policy,
        rule,
        ...peer,
        ...(ports.port === undefined ? {} : { port: ports.port }),
        failed: [...unselected, ...failed, ...ports.failed],
      }));
    })
    .toSorted((a, b) => distanceOf(a) - distanceOf(b));
}

function subjectFailures({ condition, holds, terms }: ExaminedCondition): readonly FailedPredicate[] {
  if (holds === 'yes') return [];
  const failing = terms.filter((term) => term.holds !== 'yes');
  return failing.length === 0
    ? [{ kind: 'Other', path: condition.path }]
    : failing.map((term) => termFailure('SubjectTerm', term));
}

function peerFailures(peer: Peer, { condition, holds, terms }: ExaminedCondition): readonly FailedPredicate[] {
  const { path } = condition;
  if (holds === 'yes') return [];
  if (condition.kind === 'Block') return [{ kind: 'PeerBlock', path, condition, ...openness(holds) }];
  if (condition.kind !== 'Labels') return [{ kind: 'Other', path }];
  const failing = terms.filter((term) => term.holds !== 'yes');
  // Only pods have terms that can fail.
  if (failing.length === 0) return [{ kind: 'PeerIsNoPod', path }];
  if (path === peer.path) return [{ kind: 'PeerScope', path }];
  return failing.map((term) => termFailure('PeerTerm', term));
}

function termFailure(
  kind: 'SubjectTerm' | 'PeerTerm',
  { requirement, holds }: ExaminedCondition['terms'][number],
): FailedPredicate {
  return { kind, path: requirement.path, requirement, ...openness(holds) };
}

function openness(holds: ExaminedCondition['holds']): { readonly isOpen?: true } {
  return holds === 'no' ? {} : { isOpen: true };
}

function nearestPort(
  { rule, ports }: ExaminedRule,
  asked: Asked,
): { readonly port?: PortMatch; readonly failed: readonly FailedPredicate[] } {
  if (rule.ports === undefined) return { failed: [] };
  const misses = ports.map(({ entry, matches }) => ({
    port: entry,
    failed: matches === 'yes' ? [] : portFailures(entry, asked),
  }));
  return misses.toSorted((a, b) => a.failed.length - b.failed.length)[0] ?? { failed: [] };
}

function portFailures(entry: PortMatch, { protocol, port, hasName }: Asked): readonly FailedPredicate[] {
  const { path, range, name } = entry;
  const failed: FailedPredicate[] = [];
  if (entry.protocol !== 'any' && entry.protocol !== protocol) failed.push({ kind: 'Protocol', path, entry });
  if (name !== undefined && !hasName(entry)) failed.push({ kind: 'PortName', path, entry });
  if (range !== undefined && (port < range.first || port > range.last)) failed.push({ kind: 'Port', path, entry });
  return failed;
}
