import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkWeight, maxWeightPerPod, type PlannedCheck } from '../probe/index.ts';
import { assign } from './assignment.ts';
import type { Identity } from './identity.ts';

const identityOf = (key: string): Identity => ({ key, namespace: 'shop', labels: {}, droppedLabels: [], pod: {} });
const web = identityOf('web');

type Worn = PlannedCheck & { readonly identity: Identity };

function check(id: number, parts: Partial<Worn> = {}): Worn {
  return { id, mode: 'guard', address: '10.0.0.1', port: 80, identity: web, ...parts };
}

const idsOf = (pods: ReturnType<typeof assign<Worn>>) => pods.map(({ checks }) => checks.map(({ id }) => id));

describe('checks', () => {
  it('share the pod of their identity', () => {
    const api = identityOf('api');

    expect(idsOf(assign([check(0), check(1, { identity: api }), check(2)]))).toEqual([[0, 2], [1]]);
    expect(assign([])).toEqual([]);
  });

  it('that fill a pod to the brim share one', () => {
    expect(assign(Array.from({ length: maxWeightPerPod }, (_, id) => check(id)))).toHaveLength(1);
  });

  it('that do not fit one pod bring a connection along that must succeed', () => {
    const checks = [check(0, { mode: 'converge' }), ...Array.from({ length: 127 }, (_, id) => check(id + 1))];

    const [first = [], second = []] = idsOf(assign(checks));

    expect(first).toHaveLength(95);
    expect(second).toEqual([...Array.from({ length: 33 }, (_, index) => 95 + index), 0]);
  });

  it('are all done, once in their own right, in pods that hold them and can all prove what one of them can', () => {
    const any = fc.record({
      mode: fc.constantFrom('guard' as const, 'guard' as const, 'guard' as const, 'converge' as const),
      kind: fc.constantFrom('address' as const, 'http' as const, 'name' as const),
      identity: fc.constantFrom(web, web, web, identityOf('api')),
    });
    fc.assert(
      fc.property(fc.array(any, { maxLength: 300 }), (all) => {
        const checks = all.map(({ mode, kind, identity }, id): Worn => {
          if (kind === 'name') return { id, mode, host: 'a', port: 80, identity };
          return check(id, { mode, identity, ...(kind === 'http' ? { http: { path: '/' } } : {}) });
        });

        const pods = assign(checks);

        const first = new Map(
          pods.flatMap((pod) => pod.checks.map(({ id }) => [id, pod.identity.key] as const)).toReversed(),
        );
        expect([...first.keys()].toSorted((a, b) => a - b)).toEqual(checks.map(({ id }) => id));
        for (const { identity, checks: own } of pods) {
          expect(own.reduce((sum, each) => sum + checkWeight(each), 0)).toBeLessThanOrEqual(maxWeightPerPod);
          expect(new Set(own.map(({ id }) => id)).size).toBe(own.length);
          expect(own.every((each) => each.identity === identity)).toBe(true);
          const canProve = checks.some((each) => each.identity === identity && each.mode === 'converge');
          expect(own.some(({ mode }) => mode === 'converge')).toBe(canProve);
        }
      }),
    );
  });
});
