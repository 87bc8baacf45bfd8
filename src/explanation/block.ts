import { type Direction, type ExaminedRule, namespaceNameLabel, type PolicyReference } from '../policy/index.ts';
import { additional } from './additional-policy.ts';
import type { Suspicion } from './admit.ts';
import { change, peersKey } from './draft.ts';
import { isRecord, keyOf, objectInWords, valueAt } from './edit.ts';
import { emptyPeers } from './empty-peers.ts';
import { mayAdmit } from './may-admit.ts';
import { type Admission, admittedInWords, type Narrowing, positionIn, withoutRule } from './narrowing.ts';
import { writtenPolicy } from './remedy.ts';
import type { Scene } from './scene.ts';
import { labelsInWords } from './side.ts';

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
  const { code, path, message, edits } = narrowing;
  return {
    code,
    direction,
    part: { policy, path },
    message,
    distance: 1,
    edits,
    isForOthers: rule.matches !== 'yes',
  };
}

/** `- from:` and then `- ports:`: two rules, where one was meant. */
function strayDash(scene: Scene, direction: Direction, { policy, rule }: Admission): Narrowing | undefined {
  const key = peersKey(direction);
  const rules = valueAt(writtenPolicy(scene, policy), `spec.${direction}`);
  if (!Array.isArray(rules)) return undefined;
  const index = positionIn(rule.rule.path);
  const isOf = (value: unknown, own: string): value is Readonly<Record<string, unknown>> =>
    isRecord(value) && Object.keys(value).length === 1 && Array.isArray(value[own]);
  // The rule that admits is either half of what should be one.
  for (const at of [index - 1, index]) {
    const [peers, ports]: readonly unknown[] = rules.slice(Math.max(at, 0), at + 2);
    if (at < 0 || !isOf(peers, key) || !isOf(ports, 'ports')) continue;
    const path = `spec.${direction}[${at + 1}]`;
    // Ports that were not asked about are somebody else's rule, and DNS is open to everybody by custom.
    if (isForDNS(ports) || !isMatched(scene, direction, policy, path)) continue;
    return {
      code: 'StrayDashBeforePorts',
      path,
      message: `The peers and the ports of ${objectInWords(policy)} are two rules: the first admits its peers on every port, the second admits everybody on its ports. Remove the dash before ports, if one rule was meant.`,
      edits: [
        {
          summary: 'make one rule of the two',
          changes: [change(policy, `spec.${direction}`, rules, rules.toSpliced(at, 2, { ...peers, ...ports }))],
        },
      ],
    };
  }
  return undefined;
}

/** Whether a rule opens port 53 and nothing else. */
function isForDNS({ ports }: Readonly<Record<string, unknown>>): boolean {
  return (
    Array.isArray(ports) &&
    ports.length > 0 &&
    ports.every((entry) => isRecord(entry) && entry['port'] === 53 && entry['endPort'] === undefined)
  );
}

function isMatched({ model, question }: Scene, direction: Direction, policy: PolicyReference, path: string): boolean {
  return model
    .examine(question, direction)
    .some(
      ({ section, rules }) =>
        keyOf(section.policy) === keyOf(policy) &&
        rules.some(({ rule, matches }) => rule.path === path && matches === 'yes'),
    );
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
      message: `The two selectors of ${objectInWords(policy)} are two list items, so that either is enough, and ${peer.name} satisfies one of them. Remove the second dash: one item with both selectors admits only who satisfies both.`,
      edits: [
        {
          summary: 'make one list item of the two',
          changes: [change(policy, list, peers, peers.toSpliced(at, 2, { ...asRecord(namespace), ...asRecord(pod) }))],
        },
      ],
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
      message: `The empty namespaceSelector of ${objectInWords(policy)} means every namespace, and ${peer.name} is in ${peer.namespace}. The policy's own namespace is a podSelector without a namespaceSelector; another is selected by ${namespaceNameLabel}.`,
      edits: [
        {
          summary: 'admit pods of the policy’s own namespace alone',
          changes: [change(policy, entry.path, written, { podSelector })],
        },
      ],
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
      message: `In ${objectInWords(policy)}, ${term.key} NotIn [${term.values.join(', ')}] admits what lacks the label altogether, and ${side.name} does not carry ${term.key}. Add { key: ${term.key}, operator: Exists }.`,
      edits: [
        {
          summary: 'ask for the label to be there',
          changes: [
            change(policy, list, before, [...(before satisfies unknown[]), { key: term.key, operator: 'Exists' }]),
          ],
        },
      ],
    };
  }
  return undefined;
}

function asWritten(scene: Scene, direction: Direction, admission: Admission): Narrowing {
  const { policy, rule } = admission;
  const { peer } = scene.partiesOf(direction);
  const matching = rule.peers.find(({ matches }) => matches !== 'no');
  if (rule.matches !== 'yes') return mayAdmit(scene, direction, admission);
  const isOneOfSeveral = matching !== undefined && rule.peers.length > 1;
  const list = matching?.peer.path.replace(/\[\d+\]$/, '') ?? '';
  const peers = isOneOfSeveral ? valueAt(writtenPolicy(scene, policy), list) : undefined;
  return {
    code: 'RuleAdmits',
    path: matching?.peer.path ?? rule.rule.path,
    message: `${objectInWords(policy)} admits ${admittedInWords(rule)}, and with them ${peer.name} (${labelsInWords(peer.labels)}). Narrow the rule, or delete it if nobody needs it.`,
    edits: [
      {
        summary: isOneOfSeveral ? 'delete the peer' : 'delete the rule',
        changes: Array.isArray(peers)
          ? [change(policy, list, peers, peers.toSpliced(positionIn(matching?.peer.path ?? ''), 1))]
          : withoutRule(scene, admission, direction),
      },
    ],
  };
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {};
}
