import type { Node, NodePath, Toleration } from '../api/index.ts';
import type { Finding } from './finding.ts';
import type { Identity } from './identity.ts';
import type { Target } from './target.ts';

/** An identity in a certain place, and what it dials from there. */
export interface PlacedIdentity {
  readonly identity: Identity;
  readonly targets: readonly Target[];
}

/**
 * Where a probe pod has to stand so that its packets take each of these paths: on the node of a target, or on another one. Network
 * plugins enforce policies in different places for the two. Of several nodes the one that most targets can be dialled from.
 */
export function alongPaths(
  paths: readonly NodePath[],
  identity: Identity,
  targets: readonly Target[],
  nodes: readonly Node[],
): readonly (PlacedIdentity | Finding)[] {
  const able = nodes.filter((node) => takes(node, identity)).map(({ metadata }) => metadata.name);
  return paths.map((path) => {
    const choices = able.toSorted().map((node) => ({
      node,
      reached: targets.filter(
        (target) => target.node !== undefined && (target.node === node) === (path === 'SameNode'),
      ),
    }));
    const [best] = choices.toSorted((a, b) => b.reached.length - a.reached.length);
    if (best === undefined || best.reached.length === 0) return unavailable(path);
    return { identity: placed(identity, path, best.node), targets: best.reached };
  });
}

function unavailable(path: NodePath): Finding {
  const where =
    path === 'SameNode' ? 'that runs a ready pod of the target' : 'beside those of the ready pods of the target';
  return {
    reason: 'PathUnavailable',
    message: `No node ${where} takes pods of the source (by its node selector and tolerations), so the path ${path} cannot be taken. Leave it out of \`paths\`, or make room for such pods.`,
  };
}

/** By the scheduler's own means: to write a node's name into the pod would pass by taints, room and quota. */
function placed(identity: Identity, path: NodePath, node: string): Identity {
  const nodeSelectorTerms = [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] }];
  return {
    ...identity,
    key: JSON.stringify([identity.key, node]),
    path,
    pod: {
      ...identity.pod,
      affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
    },
  };
}

/** Whether the scheduler may put a pod of this identity onto a node, as far as node and identity tell. */
function takes({ metadata, spec, status }: Node, { pod }: Identity): boolean {
  const isReady = status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True');
  const isSelected = Object.entries(pod.nodeSelector ?? {}).every(([key, value]) => metadata.labels?.[key] === value);
  const isTolerated = (spec?.taints ?? []).every(
    (taint) => taint.effect === 'PreferNoSchedule' || pod.tolerations?.some((each) => tolerates(each, taint)) === true,
  );
  return isReady === true && spec?.unschedulable !== true && isSelected && isTolerated;
}

type Taint = NonNullable<NonNullable<Node['spec']>['taints']>[number];

/** core/v1 Toleration: an empty key with `Exists` matches every taint, an empty effect every effect. */
function tolerates({ key = '', operator = 'Equal', value = '', effect = '' }: Toleration, taint: Taint): boolean {
  if (effect !== '' && effect !== taint.effect) return false;
  if (key === '') return operator === 'Exists';
  return key === taint.key && (operator === 'Exists' || (operator === 'Equal' && value === (taint.value ?? '')));
}
