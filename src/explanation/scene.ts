import { addressOf } from '../address/index.ts';
import type { Expected, KubeObject, Pod, Policy } from '../api/index.ts';
import {
  type Decision,
  type Direction,
  type DirectionDecision,
  type Endpoint,
  namespaceNameLabel,
  type PolicyModel,
  policyModel,
  type PolicyWorld,
  type ProfileName,
  type Question,
  referenceOf,
} from '../policy/index.ts';
import {
  applyEdit,
  type Change,
  type Edit,
  isRecord,
  keyOf,
  type ObjectReference,
  objectReference,
  valueAt,
} from './edit.ts';
import { labelsPath, podSpecPath, type Side, withoutNoise } from './side.ts';

/** What is to be explained, and what the caller knows besides the policies. */
export interface Subject {
  readonly question: Question;
  /** What was expected. */
  readonly expected: Expected;
  /** The Service that was named, and its port: policies look at the pod's port. */
  readonly service?: { readonly namespace: string; readonly name: string; readonly port: number };
  /** The objects that the labels of the two sides are written in. */
  readonly workloads?: { readonly source?: KubeObject | undefined; readonly destination?: KubeObject | undefined };
  readonly profile?: ProfileName | undefined;
  /** What else is expected in this world: it tells who is meant where a policy does not. */
  readonly others?: readonly Pick<Subject, 'question' | 'expected'>[];
}

export const directions: readonly Direction[] = ['egress', 'ingress'];

export type Sides = Readonly<Record<Direction, DirectionDecision>> & Pick<Decision, 'answer'>;

/** One question in the part of the world that can have a say in it, where edits are tried. */
export interface Scene extends Subject {
  /** The whole world: what else there is, to tell a mistake from another's rule. */
  readonly whole: PolicyWorld;
  readonly world: PolicyWorld;
  readonly model: PolicyModel;
  readonly sides: { readonly source: Side; readonly destination: Side };
  /** The network plugin's, if a profile is given and differs, else the specification's. */
  readonly decision: Sides;
  /** Whom policies of a direction select, and whom their peers mean. */
  partiesOf(direction: Direction): { readonly subject: Side; readonly peer: Side };
  modelAfter(edit: Edit): PolicyModel;
  decisionAfter(edit: Edit): Sides;
  /** One end of any question. */
  sideOf(endpoint: Endpoint): Side;
  /** Pods of a namespace, without the two sides' stand-ins. */
  podsIn(namespace: string): readonly Pod[];
}

export function sceneOf(model: Pick<PolicyModel, 'world'>, subject: Subject): Scene {
  const { question, profile, workloads = {} } = subject;
  const whole = model.world;
  const source = sideOf(question.source, whole, workloads.source);
  const destination = sideOf(question.destination, whole, workloads.destination);
  const world = partOf(whole, source, destination);
  const options = profile === undefined ? {} : { profile };
  const small = policyModel(world, options);
  const models = new Map<Edit, PolicyModel>();
  const modelAfter = (edit: Edit): PolicyModel => {
    const found = models.get(edit) ?? madeModel(edit);
    models.set(edit, found);
    return found;
  };
  // What an edit leaves alone is not compiled again.
  const madeModel = (edit: Edit): PolicyModel =>
    edit.changes.every(({ object }) => isPolicy(object))
      ? withPolicies(small, applyEdit(world.policies, edit))
      : policyModel(edited(world, edit, [source, destination]), options);
  let byNamespace: ReadonlyMap<string | undefined, readonly Pod[]> | undefined;
  return {
    ...subject,
    whole,
    world,
    model: small,
    sides: { source, destination },
    decision: sidesOf(small.decide(question)),
    partiesOf: (direction) =>
      direction === 'egress' ? { subject: source, peer: destination } : { subject: destination, peer: source },
    modelAfter,
    decisionAfter: (edit) => sidesOf(modelAfter(edit).decide(question)),
    sideOf: (endpoint) => sideOf(endpoint, whole, undefined),
    podsIn: (namespace) => {
      byNamespace ??= Map.groupBy(whole.pods, ({ metadata }) => metadata.namespace);
      return byNamespace.get(namespace) ?? [];
    },
  };
}

function sidesOf({ profile, ...specified }: Decision): Sides {
  return profile ?? specified;
}

