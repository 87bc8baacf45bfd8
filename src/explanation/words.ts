import type { Direction, OpenPoint, PolicyPart } from '../policy/index.ts';
import type { Explanation, ExplainedDirection, RejectedRule } from './explain.ts';
import { type Edit, keyOf } from './edit.ts';
import type { Finding } from './finding.ts';
import type { FailedPredicate } from './rejection.ts';
import { labelsInWords, type Side } from './side.ts';
import { editLines, type PlaceInWords } from './snippet.ts';

const mostRejected = 3;
const mostFurther = 2;

/** What an edit does besides, in words, where that was tried. */
export type EffectInWords = (edit: Edit) => string | undefined;

/** An explanation for people: the verdict of each direction in a line, the labels of both sides, then findings with their edits. */
export function explanationLines(
  explanation: Explanation,
  place: PlaceInWords,
  effectOf: EffectInWords = () => undefined,
): readonly string[] {
  const { source, destination, findings, together, question } = explanation;
  const [first, ...others] = findings;
  const further = others.filter((finding) => !isPlain(finding) || !isNamedMistake(first)).slice(0, mostFurther);
  return [
    `asked         ${source.name} -> ${destination.name}, ${question.protocol} port ${question.port}`,
    ...directionLines('egress', explanation.egress, [source, destination], place),
    ...directionLines('ingress', explanation.ingress, [destination, source], place),
    ...sideLines('from', source),
    ...sideLines('to', destination),
    ...(first === undefined
      ? []
      : ['', ...findingLines(first, place, together === undefined ? effectOf : () => undefined)]),
    ...(together === undefined
      ? []
      : [
          '',
          'That alone is not enough. Together these are:',
          ...editLines(together, place).map((line) => `         ${line}`),
          ...effectLines(effectOf(together)),
        ]),
    ...(further.length === 0 ? [] : ['', 'Less likely (edits: -o json):']),
    ...further.map(({ code, message, part }) => {
      const where = part === undefined ? '' : ` At ${place(part.policy, part.path)}.`;
      return `  ${code}: ${message}${where}`;
    }),
  ];
}

/** What is true of most pods: worth telling only where no mistake has a name. */
function isPlain({ code }: Finding): boolean {
  return code === 'NothingIsolates' || code === 'NoRuleAdmits';
}

function isNamedMistake(finding: Finding | undefined): boolean {
  return finding !== undefined && !isPlain(finding) && finding.isEnough;
}

/** Where the mistake is, unless the first edit is made there and says so. */
export function placeOfFinding({ part, edits: [edit] }: Finding, place: PlaceInWords): string | undefined {
  if (part === undefined) return undefined;
  const at = place(part.policy, part.path);
  const [recommended] = edit?.changes ?? [];
  const isInside =
    recommended?.path !== '' && recommended !== undefined && keyOf(recommended.object) === keyOf(part.policy);
  const isSaid = isInside || (edit !== undefined && editLines(edit, place)[0] === at);
  return isSaid ? undefined : at;
}

/** One finding with its edits: the first is recommended. */
function findingLines(finding: Finding, place: PlaceInWords, effectOf: EffectInWords): readonly string[] {
  const { code, message, edits } = finding;
  const at = placeOfFinding(finding, place);
  return [
    `${code}: ${message}`,
    ...(at === undefined ? [] : [`  at     ${at}`]),
    ...edits.flatMap((edit, index) => [
      `  ${index === 0 ? 'edit  ' : 'or    '} ${edit.summary}`,
      ...editLines(edit, place).map((line) => `         ${line}`),
      ...effectLines(effectOf(edit)),
    ]),
  ];
}

function effectLines(effect: string | undefined): readonly string[] {
  return effect === undefined ? [] : [`  effect ${effect}`];
}

function directionLines(
  direction: Direction,
  decision: ExplainedDirection,
  sides: readonly [Side, Side],
  place: PlaceInWords,
): readonly string[] {
  const word = decision.answer === 'allow' || decision.answer === 'deny' ? decision.answer : 'open';
  const shown = decision.rejected.slice(0, mostRejected);
  const left = decision.rejected.length - shown.length;
  return [
    `${direction.padEnd(8)}${word.padEnd(5)} ${reasonInWords(direction, decision, sides, place)}`,
    ...shown.map(
      (rule) => `              ${isUndecided(rule) ? 'undecided' : 'rejected'}: ${rejectedInWords(rule, place)}`,
    ),
    ...(left > 0 ? [`              and ${left} more`] : []),
  ];
}

