import type { LabelSelector } from '../api/index.ts';
import type { OpenPoint } from './open-point.ts';
import { every, not, some, type Truth } from './truth.ts';

export type Labels = Readonly<Record<string, string>>;

export type LabelOperator = 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Contains' | 'StartsWith' | 'EndsWith';

/** One term of a selector. Whose labels it looks at: the pod's, its namespace's, or its service account's. */
export interface Requirement {
  readonly kind: 'Requirement';
  readonly of: 'Pod' | 'Namespace' | 'ServiceAccount';
  readonly key: string;
  readonly operator: LabelOperator;
  readonly values: readonly string[];
  readonly path: string;
}

export type LabelExpression =
  | Requirement
  | { readonly kind: 'All'; readonly of: readonly LabelExpression[] }
  | { readonly kind: 'Some'; readonly of: readonly LabelExpression[] }
  | { readonly kind: 'Not'; readonly of: LabelExpression };

/** The labels that an expression may look at. Those that are not known have their few known ones and the reason. */
export interface LabelSource {
  readonly labels: Labels;
  readonly incomplete?: OpenPoint;
}

export type LabelSources = Readonly<Record<Requirement['of'], LabelSource>>;

/** The label that the API server puts on every namespace (since 1.21). */
export const namespaceNameLabel = 'kubernetes.io/metadata.name';

/** Keys by which people tell workloads apart, the most telling first. */
export const tellingLabelKeys: readonly string[] = [
  'app.kubernetes.io/name',
  'app',
  'k8s-app',
  'name',
  'app.kubernetes.io/component',
  'component',
];

/** The key under which a service account's name is found: no label can have an empty key. */
export const accountNameKey = '';

/** Whether labels satisfy one term (apimachinery, labels.Requirement): NotIn matches a missing key; an empty value is a value. */
export function requirementHolds(
  { key, operator, values }: Omit<Requirement, 'kind' | 'of' | 'path'>,
  labels: Labels,
): boolean {
  // `constructor` is a valid label key, and every object has one.
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Contains':
      return value !== undefined && values.some((part) => value.includes(part));
    case 'StartsWith':
      return value !== undefined && values.some((part) => value.startsWith(part));
    case 'EndsWith':
      return value !== undefined && values.some((part) => value.endsWith(part));
  }
}

/** Whether labels satisfy an expression. What rests on a label that is not known is unknown, and `open` is told why. */
export function expressionHolds(
  expression: LabelExpression,
  sources: LabelSources,
  open?: (point: OpenPoint) => void,
): Truth {
  switch (expression.kind) {
    case 'All':
      return every(expression.of, (member) => expressionHolds(member, sources, open));
    case 'Some':
      return some(expression.of, (member) => expressionHolds(member, sources, open));
    case 'Not':
      return not(expressionHolds(expression.of, sources, open));
    case 'Requirement': {
      const { labels, incomplete } = sources[expression.of];
      if (incomplete !== undefined && !Object.hasOwn(labels, expression.key)) {
        open?.(incomplete);
        return 'unknown';
      }
      return requirementHolds(expression, labels) ? 'yes' : 'no';
    }
  }
}

/** The terms of a label selector, each with its path; all must hold, so that an empty selector matches everything. */
export function requirementsOf(selector: LabelSelector, of: Requirement['of'], path: string): readonly Requirement[] {
  return [
    ...Object.entries(selector.matchLabels ?? {}).map(([key, value]) => ({
      kind: 'Requirement' as const,
      of,
      key,
      operator: 'In' as const,
      values: [value],
      path: `${path}.matchLabels[${key}]`,
    })),
    ...(selector.matchExpressions ?? []).map(({ key, operator, values = [] }, index) => ({
      kind: 'Requirement' as const,
      of,
      key,
      operator: isOperator(operator) ? operator : ('In' as const),
      values: isOperator(operator) ? values : [],
      path: `${path}.matchExpressions[${index}]`,
    })),
  ];
}

function isOperator(text: string): text is LabelOperator {
  return text === 'In' || text === 'NotIn' || text === 'Exists' || text === 'DoesNotExist';
}

/** Whether labels match a selector (metav1.LabelSelector). An operator that the API does not have matches nothing. */
export function selectorMatches(selector: LabelSelector, labels: Labels = {}): boolean {
  return requirementsOf(selector, 'Pod', '').every((requirement) => requirementHolds(requirement, labels));
}
