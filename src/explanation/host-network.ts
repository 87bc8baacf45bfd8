import { type Direction, type PolicyReference, referenceOf } from '../policy/index.ts';
import type { Suspicion } from './admit.ts';
import { admissionsOf } from './block.ts';
import { isolatingPolicy, peersKey } from './draft.ts';
import { type Change, type Edit, isRecord, objectInWords, objectReference, valueAt } from './edit.ts';
import { isFree, type Scene } from './scene.ts';
import { podSpecPath, type Side } from './side.ts';

/** Policies select pods of the pod network: nothing that one says applies to a pod of the host network. */
export function hostNetwork(scene: Scene, direction: Direction): Suspicion {
  const { subject } = scene.partiesOf(direction);
  const part = namingPolicy(scene, subject);
  const though = part === undefined ? '' : ` ${objectInWords(part.policy)}, which names its labels, does not match it.`;
  return {
    code: 'HostNetworkSubject',
    direction,
    ...(part === undefined ? {} : { part }),
    message: `${subject.name} has hostNetwork: true, so it has the address of its node, where no NetworkPolicy applies.${though} Remove hostNetwork, and restrict ${direction} of it by a policy. If it has to stay on the host network, only a firewall of the host can deny this, and this expectation never passes: remove it.`,
    distance: 1,
    edits: scene.expected === 'Allow' ? [] : offHostNetwork(scene, direction, subject),
    isForOthers: false,
  };
}

/** Off the host network; and a policy beside it, unless one is there that restricts the pod once it is a pod like others. */
function offHostNetwork(scene: Scene, direction: Direction, subject: Side): readonly Edit[] {
  const { workload } = subject;
  if (workload === undefined) return [];
  const path = `${podSpecPath(workload)}.hostNetwork`;
  const removed: Change = { object: objectReference(workload), path, before: valueAt(workload, path) };
  const made = isFree(scene, isolatingPolicy(direction, subject));
  const summary = 'take it off the host network';
  return [
    { summary, changes: [removed] },
    ...(made === undefined ? [] : [{ summary: `${summary} and deny ${direction} of it`, changes: [removed, made] }]),
  ];
}

/** The place of a NetworkPolicy that asks for labels of this side. */
function namingPolicy(
  { world }: Scene,
  { labels }: Side,
): { readonly policy: PolicyReference; readonly path: string } | undefined {
  for (const policy of world.policies) {
    if (!policy.apiVersion.startsWith('networking.k8s.io/')) continue;
    const path = ['spec.podSelector', ...peerPaths(policy)].find((each) => names(valueAt(policy, each), labels));
    if (path !== undefined) return { policy: referenceOf(policy), path };
  }
  return undefined;
}

function peerPaths(policy: unknown): readonly string[] {
  return (['ingress', 'egress'] as const).flatMap((direction) => {
    const rules = valueAt(policy, `spec.${direction}`);
    return (Array.isArray(rules) ? rules : []).flatMap((rule: unknown, index) => {
      const peers = valueAt(rule, peersKey(direction));
      const list = `spec.${direction}[${index}].${peersKey(direction)}`;
      return (Array.isArray(peers) ? peers : []).map((_, position) => `${list}[${position}].podSelector`);
    });
  });
}

function names(selector: unknown, labels: Readonly<Record<string, string>>): boolean {
  const wanted = valueAt(selector, 'matchLabels');
  return isRecord(wanted) && Object.entries(wanted).some(([key, value]) => labels[key] === value);
}

/** Rules that would admit the other side if it were a pod like others. */
export function hostNetworkPeers(scene: Scene, direction: Direction): readonly Suspicion[] {
  const { peer } = scene.partiesOf(direction);
  if (!peer.hostNetwork) return [];
  return admissionsOf(scene, direction)
    .filter(({ rule }) => rule.matches === 'yes')
    .map(({ policy, rule }) => ({
      code: 'HostNetworkPeer' as const,
      direction,
      part: { policy, path: rule.peers.find(({ matches }) => matches === 'yes')?.peer.path ?? rule.rule.path },
      message: `${objectInWords(policy)} selects ${peer.name} by labels, and that has hostNetwork: true: it has the address of its node, and most network plugins take it for its node, which no selector of pods matches. Remove hostNetwork, or admit the nodes' addresses by an ipBlock where the network plugin matches them so.`,
      distance: 1,
      edits: [],
      isForOthers: false,
    }));
}
