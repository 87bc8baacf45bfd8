import type { Policy } from '../api/index.ts';
import { type Direction, type PolicyReference, type Question, referenceOf, selectorMatches } from '../policy/index.ts';
import type { Suspicion } from './admit.ts';
import { change, peersKey, typeOf } from './draft.ts';
import { isRecord, keyOf, objectInWords, objectReference, valueAt } from './edit.ts';
import { writtenPolicy } from './remedy.ts';
import type { Scene } from './scene.ts';

/** Policies that would have a say if they stood, or were turned, another way: each is tried on the model before it is told. */

function reversed({ question }: Scene): Question {
  return { ...question, source: question.destination, destination: question.source };
}

/** Policies of one direction that select the subject of `question` there, with the rules that would admit it. */
function admitting(scene: Scene, question: Question, direction: Direction) {
  return scene.model
    .examine(question, direction)
    .filter(({ section, selects }) => selects === 'yes' && section.policy.group === 'networking.k8s.io')
    .flatMap(({ section, rules }) =>
      rules.filter(({ matches }) => matches === 'yes').map((rule) => ({ policy: section.policy, rule })),
    );
}

/** The policy selects who calls and admits who is called. */
export function swappedSelectors(scene: Scene, direction: Direction): readonly Suspicion[] {
  const { subject, peer } = scene.partiesOf(direction);
  if (subject.namespace !== peer.namespace) return [];
  return admitting(scene, reversed(scene), direction).flatMap(({ policy, rule }) => {
    const matching = rule.peers.find(({ matches }) => matches === 'yes');
    const written = writtenPolicy(scene, policy);
    const path = matching === undefined ? '' : `${matching.peer.path}.podSelector`;
    const [selector, admitted] = [valueAt(written, 'spec.podSelector'), valueAt(written, path)];
    if (matching === undefined || !isRecord(selector) || !isRecord(admitted)) return [];
    const [verb, side] = direction === 'ingress' ? ['is called', 'callers'] : ['calls', 'those who are called'];
    return [
      {
        code: 'SelectorsSwapped' as const,
        direction,
        part: { policy, path: 'spec.podSelector' },
        message: `${objectInWords(policy)} selects ${peer.name} and its rule names ${subject.name}. A policy for ${direction} selects who ${verb}, and its peers are the ${side}: swap the two selectors.`,
        distance: 2,
        edits: [
          {
            summary: 'swap the two selectors',
            changes: [change(policy, 'spec.podSelector', selector, admitted), change(policy, path, admitted, selector)],
          },
        ],
        isForOthers: false,
      },
    ];
  });
}

/** The policy selects the right pod and names the right peer, under the other direction. */
export function swappedDirection(scene: Scene, direction: Direction): readonly Suspicion[] {
  const other = direction === 'ingress' ? 'egress' : 'ingress';
  const { subject, peer } = scene.partiesOf(direction);
  return admitting(scene, reversed(scene), other).flatMap(({ policy, rule }) => {
    const written = writtenPolicy(scene, policy);
    const spec = valueAt(written, 'spec');
    const rules = valueAt(written, `spec.${other}`);
    const old = valueAt(written, rule.rule.path);
    // A rule for any peer says nothing about who was meant.
    if (!isRecord(spec) || !isRecord(old) || !Array.isArray(rules) || rule.rule.peers === undefined) return [];
    const { [peersKey(other)]: peers, ...rest } = old;
    const kept = rules.toSpliced(rules.indexOf(old), 1);
    const own = spec[direction];
    const types = new Set([...(kept.length > 0 ? [typeOf(other)] : []), typeOf(direction)]);
    const { [other]: _, ...others } = spec;
    const after = {
      ...others,
      policyTypes: [...types],
      ...(kept.length > 0 ? { [other]: kept } : {}),
      [direction]: [...(Array.isArray(own) ? own : []), { [peersKey(direction)]: peers, ...rest }],
    };
    const means =
      direction === 'ingress'
        ? 'who calls it belongs under ingress and from'
        : 'whom it calls belongs under egress and to';
    return [
      {
        code: 'DirectionSwapped' as const,
        direction,
        part: { policy, path: rule.rule.path },
        message: `${objectInWords(policy)} selects ${subject.name} and names ${peer.name}, but under ${other}: ${means}.`,
        distance: 2,
        edits: [{ summary: `make it a rule for ${direction}`, changes: [change(policy, 'spec', spec, after)] }],
        isForOthers: false,
      },
    ];
  });
}

