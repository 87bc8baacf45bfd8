import {
  namespaceNameLabel,
  type PolicyReference,
  referenceOf,
  type Requirement,
  selectorMatches,
} from '../policy/index.ts';
import { change, namespaceByName, peerFor } from './draft.ts';
import { type Change, isRecord, keyOf, objectInWords, valueAt } from './edit.ts';
import type { FindingCode } from './finding.ts';
import type { FailedPredicate, Miss } from './rejection.ts';
import type { Scene } from './scene.ts';
import { labelOf, labelsAt, labelsInWords, type Side } from './side.ts';
import { isSameConvention, isSlip } from './similar.ts';

/** What would make one failed predicate true, and which mistake that speaks of. */
export interface Remedy {
  readonly code: FindingCode;
  /** What is, and what to write instead. */
  readonly message: string;
  readonly changes: readonly Change[];
  readonly summary: string;
  readonly alternatives?: readonly { readonly summary: string; readonly changes: readonly Change[] }[];
  /** The rule is probably meant for others, so that this is no mistake in it. */
  readonly isForOthers?: boolean;
}

/** A policy as it is written. */
export function writtenPolicy({ whole }: Pick<Scene, 'whole'>, policy: PolicyReference): unknown {
  const key = keyOf(policy);
  // Names first: most policies have another, and each near miss looks for its own.
  return whole.policies.find((each) => each.metadata.name === policy.name && keyOf(referenceOf(each)) === key);
}

/** `selector` says whose labels a term of it looks at. */
export function termRemedy(
  scene: Scene,
  miss: Miss,
  { requirement, kind }: Extract<FailedPredicate, { readonly requirement: Requirement }>,
  side: Side,
): Remedy | undefined {
  return requirement.of === 'Namespace'
    ? namespaceRemedy(scene, miss, requirement, side)
    : podRemedy(scene, miss, requirement, side, kind === 'SubjectTerm');
}

function namespaceRemedy(scene: Scene, miss: Miss, requirement: Requirement, side: Side): Remedy | undefined {
  const { key, operator, values } = requirement;
  const { namespace, namespaceLabels } = side;
  const value = labelOf(namespaceLabels, key);
  if (namespace === undefined) return undefined;
  const name = `namespace ${namespace}`;
  const policy = objectInWords(miss.policy);
  const byName = `Select it by ${namespaceNameLabel}: ${namespace}, which every namespace has`;
  const renamed = withTerm(scene, miss, requirement, namespaceNameLabel, namespace);
  if (operator !== 'In' && operator !== 'Exists') {
    const changes = withoutTerm(scene, miss, requirement, value);
    const message = `${policy} leaves out namespaces with ${key} ${operator} ${values.join(', ')}, and ${name} carries ${key}: ${value}.`;
    return { code: 'LabelValueDiffers', message, changes, summary: `leave ${name} in`, isForOthers: true };
  }
  if (key !== namespaceNameLabel && values.includes(namespace) && value === undefined) {
    const message = `${policy} asks for the label ${key}: ${namespace}, which ${name} does not carry: a namespaceSelector sees labels, never names. ${byName}.`;
    return { code: 'NamespaceNameAsLabel', message, changes: renamed, summary: 'select the namespace by its name' };
  }
  const asked = values[0] === undefined ? key : `${key}: ${values.join(' or ')}`;
  if (value === undefined) {
    const label = values[0] ?? 'true';
    const labelled: Change = {
      object: { group: '', kind: 'Namespace', name: namespace },
      path: `metadata.labels[${key}]`,
      after: label,
    };
    const message = `${policy} asks for a namespace labelled ${asked}, and ${name} does not carry that label. ${byName}, or label the namespace.`;
    return {
      code: 'NamespaceLabelMissing',
      message,
      changes: renamed,
      summary: 'select the namespace by its name',
      alternatives: [
        { summary: `label the namespace: kubectl label namespace ${namespace} ${key}=${label}`, changes: [labelled] },
      ],
    };
  }
  const isTypo = values.some((wanted) => isSlip(wanted, value)) && !isNamespaceWith(scene, key, values);
  return {
    code: isTypo ? 'LabelTypo' : 'LabelValueDiffers',
    message: `${policy} asks for a namespace labelled ${asked}, and ${name} carries ${key}: ${value}.`,
    changes: isTypo ? withTerm(scene, miss, requirement, key, value) : withPeer(scene, miss, side),
    summary: isTypo ? 'correct the label' : 'admit this namespace’s pods too',
    isForOthers: !isTypo,
  };
}

function isNamespaceWith({ whole }: Scene, key: string, values: readonly string[]): boolean {
  return whole.namespaces.some(({ metadata }) =>
    values.includes((key === namespaceNameLabel ? metadata.name : labelOf(metadata.labels, key)) ?? ''),
  );
}

