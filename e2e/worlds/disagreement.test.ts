import { expect, it } from 'vitest';

import { namespaceOf, networkPolicy, podOf } from '../../src/policy/testing/builders.ts';
import { explain, manifestOf } from './disagreement.ts';
import { predict } from './prediction.ts';

const namespaces = [namespaceOf('a')];
const pods = [podOf('a/x', {}, { ip: '10.244.0.1' }), podOf('a/y', {}, { ip: '10.244.0.2' })];

it('explain names the cell, the prediction with its reasons, and what was seen', () => {
  const [prediction] = predict({ namespaces, pods }, [networkPolicy('a/closed', { podSelector: {} })]);
  if (prediction === undefined) throw new Error('two pods have cells');

  expect(explain({ prediction, seen: 'Connected', isLate: false })).toBe(
    [
      'a/x → a/y TCP 8080: predicted deny (deny), seen Connected',
      '  egress: allow, NotIsolated',
      '  ingress: deny, NoRuleAdmits; isolated by a/closed spec.podSelector',
    ].join('\n'),
  );
});

it('explain shows both answers where the profile has another one than the specification', () => {
  const block = { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: '10.244.0.0/16' } }] }] };
  const [prediction] = predict({ namespaces, pods }, [networkPolicy('a/block', block)]);
  if (prediction === undefined) throw new Error('two pods have cells');

  const text = explain({ prediction, seen: 'Connected', isLate: false });

  expect(text).toContain('a/x → a/y TCP 8080: predicted deny (open), seen Connected\n');
  expect(text).toContain('  specification: undefined; profile cilium: deny\n');
});

it('manifestOf writes policies as one file', () => {
  const text = manifestOf([networkPolicy('a/one', { podSelector: {} }), networkPolicy('a/two', { podSelector: {} })]);

  expect(text.split('---\n')).toHaveLength(2);
  expect(text).toContain('kind: NetworkPolicy\nmetadata:\n  name: two\n  namespace: a\nspec:\n  podSelector: {}\n');
});
