import type { Pod } from '../api/index.ts';
import type { ObjectReference } from '../explanation/index.ts';
import {
  type Direction,
  type Endpoint,
  keyOf,
  type PolicyModel,
  type PolicyPart,
  type PolicyProtocol,
  type PortMatch,
  type Rule,
  type Section,
} from '../policy/index.ts';
import { type Need, policyInWords } from '../prediction/index.ts';
import type { AuditFinding } from './finding.ts';
import { writtenAs } from './isolation.ts';
import { isInVain, reachesBeyondPods } from './rule-match.ts';
import { type AuditScene, matchingPods } from './scene.ts';
import { list, unitsInWords } from './sentence.ts';
import type { Unit } from './unit.ts';

/** What the tests are about. */
export interface Tested {
  /** Made of a world in which stand-ins wear the identities of the tests' sources. */
  readonly model: PolicyModel;
  readonly needs: readonly Need[];
  /** Namespaces that some expectation is about, as source, target or control. */
  readonly namespaces: ReadonlySet<string>;
  /** Expectations of which it is not known what they need, such as of workloads that were not read. */
  readonly unfollowed: readonly {
    readonly test: ObjectReference;
    readonly path: string;
    readonly expectation: string;
    readonly message: string;
    /** Namespaces that the test is about. */
    readonly namespaces: readonly string[];
  }[];
}

/** Expectations that an audit cannot hold rules against. */
export function unfollowedExpectations({ unfollowed }: Tested): readonly AuditFinding[] {
  return unfollowed.map(({ test, path, expectation, message }) => ({
    code: 'ExpectationNotFollowed',
    severity: 'Low',
    object: test,
    path,
    directions: [],
    message: `What ${expectation} needs is not known: ${message} Rules of the namespaces that its test is about are not held against the expectations.`,
  }));
}

/** Namespaces with workloads that no expectation is about. */
export function untestedNamespaces({ units }: AuditScene, { namespaces }: Tested): readonly AuditFinding[] {
  const inhabited = Map.groupBy(
    units.filter(({ isAssumed }) => !isAssumed),
    ({ namespace }) => namespace,
  );
  return [...inhabited]
    .filter(([namespace]) => !namespaces.has(namespace))
    .map(([namespace, own]): AuditFinding => ({
      code: 'NamespaceUntested',
      severity: 'Low',
      object: { group: '', kind: 'Namespace', name: namespace },
      path: '',
      nearby: own.flatMap(writtenAs),
      directions: [],
      message: `No expectation is about namespace ${namespace}, where ${unitsInWords(own)} ${own.length === 1 ? 'runs' : 'run'}. Write a ConnectivityTest there, or name it as a target.`,
    }));
}

/** How the needs use one rule. */
interface Use {
  readonly paths: Set<string>;
  readonly ports: Map<string, { readonly protocol: PolicyProtocol; readonly port: number }>;
  /** The other sides. */
  readonly peers: Endpoint[];
}

/**
 * Rules that admit more than the expectations need, in namespaces that the tests are about. What a need rests on is what the
 * model says that admits it; where several rules do, each of them counts as needed.
 */
export function rulesWiderThanTests(scene: AuditScene, tested: Tested): readonly AuditFinding[] {
  const uses = usesOf(tested);
  const unmet = unmetSections(tested);
  const unknown = new Set(tested.unfollowed.flatMap(({ namespaces }) => namespaces));
  return scene.model.policies.flatMap(({ sections }) =>
    sections
      .filter(({ subject, policy, direction }) => {
        const { namespace } = policy;
        const isTested =
          namespace === undefined ? unknown.size === 0 : tested.namespaces.has(namespace) && !unknown.has(namespace);
        return isTested && !unmet.has(sectionKey(policy, direction)) && matchingPods(scene, subject).length > 0;
      })
      .flatMap((section) =>
        section.rules
          .filter((rule) => rule.action === 'allow' && !isInVain(rule, section, scene))
          .flatMap((rule) => excessOf(rule, section, uses.get(ruleKey(section, rule.path)), scene, tested)),
      ),
  );
}

/** Sections that restrict a need which they should admit: a rule of theirs may be meant for it, which `postern check` tells. */
function unmetSections({ model, needs }: Tested): ReadonlySet<string> {
  return new Set(
    needs.flatMap(({ question }) => {
      const decision = model.decide(question);
      return (['egress', 'ingress'] as const)
        .filter((direction) => decision[direction].answer !== 'allow')
        .flatMap((direction) =>
          model
            .examine(question, direction)
            .filter(({ selects }) => selects !== 'no')
            .map(({ section }) => sectionKey(section.policy, direction)),
        );
    }),
  );
}

function sectionKey(policy: Section['policy'], direction: Direction): string {
  return `${keyOf(policy)} ${direction}`;
}

function ruleKey({ policy }: Pick<Section, 'policy'>, path: string): string {
  return `${keyOf(policy)} ${path}`;
}

