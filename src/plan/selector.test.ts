import { describe, expect, it } from 'vitest';
import { labelKeysNamedBy } from './selector.ts';

describe('labelKeysNamedBy', () => {
  it.each<[string, unknown, readonly string[]]>([
    ['nothing', undefined, []],
    ['a policy for every pod', { podSelector: {} }, []],
    ['a subject', { podSelector: { matchLabels: { app: 'web' } } }, ['app']],
    ['a requirement', { podSelector: { matchExpressions: [{ key: 'tier', operator: 'Exists' }] } }, ['tier']],
    ['a peer', { ingress: [{ from: [{ podSelector: { matchLabels: { app: 'web', zone: 'a' } } }] }] }, ['app', 'zone']],
    [
      'Cilium selectors, whatever they say of the origin',
      { endpointSelector: { matchLabels: { 'k8s:app': 'web', 'any.tier': 'front' } } },
      ['app', 'tier'],
    ],
    ['a label that begins like an origin', { podSelector: { matchLabels: { k8snode: '1' } } }, ['k8snode']],
  ])('finds the keys of %s', (_, policy, keys) => {
    expect([...labelKeysNamedBy(policy)]).toEqual(keys);
  });
});
