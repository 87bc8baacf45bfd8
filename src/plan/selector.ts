import type { LabelSelector } from '../api/index.ts';

/** Whether labels match a selector (metav1.LabelSelector; an empty selector matches everything; NotIn matches a missing key). */
export function selectorMatches(selector: LabelSelector, labels: Readonly<Record<string, string>> = {}): boolean {
  // `constructor` is a valid label key, and every object has one.
  const valueOf = (key: string) => (Object.hasOwn(labels, key) ? labels[key] : undefined);
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    if (valueOf(key) !== value) return false;
  }
  return (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
    const value = valueOf(key);
    switch (operator) {
      case 'In':
        return value !== undefined && values.includes(value);
      case 'NotIn':
        return value === undefined || !values.includes(value);
      case 'Exists':
        return value !== undefined;
      case 'DoesNotExist':
        return value === undefined;
      default:
        return false;
    }
  });
}

/** Every label key that the selectors of a policy name, whatever its kind: anything under matchLabels or matchExpressions. */
export function labelKeysNamedBy(policy: unknown): ReadonlySet<string> {
  const keys = new Set<string>();
  collect(policy, keys);
  return keys;
}

function collect(value: unknown, keys: Set<string>): void {
  if (Array.isArray(value)) {
    for (const member of value) collect(member, keys);
  } else if (value !== null && typeof value === 'object') {
    for (const [name, member] of Object.entries(value)) {
      if (name === 'matchLabels' && member !== null && typeof member === 'object') {
        for (const key of Object.keys(member)) keys.add(withoutCiliumSource(key));
      } else if (name === 'key' && typeof member === 'string') {
        keys.add(withoutCiliumSource(member));
      } else {
        collect(member, keys);
      }
    }
  }
}

/** Cilium prefixes label keys with where the label comes from: `k8s:app`, `k8s.app` or `any:app`. */
function withoutCiliumSource(key: string): string {
  return key.replace(/^(k8s|any)[:.]/, '');
}
