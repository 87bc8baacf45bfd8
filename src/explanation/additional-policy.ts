import type { Policy } from '../api/index.ts';
import { type Direction, type PolicyReference, selectorMatches } from '../policy/index.ts';
import { change, typeOf } from './draft.ts';
import { type Edit, isRecord, keyOf, objectInWords, objectReference, valueAt } from './edit.ts';
import { type Admission, admittedInWords, type Narrowing, withoutRule } from './narrowing.ts';
import { writtenPolicy } from './remedy.ts';
import type { Scene } from './scene.ts';
import { identifyingLabels, type Labels, labelsInWords, type Side, withoutNoise } from './side.ts';

/** Policies add up: a second one admits what the first, which selects the same pod, does not. */
export function additional(scene: Scene, direction: Direction, { policy, rule }: Admission): Narrowing | undefined {
  const { isolatedBy, decidedBy } = scene.decision[direction];
  const admitting = new Set([policy, ...decidedBy.map((part) => part.policy)].map(keyOf));
  const strict = isolatedBy.find((part) => !admitting.has(keyOf(part.policy)));
  if (strict === undefined) return undefined;
  const { subject, peer } = scene.partiesOf(direction);
  const whole = scene.whole.policies.find((each) => each === writtenPolicy(scene, policy));
  const rules = valueAt(whole, 'spec.ingress') ?? [];
  const more = valueAt(whole, 'spec.egress') ?? [];
  const isOnly = Array.isArray(rules) && Array.isArray(more) && rules.length + more.length === 1;
  const what = `Policies add up: ${objectInWords(strict.policy)} does not admit ${peer.name}, but ${objectInWords(policy)} also selects ${subject.name} and admits ${admittedInWords(rule)}.`;
  const found = { code: 'AdditionalPolicyOpens' as const, path: rule.rule.path };
  if (!isOnly || whole === undefined) {
    const changes = withoutRule(scene, { policy, rule }, direction);
    return {
      ...found,
      message: `${what} Narrow or delete that rule.`,
      edits: [{ summary: 'delete the rule', changes }],
    };
  }
  // Without its only rule the policy would go on isolating all that it selects, which no one has looked at.
  const deletion = {
    summary: 'delete the policy',
    changes: [{ object: objectReference(whole), path: '', before: whole }],
  };
  const opened = onlyIsolatedBy(scene, direction, policy, subject);
  const narrowing = opened.length === 0 ? undefined : leavingOut(scene, policy, subject);
  if (narrowing === undefined) return { ...found, message: `${what} Delete or narrow it.`, edits: [deletion] };
  const who = opened.map(labelsInWords).join(', ');
  return {
    ...found,
    message: `${what} Narrow its podSelector so that it leaves ${subject.name} out. Deleting it would also open ${direction} of pods labelled ${who}, which no other NetworkPolicy selects.`,
    edits: [narrowing, deletion],
  };
}

/** The labels of the pods which no other NetworkPolicy of that direction selects, but for the subject's. */
function onlyIsolatedBy(scene: Scene, direction: Direction, policy: PolicyReference, subject: Side): readonly Labels[] {
  const near = scene.whole.policies.filter(
    ({ apiVersion, metadata }) =>
      apiVersion.startsWith('networking.k8s.io/') && metadata.namespace === policy.namespace,
  );
  const isIt = ({ metadata }: Policy): boolean => metadata.name === policy.name;
  const selects = (each: Policy, labels: Labels | undefined): boolean => {
    const selector = valueAt(each, 'spec.podSelector') ?? {};
    return isRecord(selector) && selectorMatches(selector, labels);
  };
  const own = JSON.stringify(subject.labels);
  const labels = scene
    .podsIn(policy.namespace ?? '')
    .map(({ metadata }) => metadata.labels)
    .filter((each) => JSON.stringify(withoutNoise(each)) !== own)
    .filter((each) => near.some((other) => isIt(other) && selects(other, each)))
    .filter((each) => !near.some((other) => !isIt(other) && isolates(other, direction) && selects(other, each)))
    .map((each) => withoutNoise(each));
  return [...new Map(labels.map((each) => [JSON.stringify(each), each])).values()];
}

/** NetworkPolicySpec, policyTypes: without them a policy restricts ingress, and egress if it has rules for it. */
function isolates(policy: Policy, direction: Direction): boolean {
  const types = valueAt(policy, 'spec.policyTypes');
  if (Array.isArray(types) && types.length > 0) return types.includes(typeOf(direction));
  const rules = valueAt(policy, 'spec.egress');
  return direction === 'ingress' || (Array.isArray(rules) && rules.length > 0);
}

/** The policy with a podSelector that leaves the subject out. */
function leavingOut(scene: Scene, policy: PolicyReference, subject: Side): Edit | undefined {
  const [label] = Object.entries(identifyingLabels(subject));
  const selector = valueAt(writtenPolicy(scene, policy), 'spec.podSelector') ?? {};
  if (label === undefined || !isRecord(selector)) return undefined;
  const { matchExpressions = [] } = selector;
  if (!Array.isArray(matchExpressions)) return undefined;
  const [key, value] = label;
  const after = {
    ...selector,
    matchExpressions: [...(matchExpressions satisfies unknown[]), { key, operator: 'NotIn', values: [value] }],
  };
  return {
    summary: `leave ${subject.name} out`,
    changes: [change(policy, 'spec.podSelector', selector, after)],
  };
}
