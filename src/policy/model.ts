import type { Policy } from '../api/index.ts';
import { membersOf } from './bitset.ts';
import { calicoContext, isCalico } from './calico-tier.ts';
import { compile } from './compile.ts';
import { CompiledPolicies } from './compiled-policies.ts';
import { decide, examine, type Ground, partyFinder } from './decide.ts';
import type { ExaminedSection } from './examine.ts';
import type { CompiledPolicy, Condition } from './normal-form.ts';
import type { Caveat, PolicyFinding } from './open-point.ts';
import { keyOf, type PolicyReference, referenceOf } from './part.ts';
import { type Parties, partiesOf, type PodParty } from './party.ts';
import { type ProfileName, profiles, type Reading, specification } from './profile.ts';
import type { Decision, Direction, Endpoint, PolicyWorld, Question } from './question.ts';
import { type Reachability, reachabilityOf } from './reachability.ts';
import { type Shared, shareOf } from './rows.ts';
import { possibly } from './truth-set.ts';

export interface PolicyModel {
  readonly world: PolicyWorld;
  decide(question: Question): Decision;
  /**
   * How the policies of a direction see a question, term by term, as the specification reads them: for explanations. Empty
   * where the direction's subject is no pod of the world.
   */
  examine(question: Question, direction: Direction): readonly ExaminedSection[];
  /** All ordered pairs of pods: as the specification has it, or as the model's profile does. */
  reachability(reading?: 'specification' | 'profile'): Reachability;
  /**
   * The pods, by their position in `reachability().pods`, for which all conditions hold, or may hold, as the specification reads
   * them.
   */
  matching(conditions: readonly Condition[], certainty?: 'certain' | 'possible'): readonly number[];
  /** A model with one policy added, or put in the place of the one of the same name; what did not change is shared. */
  withPolicy(policy: Policy): PolicyModel;
  withoutPolicy(reference: PolicyReference): PolicyModel;
  /** Every policy in normal form, as the specification reads it. */
  readonly policies: readonly CompiledPolicy[];
  /** The same, and those as the model's profile reads them: all that tells addresses and ports apart. */
  readonly policiesInEveryReading: readonly CompiledPolicy[];
  /** What is wrong with, or ignored in, the policies. */
  readonly findings: readonly PolicyFinding[];
}

export interface PolicyModelOptions {
  readonly profile?: ProfileName;
  /** Where worlds that share policies keep what they compiled to. */
  readonly compiled?: CompiledPolicies;
}

/** The model of one world. */
export function policyModel(world: PolicyWorld, options: PolicyModelOptions = {}): PolicyModel {
  const { profile, compiled = new CompiledPolicies() } = options;
  return modelOf(
    world,
    compiledWorld(world, specification, compiled),
    profile === undefined ? undefined : { name: profile, compiled: compiledWorld(world, profiles[profile], compiled) },
  );
}

/** A world's policies compiled under one reading. */
interface CompiledWorld {
  readonly parties: Parties;
  readonly policies: readonly CompiledPolicy[];
  readonly ground: Ground;
  readonly shared: Shared;
}

interface Profiled {
  readonly name: ProfileName;
  readonly compiled: CompiledWorld;
}

function modelOf(world: PolicyWorld, specified: CompiledWorld, profiled: Profiled | undefined): PolicyModel {
  const changed = (policies: readonly Policy[]): PolicyModel => {
    const next = { ...world, policies };
    const recompiled = (compiled: CompiledWorld) => recompiledWorld(next, world, compiled);
    return modelOf(
      next,
      recompiled(specified),
      profiled === undefined ? undefined : { ...profiled, compiled: recompiled(profiled.compiled) },
    );
  };
  const others = (reference: PolicyReference) =>
    world.policies.filter((policy) => keyOf(referenceOf(policy)) !== keyOf(reference));
  const reachabilities = new Map<CompiledWorld, Reachability>();
  return {
    world,
    policies: specified.policies,
    policiesInEveryReading: [...specified.policies, ...(profiled?.compiled.policies ?? [])],
    findings: specified.policies.flatMap(({ findings }) => findings),
    decide(question) {
      const decision = decide(question, specified.ground);
      if (profiled === undefined) return decision;
      const deviation = decide(question, profiled.compiled.ground);
      const agrees =
        deviation.egress.answer === decision.egress.answer && deviation.ingress.answer === decision.ingress.answer;
      return agrees ? decision : { ...decision, profile: { name: profiled.name, ...deviation } };
    },
    examine: (question, direction) => examine(question, direction, specified.ground),
    reachability(reading = 'specification') {
      const compiled = reading === 'profile' && profiled !== undefined ? profiled.compiled : specified;
      const found = reachabilities.get(compiled) ?? reachabilityIn(compiled);
      reachabilities.set(compiled, found);
      return found;
    },
    matching(conditions, certainty = 'possible') {
      const found = specified.shared.population.holding(conditions, true);
      return membersOf(certainty === 'certain' ? found.yes : possibly(found));
    },
    withPolicy: (policy) => changed([...others(referenceOf(policy)), policy]),
    withoutPolicy: (reference) => changed(others(reference)),
  };
}

function reachabilityIn({ ground, shared }: CompiledWorld): Reachability {
  const endpointOf = ({ namespace, name }: PodParty): Endpoint => ({ kind: 'pod', namespace, name });
  return reachabilityOf(
    ground,
    shared,
    (source, destination, protocol, port) =>
      decide({ source: endpointOf(source), destination: endpointOf(destination), protocol, port }, ground).answer,
  );
}

function compiledWorld(world: PolicyWorld, reading: Reading, compiled: CompiledPolicies): CompiledWorld {
  const parties = partiesOf(world, reading);
  const policies = compiled.of(world.policies, reading, calicoContext(world.policies));
  return { parties, policies, ground: groundOf(parties, policies, reading), shared: shareOf(parties.pods) };
}

/** Compiles the policies that are new; where one is Calico's, others may mean something else now. */
function recompiledWorld(next: PolicyWorld, previous: PolicyWorld, compiled: CompiledWorld): CompiledWorld {
  const { parties, ground, shared } = compiled;
  const known = new Map(previous.policies.map((policy, index) => [policy, compiled.policies[index]]));
  const isStale = [...next.policies, ...previous.policies].some(isCalico);
  const calico = calicoContext(next.policies);
  const policies = next.policies.map(
    (policy) => (isStale ? undefined : known.get(policy)) ?? compile(policy, ground.reading, calico),
  );
  return { parties, policies, ground: groundOf(parties, policies, ground.reading, ground.partyOf), shared };
}

function groundOf(
  { pods, nodes }: Parties,
  policies: readonly CompiledPolicy[],
  reading: Reading,
  partyOf: Ground['partyOf'] = partyFinder(pods, nodes),
): Ground {
  const sections = policies.flatMap((policy) => policy.sections);
  const rejected = Map.groupBy(
    policies.filter(({ findings }) => findings.some(({ code }) => code === 'Rejected')),
    ({ reference }) => reference.namespace,
  );
  return {
    reading,
    sections: {
      ingress: sections.filter(({ direction }) => direction === 'ingress'),
      egress: sections.filter(({ direction }) => direction === 'egress'),
    },
    partyOf,
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
