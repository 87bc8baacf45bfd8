import { describe, expect, it } from 'vitest';
import type { LabelSelector } from '../api/index.ts';
import { selectorMatches } from './labels.ts';

describe('selectorMatches', () => {
  const labels = { app: 'web', tier: 'front' };
  const requirement = (key: string, operator: string, values?: readonly string[]): LabelSelector => ({
    matchExpressions: [{ key, operator, ...(values === undefined ? {} : { values }) }],
  });

  it.each<[string, LabelSelector, boolean]>([
    ['an empty selector', {}, true],
    ['empty lists', { matchLabels: {}, matchExpressions: [] }, true],
    ['an equal label', { matchLabels: { app: 'web' } }, true],
    ['another value', { matchLabels: { app: 'api' } }, false],
    ['one label of two', { matchLabels: { app: 'web', zone: 'a' } }, false],
    ['In with the value', requirement('app', 'In', ['api', 'web']), true],
    ['In without the value', requirement('app', 'In', ['api']), false],
    ['In on a missing key', requirement('zone', 'In', ['a']), false],
    ['In without values', requirement('app', 'In'), false],
    ['NotIn with the value', requirement('app', 'NotIn', ['web']), false],
    ['NotIn without the value', requirement('app', 'NotIn', ['api']), true],
    ['NotIn on a missing key', requirement('zone', 'NotIn', ['a']), true],
    ['Exists', requirement('app', 'Exists'), true],
    ['Exists on a missing key', requirement('zone', 'Exists'), false],
    ['DoesNotExist', requirement('app', 'DoesNotExist'), false],
    ['DoesNotExist on a missing key', requirement('zone', 'DoesNotExist'), true],
    ['an operator that is not known', requirement('app', 'Gt', ['1']), false],
    ['labels and requirements that disagree', { matchLabels: { app: 'web' }, ...requirement('tier', 'Exists') }, true],
    ['a key of every object', requirement('constructor', 'DoesNotExist'), true],
    ['a key of every object as a label', requirement('toString', 'Exists'), false],
  ])('with %s', (_, selector, matches) => {
    expect(selectorMatches(selector, labels)).toBe(matches);
  });

  it.each<[string, LabelSelector, boolean]>([
    ['is matched by an empty selector', {}, true],
    ['is not matched by a label', { matchLabels: { app: 'web' } }, false],
    ['is matched by NotIn', requirement('app', 'NotIn', ['web']), true],
  ])('a pod without labels %s', (_, selector, matches) => {
    expect(selectorMatches(selector)).toBe(matches);
  });
});
