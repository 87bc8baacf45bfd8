import type { ConnectivityTest, Expectation, Pod } from '../api/index.ts';
import { type Check, type ClusterView, type Line, type Plan, serviceNamedBy } from '../plan/index.ts';
import {
  type CompiledPolicies,
  type PolicyModel,
  policyModel,
  type PolicyWorld,
  type ProfileName,
} from '../policy/index.ts';
import { type Asked, askedOf, type PredictionWorld, resolverNamespace, worldOf } from '../prediction/index.ts';
import type { Observation } from '../probe/index.ts';

/** The network plugin that enforces policies here, as somebody said or as its kinds of policies tell. */
export interface NetworkPlugin {
  readonly name: ProfileName;
  readonly basis: 'Configured' | 'Recognised';
}

/** What the operator knows of the policies in force. */
export interface PoliciesInForce {
  readonly view: ClusterView;
  readonly plugin?: NetworkPlugin | undefined;
  /** Kept from run to run, since policies change less often than pods. */
  readonly compiled: CompiledPolicies;
  /** Kinds of policies that are in use and may not be listed: with them the model knows too little to say anything. */
  readonly unreadKinds: readonly string[];
}

/** The policies as one run is seen against them. */
export interface PoliciesOfRun {
  readonly world: PolicyWorld;
  readonly model: PolicyModel;
  readonly inForce: PoliciesInForce;
  asked(line: Line, check: Check, observation: Observation | undefined): Asked;
}

/** Asks only about the part of the cluster that can have a say: the namespaces of the plan, and where its addresses lead. */
export function policiesOfRun(
  test: ConnectivityTest,
  plan: Plan,
  resolved: readonly string[],
  inForce: PoliciesInForce,
): PoliciesOfRun {
  const { view, plugin, compiled } = inForce;
  const namespaces = namespacesOf(plan, resolved, view);
  const pods = namespaces.flatMap((name) => view.pods(name));
  const services = namespaces.flatMap((name) => view.services(name));
  const part: PolicyWorld = {
    namespaces: namespaces.map((name) => view.namespace(name)).filter((each) => each !== undefined),
    pods,
    policies: [undefined, ...namespaces].flatMap((name) => view.policies(name)),
    nodes: view.nodes().map(({ metadata, status }) => ({
      name: metadata.name,
      addresses: (status?.addresses ?? []).map(({ address }) => address),
    })),
  };
  const world = worldOf(part, [plan], view);
  const model = policyModel(world, { compiled, ...(plugin === undefined ? {} : { profile: plugin.name }) });
  const common: Omit<PredictionWorld, 'addressOf'> = { view, model, pods: world.pods, services };
  return {
    world,
    model,
    inForce,
    asked({ expectation }, check, observation) {
      // What a block excepts is expected to be the opposite of the block.
      const expected: Expectation = { ...expectation, expect: check.mode === 'guard' ? 'Deny' : 'Allow' };
      return askedOf(test, expected, check, { ...common, addressOf: () => observation?.address });
    },
  };
}

function namespacesOf({ lines, namespaces }: Plan, resolved: readonly string[], view: ClusterView): readonly string[] {
  const wanted = new Set(namespaces);
  for (const { expectation } of lines) {
    const { host, dns } = expectation.to;
    if (host !== undefined || dns !== undefined) wanted.add(resolverNamespace);
    const named = serviceNamedBy(host ?? '')?.namespace;
    if (named !== undefined) wanted.add(named);
  }
  const addresses = new Set([
    ...resolved,
    ...lines.flatMap(({ checks }) =>
      checks.flatMap(({ address, target }) => (address === undefined || target.podUids.length > 0 ? [] : [address])),
    ),
  ]);
  if (addresses.size > 0) {
    for (const { metadata } of view.namespaces()) {
      const isMet =
        view.pods(metadata.name).some((pod) => addressesOf(pod).some((address) => addresses.has(address))) ||
        view.services(metadata.name).some(({ spec }) => addresses.has(spec.clusterIP ?? ''));
      if (isMet) wanted.add(metadata.name);
    }
  }
  return [...wanted].toSorted();
}

export function addressesOf({ status }: Pod): readonly string[] {
  return [...(status?.podIPs ?? []).map(({ ip }) => ip), ...(status?.podIP === undefined ? [] : [status.podIP])];
}