/** A policy that would do what was expected stands in a namespace where it selects nobody. */
export function misplacedPolicies(scene: Scene, direction: Direction): readonly Suspicion[] {
  const { subject } = scene.partiesOf(direction);
  const { namespace, pod } = subject;
  if (namespace === undefined || pod === undefined) return [];
  return scene.whole.policies
    .filter((policy) => isMisplaced(scene, policy, namespace, pod.metadata.labels))
    .flatMap((policy): readonly Suspicion[] => {
      const moved = { ...policy, metadata: { ...policy.metadata, namespace } };
      const object = objectReference(policy);
      const there = { ...object, namespace };
      // It would overwrite another.
      if (scene.whole.policies.some((each) => keyOf(objectReference(each)) === keyOf(there))) return [];
      return [
        {
          code: 'PolicyInWrongNamespace',
          direction,
          part: { policy: referenceOf(policy), path: 'metadata.namespace' },
          message: `${objectInWords(object)} is in namespace ${object.namespace}, where its podSelector matches no pod; it would match ${subject.name}, and a policy selects pods of its own namespace alone. Move it to ${namespace}. Applied there, it is a new object: delete the old one by kubectl -n ${object.namespace} delete networkpolicy ${object.name}.`,
          distance: 1,
          edits: [
            {
              summary: `move it to namespace ${namespace}`,
              changes: [
                { object, path: '', before: policy },
                { object: there, path: '', after: moved },
              ],
            },
          ],
          isForOthers: false,
        },
      ];
    });
}

function isMisplaced(
  scene: Scene,
  policy: Policy,
  namespace: string,
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  const own = policy.metadata.namespace ?? 'default';
  if (own === namespace || !policy.apiVersion.startsWith('networking.k8s.io/')) return false;
  const selector = valueAt(policy, 'spec.podSelector');
  // An empty selector fits everywhere, which says nothing.
  if (!isRecord(selector) || Object.keys(selector).length === 0 || !selectorMatches(selector, labels)) return false;
  return !scene.podsIn(own).some(({ metadata }) => selectorMatches(selector, metadata.labels));
}

/** Rules of a direction that policyTypes does not list are ignored. */
export function unlistedDirections(scene: Scene, direction: Direction): readonly Suspicion[] {
  const { subject } = scene.partiesOf(direction);
  return selecting(scene, direction).flatMap(({ policy, reference }): readonly Suspicion[] => {
    const types = valueAt(policy, 'spec.policyTypes');
    const rules = valueAt(policy, `spec.${direction}`);
    if (!Array.isArray(types) || types.length === 0 || types.includes(typeOf(direction))) return [];
    if (!Array.isArray(rules) || rules.length === 0) return [];
    const type = typeOf(direction);
    return [
      {
        code: 'UnlistedDirection',
        direction,
        part: { policy: reference, path: 'spec.policyTypes' },
        message: `${objectInWords(reference)} selects ${subject.name} and has ${direction} rules, which are ignored, because policyTypes lists ${types.map(String).join(', ')} alone. Add ${type} to policyTypes.`,
        distance: 1,
        edits: [
          {
            summary: `list ${type}`,
            changes: [change(reference, 'spec.policyTypes', types, [...(types satisfies unknown[]), type])],
          },
        ],
        isForOthers: false,
      },
    ];
  });
}

/** `egress: []` without policyTypes reads as if it closed egress. */
export function emptyEgress(scene: Scene, direction: Direction): readonly Suspicion[] {
  if (direction !== 'egress') return [];
  return selecting(scene, direction).flatMap(({ policy, reference }): readonly Suspicion[] => {
    const types = valueAt(policy, 'spec.policyTypes');
    const rules = valueAt(policy, 'spec.egress');
    const isDefaulted = types === undefined || (Array.isArray(types) && types.length === 0);
    if (!isDefaulted || !Array.isArray(rules) || rules.length > 0) return [];
    return [
      {
        code: 'EgressNotIsolated',
        direction,
        part: { policy: reference, path: 'spec.egress' },
        message: `${objectInWords(reference)} has no policyTypes, and then an empty egress list restricts ingress alone: egress is restricted by default only if there is an egress rule. Write policyTypes: [Ingress, Egress], or [Egress] if ingress was never meant.`,
        distance: 1,
        edits: [
          {
            summary: 'list both directions, which keeps ingress as closed as it is now',
            changes: [change(reference, 'spec.policyTypes', types, ['Ingress', 'Egress'])],
          },
        ],
        isForOthers: false,
      },
    ];
  });
}

/** NetworkPolicies of the subject's namespace whose podSelector matches it, in whatever direction they apply. */
function selecting(
  scene: Scene,
  direction: Direction,
): readonly { readonly policy: Policy; readonly reference: PolicyReference }[] {
  const { pod, namespace } = scene.partiesOf(direction).subject;
  if (pod === undefined) return [];
  return scene.world.policies
    .filter(
      ({ apiVersion, metadata }) => apiVersion.startsWith('networking.k8s.io/') && metadata.namespace === namespace,
    )
    .filter((policy) => {
      const selector = valueAt(policy, 'spec.podSelector') ?? {};
      return isRecord(selector) && selectorMatches(selector, pod.metadata.labels);
    })
    .map((policy) => ({ policy, reference: referenceOf(policy) }));
}