function sideOf(endpoint: Endpoint, world: PolicyWorld, workload: KubeObject | undefined): Side {
  const pod = podOf(endpoint, world);
  if (pod !== undefined) {
    const { namespace = 'default', name, labels } = pod.metadata;
    const known = world.namespaces.find(({ metadata }) => metadata.name === namespace);
    const written = workload ?? (pod.metadata.ownerReferences === undefined ? pod : undefined);
    return {
      name: `${workload?.kind ?? 'pod'} ${namespace}/${workload?.metadata.name ?? name}`,
      pod,
      namespace,
      labels: withoutNoise(labels),
      ...(known === undefined
        ? {}
        : { namespaceLabels: { ...known.metadata.labels, [namespaceNameLabel]: namespace } }),
      hostNetwork: pod.spec.hostNetwork === true,
      ...(written === undefined ? {} : { workload: written }),
    };
  }
  const address =
    endpoint.kind === 'address'
      ? endpoint.address
      : world.nodes?.find(({ name }) => endpoint.kind === 'node' && name === endpoint.name)?.addresses[0];
  const name = endpoint.kind === 'address' ? endpoint.address : `${endpoint.kind} ${endpoint.name}`;
  return { name, labels: {}, hostNetwork: false, ...(address === undefined ? {} : { address }) };
}

function podOf(endpoint: Endpoint, { pods }: PolicyWorld): Pod | undefined {
  switch (endpoint.kind) {
    case 'node':
      return undefined;
    case 'pod':
      return pods.find(({ metadata }) => metadata.name === endpoint.name && metadata.namespace === endpoint.namespace);
    case 'address': {
      const wanted = addressOf(endpoint.address);
      return pods.find(({ spec, status }) => {
        if (spec.hostNetwork === true || wanted === undefined) return false;
        const own = [...(status?.podIPs ?? []).map(({ ip }) => ip), status?.podIP ?? ''];
        return own.some((ip) => addressOf(ip)?.value === wanted.value);
      });
    }
  }
}

/** The two sides alone, and the policies that can select either: those of their namespaces and those of none. */
function partOf(world: PolicyWorld, source: Side, destination: Side): PolicyWorld {
  const near = new Set([undefined, source.namespace, destination.namespace]);
  return {
    ...world,
    pods: [...new Set([source.pod, destination.pod])].filter((pod) => pod !== undefined),
    policies: world.policies.filter(
      // Where there is Calico at all, other policies stand in one of its tiers.
      ({ apiVersion, metadata }) => near.has(metadata.namespace) || apiVersion.includes('projectcalico.org/'),
    ),
    namespaces: world.namespaces.filter(({ metadata }) => near.has(metadata.name)),
  };
}

/** The world once an edit is applied; a workload's labels and host network become its pod's. */
function edited(world: PolicyWorld, edit: Edit, sides: readonly Side[]): PolicyWorld {
  const remade = sides.flatMap(({ pod, workload }) => {
    if (pod === undefined || workload === undefined) return [];
    const [changed] = applyEdit([workload], edit);
    if (changed === undefined || changed === workload) return [];
    const labels = labelsOf(valueAt(changed, labelsPath(changed)));
    const hostNetwork = valueAt(changed, `${podSpecPath(changed)}.hostNetwork`) === true;
    const metadata = { ...pod.metadata, labels: { ...pod.metadata.labels, ...labels } };
    return [{ ...pod, metadata, spec: { ...pod.spec, hostNetwork } }];
  });
  const byName = new Map(remade.map((pod) => [keyOf(objectReference(pod)), pod]));
  return {
    ...world,
    policies: applyEdit(world.policies, edit),
    namespaces: applyEdit(world.namespaces, edit),
    pods: world.pods.map((pod) => byName.get(keyOf(objectReference(pod))) ?? pod),
  };
}

/** A new policy has a name that nobody has. */
export function isFree({ whole }: Scene, made: Change | undefined): Change | undefined {
  const isTaken =
    made !== undefined &&
    whole.policies.some(
      ({ kind, metadata }) =>
        kind === made.object.kind && metadata.name === made.object.name && metadata.namespace === made.object.namespace,
    );
  return isTaken ? undefined : made;
}

function isPolicy({ group, kind }: ObjectReference): boolean {
  return group === 'networking.k8s.io' && kind === 'NetworkPolicy';
}

function withPolicies(model: PolicyModel, policies: readonly Policy[]): PolicyModel {
  const [before, after] = [
    new Set(model.world.policies),
    new Set(policies.map((policy) => keyOf(objectReference(policy)))),
  ];
  const gone = model.world.policies.filter((policy) => !after.has(keyOf(objectReference(policy))));
  const without = gone.reduce((next, policy) => next.withoutPolicy(referenceOf(policy)), model);
  return policies.filter((policy) => !before.has(policy)).reduce((next, policy) => next.withPolicy(policy), without);
}

function labelsOf(value: unknown): Readonly<Record<string, string>> {
  if (!isRecord(value)) return {};
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, text]) => (typeof text === 'string' ? [[key, text] as const] : [])),
  );
}