function reasonInWords(
  direction: Direction,
  { basis, isolatedBy, decidedBy }: ExplainedDirection,
  [side, other]: readonly [Side, Side],
  place: PlaceInWords,
): string {
  switch (basis.reason) {
    case 'NotIsolated':
      return `no policy selects ${side.name} for ${direction}, so everything is open`;
    case 'AdmittedByRule':
      return `admitted by ${partsInWords(decidedBy, place)}`;
    case 'NoRuleAdmits':
      return `restricted by ${partsInWords(isolatedBy, place)}, and no rule admits this`;
    case 'DeniedByRule':
      return `denied by ${partsInWords(decidedBy, place)}`;
    case 'NotSubject':
      return side.hostNetwork
        ? `policies have no say: ${side.name} uses the host network and has its node's address`
        : `policies have no say: ${side.name} is no pod`;
    case 'SameNode':
      return 'policies have no say: a pod and its own node may always talk';
    case 'Self':
      return 'policies have no say: a pod and itself';
    case 'Open':
      return [...new Set(basis.open.map((point) => openInWords(point, [side, other])))].join(' ');
  }
}

/** Pods are named by their workload: those that stand for one in a prediction are in no cluster. */
function openInWords({ code, message }: OpenPoint, sides: readonly [Side, Side]): string {
  // Whether to select the pod by its labels depends on what was expected: the finding says it.
  if (code === 'BlockAgainstPod') {
    return `the API leaves open whether a block of addresses matches pods, such as those of ${sides[1].name}, and network plugins differ`;
  }
  return sides.reduce(
    (text, { name, pod }) =>
      pod === undefined ? text : text.replaceAll(`pod ${pod.metadata.namespace}/${pod.metadata.name}`, name),
    message,
  );
}

/** One part of each policy. */
function partsInWords(parts: readonly PolicyPart[], place: PlaceInWords): string {
  const seen = new Set<string>();
  const first = parts.filter(({ policy: { group, kind, namespace, name } }) => {
    const key = [group, kind, namespace, name].join('/');
    return seen.size < seen.add(key).size;
  });
  return first.map(({ policy, path }) => place(policy, path)).join(', ');
}

function rejectedInWords({ policy, path, failed }: RejectedRule, place: PlaceInWords): string {
  return `${place(policy, path)}: ${failed.map(failureInWords).join('; ')}`;
}

/** A rule is rejected once one of its predicates is known to fail. */
function isUndecided({ failed }: RejectedRule): boolean {
  return failed.every((failure) => 'isOpen' in failure);
}

function failureInWords(failure: FailedPredicate): string {
  switch (failure.kind) {
    case 'SubjectTerm':
    case 'PeerTerm': {
      const { of, key, operator, values } = failure.requirement;
      const whose = of === 'Namespace' ? 'namespace label' : 'pod label';
      const isOne = operator === 'In' && values.length === 1;
      const wanted = isOne
        ? `${key}: ${values[0]}`
        : `${key} ${operator}${values.length === 0 ? '' : ` [${values.join(', ')}]`}`;
      return failure.isOpen === true
        ? `whether ${whose} ${wanted} holds is not known`
        : `${whose} ${wanted} does not hold`;
    }
    case 'PeerScope':
      return 'another namespace than the policy’s';
    case 'PeerIsNoPod':
      return 'the other side is no pod';
    case 'PeerBlock':
      return failure.isOpen === true
        ? 'whether the address block matches is left open'
        : 'the address block does not match';
    case 'Protocol':
      return `protocol ${failure.entry.protocol}`;
    case 'Port': {
      const { first = 0, last = 0 } = failure.entry.range ?? {};
      return `port ${first === last ? first : `${first} to ${last}`}`;
    }
    case 'PortName':
      return `port named ${failure.entry.name}`;
    case 'Other':
      return `${failure.path} does not hold`;
  }
}

function sideLines(word: string, side: Side): readonly string[] {
  if (side.pod === undefined) return [`${word.padEnd(13)} ${side.name}: no labels, so only address blocks match it`];
  const namespace =
    side.namespaceLabels === undefined ? 'labels not known, but for its name' : labelsInWords(side.namespaceLabels);
  return [
    `${word.padEnd(13)} ${side.name}${side.hostNetwork ? ' (host network)' : ''}`,
    `              pod labels        ${labelsInWords(side.labels)}`,
    `              namespace labels  ${namespace}`,
  ];
}
