import type { Direction, PolicyPart } from '../policy/index.ts';
import { nearMiss, type Suspicion } from './admit.ts';
import { admissionsOf, opening } from './block.ts';
import { dnsSuspicions } from './dns.ts';
import { admittingPolicy, isolatingPolicy } from './draft.ts';
import { keyOf, objectInWords } from './edit.ts';
import { emptyEgress, misplacedPolicies, swappedDirection, swappedSelectors, unlistedDirections } from './elsewhere.ts';
import { hostNetwork, hostNetworkPeers } from './host-network.ts';
import { distanceOf, type Miss, missesOf } from './rejection.ts';
import { isFree, type Scene } from './scene.ts';
import { labelsInWords } from './side.ts';

/** The nearest rules of one direction; those of policies that do not select the subject among them. */
export function nearestMisses(scene: Scene, direction: Direction): readonly Miss[] {
  const { question, model } = scene;
  const { subject } = scene.partiesOf(direction);
  const ports = (scene.sides.destination.pod?.spec.containers ?? []).flatMap(({ ports = [] }) => ports);
  const asked = {
    protocol: question.protocol,
    port: question.port,
    hasName: ({ name }: { readonly name?: string }) =>
      ports.some((each) => each.name === name && each.containerPort === question.port),
  };
  return model
    .examine(question, direction)
    .filter(({ section, selects }) => selects === 'yes' || section.policy.namespace === subject.namespace)
    .flatMap((examined) => missesOf(examined, asked))
    .filter((miss) => distanceOf(miss) > 0)
    .toSorted((a, b) => distanceOf(a) - distanceOf(b));
}

const farthest = 2;

/** What may be wrong where a connection that must be allowed is not. */
export function closedSuspicions(scene: Scene, direction: Direction): readonly Suspicion[] {
  const { subject } = scene.partiesOf(direction);
  if (subject.hostNetwork) return [hostNetwork(scene, direction)];
  const decision = scene.decision[direction];
  const other = scene.decision[direction === 'ingress' ? 'egress' : 'ingress'];
  const tier = higherTier(scene, direction);
  const near = nearestMisses(scene, direction)
    .filter((miss) => distanceOf(miss) <= farthest)
    .flatMap((miss) => nearMiss(scene, direction, miss) ?? []);
  return [
    ...tier,
    ...hostNetworkPeers(scene, direction),
    ...(direction === 'egress' ? dnsSuspicions(scene) : []),
    ...near.map((each) => withSelection(scene, each)),
    ...swappedSelectors(scene, direction),
    ...swappedDirection(scene, direction),
    ...misplacedPolicies(scene, direction),
    ...unlistedDirections(scene, direction),
    ...noRule(scene, direction, other.basis.reason === 'AdmittedByRule', decision.isolatedBy),
  ];
}

/** A near miss of a policy that selects no pod at all is one of its podSelector, whatever the slip was. */
function withSelection(scene: Scene, suspicion: Suspicion): Suspicion {
  const { part, code } = suspicion;
  if (part === undefined || !part.path.startsWith('spec.podSelector') || code === 'LabelTypo') return suspicion;
  return selectsNobody(scene, part) ? { ...suspicion, code: 'SelectsNothing', isForOthers: false } : suspicion;
}

function selectsNobody(scene: Scene, { policy }: PolicyPart): boolean {
  const { whole, model } = scene;
  const compiled = model.policies.find(({ reference }) => keyOf(reference) === keyOf(policy));
  const namespace = policy.namespace ?? '';
  if (compiled === undefined || whole.pods.length === 0) return false;
  return !scene
    .podsIn(namespace)
    .some(({ metadata }) =>
      compiled.sections.some(({ subject }) =>
        subject.every(
          (condition) =>
            condition.kind === 'Labels' &&
            condition.expression.kind === 'All' &&
            condition.expression.of.every(
              (term) => term.kind === 'Requirement' && (term.of !== 'Pod' || holds(term, metadata.labels)),
            ),
        ),
      ),
    );
}

function holds(
  { key, operator, values }: { readonly key: string; readonly operator: string; readonly values: readonly string[] },
  labels: Readonly<Record<string, string>> = {},
): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  const isIn = value !== undefined && values.includes(value);
  return operator === 'In' ? isIn : operator === 'NotIn' ? !isIn : (operator === 'Exists') === (value !== undefined);
}

/** Decided before NetworkPolicies are asked, or by another dialect: what a NetworkPolicy says does not matter then. */
function higherTier(scene: Scene, direction: Direction): readonly Suspicion[] {
  const { basis, decidedBy, isolatedBy } = scene.decision[direction];
  const isForeign = ({ policy }: PolicyPart): boolean => policy.group !== 'networking.k8s.io';
  const isolating = basis.reason === 'NoRuleAdmits' ? isolatedBy.filter(isForeign) : [];
  const decided = decidedBy.find(isForeign);
  const part = decided ?? isolating[0];
  // Dialects that are asked together admit together: there a NetworkPolicy opens what nobody's rule has denied.
  if (part === undefined || (decided === undefined && isOpenedByNetworkPolicy(scene, direction))) return [];
  const { kind, name, namespace } = part.policy;
  const where = namespace === undefined ? name : `${namespace}/${name}`;
  return [
    {
      code: 'HigherTierDecides',
      direction,
      part,
      message: `${kind} ${where} decides here, at ${part.path}: a NetworkPolicy cannot overrule it. Change that rule, or ask whoever looks after it.`,
      distance: 1,
      edits: [],
      isForOthers: false,
    },
  ];
}

