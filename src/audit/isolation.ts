import type { Pod, Policy } from '../api/index.ts';
import type { Change, Edit } from '../explanation/index.ts';
import {
  type Decision,
  type Direction,
  type Endpoint,
  namespaceNameLabel,
  policyModel,
  type PolicyModel,
  type PolicyPart,
} from '../policy/index.ts';
import { policyInWords } from '../prediction/index.ts';
import type { AuditFinding } from './finding.ts';
import type { AuditScene } from './scene.ts';
import { list, unitInWords } from './sentence.ts';
import type { Unit } from './unit.ts';

const directions: readonly Direction[] = ['ingress', 'egress'];

/** Whether a stranger is kept out in a direction, at a port that nobody speaks of. */
export type Restriction = 'restricted' | 'open' | 'not known';

/** A pod that nobody named, in a namespace of its own; no namespace of a cluster can have that name. */
const stranger: Pod = hypothetical('(another)', 'stranger');

/** A pod without labels, which has an owner as most do: some network plugins police no others. */
function hypothetical(namespace: string, name: string): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name, uid: name }] },
    spec: { containers: [] },
    status: { phase: 'Running' },
  };
}

const newcomer = 'newcomer';

/**
 * Namespaces without a default deny. Asked is about a pod that comes there and carries no label that a policy names: what holds
 * for it is what the namespace's pods are by default, whatever kind of policy brings it about.
 */
export function namespacesWithoutDefaultDeny(scene: AuditScene): readonly AuditFinding[] {
  const { namespaceNames, units } = scene;
  const model = newcomersModel(scene);
  const inhabited = new Set(units.filter(({ isAssumed }) => !isAssumed).map(({ namespace }) => namespace));
  return namespaceNames.flatMap((namespace): readonly AuditFinding[] => {
    const pod = { namespace, name: newcomer };
    const states = directions.map((direction) => ({ direction, ...restrictionOf(model, pod, direction) }));
    const lacking = states.filter(({ restriction }) => restriction !== 'restricted');
    if (lacking.length === 0) return [];
    const open = lacking.map(({ direction }) => direction);
    const edit = defaultDeny(namespace, open, model);
    const reasons = [...new Set(lacking.flatMap(({ because }) => because))];
    const admitted = [
      ...new Set(lacking.flatMap(({ decidedBy: [part] }) => (part === undefined ? [] : [partInWords(part)]))),
    ];
    const isKnown = lacking.every(({ restriction }) => restriction === 'open');
    const what = isKnown
      ? `A pod of namespace ${namespace} that no policy names ${openInWords(open)}.`
      : `Whether a pod of namespace ${namespace} that no policy names is restricted for ${open.join(' and ')} is not known: ${reasons.join(' ')}`;
    const next =
      edit === undefined
        ? `A default deny would not change that${admitted.length === 0 ? '' : `, since ${list(admitted)} admits it`}: look there first.`
        : `Add a default deny, and beside it what its pods need${open.includes('egress') ? ', such as names' : ''}.`;
    return [
      {
        code: 'NoDefaultDeny',
        severity: !inhabited.has(namespace) ? 'Low' : open.includes('ingress') ? 'High' : 'Medium',
        object: { group: '', kind: 'Namespace', name: namespace },
        path: '',
        nearby: units.filter((unit) => unit.namespace === namespace).flatMap(writtenAs),
        directions: open,
        message: `${what} ${next}`,
        ...(edit === undefined ? {} : { edit }),
      },
    ];
  });
}

function openInWords(open: readonly Direction[]): string {
  const words = { ingress: 'is open to any pod', egress: 'may call any pod' } as const;
  return open.map((direction) => words[direction]).join(' and ');
}

/** A pod without labels in every namespace, and a stranger. */
function newcomersModel({ namespaceNames, namespaces, policies, profile }: AuditScene): PolicyModel {
  const elsewhere = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: stranger.metadata.namespace ?? '' } };
  const pods = [...namespaceNames.map((namespace) => hypothetical(namespace, newcomer)), stranger];
  return policyModel(
    { pods, namespaces: [...namespaces, elsewhere], policies },
    profile === undefined ? {} : { profile },
  );
}

/** A policy that closes what is open by default, tried on the model; undefined where it would not help. */
function defaultDeny(namespace: string, open: readonly Direction[], model: PolicyModel): Edit | undefined {
  const taken = new Set(
    model.world.policies
      .filter(({ metadata }) => metadata.namespace === namespace)
      .map(({ metadata }) => metadata.name),
  );
  const deny = networkPolicy(
    namespace,
    freeName(open.length === 1 ? `default-deny-${open.join('')}` : 'default-deny', taken),
    {
      podSelector: {},
      policyTypes: open.map((direction) => (direction === 'ingress' ? 'Ingress' : 'Egress')),
    },
  );
  const names = networkPolicy(namespace, freeName('allow-dns', taken), {
    podSelector: {},
    policyTypes: ['Egress'],
    egress: [
      {
        to: [
          {
            namespaceSelector: { matchLabels: { [namespaceNameLabel]: 'kube-system' } },
            podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
          },
        ],
        ports: [
          { protocol: 'UDP', port: 53 },
          { protocol: 'TCP', port: 53 },
        ],
      },
    ],
  });
  const added = open.includes('egress') ? [deny, names] : [deny];
  const after = model.withPolicy(deny);
  const isCured = open.every(
    (direction) => restrictionOf(after, { namespace, name: newcomer }, direction).restriction === 'restricted',
  );
  return isCured ? { summary: 'deny by default', changes: added.map(addition) } : undefined;
}

