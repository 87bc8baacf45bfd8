import {
  type CompiledPolicy,
  type Condition,
  leavesOf,
  namespaceNameLabel,
  type Requirement,
  requirementsOf,
  type Section,
  selectorMatches,
} from '../policy/index.ts';
import { policyInWords } from '../prediction/index.ts';
import type { AuditFinding } from './finding.ts';
import { type AuditScene, matchingPods } from './scene.ts';
import { list, unitsInWords } from './sentence.ts';

/** Policies that select no pod, though they are not meant for whatever pod may come. */
export function policiesWithoutPods(scene: AuditScene): readonly AuditFinding[] {
  const { model, units } = scene;
  return model.policies.flatMap((policy): readonly AuditFinding[] => {
    const { reference, sections } = policy;
    const [first] = sections;
    if (
      first === undefined ||
      isForProbes(first) ||
      sections.some((section) => isForAll(section) || matchingPods(scene, section.subject).length > 0)
    )
      return [];
    const { namespace } = reference;
    const there = units.filter((unit) => namespace === undefined || unit.namespace === namespace);
    const place = namespace === undefined ? 'the cluster' : `namespace ${namespace}`;
    const message =
      there.length === 0
        ? `Nothing of what was read runs in ${place}, so ${policyInWords(reference)} selects no pod. Give the workloads too, or remove the policy.`
        : `${policyInWords(reference)} selects no pod of ${place}: ${askedFor(first)}, and ${carriedBy(first, scene, namespace)}. Correct the selector, or remove the policy.${elsewhere(policy, scene)}`;
    return [
      {
        code: 'SelectsNothing',
        severity: there.length === 0 ? 'Low' : 'Medium',
        object: reference,
        path: first.subjectPath,
        directions: [...new Set(sections.map(({ direction }) => direction))],
        message,
      },
    ];
  });
}

/** Whether a section is for every pod of its policy's namespace, or of the cluster, those to come included. */
function isForAll({ subject, policy }: Section): boolean {
  return subject
    .flatMap(requirementsIn)
    .every(
      ({ of, key, values }) =>
        of === 'Namespace' && key === namespaceNameLabel && values.length === 1 && values[0] === policy.namespace,
    );
}

/** Postern's own policies are for pods that live for seconds. */
function isForProbes({ subject }: Section): boolean {
  return subject.flatMap(requirementsIn).some(({ key }) => key.startsWith('postern.dev/'));
}

/** Every term of a condition, wherever it stands. */
export function requirementsIn(condition: Condition): readonly Requirement[] {
  return leavesOf(condition).flatMap((leaf) => (leaf.kind === 'Labels' ? requirementsOf(leaf.expression) : []));
}

/** `it asks for app: web`. */
function askedFor({ subject, policy }: Section): string {
  const terms = subject
    .flatMap(requirementsIn)
    .filter(({ of, values }) => of !== 'Namespace' || values[0] !== policy.namespace)
    .map(termInWords);
  return `it asks for ${list(terms)}`;
}

export function termInWords({ of, key, operator, values }: Requirement): string {
  const whose = of === 'Namespace' ? 'namespace label ' : of === 'ServiceAccount' ? 'a service account by ' : '';
  if (operator === 'In' && values.length === 1) return `${whose}${key}: ${values[0] === '' ? '""' : values[0]}`;
  return `${whose}${key} ${operator}${values.length === 0 ? '' : ` [${values.join(', ')}]`}`;
}

const mostValues = 5;

/** What the pods there carry instead. */
function carriedBy({ subject }: Section, { units }: AuditScene, namespace: string | undefined): string {
  const keys = new Set(subject.flatMap(requirementsIn).flatMap(({ of, key }) => (of === 'Pod' ? [key] : [])));
  const carried = units
    .filter((unit) => namespace === undefined || unit.namespace === namespace)
    .flatMap(({ pods: [pod] }) => Object.entries(pod?.metadata.labels ?? {}))
    .filter(([key]) => keys.has(key))
    .map(([key, value]) => `${key}: ${value}`);
  const values = [...new Set(carried)].toSorted();
  if (values.length === 0) return 'no pod there carries such a label';
  const shown = values.slice(0, mostValues);
  return `pods there carry ${list(shown)}${values.length > shown.length ? ` and ${values.length - shown.length} more` : ''}`;
}

/** Whom the policy would select in another namespace. */
function elsewhere({ reference }: CompiledPolicy, { model, units }: AuditScene): string {
  if (reference.group !== 'networking.k8s.io') return '';
  const policy = model.world.policies.find(
    ({ kind, apiVersion, metadata }) =>
      kind === reference.kind &&
      apiVersion.startsWith('networking.k8s.io/') &&
      metadata.name === reference.name &&
      metadata.namespace === reference.namespace,
  );
  const selector = podSelectorOf(policy?.spec);
  if (selector === undefined) return '';
  const found = units.filter(
    ({ namespace, pods: [pod] }) =>
      namespace !== reference.namespace && selectorMatches(selector, pod?.metadata.labels),
  );
  const [first] = found;
  if (first === undefined) return '';
  const own = found.filter(({ namespace }) => namespace === first.namespace);
  return ` It would select ${unitsInWords(own)} in namespace ${first.namespace}, but a policy selects pods of its own namespace alone.`;
}

function podSelectorOf(spec: unknown): Parameters<typeof selectorMatches>[0] | undefined {
  if (typeof spec !== 'object' || spec === null || !('podSelector' in spec)) return undefined;
  const { podSelector } = spec;
  return typeof podSelector === 'object' && podSelector !== null ? podSelector : undefined;
}
