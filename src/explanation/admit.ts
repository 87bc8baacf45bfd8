import { blockHolds, blockOf } from '../address/index.ts';
import { type Direction, namespaceNameLabel, type PolicyReference, selectorMatches } from '../policy/index.ts';
import { change } from './draft.ts';
import { areEntangled, type Change, isRecord, objectInWords, valueAt } from './edit.ts';
import type { Finding } from './finding.ts';
import { portRemedy } from './port-remedy.ts';
import { distanceOf, type FailedPredicate, type Miss } from './rejection.ts';
import { type Remedy, scopeRemedy, termRemedy, withOtherPeer, withPeer, writtenPolicy } from './remedy.ts';
import type { Scene } from './scene.ts';
import { labelsInWords } from './side.ts';

/** A finding whose edits are not yet tried. */
export interface Suspicion extends Omit<Finding, 'isEnough'> {
  readonly isForOthers: boolean;
}

/** What a near-miss speaks of: a remedy for each of its failed predicates, or one for several of them at once. */
export function nearMiss(scene: Scene, direction: Direction, miss: Miss): Suspicion | undefined {
  const { policy, failed } = miss;
  if (policy.group !== 'networking.k8s.io') return undefined;
  const remedies = [splitting(scene, direction, miss), ...remediesOf(scene, direction, miss)].filter(
    (remedy) => remedy !== undefined,
  );
  const [first] = remedies;
  if (first === undefined) return undefined;
  const isSplit = first.code === 'AndWhereOrWasMeant';
  const used = isSplit ? remedies.filter(({ code }) => code === first.code || isOfPorts(code)) : remedies;
  const path = failed[0]?.path ?? miss.rule.rule.path;
  const changes = distinct(used.flatMap((remedy) => remedy.changes));
  const whole = { summary: used.map(({ summary }) => summary).join(', '), changes };
  return {
    code: first.code,
    direction,
    part: { policy, path },
    message: used.map(({ message }) => message).join(' '),
    distance: isSplit ? used.length : distanceOf(miss),
    edits: [...(areEntangled(changes) ? [] : [whole]), ...(used.length > 1 ? [] : (first.alternatives ?? []))],
    isForOthers: used.some(({ isForOthers }) => isForOthers === true),
  };
}

/** Two predicates may have the same cure. */
function distinct(changes: readonly Change[]): readonly Change[] {
  return [...new Map(changes.map((each) => [JSON.stringify(each), each])).values()];
}

function isOfPorts(code: Remedy['code']): boolean {
  return [
    'PortNotInRange',
    'ServicePortInPolicy',
    'NamedPortMissing',
    'PortProtocolMismatch',
    'ProtocolDefaultsToTCP',
  ].includes(code);
}

function remediesOf(scene: Scene, direction: Direction, miss: Miss): readonly (Remedy | undefined)[] {
  const { subject, peer } = scene.partiesOf(direction);
  const isPort = ({ kind }: FailedPredicate): boolean => kind === 'Port' || kind === 'Protocol' || kind === 'PortName';
  const ports = miss.failed.filter(isPort);
  const others = miss.failed.filter((each) => !isPort(each));
  const remedies = others.map((failure): Remedy | undefined => {
    switch (failure.kind) {
      case 'SubjectTerm':
        return termRemedy(scene, miss, failure, subject);
      case 'PeerTerm':
        return termRemedy(scene, miss, failure, peer);
      case 'PeerScope':
        return scopeRemedy(scene, miss, peer);
      case 'PeerBlock':
        return blockRemedy(scene, miss, failure);
      default:
        return undefined;
    }
  });
  // One that cannot be cured makes the whole rule no way out.
  if (remedies.includes(undefined)) return [];
  return [...remedies, ...(ports.length === 0 ? [] : [portRemedy(scene, miss, ports)])];

  function blockRemedy(
    { sides }: Scene,
    { policy }: Miss,
    { condition, path }: Extract<FailedPredicate, { readonly kind: 'PeerBlock' }>,
  ): Remedy {
    const written = String(valueAt(writtenPolicy(scene, policy), `${path}.cidr`));
    const name = objectInWords(policy);
    const changes = withPeer(scene, miss, peer);
    if (peer.pod !== undefined) {
      // A smaller block may be someone's whom the rule has to go on admitting.
      const isWide = namesNobody(written);
      const instead = {
        summary: `replace the block by a selector of ${peer.name}, which closes the rest of the block`,
        changes: withOtherPeer(scene, miss, peer),
      };
      const beside = { summary: `keep the block and select ${peer.name} by labels beside it`, changes };
      return {
        code: 'IPBlockMeansPods',
        message: `${name} admits the address block ${written}, and ${peer.name} is a pod: whether a block matches pods is left open by the API, and not every network plugin does it. Select the pod by its labels.`,
        ...(isWide ? instead : beside),
        alternatives: [isWide ? beside : instead],
      };
    }
    const hole = condition.except.length > 0 ? holeIn(scene, direction, policy, path) : undefined;
    if (hole !== undefined) {
      return {
        code: 'ExceptBites',
        message: `${name} admits ${written} except ${hole}, and ${peer.name} lies in that exception. Narrow the exception, or admit the one address beside it.`,
        changes,
        summary: `admit ${peer.name} beside the block`,
      };
    }
    return {
      code: 'NoRuleAdmits',
      message: `${name} admits the address block ${written}, and ${(sides.source === peer ? sides.source : sides.destination).name} lies outside of it.`,
      changes,
      summary: `admit ${peer.name} too`,
      isForOthers: true,
    };
  }
}

