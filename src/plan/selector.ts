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