function usesOf({ model, needs }: Tested): ReadonlyMap<string, Use> {
  const uses = new Map<string, Use>();
  const use = (rule: string, part: PolicyPart, { question }: Need, peer: Endpoint): void => {
    const found: Use = uses.get(rule) ?? { paths: new Set(), ports: new Map(), peers: [] };
    uses.set(rule, found);
    found.paths.add(part.path);
    const { protocol, port } = question;
    found.ports.set(`${protocol} ${port}`, { protocol, port });
    found.peers.push(peer);
  };
  for (const need of needs) {
    const { question } = need;
    const { egress, ingress } = model.decide(question);
    const sides = [
      [egress.decidedBy, question.destination],
      [ingress.decidedBy, question.source],
    ] as const;
    for (const [parts, peer] of sides) {
      // Each rule is followed by its peer and its port.
      let rule: PolicyPart | undefined;
      for (const part of parts) {
        const isWithin =
          rule !== undefined && keyOf(rule.policy) === keyOf(part.policy) && part.path.startsWith(`${rule.path}.`);
        if (!isWithin) rule = part;
        if (rule !== undefined) use(ruleKey(rule, rule.path), part, need, peer);
      }
    }
    if (need.isAnyAddress) {
      // Which address it will be is not known, so every rule for addresses may be what admits it.
      for (const { section, selects, rules } of model.examine(question, 'egress')) {
        if (selects === 'no') continue;
        for (const { rule } of rules) {
          const peers = rule.peers?.filter(({ conditions }) => conditions.every(reachesBeyondPods)) ?? [];
          if (rule.peers !== undefined && peers.length === 0) continue;
          for (const { path } of [rule, ...peers, ...(rule.ports ?? [])]) {
            use(ruleKey(section, rule.path), { policy: section.policy, path }, need, question.destination);
          }
        }
      }
    }
  }
  return uses;
}

function excessOf(
  rule: Rule,
  section: Section,
  use: Use | undefined,
  scene: AuditScene,
  tested: Tested,
): readonly AuditFinding[] {
  const excess =
    use === undefined ? undefined : [...excessPeers(rule, section, use, scene, tested), ...excessPorts(rule, use)];
  if (excess?.length === 0) return [];
  const name = `${policyInWords(section.policy)}, ${rule.path}`;
  const message =
    excess === undefined
      ? `${name}: no expectation needs this rule. Add the expectation that does, or remove the rule.`
      : `${name} admits more than the expectations need: ${excess.join('; ')}. Add the expectation that needs it, or narrow the rule.`;
  return [
    {
      code: 'WiderThanTests',
      severity: 'Low',
      object: section.policy,
      path: rule.path,
      directions: [section.direction],
      message,
    },
  ];
}

function excessPeers(
  rule: Rule,
  { direction }: Section,
  use: Use,
  scene: AuditScene,
  tested: Tested,
): readonly string[] {
  const { model, units } = scene;
  const needed = neededUnits(use, units, tested);
  const admitted = (conditions: Parameters<PolicyModel['matching']>[0]): readonly Unit[] => {
    const positions = new Set(model.matching(conditions, 'certain'));
    return units.filter((unit) => !unit.isAssumed && unit.positions.some((position) => positions.has(position)));
  };
  const side = direction === 'ingress' ? 'from' : 'to';
  if (rule.peers === undefined) {
    const only = needed.length === 0 ? 'addresses outside the cluster' : unitsInWords(needed);
    return [`it is for everybody, and they need it ${side} ${only} alone`];
  }
  return rule.peers.flatMap((peer) => {
    if (!peer.conditions.every(reachesBeyondPods) && matchingPods(scene, peer.conditions).length === 0) return [];
    if (!use.paths.has(peer.path)) return [`none needs ${peer.path}`];
    const others = admitted(peer.conditions).filter((unit) => !needed.includes(unit));
    return others.length === 0 ? [] : [`none needs it ${side} ${unitsInWords(others)}, which ${peer.path} admits too`];
  });
}

/** The workloads at the other side of the needs: by name, or by the identity that a stand-in wears. */
function neededUnits({ peers }: Use, units: readonly Unit[], { model }: Tested): readonly Unit[] {
  return units.filter(({ pods }) =>
    peers.some(
      (peer) =>
        peer.kind === 'pod' &&
        pods.some((pod) => {
          const { namespace, name } = pod.metadata;
          if (namespace !== peer.namespace) return false;
          return name === peer.name || wears(pod, standIn(model, peer));
        }),
    ),
  );
}

function standIn({ world }: PolicyModel, { namespace, name }: { readonly namespace: string; readonly name: string }) {
  return world.pods.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
}

/** Whether a stand-in has a pod's labels: those that the probe leaves out are no sign of another. */
function wears(pod: Pod, other: Pod | undefined): boolean {
  const isStandIn = other?.metadata.ownerReferences?.some(({ kind }) => kind === 'ConnectivityTest') === true;
  const labels = pod.metadata.labels ?? {};
  return isStandIn && Object.entries(other?.metadata.labels ?? {}).every(([key, value]) => labels[key] === value);
}

function excessPorts(rule: Rule, { ports, paths }: Use): readonly string[] {
  const needed = list([...ports.values()].map(({ protocol, port }) => `${protocol} ${port}`));
  if (rule.ports === undefined) return [`it is for every port, and they need ${needed} alone`];
  return rule.ports.flatMap((entry) => {
    if (!paths.has(entry.path)) return [`none needs ${portInWords(entry)} (${entry.path})`];
    return isOnePort(entry) ? [] : [`${entry.path} is for ${portInWords(entry)}, and they need ${needed} alone`];
  });
}

function isOnePort({ range, name }: PortMatch): boolean {
  return name !== undefined || (range !== undefined && range.first === range.last);
}

function portInWords({ protocol, range, name }: PortMatch): string {
  const of = protocol === 'any' ? '' : `${protocol} `;
  if (name !== undefined) return `the ${of}port named ${name}`;
  if (range === undefined) return `every ${of}port`;
  return `${of}${range.first === range.last ? range.first : `${range.first} to ${range.last}`}`;
}
