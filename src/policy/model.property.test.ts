import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Policy } from '../api/index.ts';
import { policyModel, type PolicyModel } from './model.ts';
import type { ProfileName } from './profile.ts';
import type { Endpoint } from './question.ts';
import { bruteAnswer, type BruteParty } from './testing/brute-force.ts';
import { networkPolicy } from './testing/builders.ts';
import { randomWorld, type RandomWorld } from './testing/random-world.ts';
import type { Answer } from './truth.ts';

const endpointOf = (party: BruteParty): Endpoint => {
  if (party.kind === 'pod') return { kind: 'pod', namespace: party.pod.namespace, name: party.pod.name };
  return party.kind === 'node' ? { kind: 'node', name: party.name } : { kind: 'address', address: party.address };
};

interface Cell {
  readonly key: string;
  readonly source: BruteParty;
  readonly destination: BruteParty;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  readonly port: number;
}

function cellsOf({ parties, ports }: RandomWorld): readonly Cell[] {
  return parties.flatMap((source, from) =>
    parties.flatMap((destination, to) =>
      ports.map(({ protocol, port }) => ({
        key: `${from} → ${to} ${protocol} ${port}`,
        source,
        destination,
        protocol,
        port,
      })),
    ),
  );
}

function answersOf(model: PolicyModel, random: RandomWorld): ReadonlyMap<string, Answer> {
  return new Map(cellsOf(random).map((cell) => [cell.key, decisionFor(model, cell).answer]));
}

function decisionFor(model: PolicyModel, { source, destination, protocol, port }: Cell) {
  return model.decide({ source: endpointOf(source), destination: endpointOf(destination), protocol, port });
}

describe('policyModel, in random worlds', () => {
  it('agrees with the second evaluator on every cell and direction', { timeout: 300_000 }, () => {
    const seen = new Map<Answer, number>();
    fc.assert(
      fc.property(randomWorld, (random) => {
        const model = policyModel(random.world);
        const wrong = cellsOf(random).flatMap((cell) => {
          const { key, source, destination, protocol, port } = cell;
          const { egress, ingress } = decisionFor(model, cell);
          const sides = [
            { direction: 'egress', subject: source, peer: destination, found: egress.answer },
            { direction: 'ingress', subject: destination, peer: source, found: ingress.answer },
          ] as const;
          return sides.flatMap(({ found, ...side }) => {
            const expected = bruteAnswer(random.brute, { ...side, protocol, port });
            seen.set(expected, (seen.get(expected) ?? 0) + 1);
            return found === expected ? [] : [{ key, direction: side.direction, found, expected }];
          });
        });

        expect(wrong).toEqual([]);
      }),
      { numRuns: 1000 },
    );
    // An agreement on worlds without denials, or without open points, would prove little.
    const total = [...seen.values()].reduce((sum, count) => sum + count, 0);
    for (const answer of ['allow', 'deny', 'undefined'] as const) {
      expect((seen.get(answer) ?? 0) / total, answer).toBeGreaterThan(0.01);
    }
  });

  it('does not care for the order of policies', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(randomWorld, (random) => {
        const reversed = { ...random.world, policies: random.world.policies.toReversed() };

        expect(answersOf(policyModel(reversed), random)).toEqual(answersOf(policyModel(random.world), random));
      }),
      { numRuns: 100 },
    );
  });

  it('never closes a connection by another rule, nor opens one by another policy', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(randomWorld, fc.nat(), ({ world, ...random }, pick) => {
        const before = answersOf(policyModel(world), { world, ...random });
        const chosen = world.policies[pick % Math.max(1, world.policies.length)];
        const admitting = world.policies.map((policy) => (policy === chosen ? withAnyRules(policy) : policy));
        const isolating = networkPolicy('one/isolating', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] });

        const opened = answersOf(policyModel({ ...world, policies: admitting }), { world, ...random });
        const closed = answersOf(policyModel({ ...world, policies: [...world.policies, isolating] }), {
          world,
          ...random,
        });

        for (const [cell, answer] of before) {
          if (answer === 'allow') expect([cell, opened.get(cell)]).toEqual([cell, 'allow']);
          if (answer === 'deny') expect([cell, closed.get(cell)]).toEqual([cell, 'deny']);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('answers as if it knew the labels of a namespace, or says that it does not', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(randomWorld, fc.subarray(['one', 'two', 'three'], { minLength: 1 }), (random, hidden) => {
        const namespaces = random.world.namespaces.filter(({ metadata }) => !hidden.includes(metadata.name));
        const full = answersOf(policyModel(random.world), random);

        const partial = answersOf(policyModel({ ...random.world, namespaces }), random);

        for (const [cell, answer] of partial) {
          if (answer !== 'unknown') expect([cell, answer]).toEqual([cell, full.get(cell)]);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('differs under a profile only where it says so, and never by an open answer', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(randomWorld, fc.constantFrom<ProfileName>('calico', 'kindnet'), (random, profile) => {
        const model = policyModel(random.world, { profile });
        for (const cell of cellsOf(random)) {
          const decision = decisionFor(model, cell);
          // These profiles settle what the API leaves open, and otherwise follow it, but for a pod's own node.
          const isOwnNode = decision.egress.basis.reason === 'SameNode';
          if (decision.profile === undefined || isOwnNode) continue;
          expect([cell.key, decision.egress.answer, decision.ingress.answer]).toContain('undefined');
        }
      }),
      { numRuns: 100 },
    );
  });
});

/** The policy with one rule more in each direction that it has rules for, which admits everything. */
function withAnyRules(policy: Policy): Policy {
  const members = Object.entries(policy.spec ?? {}).map(([name, value]: [string, unknown]): [string, unknown] => {
    const isRules = (name === 'ingress' || name === 'egress') && Array.isArray(value) && value.length > 0;
    return [name, isRules ? [...(value as readonly unknown[]), {}] : value];
  });
  return { ...policy, spec: Object.fromEntries(members) };
}
