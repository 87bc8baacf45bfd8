import { expect, it } from 'vitest';

import { labelled, worldsFrom } from './random-policies.ts';

const always = () => true;

it('worldsFrom gives the same worlds for the same seed, however many are asked for', () => {
  const many = worldsFrom(7, 30, always);

  expect(worldsFrom(7, 30, always)).toEqual(many);
  expect(worldsFrom(7, 10, always)).toEqual(many.slice(0, 10));
  expect(worldsFrom(8, 10, always)).not.toEqual(many.slice(0, 10));
});

it('worldsFrom leaves out worlds that are not worthwhile', () => {
  const worlds = worldsFrom(7, 30, (policies) => policies.length === 3);

  expect(worlds).toHaveLength(30);
  expect(new Set(worlds.map((policies) => policies.length))).toEqual(new Set([3]));
});

const hundred = JSON.stringify(worldsFrom(7, 100, always));

it.each<[string, RegExp]>([
  ['an expression on a label that pods lack', /"operator":"NotIn"/],
  ['DoesNotExist', /"DoesNotExist"/],
  ['a namespace by its name', /kubernetes\.io\/metadata\.name/],
  ['both selectors in one peer', /"podSelector":\{[^[\]]*\},"namespaceSelector"/],
  ['a block with an exception', /"except":/],
  ['a named port', /"port":"web"/],
  ['a range of ports', /"endPort":/],
  ['a protocol without a port', /"ports":\[\{"protocol":"UDP"\}/],
  ['SCTP', /"SCTP"/],
  ['an empty list of rules', /"ingress":\[\]/],
  ['an empty rule', /"egress":\[\{\}/],
  ['an empty list of types', /"policyTypes":\[\]/],
  ['no types', /"podSelector":\{\}(,"ingress"|,"egress"|\})/],
])('a hundred worlds hold %s', (_, text) => {
  expect(text.test(hundred)).toBe(true);
});

it('labelled tells the policies of a world from those of others', () => {
  const [policies = []] = worldsFrom(7, 1, always);

  const [policy] = labelled(policies, '12');

  expect(policy?.metadata).toMatchObject({ name: 'world-12-policy-0', labels: { 'postern.dev/world': '12' } });
  expect(policy?.spec).toEqual(policies[0]?.spec);
});
