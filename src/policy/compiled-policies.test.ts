import { describe, expect, it } from 'vitest';
import { calicoContext } from './calico-tier.ts';
import { CompiledPolicies } from './compiled-policies.ts';
import { profiles, specification } from './profile.ts';
import { networkPolicy, policyOf } from './testing/builders.ts';

describe('CompiledPolicies', () => {
  const web = networkPolicy('shop/web', { podSelector: {}, egress: [{}], policyTypes: ['Ingress'] });
  const global = policyOf('projectcalico.org/v3', 'GlobalNetworkPolicy', 'all', { selector: 'all()' });
  const without = calicoContext([web]);

  it('compiles an object once, and each of its versions', () => {
    const kept = new CompiledPolicies();
    const [first] = kept.of([web], specification, without);

    expect(kept.of([web], specification, without)[0]).toBe(first);
    expect(kept.of([{ ...web }], specification, without)[0]).not.toBe(first);
  });

  it('keeps the readings apart', () => {
    const kept = new CompiledPolicies();
    const directions = (reading: typeof specification) =>
      kept.of([web], reading, without).flatMap(({ sections }) => sections.map(({ direction }) => direction));

    expect(directions(specification)).toEqual(['ingress']);
    expect(directions(profiles.cilium)).toEqual(['ingress', 'egress']);
  });

  it('compiles anew what a policy of Calico beside it makes mean something else', () => {
    const kept = new CompiledPolicies();
    const stageOf = (policies: readonly (typeof web)[]) =>
      kept.of(policies, specification, calicoContext(policies))[0]?.sections[0]?.stage.name;

    expect(stageOf([web])).not.toBe(stageOf([web, global]));
    expect(stageOf([web])).toBe('NetworkPolicy');
  });
});
