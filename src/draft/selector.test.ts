import { describe, expect, it } from 'vitest';
import { podOf } from '../policy/testing/builders.ts';
import { selectorFor } from './selector.ts';

type Labels = Readonly<Record<string, string>>;

describe('selectorFor', () => {
  it.each<{
    scenario: string;
    own: readonly Labels[];
    others: readonly Labels[];
    preferred?: Labels;
    selector: unknown;
  }>([
    {
      scenario: 'the label that people tell workloads apart by',
      own: [{ app: 'web', tier: 'front' }],
      others: [{ app: 'api' }],
      selector: { matchLabels: { app: 'web' } },
    },
    {
      scenario: 'what its own controller selects by',
      own: [{ app: 'web', role: 'server' }],
      others: [],
      preferred: { role: 'server' },
      selector: { matchLabels: { role: 'server' } },
    },
    {
      scenario: 'more labels where one is not enough',
      own: [{ app: 'web', track: 'stable' }],
      others: [{ app: 'web', track: 'canary' }],
      selector: { matchLabels: { app: 'web', track: 'stable' } },
    },
    {
      scenario: 'the absence of a label that only others have',
      own: [{ app: 'web' }],
      others: [{ app: 'web', track: 'canary' }],
      selector: { matchLabels: { app: 'web' }, matchExpressions: [{ key: 'track', operator: 'DoesNotExist' }] },
    },
    {
      scenario: 'only what all pods share',
      own: [
        { app: 'web', pod: '1' },
        { app: 'web', pod: '2' },
      ],
      others: [],
      selector: { matchLabels: { app: 'web' } },
    },
    {
      scenario: 'nothing that a controller adds',
      own: [{ 'pod-template-hash': 'abc', app: 'web' }],
      others: [{ 'pod-template-hash': 'def', app: 'web' }],
      selector: undefined,
    },
    {
      scenario: 'nothing where others carry the same',
      own: [{ app: 'web' }],
      others: [{ app: 'web' }],
      selector: undefined,
    },
    { scenario: 'nothing where there is no label', own: [{}], others: [], selector: undefined },
    {
      scenario: 'a label that every object has a property of',
      own: [{ constructor: 'a' }],
      others: [{}],
      selector: { matchLabels: { constructor: 'a' } },
    },
  ])('finds $scenario', ({ own, others, preferred, selector }) => {
    const pods = own.map((labels, index) => podOf(`shop/own-${index}`, labels));
    const namespace = [...pods, ...others.map((labels, index) => podOf(`shop/other-${index}`, labels))];

    expect(selectorFor(pods, namespace, preferred)).toEqual(selector);
  });
});