function isOpenedByNetworkPolicy(scene: Scene, direction: Direction): boolean {
  const { subject, peer } = scene.partiesOf(direction);
  const made = isFree(scene, admittingPolicy(direction, subject, peer, scene.question));
  return made !== undefined && scene.decisionAfter({ summary: '', changes: [made] })[direction].answer === 'allow';
}

function noRule(
  scene: Scene,
  direction: Direction,
  isOtherOpen: boolean,
  isolatedBy: readonly PolicyPart[],
): readonly Suspicion[] {
  const { subject, peer } = scene.partiesOf(direction);
  const made = isFree(scene, admittingPolicy(direction, subject, peer, scene.question));
  // The one that says nothing but no is the one that closed it.
  const strictest = isolatedBy.find(({ policy }) => !hasRules(scene, policy, direction)) ?? isolatedBy[0];
  if (strictest === undefined) return [];
  const { question } = scene;
  const port = `${question.protocol} port ${question.port}`;
  const [open, to] = direction === 'ingress' ? ['egress', 'in'] : ['ingress', 'out'];
  return [
    {
      code: isOtherOpen ? 'OneDirectionOnly' : 'NoRuleAdmits',
      direction,
      part: strictest,
      message: isOtherOpen
        ? `The ${open} side admits this connection and the ${direction} side does not: nothing lets ${direction === 'ingress' ? peer.name : subject.name} ${to}. A path needs both sides. Add an ${direction} rule for ${port}.`
        : `${objectInWords(strictest.policy)} restricts ${direction} of ${subject.name}, and no rule is meant for ${peer.name} on ${port}. Add a policy that admits it.`,
      distance: 1,
      edits: made === undefined ? [] : [{ summary: 'add a policy that admits this and nothing else', changes: [made] }],
      isForOthers: !isOtherOpen,
    },
  ];
}

function hasRules({ model }: Scene, policy: PolicyPart['policy'], direction: Direction): boolean {
  return model.policies.some(
    ({ reference, sections }) =>
      keyOf(reference) === keyOf(policy) &&
      sections.some((section) => section.direction === direction && section.rules.length > 0),
  );
}

/** What may be wrong where a connection that must be denied is open in one direction. */
export function openSuspicions(scene: Scene, direction: Direction): readonly Suspicion[] {
  const { subject, peer } = scene.partiesOf(direction);
  if (subject.pod === undefined) return [];
  if (subject.hostNetwork) return [hostNetwork(scene, direction)];
  const { basis, isolatedBy } = scene.decision[direction];
  const tier = higherTier(scene, direction);
  if (tier.length > 0) return tier;
  if (isolatedBy.length > 0 || basis.reason !== 'NotIsolated') {
    return admissionsOf(scene, direction).flatMap((admission) => opening(scene, direction, admission) ?? []);
  }
  const made = isFree(scene, isolatingPolicy(direction, subject));
  const nothing = `No policy restricts ${direction} of ${subject.name} (${labelsInWords(subject.labels)}).`;
  return [
    ...emptyEgress(scene, direction),
    ...unlistedDirections(scene, direction),
    ...misplacedPolicies(scene, direction),
    ...nearIsolation(scene, direction, nothing),
    {
      code: 'NothingIsolates',
      direction,
      message: `${nothing} One that selects it denies ${peer.name} and whatever else it does not list.`,
      distance: 1,
      edits:
        made === undefined ? [] : [{ summary: 'deny by default; admit by further rules whoever may', changes: [made] }],
      isForOthers: true,
    },
  ];
}

/** Policies whose podSelector almost selects the pod. */
function nearIsolation(scene: Scene, direction: Direction, nothing: string): readonly Suspicion[] {
  const { subject } = scene.partiesOf(direction);
  return scene.model
    .examine(scene.question, direction)
    .filter(
      ({ section, selects }) => selects === 'no' && section.policy.namespace === subject.namespace && section.isolates,
    )
    .flatMap((examined): readonly Suspicion[] => {
      const terms = examined.subject.flatMap((each) => each.terms.filter((term) => term.holds !== 'yes'));
      if (terms.length === 0 || terms.length > farthest) return [];
      const miss: Miss = {
        policy: examined.section.policy,
        rule: {
          rule: { path: 'spec.podSelector', action: 'allow', subject: [] },
          matches: 'no',
          peers: [],
          ports: [],
        },
        failed: terms.map(({ requirement }) => ({ kind: 'SubjectTerm', path: requirement.path, requirement })),
      };
      const near = nearMiss(scene, direction, miss);
      if (near === undefined || near.isForOthers) return [];
      return [
        {
          ...near,
          code: near.code === 'LabelTypo' ? 'LabelTypo' : 'NothingIsolates',
          message: `${nothing} ${near.message}`,
          isForOthers: false,
        },
      ];
    });
}
