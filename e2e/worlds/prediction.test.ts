import { describe, expect, it } from 'vitest';

import type { Policy } from '../../src/api/index.ts';
import { namespaceOf, networkPolicy, podOf } from '../../src/policy/testing/builders.ts';
import { cellsOf, isMixed, predict } from './prediction.ts';

const namespaces = [namespaceOf('a'), namespaceOf('b')];
const pods = ['a/x', 'a/y', 'b/x'].map((path, index) =>
  podOf(path, { app: path.slice(2) }, { ip: `10.244.0.${index + 1}`, ports: [{ name: 'web', containerPort: 8080 }] }),
);
const basesWith = (...policies: readonly Policy[]) => [
  ...new Set(predict({ namespaces, pods }, policies).map(({ basis, expected }) => `${basis}: ${expected}`)),
];

it('cellsOf names all ordered pairs of different pods, by two ports and two protocols', () => {
  expect(cellsOf(pods)).toHaveLength(3 * 2 * 2 * 2);
  expect(cellsOf(Array.from({ length: 9 }, (_, index) => podOf(`a/${index}`)))).toHaveLength(72 * 4);
});

describe('predict', () => {
  it('rests on the specification where the plugin follows it', () => {
    expect(basesWith()).toEqual(['allow: allow']);
    expect(basesWith(networkPolicy('a/closed', { podSelector: {} }))).toEqual(['deny: deny', 'allow: allow']);
  });

  it('rests on the profile where the specification leaves a cell open', () => {
    const block = { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: '10.244.0.0/16' } }] }] };

    expect(basesWith(networkPolicy('b/block', block))).toEqual(['allow: allow', 'open: deny']);
  });

  it('tells where the profile has it against the specification', () => {
    const unlisted = {
      podSelector: {},
      policyTypes: ['Egress'],
      ingress: [{ from: [{ podSelector: {} }] }],
      egress: [{}],
    };

    expect(basesWith(networkPolicy('b/unlisted', unlisted))).toEqual(['allow: allow', 'deviating: deny']);
  });
});

it('isMixed wants cells of both kinds', () => {
  const mixed = predict({ namespaces, pods }, [networkPolicy('a/closed', { podSelector: {} })]);

  expect(isMixed(mixed)).toBe(true);
  expect(isMixed(mixed.filter(({ expected }) => expected === 'allow'))).toBe(false);
  expect(isMixed(mixed.filter(({ expected }) => expected === 'deny'))).toBe(false);
});
