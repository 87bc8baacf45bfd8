import { type Direction, type ExaminedRule, type PolicyReference, namespaceNameLabel } from '../policy/index.ts';
import type { Suspicion } from './admit.ts';
import { change } from './draft.ts';
import { type Change, isRecord, keyOf, objectReference, valueAt } from './edit.ts';
import type { FindingCode } from './finding.ts';
import { writtenPolicy } from './remedy.ts';
import type { Scene } from './scene.ts';
import { labelsInWords } from './side.ts';

/** A rule that admits what was to be denied. */
export interface Admission {
  readonly policy: PolicyReference;
  readonly rule: ExaminedRule;
}

/** The rules that admit a connection in one direction, the widest first. */
export function admissionsOf({ model, question }: Scene, direction: Direction): readonly Admission[] {
  return model
    .examine(question, direction)
    .filter(({ selects }) => selects !== 'no')
    .flatMap(({ section, rules }) =>
      rules
        .filter(({ rule, matches }) => rule.action === 'allow' && matches !== 'no')
        .map((rule) => ({ policy: section.policy, rule })),
    )
    .toSorted((a, b) => widthOf(b.rule) - widthOf(a.rule));
}

/** How much a rule admits, roughly: any peer before every namespace before some pods, any port before some. */
function widthOf({ rule }: ExaminedRule): number {
  const ports =
    rule.ports === undefined
      ? 2
      : rule.ports.some(({ range, name }) => range === undefined && name === undefined)
        ? 1
        : 0;
  if (rule.peers === undefined) return 100 + ports;
  const terms = rule.peers.map(({ conditions }) =>
    conditions.reduce((count, condition) => {
      if (condition.kind === 'Block') return count + 1;
      return condition.kind === 'Labels' && condition.expression.kind === 'All'
        ? count + condition.expression.of.length
        : count + 1;
    }, 0),
  );
  return 50 - 10 * Math.min(...terms, 4) + ports;
}

interface Narrowing {
  readonly code: FindingCode;
  readonly path: string;
  readonly message: string;
  readonly summary: string;
  readonly changes: readonly Change[];
}

/** Why a rule admits what it should not, by the most telling mistake in it. */
export function opening(scene: Scene, direction: Direction, admission: Admission): Suspicion | undefined {
  const { policy, rule } = admission;
  if (policy.group !== 'networking.k8s.io') return undefined;
  const narrowing =
    emptyPeers(scene, direction, admission) ??
    strayDash(scene, direction, admission) ??
    eitherForBoth(scene, direction, admission) ??
    everyNamespace(scene, direction, admission) ??
    notIn(scene, direction, admission) ??
    additional(scene, direction, admission) ??
    asWritten(scene, direction, admission);
  const { code, path, message, summary, changes } = narrowing;
  return {
    code,
    direction,
    part: { policy, path },
    message,
    distance: 1,
    edits: changes.length === 0 ? [] : [{ summary, changes }],
    isForOthers: rule.matches !== 'yes',
  };
}

function emptyPeers(scene: Scene, direction: Direction, { policy, rule }: Admission): Narrowing | undefined {
  const key = direction === 'ingress' ? 'from' : 'to';
  const path = `${rule.rule.path}.${key}`;
  const peers = valueAt(writtenPolicy(scene, policy), path);
  if (!Array.isArray(peers) || peers.length > 0) return undefined;
  return {
    code: 'EmptyPeersAdmitAll',
    path,
    message: `An empty ${key} means any peer, not none. Delete the whole rule to admit nobody, or name who is admitted.`,
    summary: 'delete the rule',
    changes: withoutRule(scene, { policy, rule }, direction),
  };
}

/** `- from:` and then `- ports:`: two rules, where one was meant. */
function strayDash(scene: Scene, direction: Direction, { policy, rule }: Admission): Narrowing | undefined {
  const key = direction === 'ingress' ? 'from' : 'to';
  const rules = valueAt(writtenPolicy(scene, policy), `spec.${direction}`);
  if (!Array.isArray(rules)) return undefined;
  const index = positionIn(rule.rule.path);
  const isOf = (value: unknown, own: string): value is Readonly<Record<string, unknown>> =>
    isRecord(value) && Object.keys(value).length === 1 && Array.isArray(value[own]);
  // The rule that admits is either half of what should be one.
  for (const at of [index - 1, index]) {
    const [peers, ports]: readonly unknown[] = rules.slice(Math.max(at, 0), at + 2);
    if (at >= 0 && isOf(peers, key) && isOf(ports, 'ports')) {
      return {
        code: 'StrayDashBeforePorts',
        path: `spec.${direction}[${at + 1}]`,
        message: `The peers and the ports are two rules: the first admits its peers on every port, the second admits everybody on its ports. Remove the dash before ports to make one rule of them.`,
        summary: 'make one rule of the two',
        changes: [change(policy, `spec.${direction}`, rules, rules.toSpliced(at, 2, { ...peers, ...ports }))],
      };
    }
  }
  return undefined;
}