function podRemedy(
  scene: Scene,
  miss: Miss,
  requirement: Requirement,
  side: Side,
  isSubject: boolean,
): Remedy | undefined {
  const { key, operator, values } = requirement;
  const { labels, name } = side;
  const what = `${objectInWords(miss.policy)} ${isSubject ? 'selects' : 'asks for'} pods`;
  const carried = labelOf(labels, key);
  if (operator !== 'In' && operator !== 'Exists') {
    const changes = withoutTerm(scene, miss, requirement, carried);
    const message = `${what} with ${key} ${operator} ${values.join(', ')}, and ${name} carries ${key}: ${carried}.`;
    return { code: 'LabelValueDiffers', message, changes, summary: `leave ${name} in`, isForOthers: true };
  }
  const asked = values[0] === undefined ? key : `${key}: ${values.join(' or ')}`;
  const carries = `${name} carries ${labelsInWords(labels)}`;
  const correct = (newKey: string, value: string) => ({
    changes: withTerm(scene, miss, requirement, newKey, value),
    summary: `correct the selector to ${newKey}: ${value}`,
  });
  if (carried === undefined) {
    const similar = Object.entries(labels).find(
      ([other, value]) =>
        (isSlip(other, key) || isSameConvention(other, key)) && (operator === 'Exists' || values.includes(value)),
    );
    if (similar !== undefined) {
      const message = `${what} labelled ${asked}, and ${carries}: the key is another. Write ${similar[0]}: ${similar[1]}.`;
      return { code: 'LabelTypo', message, ...correct(...similar) };
    }
    return missingLabel(scene, miss, requirement, side, `${what} labelled ${asked}, and ${carries}`);
  }
  const others = carriersOf(scene, requirement, miss, side);
  if (others === 0 && values.some((wanted) => isSlip(wanted, carried))) {
    const message = `${what} labelled ${asked}, which no pod carries; ${carries}. Write ${key}: ${carried}.`;
    return { code: 'LabelTypo', message, ...correct(key, carried) };
  }
  if (others === 0) {
    const message = `${what} labelled ${asked}, which no pod carries; ${carries}. Write ${key}: ${carried}, if that is who is meant.`;
    return { code: 'LabelValueDiffers', message, ...correct(key, carried) };
  }
  const message = `${what} labelled ${asked}; ${carries}.`;
  const more = isSubject ? withTerm(scene, miss, requirement, key, carried, true) : withPeer(scene, miss, side);
  return { code: 'LabelValueDiffers', message, changes: more, summary: `admit ${name} too`, isForOthers: true };
}

/** The label stands nowhere on the pod: on its workload perhaps, where no policy sees it. */
function missingLabel(
  scene: Scene,
  miss: Miss,
  requirement: Requirement,
  side: Side,
  what: string,
): Remedy | undefined {
  const { key, values } = requirement;
  const value = values[0] ?? 'true';
  const written = labelsAt(side);
  const onWorkload = side.workload?.kind === 'Pod' ? undefined : labelOf(side.workload?.metadata.labels, key);
  const isMisplaced = onWorkload !== undefined && (values.length === 0 || values.includes(onWorkload));
  const others = carriersOf(scene, requirement, miss, side);
  const instead = { changes: withPeer(scene, miss, side), summary: `admit ${side.name} by the labels that it has` };
  if (written === undefined || (others > 0 && !isMisplaced)) {
    return { code: 'PodLabelMissing', message: `${what}.`, ...instead, isForOthers: others > 0 };
  }
  const labelled: Change = {
    object: written.object,
    path: `${written.path}[${key}]`,
    after: isMisplaced ? onWorkload : value,
  };
  const where = side.workload?.kind === 'Pod' ? 'the pod' : `${written.path} of ${side.name}`;
  const message = isMisplaced
    ? `${what}: the label is on the ${side.workload?.kind} itself, and policies see the labels of pods. Write it under ${written.path}, which replaces the pods.`
    : `${what}. Add the label to ${where}, or select the pod by a label that it has.`;
  return {
    code: 'PodLabelMissing',
    message,
    changes: [labelled],
    summary: `add ${key}: ${String(labelled.after)} to ${where}`,
    alternatives: [instead],
  };
}

/** How many pods of where the selector looks satisfy the term: then it is meant for them. */
function carriersOf(scene: Scene, requirement: Requirement, miss: Miss, side: Side): number {
  const namespaces = new Set([miss.policy.namespace, side.namespace]);
  return [...namespaces].reduce((count, namespace) => {
    if (namespace === undefined) return count;
    const { key, operator, values } = requirement;
    const selector = { matchExpressions: [{ key, operator, values }] };
    return count + scene.podsIn(namespace).filter(({ metadata }) => selectorMatches(selector, metadata.labels)).length;
  }, 0);
}