const privateNetworks = ['10.0.0.0/8', '100.64.0.0/10', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'].flatMap(
  (text) => blockOf(text) ?? [],
);

/** Whether a block holds a whole private network (RFC 1918, RFC 4193, RFC 6598), where pods' addresses are: it names nobody. */
function namesNobody(text: string): boolean {
  const block = blockOf(text);
  return block !== undefined && privateNetworks.some((each) => blockHolds(block, each));
}

/** The exception that keeps the address out: without the exceptions the block would admit it. */
function holeIn(scene: Scene, direction: Direction, policy: PolicyReference, path: string): string | undefined {
  const holes = valueAt(writtenPolicy(scene, policy), `${path}.except`);
  if (!Array.isArray(holes)) return undefined;
  const whole: Change = change(policy, `${path}.except`, holes, undefined);
  if (!isMatched(scene, direction, whole, path)) return undefined;
  const biting = holes.findIndex((_, index) =>
    isMatched(scene, direction, change(policy, `${path}.except`, holes, holes.toSpliced(index, 1)), path),
  );
  return biting < 0 ? holes.map(String).join(', ') : String(holes[biting]);
}

/** Whether the peer with that block matches once a change is made. */
function isMatched(scene: Scene, direction: Direction, made: Change, path: string): boolean {
  const model = scene.modelAfter({ summary: '', changes: [made] });
  const name = (reference: PolicyReference): boolean =>
    reference.name === made.object.name && reference.namespace === made.object.namespace;
  return model
    .examine(scene.question, direction)
    .filter(({ section }) => name(section.policy))
    .some(({ rules }) =>
      rules.some(({ peers }) =>
        peers.some(({ peer, matches }) => `${peer.path}.ipBlock` === path && matches === 'yes'),
      ),
    );
}

/** One item with two selectors, which together mean nobody, while each alone means somebody. */
function splitting(scene: Scene, direction: Direction, miss: Miss): Remedy | undefined {
  const { policy, peer, failed } = miss;
  if (peer === undefined) return undefined;
  const written = valueAt(writtenPolicy(scene, policy), peer.path);
  if (!isRecord(written)) return undefined;
  const { namespaceSelector, podSelector } = written;
  if (!isRecord(namespaceSelector) || !isRecord(podSelector)) return undefined;
  const terms = failed.flatMap((each) => (each.kind === 'PeerTerm' ? [each.requirement] : []));
  const failing = new Set(terms.map((requirement) => requirement.of));
  // With one selector true and the other false, either item alone would do.
  if (failing.size !== 1) return undefined;
  const side = scene.partiesOf(direction).peer;
  if (failing.has('Namespace') && side.namespace !== policy.namespace) return undefined;
  const meant = scene.whole.namespaces.filter(({ metadata }) =>
    selectorMatches(namespaceSelector, { ...metadata.labels, [namespaceNameLabel]: metadata.name }),
  );
  const isSelected = (namespace: string): boolean =>
    scene.podsIn(namespace).some(({ metadata }) => selectorMatches(podSelector, metadata.labels));
  if (meant.length === 0 || meant.some(({ metadata }) => isSelected(metadata.name))) return undefined;
  if (!isSelected(policy.namespace ?? '')) return undefined;
  const list = peer.path.replace(/\[\d+\]$/, '');
  const peers = valueAt(writtenPolicy(scene, policy), list);
  if (!Array.isArray(peers)) return undefined;
  const index = Number(/\[(\d+)\]$/.exec(peer.path)?.[1]);
  const split = peers.toSpliced(index, 1, { namespaceSelector }, { podSelector });
  return {
    code: 'AndWhereOrWasMeant',
    message: `One list item of ${objectInWords(policy)} holds both selectors, which asks for pods that satisfy both, of which there are none: in ${meant.map(({ metadata }) => metadata.name).join(', ')} no pod is labelled ${labelsInWords(labelsOf(podSelector))}. Give each selector a list item of its own (a dash each), if either is enough.`,
    changes: [change(policy, list, peers, split)],
    summary: 'make two list items of it',
  };
}

function labelsOf(selector: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const { matchLabels } = selector;
  return isRecord(matchLabels)
    ? Object.fromEntries(Object.entries(matchLabels).map(([key, value]) => [key, String(value)]))
    : {};
}
