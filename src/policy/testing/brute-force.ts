/**
 * A second evaluator of NetworkPolicy for tests, written straight from the API's text and sharing nothing with the model: no
 * normal form, no open truths. It tries every choice that the API leaves to implementations and looks whether they agree.
 */

export interface BrutePod {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly addresses: readonly string[];
  readonly node: string;
  readonly hostNetwork: boolean;
  readonly ports: readonly { readonly name?: string; readonly containerPort: number; readonly protocol?: string }[];
}

export type BruteParty =
  | { readonly kind: 'pod'; readonly pod: BrutePod }
  | { readonly kind: 'node'; readonly name: string; readonly addresses: readonly string[] }
  | { readonly kind: 'address'; readonly address: string };

export interface BruteSelector {
  readonly matchLabels?: Readonly<Record<string, string>> | undefined;
  readonly matchExpressions?:
    | readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] | undefined }[]
    | undefined;
}

export interface BrutePeer {
  readonly podSelector?: BruteSelector | undefined;
  readonly namespaceSelector?: BruteSelector | undefined;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] | undefined } | undefined;
}

export interface BrutePort {
  readonly protocol?: string | undefined;
  readonly port?: number | string | undefined;
  readonly endPort?: number | undefined;
}

export interface BruteRule {
  readonly from?: readonly BrutePeer[] | null | undefined;
  readonly to?: readonly BrutePeer[] | null | undefined;
  readonly ports?: readonly BrutePort[] | null | undefined;
}

export interface BrutePolicy {
  readonly namespace: string;
  readonly spec: {
    readonly podSelector?: BruteSelector | null | undefined;
    readonly policyTypes?: readonly string[] | null | undefined;
    readonly ingress?: readonly BruteRule[] | null | undefined;
    readonly egress?: readonly BruteRule[] | null | undefined;
  };
}

export interface BruteWorld {
  readonly namespaces: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly policies: readonly BrutePolicy[];
}

export interface BruteCell {
  readonly direction: 'ingress' | 'egress';
  readonly subject: BruteParty;
  readonly peer: BruteParty;
  readonly protocol: string;
  readonly port: number;
}

/** What implementations may decide for themselves. */
interface Choice {
  readonly blocksMatchPods: boolean;
  readonly blocksMatchNodes: boolean;
  readonly hostNetworkIsPod: boolean;
  readonly selfIsExempt: boolean;
  /** Which of the peer's addresses the connection uses. */
  readonly address: number;
}

export function bruteAnswer(world: BruteWorld, cell: BruteCell): 'allow' | 'deny' | 'undefined' {
  let allows = 0;
  let denies = 0;
  for (const choice of choices(cell)) {
    if (isAllowed(world, cell, choice)) allows += 1;
    else denies += 1;
    if (allows > 0 && denies > 0) return 'undefined';
  }
  return denies > 0 ? 'deny' : 'allow';
}

function* choices({ subject, peer }: BruteCell): Generator<Choice> {
  const both = [true, false];
  const peerPod = peer.kind === 'pod' ? peer.pod : undefined;
  const subjectPod = subject.kind === 'pod' ? subject.pod : undefined;
  const addressCount = Math.max(1, addressesOf(peer).length);
  const involvesHost = peerPod?.hostNetwork === true || subjectPod?.hostNetwork === true;
  for (const blocksMatchPods of peerPod === undefined ? [true] : both) {
    for (const blocksMatchNodes of peer.kind === 'node' || involvesHost ? both : [true]) {
      for (const hostNetworkIsPod of involvesHost ? both : [true]) {
        for (const selfIsExempt of peerPod !== undefined && peerPod === subjectPod ? both : [true]) {
          for (let address = 0; address < addressCount; address += 1) {
            yield { blocksMatchPods, blocksMatchNodes, hostNetworkIsPod, selfIsExempt, address };
          }
        }
      }
    }
  }
}

function isAllowed(world: BruteWorld, cell: BruteCell, choice: Choice): boolean {
  const { direction, subject, peer } = cell;
  if (subject.kind !== 'pod') return true;
  const { pod } = subject;
  if (peer.kind === 'pod' && peer.pod === pod && choice.selfIsExempt) return true;
  if (pod.hostNetwork && !choice.hostNetworkIsPod) return true;
  const peerNode = nodeBehind(peer, choice);
  if (peerNode !== undefined && peerNode === pod.node) return true;

  let isolated = false;
  for (const policy of world.policies) {
    if (policy.namespace !== pod.namespace) continue;
    if (!typesOf(policy).includes(direction)) continue;
    if (!selects(policy.spec.podSelector ?? {}, pod.labels)) continue;
    isolated = true;
    for (const rule of policy.spec[direction] ?? []) {
      const peers = (direction === 'ingress' ? rule.from : rule.to) ?? [];
      const peerFits = peers.length === 0 || peers.some((entry) => isPeer(world, policy, entry, peer, choice));
      const ports = rule.ports ?? [];
      const portFits = ports.length === 0 || ports.some((entry) => isPort(entry, cell));
      if (peerFits && portFits) return true;
    }
  }
  return !isolated;
}

