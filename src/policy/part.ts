import type { Policy } from '../api/index.ts';

/** One policy object. Kinds of different groups share names, so the group is part of it. */
export interface PolicyReference {
  readonly group: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

/** Points into one policy: `path` is like `spec.ingress[0].from[1]`. */
export interface PolicyPart {
  readonly policy: PolicyReference;
  readonly path: string;
}

export function groupOf(apiVersion: string): string {
  const [group = '', version] = apiVersion.split('/');
  return version === undefined ? '' : group;
}

export function referenceOf({ apiVersion, kind, metadata }: Policy): PolicyReference {
  return {
    group: groupOf(apiVersion),
    kind,
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
    name: metadata.name,
  };
}

/** One text for one policy object. */
export function keyOf({ group, kind, namespace = '', name }: PolicyReference): string {
  return `${group}/${kind}/${namespace}/${name}`;
}

/** A path such as `spec.ports[0].name` as its steps; a key that holds dots is written `labels[app.kubernetes.io/name]`. */
export function segmentsOf(path: string): readonly string[] {
  return [...path.matchAll(/\[([^\]]*)\]|([^.[\]]+)/g)].map(([, bracketed, key]) => bracketed ?? key ?? '');
}
