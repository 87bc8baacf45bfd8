import { calicoContext } from './calico-tier.ts';
import { compile } from './compile.ts';
import { decide, type Ground, partyFinder } from './decide.ts';
import type { CompiledPolicy } from './normal-form.ts';
import type { Caveat, PolicyFinding } from './open-point.ts';
import type { PolicyReference } from './part.ts';
import { partiesOf } from './party.ts';
import { type ProfileName, profiles, type Reading, specification } from './profile.ts';
import type { Decision, PolicyWorld, Question } from './question.ts';

export interface PolicyModel {
  readonly world: PolicyWorld;
  decide(question: Question): Decision;
  /** Every policy in normal form, as the specification reads it. */
  readonly policies: readonly CompiledPolicy[];
  /** What is wrong with, or ignored in, the policies. */
  readonly findings: readonly PolicyFinding[];
}

export interface PolicyModelOptions {
  readonly profile?: ProfileName;
}

/** The model of one world. */
export function policyModel(world: PolicyWorld, options: PolicyModelOptions = {}): PolicyModel {
  const { profile } = options;
  const specified = groundOf(world, specification);
  const profiled = profile === undefined ? undefined : groundOf(world, profiles[profile]);
  return {
    world,
    policies: specified.policies,
    findings: specified.policies.flatMap(({ findings }) => findings),
    decide(question) {
      const decision = decide(question, specified);
      if (profile === undefined || profiled === undefined) return decision;
      const deviation = decide(question, profiled);
      const agrees =
        deviation.egress.answer === decision.egress.answer && deviation.ingress.answer === decision.ingress.answer;
      return agrees ? decision : { ...decision, profile: { name: profile, ...deviation } };
    },
  };
}

interface CompiledGround extends Ground {
  readonly policies: readonly CompiledPolicy[];
}

function groundOf(world: PolicyWorld, reading: Reading): CompiledGround {
  const { pods, nodes } = partiesOf(world, reading);
  const calico = calicoContext(world.policies);
  const policies = world.policies.map((policy) => compile(policy, reading, calico));
  const sections = policies.flatMap((policy) => policy.sections);
  const rejected = Map.groupBy(
    policies.filter(({ findings }) => findings.some(({ code }) => code === 'Rejected')),
    ({ reference }) => reference.namespace,
  );
  return {
    reading,
    policies,
    sections: {
      ingress: sections.filter(({ direction }) => direction === 'ingress'),
      egress: sections.filter(({ direction }) => direction === 'egress'),
    },
    partyOf: partyFinder(pods, nodes),
    hostPolicies: policies.flatMap(({ hostPolicy }) => (hostPolicy === undefined ? [] : [hostPolicy])),
    caveats: (namespace) =>
      [...(rejected.get(namespace) ?? []), ...(rejected.get(undefined) ?? [])].map(({ reference }) =>
        rejection(reference),
      ),
  };
}

function rejection(policy: PolicyReference): Caveat {
  return {
    code: 'PolicyRejected',
    message: `${policy.kind} ${policy.name} is left out of this answer, because the API server would refuse it.`,
    part: { policy, path: 'spec' },
  };
}