function typesOf({ spec }: BrutePolicy): readonly string[] {
  const written = spec.policyTypes ?? [];
  if (written.length > 0) return written.map((type) => type.toLowerCase());
  return (spec.egress ?? []).length > 0 ? ['ingress', 'egress'] : ['ingress'];
}

/** The node that the connection's other end is taken for, if any. */
function nodeBehind(peer: BruteParty, choice: Choice): string | undefined {
  if (peer.kind === 'node') return peer.name;
  return peer.kind === 'pod' && peer.pod.hostNetwork && !choice.hostNetworkIsPod ? peer.pod.node : undefined;
}

function isPeer(world: BruteWorld, policy: BrutePolicy, entry: BrutePeer, peer: BruteParty, choice: Choice): boolean {
  if (entry.ipBlock !== undefined) {
    const isNode = peer.kind === 'node' || (peer.kind === 'pod' && peer.pod.hostNetwork);
    if (isNode && !choice.blocksMatchNodes) return false;
    if (peer.kind === 'pod' && !isNode && !choice.blocksMatchPods) return false;
    const address = addressesOf(peer)[choice.address];
    if (address === undefined) return true;
    const holes = entry.ipBlock.except ?? [];
    return liesIn(address, entry.ipBlock.cidr) && !holes.some((hole) => liesIn(address, hole));
  }
  if (peer.kind !== 'pod' || (peer.pod.hostNetwork && !choice.hostNetworkIsPod)) return false;
  const { namespace, labels } = peer.pod;
  if (entry.namespaceSelector === undefined && namespace !== policy.namespace) return false;
  if (entry.namespaceSelector !== undefined) {
    const namespaceLabels = { ...world.namespaces[namespace], 'kubernetes.io/metadata.name': namespace };
    if (!selects(entry.namespaceSelector, namespaceLabels)) return false;
  }
  return entry.podSelector === undefined || selects(entry.podSelector, labels);
}

function isPort({ protocol = 'TCP', port, endPort }: BrutePort, cell: BruteCell): boolean {
  if (protocol !== cell.protocol) return false;
  if (port === undefined) return true;
  if (typeof port === 'number')
    return endPort === undefined ? cell.port === port : port <= cell.port && cell.port <= endPort;
  const destination = cell.direction === 'ingress' ? cell.subject : cell.peer;
  if (destination.kind !== 'pod') return false;
  const numbers = destination.pod.ports
    .filter((declared) => declared.name === port && (declared.protocol ?? 'TCP') === protocol)
    .map(({ containerPort }) => containerPort);
  return numbers.includes(cell.port);
}

function selects(selector: BruteSelector, labels: Readonly<Record<string, string>>): boolean {
  const present = new Map(Object.entries(labels));
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    if (!present.has(key) || present.get(key) !== value) return false;
  }
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const isListed = present.has(key) && values.includes(present.get(key) ?? '');
    if (operator === 'Exists' && !present.has(key)) return false;
    if (operator === 'DoesNotExist' && present.has(key)) return false;
    if (operator === 'In' && !isListed) return false;
    if (operator === 'NotIn' && isListed) return false;
  }
  return true;
}

function addressesOf(party: BruteParty): readonly string[] {
  if (party.kind === 'address') return [party.address];
  return party.kind === 'node' ? party.addresses : party.pod.addresses;
}

/** By writing both as digits of base 2 and comparing the leading ones. */
function liesIn(address: string, cidr: string): boolean {
  const [start = '', length = ''] = cidr.split('/');
  const digits = bits(address);
  const wanted = bits(start);
  return digits.length === wanted.length && digits.startsWith(wanted.slice(0, Number(length)));
}

const knownBits = new Map<string, string>();

function bits(address: string): string {
  const known = knownBits.get(address);
  if (known !== undefined) return known;
  const written = address.includes(':')
    ? groupsOf(address).map((group) => Number.parseInt(group, 16).toString(2).padStart(16, '0'))
    : address.split('.').map((part) => Number.parseInt(part, 10).toString(2).padStart(8, '0'));
  knownBits.set(address, written.join(''));
  return written.join('');
}

function groupsOf(address: string): readonly string[] {
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array.from({ length: zeros }, () => '0'), ...right];
}
