import type { Change, Edit } from '../explanation/index.ts';
import {
  type Condition,
  namespaceNameLabel,
  type Peer,
  type PortMatch,
  type Requirement,
  requirementHolds,
  type Rule,
  type Section,
} from '../policy/index.ts';
import { policyInWords } from '../prediction/index.ts';
import type { AuditFinding } from './finding.ts';
import { type AuditScene, matchingPods } from './scene.ts';
import { requirementsIn, termInWords } from './selection.ts';
import { list } from './sentence.ts';

/** Rules, peers and named ports that match nothing in the world, of policies that select something. */
export function rulesWithoutMatch(scene: AuditScene): readonly AuditFinding[] {
  const namespaces = knownNamespaces(scene);
  return scene.model.policies.flatMap(({ sections }) =>
    sections
      .filter(({ subject }) => matchingPods(scene, subject).length > 0)
      .flatMap((section) => section.rules.flatMap((rule) => findingsOf(rule, { section, namespaces, scene }))),
  );
}

interface KnownNamespace {
  readonly name: string;
  /** Undefined where no Namespace object was read. */
  readonly labels: Readonly<Record<string, string>> | undefined;
}

interface Place {
  readonly section: Section;
  readonly namespaces: readonly KnownNamespace[];
  readonly scene: AuditScene;
}

function knownNamespaces({ namespaces, namespaceNames }: AuditScene): readonly KnownNamespace[] {
  const written = new Map(namespaces.map(({ metadata }) => [metadata.name, metadata.labels ?? {}]));
  return namespaceNames.map((name) => ({ name, labels: written.get(name) }));
}

const verbs = { allow: 'admits', deny: 'denies', pass: 'passes on' } as const;

function findingsOf(rule: Rule, place: Place): readonly AuditFinding[] {
  const { section } = place;
  const { peers } = rule;
  const dead = (peers ?? []).flatMap((peer) => {
    const cause = whyNobody(peer, place);
    return cause === undefined ? [] : [cause];
  });
  const ports = deadPorts(rule, section, place.scene);
  const isWithoutPeers = peers !== undefined && dead.length === peers.length;
  const isWithoutPorts = rule.ports !== undefined && ports.length === rule.ports.length;
  const isUnread = dead.some(({ code }) => code === 'PeerNotRead');
  const about = { object: section.policy, directions: [section.direction] };
  const name = `${policyInWords(section.policy)}, ${rule.path}`;
  const missing = ports.map(({ path, name: port = '', protocol }) => ({
    path,
    words: `no pod at the receiving end has a ${protocol === 'any' ? '' : `${protocol} `}port named ${port}`,
  }));
  // Where every peer lacks its namespace, that is the cause, and said once per peer.
  const isCausedByLabels = dead.length > 0 && dead.every(({ code }) => code === 'NamespaceLabelMissing');
  if ((isWithoutPeers && !isUnread && !isCausedByLabels) || isWithoutPorts) {
    const causes = isWithoutPorts ? missing.map(({ words }) => words) : dead.map(({ words }) => words);
    const why = causes.length === 0 ? 'its list is empty' : list([...new Set(causes)]);
    return [
      {
        ...about,
        code: 'RuleMatchesNothing',
        severity: 'Medium',
        path: rule.path,
        message: `${name} ${verbs[rule.action]} nothing: ${why}. Correct the rule, or remove it.`,
      },
    ];
  }
  return [
    ...dead.map(({ code, peer, words, next, edit }): AuditFinding => ({
      ...about,
      code,
      severity: code === 'NamespaceLabelMissing' ? 'High' : code === 'PeerNotRead' ? 'Low' : 'Medium',
      path: peer.path,
      message: `${policyInWords(section.policy)}, ${peer.path}: ${words}${isWithoutPeers && !isUnread ? `, so the rule ${verbs[rule.action]} nothing` : ''}. ${next}`,
      ...(edit === undefined ? {} : { edit }),
    })),
    ...missing.map(({ path, words }): AuditFinding => ({
      ...about,
      code: 'NamedPortMissing',
      severity: 'Medium',
      path,
      message: `${policyInWords(section.policy)}, ${path}: ${words}. Name one of its containers' ports, or write the number.`,
    })),
  ];
}

interface Nobody {
  readonly code: 'NamespaceLabelMissing' | 'PeerMatchesNothing' | 'PeerNotRead';
  readonly peer: Peer;
  readonly words: string;
  readonly next: string;
  readonly edit?: Edit;
}

