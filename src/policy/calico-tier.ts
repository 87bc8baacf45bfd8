import type { Policy } from '../api/index.ts';
import type { Stage } from './normal-form.ts';
import { groupOf } from './part.ts';

/** What of the other objects a policy's meaning depends on. */
export interface CalicoContext {
  /** Whether the world has Calico policies: then NetworkPolicies take part in Calico's tier `default`. */
  readonly isPresent: boolean;
  readonly tiers: ReadonlyMap<string, CalicoTier>;
}

export interface CalicoTier {
  readonly stage: Stage;
  /** What becomes of a selected pod's connection that no rule of the tier matches. */
  readonly deniesByDefault: boolean;
}

const groups: readonly string[] = ['projectcalico.org', 'crd.projectcalico.org'];

/** Where Kubernetes' own policies stand in the default tier. */
export const networkPolicyOrder = 1000;

export function isCalico({ apiVersion }: Policy): boolean {
  return groups.includes(groupOf(apiVersion));
}

export function calicoContext(policies: readonly Policy[]): CalicoContext {
  const ours = policies.filter(isCalico);
  const given = ours
    .filter(({ kind }) => kind === 'Tier')
    .map((tier): [string, CalicoTier] => [tier.metadata.name, tierOf(tier)]);
  return {
    isPresent: ours.some(({ kind }) => kind === 'NetworkPolicy' || kind === 'GlobalNetworkPolicy'),
    tiers: new Map([...builtIn, ...given]),
  };
}

/** The tiers that Calico makes itself; other tiers' orders stand in their Tier objects. */
const builtIn: readonly (readonly [string, CalicoTier])[] = [
  ['default', tier('default', 1_000_000, true)],
  ['kube-admin', tier('kube-admin', 1000, false)],
  ['kube-baseline', tier('kube-baseline', 10_000_000, false)],
  ['adminnetworkpolicy', tier('adminnetworkpolicy', 1000, false)],
  ['baselineadminnetworkpolicy', tier('baselineadminnetworkpolicy', 10_000_000, false)],
];

function tierOf({ metadata, spec }: Policy): CalicoTier {
  const members = new Map<string, unknown>(typeof spec === 'object' && spec !== null ? Object.entries(spec) : []);
  const order = members.get('order');
  return tier(
    metadata.name,
    typeof order === 'number' ? order : Number.POSITIVE_INFINITY,
    members.get('defaultAction') !== 'Pass',
  );
}

function tier(name: string, order: number, deniesByDefault: boolean): CalicoTier {
  const stage: Stage = { name: `Calico tier ${name}`, rank: rankOf(order), evaluation: 'ordered', ties: 'byName' };
  return { stage, deniesByDefault };
}

/**
 * Tiers and the stages of Kubernetes' policies on one scale: NetworkPolicy's stage (1000) is the default tier (order 1,000,000),
 * the Admin tier (1) is kube-admin (1000), and the Baseline tier (2000) is kube-baseline (10,000,000).
 */
function rankOf(order: number): number {
  return order <= 1_000_000 ? order / 1000 : 1000 + (order - 1_000_000) / 9000;
}
