import type { ConnectivityTest, Policy } from '../api/index.ts';
import { isOfAdministrators } from '../plan/index.ts';
import { keyOf as policyKey, referenceOf } from '../policy/index.ts';
import { type Knowledge, type KnownCluster, policyInWords, predictTests } from '../prediction/index.ts';
import { confirm } from './confirm.ts';
import { type Connection, connectionsOf } from './connection.ts';
import { partiesIn } from './party.ts';
import { policiesFor, type Subject, subjectsOf } from './rules.ts';

export interface PolicyDraftOptions extends Knowledge {
  /** Whether the drafted policies stand in place of the NetworkPolicies of their namespaces, or beside them. */
  readonly replaces: boolean;
}

export interface DraftedPolicies {
  /** Empty if there is any problem: no half of a set is worth applying. */
  readonly policies: readonly Policy[];
  /** What a reviewer should know besides, one sentence each. */
  readonly notes: readonly string[];
  /** Why there is no set of policies that does what the tests say, one sentence each. */
  readonly problems: readonly string[];
}

/**
 * The least that NetworkPolicies have to admit for tests to pass: every workload that something is allowed to, and every one that
 * is allowed something, is denied all else. What the policy model does not confirm, expectation by expectation and connection by
 * connection, is not returned. Dry runs count: they speak of policies that are still to be written.
 */
export function draftPolicies(
  written: readonly ConnectivityTest[],
  cluster: KnownCluster,
  options: PolicyDraftOptions,
): DraftedPolicies {
  const tests = written.map(inEarnest);
  const own = tests.filter((test) => !isOfAdministrators(test)).map(({ metadata }) => metadata.namespace);
  const isReplaceable = (policy: Policy): boolean => options.replaces && isNetworkPolicy(policy);
  const parties = partiesIn(cluster);
  const before = without(cluster, isReplaceable);
  const { predicted, world } = predictTests(tests, before, options);
  const found = predicted.map(({ test, plan }) => ({ test, ...connectionsOf(test, plan, world, parties) }));
  const connections = found.flatMap((each) => each.connections);
  const homes = new Set([...own, ...found.filter(({ test }) => isOfAdministrators(test)).flatMap(namespacesNamed)]);
  const subjects = subjectsOf(connections, (namespace) => homes.has(namespace));
  const drafted = policiesFor(subjects, connections);
  const names = new Set(drafted.map(({ policy }) => policyKey(referenceOf(policy))));
  const namespaces = new Set(subjects.map(({ party }) => party.namespace));
  const isGone = (policy: Policy): boolean =>
    (isReplaceable(policy) && namespaces.has(policy.metadata.namespace ?? '')) ||
    names.has(policyKey(referenceOf(policy)));
  const policies = drafted.map(({ policy }) => policy);
  const after = withPolicies(without(cluster, isGone), policies);
  const confirmation = confirm(tests, drafted, connections, after, options);
  const problems = [...new Set([...found.flatMap((each) => each.problems), ...confirmation.problems])];
  if (problems.length > 0) return { policies: [], notes: [], problems };
  const gone = cluster.policies.filter(isGone).map((policy) => policyInWords(referenceOf(policy)));
  return {
    policies,
    problems,
    notes: [
      ...(gone.length === 0 ? [] : [`They stand in place of ${gone.join(', ')}: delete what has another name.`]),
      ...besides(
        cluster.policies.filter((policy) => !isGone(policy) && namespaces.has(policy.metadata.namespace ?? '')),
      ),
      ...openSides(subjects),
      ...withoutNames(subjects, connections),
      ...confirmation.notes,
    ],
  };
}

/** A test as it would be with every line counting. */
function inEarnest(test: ConnectivityTest): ConnectivityTest {
  const expectations = test.spec.expectations.map((expectation) => ({ ...expectation, dryRun: false }));
  return { ...test, spec: { ...test.spec, suspend: false, expectations } };
}

function isNetworkPolicy(policy: Policy): boolean {
  const { group, kind } = referenceOf(policy);
  return group === 'networking.k8s.io' && kind === 'NetworkPolicy';
}

function namespacesNamed({ connections }: { readonly connections: readonly Connection[] }): readonly string[] {
  return connections.flatMap(({ source, destination }) =>
    destination.kind === 'party' ? [source.namespace, destination.party.namespace] : [source.namespace],
  );
}

function without(cluster: KnownCluster, isLeftOut: (policy: Policy) => boolean): KnownCluster {
  const policies = cluster.policies.filter((policy) => !isLeftOut(policy));
  return asViewed({ ...cluster, policies });
}

function withPolicies(cluster: KnownCluster, added: readonly Policy[]): KnownCluster {
  return asViewed({ ...cluster, policies: [...cluster.policies, ...added] });
}

/** The plan sees the same policies as the model. */
function asViewed(cluster: KnownCluster): KnownCluster {
  const byNamespace = Map.groupBy(cluster.policies, ({ metadata }) => metadata.namespace);
  return { ...cluster, view: { ...cluster.view, policies: (namespace) => byNamespace.get(namespace) ?? [] } };
}

function besides(policies: readonly Policy[]): readonly string[] {
  const words = policies.map((policy) => policyInWords(referenceOf(policy)));
  return words.length === 0 ? [] : [`They were confirmed beside ${words.join(', ')}, which stay in force.`];
}

function openSides(subjects: readonly Subject[]): readonly string[] {
  const open = subjects.filter(({ directions }) => !directions.has('ingress')).map(({ party }) => party.words);
  return open.length === 0
    ? []
    : [`Who may connect to ${open.join(', ')} is not restricted: no expectation is about that.`];
}

function withoutNames(subjects: readonly Subject[], connections: readonly Connection[]): readonly string[] {
  const resolving = new Set(
    connections
      .filter(({ isAllowed, destination }) => isAllowed && destination.kind === 'resolver')
      .map(({ source }) => source.key),
  );
  const mute = subjects
    .filter(({ party, directions }) => directions.has('egress') && !resolving.has(party.key))
    .map(({ party }) => party.words);
  return mute.length === 0
    ? []
    : [
        `No expectation lets ${mute.join(', ')} resolve names. Applications that connect by name need an Allow with \`to: {dns: {name: kubernetes.default.svc}}\`.`,
      ];
}