/** Why a peer is nobody in this world; undefined if it is somebody, or may be. */
function whyNobody(peer: Peer, place: Place): Nobody | undefined {
  const { scene, namespaces, section } = place;
  if (peer.conditions.every(reachesBeyondPods) || matchingPods(scene, peer.conditions).length > 0) return undefined;
  const terms = peer.conditions.flatMap(requirementsIn);
  const ofNamespace = terms.filter(({ of }) => of === 'Namespace');
  const ofPod = terms.filter(({ of }) => of !== 'Namespace');
  const there = namespaces.filter(({ name, labels }) => mayHold(ofNamespace, name, labels));
  if (there.length > 0) {
    const where = ofNamespace.length === 0 ? 'anywhere' : `in namespace ${list(there.map(({ name }) => name))}`;
    const words =
      ofPod.length === 0
        ? `nothing of what was read runs ${where}`
        : `no pod ${where} fits ${list(ofPod.map(termInWords))}`;
    return { code: 'PeerMatchesNothing', peer, words, next: 'Correct the selector, or remove the peer.' };
  }
  const named = ofNamespace.filter(({ key, operator }) => key === namespaceNameLabel && operator === 'In');
  const names = [...new Set(named.flatMap(({ values }) => values))];
  const others = ofNamespace.filter((term) => !named.includes(term));
  if (names.length > 0 && others.length === 0) {
    const words = `nothing of namespace ${list(names)} was read`;
    return isWholeCluster(scene)
      ? {
          code: 'PeerMatchesNothing',
          peer,
          words: `there is no namespace ${list(names)}`,
          next: 'Correct the name, or remove the peer.',
        }
      : { code: 'PeerNotRead', peer, words, next: 'Give its manifests too to have it audited.' };
  }
  const asked = list(others.map((term) => termInWords({ ...term, of: 'Pod' })));
  const edit = byName(peer, ofNamespace, section, place);
  return {
    code: 'NamespaceLabelMissing',
    peer,
    words: `no namespace that was read has the ${others.length === 1 ? 'label' : 'labels'} ${asked}`,
    next: `Select the namespace by ${namespaceNameLabel}, which every namespace carries with its name as the value, or label it.`,
    ...(edit === undefined ? {} : { edit }),
  };
}

/** Every cluster has these two; where both were read, all namespaces were. */
function isWholeCluster({ namespaces }: AuditScene): boolean {
  return ['default', 'kube-system'].every((name) => namespaces.some(({ metadata }) => metadata.name === name));
}

/** Whether a namespace satisfies terms, or may: its labels are not known without its manifest. */
function mayHold(terms: readonly Requirement[], name: string, labels: KnownNamespace['labels']): boolean {
  const own = { ...labels, [namespaceNameLabel]: name };
  return terms.every(
    (term) => requirementHolds(term, own) || (labels === undefined && term.key !== namespaceNameLabel),
  );
}

/** Whether a condition may hold for something that is no pod: an address, a node, or what the model does not know. */
export function reachesBeyondPods(condition: Condition): boolean {
  switch (condition.kind) {
    case 'Block':
    case 'Open':
    case 'Not':
      return true;
    case 'Labels':
      return false;
    case 'Entity':
      return !['Pods', 'OwnedPods', 'None'].includes(condition.entity);
    case 'Some':
      return condition.conditions.some(reachesBeyondPods);
    case 'All':
      return condition.conditions.every(reachesBeyondPods);
  }
}

/** Where the value that is asked for is a namespace's name: the selector by name, if the peer is somebody then. */
function byName(
  peer: Peer,
  terms: readonly Requirement[],
  { policy }: Section,
  { namespaces, scene }: Place,
): Edit | undefined {
  const [term] = terms;
  const name = term?.values[0];
  const isKnown = namespaces.some((namespace) => namespace.name === name);
  if (term?.operator !== 'In' || terms.length > 1 || name === undefined || !isKnown) return undefined;
  if (policy.group !== 'networking.k8s.io' || policy.kind !== 'NetworkPolicy') return undefined;
  const conditions = peer.conditions.map((condition) =>
    requirementsIn(condition).includes(term) && condition.kind === 'Labels'
      ? { ...condition, expression: { ...term, key: namespaceNameLabel, values: [name] } }
      : condition,
  );
  if (matchingPods(scene, conditions).length === 0) return undefined;
  const change: Change = {
    object: policy,
    path: `${peer.path}.namespaceSelector`,
    before: { matchLabels: { [term.key]: name } },
    after: { matchLabels: { [namespaceNameLabel]: name } },
  };
  return { summary: 'select the namespace by its name', changes: [change] };
}

/** Whether a rule cannot match anything: nobody is its peer, or nobody has its ports. */
export function isInVain(rule: Rule, section: Section, scene: AuditScene): boolean {
  const { peers, ports } = rule;
  const isSomebody = ({ conditions }: Peer): boolean =>
    conditions.every(reachesBeyondPods) || matchingPods(scene, conditions).length > 0;
  if (peers !== undefined && !peers.some(isSomebody)) return true;
  return ports !== undefined && deadPorts(rule, section, scene).length === ports.length;
}

/** The rule's ports by name that nobody at the receiving end has. */
function deadPorts(rule: Rule, section: Section, scene: AuditScene): readonly PortMatch[] {
  const named = (rule.ports ?? []).filter(({ name }) => name !== undefined);
  if (named.length === 0) return [];
  const receiving =
    section.direction === 'ingress'
      ? matchingPods(scene, section.subject)
      : rule.peers === undefined
        ? matchingPods(scene, [])
        : rule.peers.flatMap(({ conditions }) => matchingPods(scene, conditions));
  const own = new Set(receiving);
  const offered = scene.units
    .filter(({ positions }) => positions.some((position) => own.has(position)))
    .flatMap(({ pods }) => pods.flatMap(({ spec }) => spec.containers.flatMap(({ ports = [] }) => ports)));
  return named.filter(
    ({ name, protocol }) =>
      !offered.some((port) => port.name === name && (protocol === 'any' || (port.protocol ?? 'TCP') === protocol)),
  );
}
