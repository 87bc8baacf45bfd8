import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { type Endpoint, policyModel, type PolicyWorld } from '../policy/index.ts';
import type { BruteParty } from '../policy/testing/brute-force.ts';
import { randomWorld } from '../policy/testing/random-world.ts';
import { applyEdit, type Edit, explain } from './index.ts';

// A busy machine is no failure.
vi.setConfig({ testTimeout: 120_000 });

function endpointOf(party: BruteParty): Endpoint {
  if (party.kind === 'pod') return { kind: 'pod', namespace: party.pod.namespace, name: party.pod.name };
  return party.kind === 'node' ? { kind: 'node', name: party.name } : { kind: 'address', address: party.address };
}

function worldAfter(world: PolicyWorld, edit: Edit): PolicyWorld {
  return {
    ...world,
    policies: applyEdit(world.policies, only(edit, 'NetworkPolicy')),
    namespaces: applyEdit(world.namespaces, only(edit, 'Namespace')),
    pods: applyEdit(world.pods, only(edit, 'Pod')),
  };
}

function only({ summary, changes }: Edit, kind: string): Edit {
  return { summary, changes: changes.filter(({ object }) => object.kind === kind) };
}

const asked = fc.record({
  random: randomWorld,
  from: fc.nat(),
  to: fc.nat(),
  which: fc.nat(),
  expected: fc.constantFrom('Allow' as const, 'Deny' as const),
});

describe('explanations of random worlds', () => {
  it('decide as the whole world does, suggest nothing that does not turn it there, and no policy that is refused', () => {
    let tried = 0;
    fc.assert(
      fc.property(asked, ({ random, from, to, which, expected }) => {
        const { world, parties, ports } = random;
        const [source, destination] = [parties[from % parties.length], parties[to % parties.length]];
        const port = ports[which % ports.length];
        if (source === undefined || destination === undefined || port === undefined) return;
        const question = { source: endpointOf(source), destination: endpointOf(destination), ...port };
        const model = policyModel(world);
        const decision = model.decide(question);
        const explanation = explain(model, { question, expected });

        expect(explanation.answer).toBe(decision.answer);
        expect(explanation.egress.answer).toBe(decision.egress.answer);
        expect(explanation.ingress.answer).toBe(decision.ingress.answer);
        const wanted = expected === 'Allow' ? 'allow' : 'deny';
        if (decision.answer === wanted) expect(explanation.findings).toEqual([]);
        const refused = model.findings.filter(({ code }) => code === 'Rejected').length;
        const whole = explanation.together === undefined ? [] : [explanation.together];
        for (const { edits, direction, isEnough } of explanation.findings) {
          for (const edit of edits) {
            const after = policyModel(worldAfter(world, edit));
            tried += 1;
            const sides = after.decide(question);
            if (isEnough) expect((expected === 'Allow' ? sides[direction] : sides).answer).toBe(wanted);
            expect(after.findings.filter(({ code }) => code === 'Rejected')).toHaveLength(refused);
          }
        }
        for (const edit of whole) expect(policyModel(worldAfter(world, edit)).decide(question).answer).toBe(wanted);
      }),
      { numRuns: 1000 },
    );
    expect(tried).toBeGreaterThan(300);
  });
});