/** Two list items with a selector each, where one with both was meant. */
function eitherForBoth(scene: Scene, direction: Direction, { policy, rule }: Admission): Narrowing | undefined {
  const matching = rule.peers.find(({ matches }) => matches === 'yes');
  if (matching === undefined) return undefined;
  const list = matching.peer.path.replace(/\[\d+\]$/, '');
  const peers = valueAt(writtenPolicy(scene, policy), list);
  if (!Array.isArray(peers)) return undefined;
  const index = positionIn(matching.peer.path);
  const isOf = (value: unknown, key: string): value is Readonly<Record<string, unknown>> =>
    isRecord(value) && Object.keys(value).length === 1 && isRecord(value[key]);
  for (const at of [index - 1, index]) {
    const pair: readonly unknown[] = at < 0 ? [] : peers.slice(at, at + 2);
    const namespace = pair.find((each) => isOf(each, 'namespaceSelector'));
    const pod = pair.find((each) => isOf(each, 'podSelector'));
    if (namespace === undefined || pod === undefined) continue;
    const { peer } = scene.partiesOf(direction);
    return {
      code: 'OrWhereAndWasMeant',
      path: list,
      message: `The two selectors are two list items, so that either is enough, and ${peer.name} satisfies one of them. Remove the second dash: one item with both selectors admits only who satisfies both.`,
      summary: 'make one list item of the two',
      changes: [change(policy, list, peers, peers.toSpliced(at, 2, { ...asRecord(namespace), ...asRecord(pod) }))],
    };
  }
  return undefined;
}

function everyNamespace(scene: Scene, direction: Direction, { policy, rule }: Admission): Narrowing | undefined {
  const { peer } = scene.partiesOf(direction);
  if (peer.namespace === policy.namespace) return undefined;
  for (const { peer: entry, matches } of rule.peers) {
    const written = valueAt(writtenPolicy(scene, policy), entry.path);
    if (matches !== 'yes' || !isRecord(written)) continue;
    const { namespaceSelector, podSelector = {} } = written;
    if (!isRecord(namespaceSelector) || JSON.stringify(namespaceSelector).includes('"key"')) continue;
    const { matchLabels = {} } = namespaceSelector;
    if (!isRecord(matchLabels) || Object.keys(matchLabels).length > 0) continue;
    return {
      code: 'EmptyNamespaceSelectorMeansAll',
      path: `${entry.path}.namespaceSelector`,
      message: `An empty namespaceSelector means every namespace, and ${peer.name} is in ${peer.namespace}. The policy's own namespace is a podSelector without a namespaceSelector; another is selected by ${namespaceNameLabel}.`,
      summary: 'admit pods of the policy’s own namespace alone',
      changes: [change(policy, entry.path, written, { podSelector })],
    };
  }
  return undefined;
}

function notIn(scene: Scene, direction: Direction, { policy, rule }: Admission): Narrowing | undefined {
  const { peer: side } = scene.partiesOf(direction);
  for (const { matches, conditions } of rule.peers) {
    if (matches !== 'yes') continue;
    const terms = conditions.flatMap(({ terms }) => terms.map(({ requirement }) => requirement));
    const term = terms.find(({ operator, key, of }) => {
      const labels = of === 'Namespace' ? (side.namespaceLabels ?? {}) : (side.pod?.metadata.labels ?? {});
      return operator === 'NotIn' && !Object.hasOwn(labels, key);
    });
    if (term === undefined) continue;
    const list = term.path.replace(/\[\d+\]$/, '');
    const before = valueAt(writtenPolicy(scene, policy), list);
    if (!Array.isArray(before)) continue;
    return {
      code: 'NotInAdmitsMissing',
      path: term.path,
      message: `${term.key} NotIn [${term.values.join(', ')}] admits what lacks the label altogether, and ${side.name} does not carry ${term.key}. Add { key: ${term.key}, operator: Exists }.`,
      summary: 'ask for the label to be there',
      changes: [change(policy, list, before, [...(before satisfies unknown[]), { key: term.key, operator: 'Exists' }])],
    };
  }
  return undefined;
}

