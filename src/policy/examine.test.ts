import { describe, expect, it } from 'vitest';
import { policyModel } from './model.ts';
import { endpointOf, namespaceOf, networkPolicy, podOf } from './testing/builders.ts';

const model = policyModel({
  namespaces: [namespaceOf('shop'), namespaceOf('mon', { team: 'ops' })],
  pods: [podOf('shop/db', { app: 'db' }), podOf('mon/web', { app: 'web' })],
  policies: [
    networkPolicy('shop/near', {
      podSelector: { matchLabels: { app: 'db' } },
      ingress: [
        {
          from: [
            { namespaceSelector: { matchLabels: { team: 'shop' } }, podSelector: { matchLabels: { app: 'web' } } },
          ],
          ports: [{ port: 80 }, { port: 8080 }],
        },
      ],
    }),
    networkPolicy('shop/other', { podSelector: { matchLabels: { app: 'api' } } }),
  ],
});
const ask = (from: string, to: string) =>
  ({ source: endpointOf(from), destination: endpointOf(to), protocol: 'TCP', port: 8080 }) as const;

describe('examine', () => {
  it('tells each term and entry that fails, for sections that select the subject and those that do not', () => {
    const [near, other] = model.examine(ask('mon/web', 'shop/db'), 'ingress');

    expect([near?.selects, other?.selects]).toEqual(['yes', 'no']);
    const [rule] = near?.rules ?? [];
    expect(rule?.matches).toBe('no');
    expect(rule?.ports.map(({ matches }) => matches)).toEqual(['no', 'yes']);
    const terms = rule?.peers.flatMap(({ conditions }) => conditions).flatMap((condition) => condition.terms);
    expect(terms?.map(({ requirement, holds }) => [requirement.path, holds])).toEqual([
      ['spec.ingress[0].from[0].namespaceSelector.matchLabels[team]', 'no'],
      ['spec.ingress[0].from[0].podSelector.matchLabels[app]', 'yes'],
    ]);
  });

  it('has nothing to say where policies have no say', () => {
    expect(model.examine(ask('203.0.113.7', 'shop/db'), 'egress')).toEqual([]);
    expect(model.examine(ask('shop/nobody', 'shop/db'), 'ingress')).toEqual([]);
  });
});
