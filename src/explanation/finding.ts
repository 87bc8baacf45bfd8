import type { Direction, PolicyPart } from '../policy/index.ts';
import type { Edit } from './edit.ts';

/** Every mistake that an explanation can name, and what it is. Closed: programs tell findings apart by these codes. */
export const findingCodes = {
  HigherTierDecides: 'a policy of another tier or dialect decides before NetworkPolicies are asked',
  HostNetworkSubject: 'the pod uses the host network, where policies have no say',
  HostNetworkPeer: 'the other side uses the host network, so selectors of pods need not match it',
  DNSNodeLocal: 'names go to a resolver on the node, and the rule opens DNS to pods alone',
  DNSEgressUDPOnly: 'DNS is open over UDP and closed over TCP',
  DNSEgressMissing: 'egress is restricted and DNS was forgotten',
  NamespaceNameAsLabel: 'a selector of namespaces asks for a label where the name was meant',
  NamespaceLabelMissing: 'the namespace lacks a label that the rule asks for',
  AndWhereOrWasMeant: 'one peer with two selectors asks for both, where either was meant',
  OrWhereAndWasMeant: 'two peers with a selector each admit either, where both were meant',
  PeerInWrongNamespaceScope: 'a podSelector alone means pods of the policy’s own namespace',
  LabelTypo: 'a label is almost the one that the selector asks for',
  PodLabelMissing: 'the pod lacks a label that the selector asks for',
  LabelValueDiffers: 'the pod’s label has another value than the selector asks for',
  ServicePortInPolicy: 'the policy lists the Service’s port, and policies see the pod’s',
  NamedPortMissing: 'the destination has no port of that name',
  ProtocolDefaultsToTCP: 'a port without protocol means TCP',
  PortProtocolMismatch: 'the port fits and the protocol does not',
  PortNotInRange: 'the protocol fits and the port does not',
  IPBlockMeansPods: 'an address block stands where pods are meant, which not every network plugin matches',
  ExceptBites: 'the address lies in an exception of the block',
  SelectorsSwapped: 'who is selected and who is admitted are swapped',
  DirectionSwapped: 'the rule stands under the other direction',
  PolicyInWrongNamespace: 'a policy selects pods of its own namespace alone, and stands in another',
  UnlistedDirection: 'the rules are ignored, because policyTypes does not list their direction',
  SelectsNothing: 'the policy selects no pod at all',
  OneDirectionOnly: 'one side admits the connection, the other denies it',
  NoRuleAdmits: 'no rule is near to admitting this',
  EmptyPeersAdmitAll: 'an empty list of peers means any peer',
  EmptyNamespaceSelectorMeansAll: 'an empty namespaceSelector means every namespace',
  NotInAdmitsMissing: 'NotIn admits what lacks the label',
  StrayDashBeforePorts: 'peers and ports became two rules, each of which admits alone',
  AdditionalPolicyOpens: 'another policy admits what the stricter one does not',
  EgressNotIsolated: 'an empty egress list without policyTypes does not restrict egress',
  NothingIsolates: 'no policy selects the pod in this direction',
  RuleAdmits: 'a rule admits this as it is written',
} as const;

export type FindingCode = keyof typeof findingCodes;

/** One thing that is wrong or may be, with what would cure it. */
export interface Finding {
  readonly code: FindingCode;
  readonly direction: Direction;
  /** What the finding is about; the edit may touch something else. */
  readonly part?: PolicyPart;
  /** A sentence that says what is and what to write instead. */
  readonly message: string;
  /** How many predicates fail: what would have to change. */
  readonly distance: number;
  /** Ways out, the recommended one first. Each was tried on the model. */
  readonly edits: readonly Edit[];
  /** Whether each edit alone opens the direction, or closes the connection, as was expected; else it does so with those of other findings. */
  readonly isEnough: boolean;
}