/** Policies add up: a second one admits what the first, which selects the same pod, does not. */
function additional(scene: Scene, direction: Direction, { policy, rule }: Admission): Narrowing | undefined {
  const isOther = (reference: PolicyReference): boolean =>
    reference.name !== policy.name || reference.namespace !== policy.namespace;
  const others = scene.decision[direction].isolatedBy.filter((part) => isOther(part.policy));
  const stricter = others.filter(
    (part) => !scene.decision[direction].decidedBy.some((by) => keyOf(by.policy) === keyOf(part.policy)),
  );
  const [strict] = stricter;
  if (strict === undefined) return undefined;
  const { subject, peer } = scene.partiesOf(direction);
  const whole = scene.whole.policies.find((each) => each === writtenPolicy(scene, policy));
  const rules = valueAt(whole, 'spec.ingress') ?? [];
  const more = valueAt(whole, 'spec.egress') ?? [];
  const isOnly = Array.isArray(rules) && Array.isArray(more) && rules.length + more.length === 1;
  // Without its only rule the policy would go on isolating all that it selects, which no one has looked at.
  const changes =
    isOnly && whole !== undefined
      ? [{ object: objectReference(whole), path: '', before: whole }]
      : withoutRule(scene, { policy, rule }, direction);
  return {
    code: 'AdditionalPolicyOpens',
    path: rule.rule.path,
    message: `Policies add up: ${strict.policy.kind} ${strict.policy.name} does not admit ${peer.name}, but this one also selects ${subject.name} and admits ${admittedInWords(rule)}. Delete or narrow it.`,
    summary: isOnly ? 'delete the policy' : 'delete the rule',
    changes,
  };
}

function asWritten(scene: Scene, direction: Direction, admission: Admission): Narrowing {
  const { policy, rule } = admission;
  const { peer } = scene.partiesOf(direction);
  const matching = rule.peers.find(({ matches }) => matches !== 'no');
  const isOneOfSeveral = matching !== undefined && rule.peers.length > 1;
  const list = matching?.peer.path.replace(/\[\d+\]$/, '') ?? '';
  const peers = isOneOfSeveral ? valueAt(writtenPolicy(scene, policy), list) : undefined;
  const path = matching?.peer.path ?? rule.rule.path;
  if (rule.matches !== 'yes') {
    const isBlock = matching?.peer.conditions.some(({ kind }) => kind === 'Block') === true;
    const message = `The rule may admit ${peer.name}: whether it does is left open by the API, or depends on what is not known here. Select pods by their labels, and leave the others out of address blocks by except.`;
    const code =
      isBlock && peer.pod !== undefined ? 'IPBlockMeansPods' : peer.hostNetwork ? 'HostNetworkPeer' : 'RuleAdmits';
    // What the rule admits for certain is somebody else's.
    return { code, path, message, summary: '', changes: [] };
  }
  return {
    code: 'RuleAdmits',
    path,
    message: `The rule admits ${admittedInWords(rule)}, and with them ${peer.name} (${labelsInWords(peer.labels)}). Narrow it, or delete it if nobody needs it.`,
    summary: isOneOfSeveral ? 'delete the peer' : 'delete the rule',
    changes: Array.isArray(peers)
      ? [change(policy, list, peers, peers.toSpliced(positionIn(matching?.peer.path ?? ''), 1))]
      : withoutRule(scene, admission, direction),
  };
}

function withoutRule(scene: Scene, { policy, rule }: Admission, direction: Direction): readonly Change[] {
  const path = `spec.${direction}`;
  const rules = valueAt(writtenPolicy(scene, policy), path);
  const types = valueAt(writtenPolicy(scene, policy), 'spec.policyTypes');
  if (!Array.isArray(rules)) return [];
  // Without policyTypes an empty egress list would not restrict egress any more.
  const keepsTypes = direction === 'ingress' || (Array.isArray(types) && types.length > 0);
  return [
    change(policy, path, rules, rules.toSpliced(positionIn(rule.rule.path), 1)),
    ...(keepsTypes ? [] : [change(policy, 'spec.policyTypes', types, ['Ingress', 'Egress'])]),
  ];
}

function admittedInWords({ rule }: ExaminedRule): string {
  const who = rule.peers === undefined ? 'everybody' : 'more pods than were meant';
  const ports = rule.ports?.map(({ protocol, range, name }) => {
    const numbers =
      range === undefined
        ? 'any port'
        : range.first === range.last
          ? `${range.first}`
          : `${range.first} to ${range.last}`;
    return `${protocol} ${name ?? numbers}`;
  });
  return `${who} on ${ports === undefined ? 'every port' : ports.join(', ')}`;
}

function positionIn(path: string): number {
  return Number(/\[(\d+)\]$/.exec(path)?.[1]);
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {};
}
