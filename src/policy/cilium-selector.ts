import type { LabelExpression, Requirement } from './labels.ts';
import { accountNameKey, namespaceNameLabel, requirementsOf } from './labels.ts';
import type { Condition, Entity } from './normal-form.ts';
import { readSelector } from './read-selector.ts';
import type { Reader } from './reader.ts';

/** What Cilium selectors are relative to: the policy's namespace, or none for a clusterwide policy. */
export interface CiliumScope {
  readonly reader: Reader;
  readonly namespace: string | undefined;
}

const namespaceKey = 'io.kubernetes.pod.namespace';
const namespaceLabelPrefix = 'io.cilium.k8s.namespace.labels.';
const accountKey = 'io.cilium.k8s.policy.serviceaccount';

/** Reserved identities and the entities of the same names that the model knows. */
export const ciliumEntities: ReadonlyMap<string, Entity> = new Map<string, Entity>([
  ['all', 'All'],
  ['none', 'None'],
  ['cluster', 'Cluster'],
  ['host', 'Host'],
  ['remote-node', 'RemoteNode'],
  ['world', 'World'],
  ['world-ipv4', 'WorldIPv4'],
  ['world-ipv6', 'WorldIPv6'],
]);

/**
 * An EndpointSelector: a label selector whose keys may say where a label comes from. Without a namespace in it, it selects
 * within the policy's own namespace, or any pod for a clusterwide policy; one that names reserved identities is left as it is.
 */
export function endpointCondition(
  { reader, namespace }: CiliumScope,
  value: unknown,
  path: string,
  role: 'subject' | 'peer',
): Condition {
  const keys = keysOf(value).map(withoutSource);
  const reserved = reservedCondition(reader, value, path);
  if (reserved !== undefined) return reserved;
  const requirements = requirementsOf(readCiliumSelector(reader, value, path), 'Pod', path).map(translated);
  const namesNamespace = keys.includes(namespaceKey) || keys.some((key) => key.startsWith(namespaceLabelPrefix));
  // A namespaced policy never selects subjects elsewhere, whatever its selector says.
  const isConfined = namespace !== undefined && (role === 'subject' || !namesNamespace);
  const own = isConfined ? requirementsOf({ matchLabels: { [namespaceNameLabel]: namespace } }, 'Namespace', path) : [];
  const of: readonly LabelExpression[] = [...own, ...requirements];
  return { kind: 'Labels', path, expression: { kind: 'All', of }, hostNetwork: 'no' };
}

/** Where a label comes from is no part of its key in Kubernetes, so that keys are checked without it. */
function readCiliumSelector(reader: Reader, value: unknown, path: string) {
  const { matchLabels, matchExpressions } = reader.object(value, path, ['matchLabels', 'matchExpressions']);
  const bare = {
    ...(isObject(matchLabels)
      ? {
          matchLabels: Object.fromEntries(
            Object.entries(matchLabels).map(([key, label]) => [withoutSource(key), label]),
          ),
        }
      : { matchLabels }),
    matchExpressions: Array.isArray(matchExpressions)
      ? matchExpressions.map((entry: unknown) =>
          isObject(entry) && typeof entry['key'] === 'string' ? { ...entry, key: withoutSource(entry['key']) } : entry,
        )
      : matchExpressions,
  };
  return readSelector(reader, bare, path);
}

/** Cilium knows a pod's namespace, the namespace's labels and the service account as labels of the pod. */
function translated(requirement: Requirement): Requirement {
  const { key } = requirement;
  if (key === namespaceKey) return { ...requirement, of: 'Namespace', key: namespaceNameLabel };
  if (key === accountKey) return { ...requirement, of: 'ServiceAccount', key: accountNameKey };
  if (!key.startsWith(namespaceLabelPrefix)) return requirement;
  return { ...requirement, of: 'Namespace', key: key.slice(namespaceLabelPrefix.length) };
}

/** A selector of reserved identities, or of labels from sources other than Kubernetes, which the model does not know. */
function reservedCondition({ policy }: Reader, value: unknown, path: string): Condition | undefined {
  const keys = keysOf(value);
  const foreign = keys.find((key) => /^[a-z0-9-]+:/.test(key) && !/^(k8s|any):/.test(key));
  if (foreign === undefined) return undefined;
  const entity = ciliumEntities.get(foreign.replace(/^reserved:/, ''));
  const isAlone = keys.length === 1 && isObject(value) && isObject(value['matchLabels']);
  if (foreign.startsWith('reserved:') && entity !== undefined && isAlone) return { kind: 'Entity', entity, path };
  const message = `The model does not know labels of the source of ${foreign}.`;
  return { kind: 'Open', point: { code: 'FieldNotModelled', truth: 'unknown', message, part: { policy, path } }, path };
}

function keysOf(value: unknown): readonly string[] {
  if (!isObject(value)) return [];
  const { matchLabels, matchExpressions } = value;
  const expressions = Array.isArray(matchExpressions) ? matchExpressions : [];
  return [
    ...(isObject(matchLabels) ? Object.keys(matchLabels) : []),
    ...expressions.map((entry: unknown) => (isObject(entry) && typeof entry['key'] === 'string' ? entry['key'] : '')),
  ];
}

function withoutSource(key: string): string {
  return key.replace(/^(k8s|any):/, '');
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