/** The selector with a term of another key or value; `added` beside the value that was there. */
export function withTerm(
  scene: Scene,
  { policy }: Miss,
  requirement: Requirement,
  key: string,
  value: string,
  added = false,
): readonly Change[] {
  const written = writtenPolicy(scene, policy);
  const [, parent] = /^(.*\.matchLabels)\[[^\]]*\]$/.exec(requirement.path) ?? [];
  if (parent === undefined) {
    const before = valueAt(written, requirement.path);
    const values = added ? [...requirement.values, value] : [value];
    return [change(policy, requirement.path, before, { key, operator: 'In', values })];
  }
  const before = valueAt(written, parent);
  if (!isRecord(before)) return [];
  if (added) {
    const selector = parent.replace(/\.matchLabels$/, '');
    const { [requirement.key]: _, ...matchLabels } = before;
    const both = { key, operator: 'In', values: [...requirement.values, value] };
    const selected = valueAt(written, selector);
    const expressions =
      isRecord(selected) && Array.isArray(selected['matchExpressions']) ? selected['matchExpressions'] : [];
    const after = {
      ...(Object.keys(matchLabels).length === 0 ? {} : { matchLabels }),
      matchExpressions: [...(expressions satisfies unknown[]), both],
    };
    return [change(policy, selector, selected, after)];
  }
  const after = Object.fromEntries(
    Object.entries(before).map(([each, text]) => (each === requirement.key ? [key, value] : [each, text])),
  );
  return [change(policy, parent, before, after)];
}

/** The selector without what leaves a value out. */
function withoutTerm(
  scene: Scene,
  { policy }: Miss,
  { path, key, operator, values }: Requirement,
  value: string | undefined,
): readonly Change[] {
  const written = writtenPolicy(scene, policy);
  const kept = values.filter((each) => each !== value);
  if (operator === 'NotIn' && kept.length > 0) {
    return [change(policy, path, valueAt(written, path), { key, operator, values: kept })];
  }
  const list = path.replace(/\[\d+\]$/, '');
  const before = valueAt(written, list);
  if (!Array.isArray(before)) return [];
  const position = Number(/\[(\d+)\]$/.exec(path)?.[1]);
  return [change(policy, list, before, before.toSpliced(position, 1))];
}

/** The rule with one peer more, beside the one that missed: what it admits it goes on admitting. */
export function withPeer(scene: Scene, { policy, peer }: Miss, side: Side): readonly Change[] {
  const list = peer?.path.replace(/\[\d+\]$/, '');
  const added = peerFor(side, policy.namespace);
  if (list === undefined || added === undefined) return [];
  const before = valueAt(writtenPolicy(scene, policy), list);
  return Array.isArray(before) ? [change(policy, list, before, [...(before satisfies unknown[]), added])] : [];
}

/** The rule with a peer that means one side where another peer was. */
export function withOtherPeer(scene: Scene, { policy, peer }: Miss, side: Side): readonly Change[] {
  const after = peerFor(side, policy.namespace);
  if (peer === undefined || after === undefined) return [];
  return [change(policy, peer.path, valueAt(writtenPolicy(scene, policy), peer.path), after)];
}

/** A podSelector alone means the policy's namespace: the peer with a namespaceSelector beside it. */
export function scopeRemedy(scene: Scene, { policy, peer }: Miss, side: Side): Remedy | undefined {
  if (peer === undefined || side.namespace === undefined) return undefined;
  const before = valueAt(writtenPolicy(scene, policy), peer.path);
  if (!isRecord(before)) return undefined;
  const list = peer.path.replace(/\[\d+\]$/, '');
  const peers = valueAt(writtenPolicy(scene, policy), list);
  const scoped = { namespaceSelector: namespaceByName(side.namespace), ...before };
  const selector = before['podSelector'];
  const own = scene
    .podsIn(policy.namespace ?? '')
    .some(({ metadata }) => isRecord(selector) && selectorMatches(selector, metadata.labels));
  // Where the peer means pods of its own namespace too, it stays.
  const changes =
    own && Array.isArray(peers)
      ? [change(policy, list, peers, [...(peers satisfies unknown[]), scoped])]
      : [change(policy, peer.path, before, scoped)];
  return {
    code: 'PeerInWrongNamespaceScope',
    message: `A podSelector of ${objectInWords(policy)} stands alone and so means pods of the policy's own namespace, ${policy.namespace}; ${side.name} is in ${side.namespace}. Add a namespaceSelector to the same list item.`,
    changes,
    summary: `admit them from namespace ${side.namespace}`,
    isForOthers: own,
  };
}
