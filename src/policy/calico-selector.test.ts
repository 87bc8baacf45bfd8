import { describe, expect, it } from 'vitest';
import { parseCalicoSelector } from './calico-selector.ts';
import { expressionHolds, type LabelSources } from './labels.ts';

const sources: LabelSources = {
  Pod: { labels: { app: 'web', 'a.b/c-d': 'x', in: 'y', empty: '' } },
  Namespace: { labels: {} },
  ServiceAccount: { labels: {} },
};
const parse = (text: string) => parseCalicoSelector(text, 'spec.selector', (key) => ({ of: 'Pod', key }));

describe('parseCalicoSelector', () => {
  it.each<[string, boolean]>([
    ['', true],
    ['all()', true],
    ['all( )', true],
    ['global()', false],
    ['app == "web"', true],
    ["app=='web'", true],
    ['app != "web"', false],
    ['zone != "a"', true],
    ['app in {"api", "web"}', true],
    ['app in { }', false],
    ['app not in {"api","web"}', false],
    ['zone not in {"a"}', true],
    ['app contains "e"', true],
    ['app starts with "we"', true],
    ['app ends with "we"', false],
    ['zone starts with ""', false],
    ['empty starts with ""', true],
    ['has(app)', true],
    ['has( zone )', false],
    ['!has(zone)', true],
    ['! ! has(app)', true],
    ['has(a.b/c-d)', true],
    ['has(constructor)', false],
    ['in == "y"', true],
    ['app == "web" && has(zone)', false],
    ['app == "web" || has(zone)', true],
    ['has(zone) && has(zone) || app == "web"', true],
    ['app == "web" || has(zone) && has(zone)', true],
    ['(app == "web" || has(zone)) && has(zone)', false],
    ['!(app == "web") || all()', true],
    ['inside == "x"', false],
  ])('reads %j', (text, matches) => {
    const parsed = parse(text);

    expect('expression' in parsed && expressionHolds(parsed.expression, sources)).toBe(matches ? 'yes' : 'no');
  });

  it.each([
    'app = "web"',
    'app == web',
    'app ==',
    'app',
    'app in "web"',
    'app in {"web"',
    'app in {web}',
    '(all()',
    'all())',
    'all() all()',
    '&& all()',
    'has()',
    'app == "web" &&',
    'app & app',
    'not app',
  ])('says what is wrong with %j', (text) => {
    expect(parse(text)).toHaveProperty('problem');
  });
});