function networkPolicy(namespace: string, name: string, spec: unknown): Policy {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace }, spec };
}

function freeName(wanted: string, taken: ReadonlySet<string>): string {
  if (!taken.has(wanted)) return wanted;
  let number = 2;
  while (taken.has(`${wanted}-${number}`)) number += 1;
  return `${wanted}-${number}`;
}

function addition(policy: Policy): Change {
  const { namespace, name } = policy.metadata;
  return { object: { group: 'networking.k8s.io', kind: policy.kind, namespace, name }, path: '', after: policy };
}

/** Workloads that no policy selects in a direction, and those over whom no policy has a say. */
export function unselectedWorkloads(scene: AuditScene): readonly AuditFinding[] {
  const { units, model, namespaces, profile } = scene;
  const elsewhere = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: stranger.metadata.namespace ?? '' } };
  const own = units.filter(({ isAssumed }) => !isAssumed);
  const asked = policyModel(
    {
      pods: [...own.flatMap(({ pods }) => pods.slice(0, 1)), stranger],
      namespaces: [...namespaces, elsewhere],
      policies: model.world.policies,
    },
    profile === undefined ? {} : { profile },
  );
  return own.flatMap((unit): readonly AuditFinding[] => {
    const [pod] = unit.pods;
    if (pod === undefined) return [];
    if (unit.hostNetwork) return [onHostNetwork(unit)];
    const endpoint = { namespace: unit.namespace, name: pod.metadata.name };
    const open = directions.filter((direction) => restrictionOf(asked, endpoint, direction).isUnselected);
    if (open.length === 0) return [];
    return [
      {
        code: 'NoPolicySelects',
        severity: open.includes('ingress') ? 'Medium' : 'Low',
        object: objectOf(unit),
        path: '',
        nearby: writtenAs(unit),
        directions: open,
        message: `No policy selects ${unitInWords(unit)} for ${open.join(' or ')}, so it ${openInWords(open)}. Select it by a policy that lists whom it may talk to, or give namespace ${unit.namespace} a default deny.`,
      },
    ];
  });
}

function onHostNetwork(unit: Unit): AuditFinding {
  return {
    code: 'HostNetwork',
    severity: 'Low',
    object: objectOf(unit),
    path: '',
    nearby: writtenAs(unit),
    directions: [],
    message: `${unitInWords(unit)} uses the host network: it has its node's address, and no NetworkPolicy is sure to hold for it. Take it off the host network unless it has to be there.`,
  };
}

/** The object that stands for a unit. */
function objectOf({ apiVersion, kind, namespace, name }: Unit): AuditFinding['object'] {
  const [group = '', version] = apiVersion.split('/');
  return { group: version === undefined ? '' : group, kind, namespace, name };
}

/** The objects that a unit may be written down as, the likeliest first. */
export function writtenAs(unit: Unit): readonly AuditFinding['object'][] {
  const { namespace, pods } = unit;
  return [objectOf(unit), ...pods.map(({ metadata }) => ({ group: '', kind: 'Pod', namespace, name: metadata.name }))];
}

interface Restricted {
  readonly restriction: Restriction;
  /** Why it is not known. */
  readonly because: readonly string[];
  /** The rules that let a stranger in. */
  readonly decidedBy: readonly PolicyPart[];
  /** Whether no policy selects the pod, as one of the readings has it. */
  readonly isUnselected: boolean;
}

function partInWords({ policy, path }: PolicyPart): string {
  return `${policyInWords(policy)}, ${path}`;
}

/** By the specification and by the network plugin alike: what one of them leaves open is open. */
function restrictionOf(
  model: PolicyModel,
  pod: { readonly namespace: string; readonly name: string },
  direction: Direction,
): Restricted {
  const own: Endpoint = { kind: 'pod', ...pod };
  const other: Endpoint = { kind: 'pod', namespace: stranger.metadata.namespace ?? '', name: stranger.metadata.name };
  const ends = direction === 'ingress' ? { source: other, destination: own } : { source: own, destination: other };
  const decision = model.decide({ ...ends, protocol: 'TCP', port: unusedPort });
  const readings = [decision, ...(decision.profile === undefined ? [] : [decision.profile])];
  const states = readings.map((reading) => stateOf(reading[direction]));
  const because = readings.flatMap((reading) => reading[direction].basis.open.map(({ message }) => message));
  const restriction = states.includes('open') ? 'open' : states.includes('not known') ? 'not known' : 'restricted';
  const isUnselected = readings.some((reading) => reading[direction].basis.reason === 'NotIsolated');
  return { restriction, because, decidedBy: readings.flatMap((reading) => reading[direction].decidedBy), isUnselected };
}

/** Reserved (RFC 6335): no rule is about it alone. */
const unusedPort = 1023;

/** A stranger without an address may be in any block; a pod that is isolated is no more open for that. */
function stateOf({ answer, isolatedBy }: Decision['ingress']): Restriction {
  if (answer === 'allow') return 'open';
  return answer === 'deny' || isolatedBy.length > 0 ? 'restricted' : 'not known';
}
