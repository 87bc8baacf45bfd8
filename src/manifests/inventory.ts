import type {
  ConnectivityGrant,
  ConnectivityTest,
  EndpointSlice,
  KubeObject,
  Namespace,
  Pod,
  Policy,
  Service,
} from '../api/index.ts';
import { isNamespaced, kindInWords, type ObjectKind, objectKind, type Sort, sortOf } from './kinds.ts';
import type { Origin, Problem } from './origin.ts';
import { isRecord, type RawObject } from './read.ts';
import {
  clusterTestShape,
  grantShape,
  metadataShape,
  networkPolicyShape,
  podShape,
  policyShape,
  serviceShape,
  type Shape,
  sliceShape,
  testShape,
  workloadShape,
} from './shapes.ts';
import { misfitsOf } from './structure.ts';
import type { Template } from './workloads.ts';

/** What the manifests declare, sorted; every object has a name, and a namespace if its kind has one. */
export interface Inventory {
  readonly tests: readonly ConnectivityTest[];
  readonly grants: readonly ConnectivityGrant[];
  readonly policies: readonly Policy[];
  readonly pods: readonly Pod[];
  readonly workloads: readonly Template[];
  readonly services: readonly Service[];
  readonly slices: readonly EndpointSlice[];
  readonly namespaces: readonly Namespace[];
  /** How many objects of each kind have no say in what connects, by kind. */
  readonly ignored: ReadonlyMap<string, number>;
  /** How many objects name no namespace and were read into the default one. */
  readonly withoutNamespace: number;
  readonly problems: readonly Problem[];
  /** Where an object is written down; undefined for what is in no manifest. */
  originOf(reference: Reference): Origin | undefined;
}

/** One object by type and name, as policies and rows of a report refer to it. */
export interface Reference extends ObjectKind {
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** Sorts what was read. Objects without a namespace go to `defaultNamespace`, as with kubectl's current context. */
export function inventoryOf(objects: readonly RawObject[], defaultNamespace: string): Inventory {
  const sorted: Record<Sort, unknown[]> = {
    test: [],
    grant: [],
    policy: [],
    workload: [],
    pod: [],
    service: [],
    slice: [],
    namespace: [],
    other: [],
  };
  const origins = new Map<string, Origin>();
  const texts = new Map<string, string>();
  const ignored = new Map<string, number>();
  const problems: Problem[] = [];
  let withoutNamespace = 0;

  for (const { value, origin } of objects) {
    const read = objectOf(value, origin, defaultNamespace);
    problems.push(...read.problems);
    if (read.object === undefined) continue;
    const { object, type, sort } = read;
    if (sort === 'other') {
      ignored.set(kindInWords(type), (ignored.get(kindInWords(type)) ?? 0) + 1);
      continue;
    }
    const key = keyOf({ ...type, namespace: object.metadata.namespace, name: object.metadata.name });
    const text = JSON.stringify(value);
    const first = origins.get(key);
    if (first !== undefined) {
      // The same file given twice does no harm; two versions of one object leave open which of them is in force.
      if (texts.get(key) !== text) problems.push(writtenTwice(object, origin, first));
      continue;
    }
    origins.set(key, origin);
    texts.set(key, text);
    if (read.assumedNamespace) withoutNamespace += 1;
    sorted[sort].push(object);
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each list holds what its shape has admitted
  const admitted = sorted as unknown as {
    test: ConnectivityTest[];
    grant: ConnectivityGrant[];
    policy: Policy[];
    workload: Template[];
    pod: Pod[];
    service: Service[];
    slice: EndpointSlice[];
    namespace: Namespace[];
  };
  return {
    tests: admitted.test,
    grants: admitted.grant,
    policies: admitted.policy,
    workloads: admitted.workload,
    pods: admitted.pod,
    services: admitted.service,
    slices: admitted.slice,
    namespaces: admitted.namespace,
    ignored,
    withoutNamespace,
    problems,
    originOf: (reference) => origins.get(keyOf(reference)),
  };
}

interface ReadObject {
  readonly object?: KubeObject;
  readonly type: ObjectKind;
  readonly sort: Sort;
  readonly assumedNamespace: boolean;
  readonly problems: readonly Problem[];
}

function objectOf(value: RawObject['value'], origin: Origin, defaultNamespace: string): ReadObject {
  const { apiVersion, kind, metadata } = value;
  const nothing = { type: { group: '', kind: '' }, sort: 'other' as const, assumedNamespace: false };
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') {
    // Folders of manifests also hold values.yaml and the like.
    const message = 'This document has no `apiVersion` and `kind`, so it is no Kubernetes object and was left out.';
    return { ...nothing, problems: [{ severity: 'warning', position: origin.at(''), message }] };
  }
  const type = objectKind(apiVersion, kind);
  const sort = sortOf(type, holdsPodTemplate(value));
  if (type.group === 'kustomize.config.k8s.io') {
    const message = 'A kustomization was not built, only left out: pass the output of `kustomize build` instead.';
    return { ...nothing, problems: [{ severity: 'warning', position: origin.at(''), message }] };
  }
  if (sort === 'other')
    return { object: { apiVersion, kind, metadata: { name: '' } }, type, sort, assumedNamespace: false, problems: [] };
  const problems = problemsOf(value, origin, shapeOf(type, sort), kind);
  const meta = isRecord(metadata) ? metadata : {};
  const name = meta['name'] ?? meta['generateName'];
  if (typeof name !== 'string' || name === '') {
    problems.push({
      severity: 'error',
      position: origin.at('metadata'),
      message: `This ${kind} has no name: write \`metadata.name\`.`,
    });
  }
  if (problems.length > 0 || typeof name !== 'string') return { type, sort, assumedNamespace: false, problems };
  const named = typeof meta['namespace'] === 'string' && meta['namespace'] !== '' ? meta['namespace'] : undefined;
  const namespace = isNamespaced(type) ? (named ?? defaultNamespace) : undefined;
  const key = keyOf({ ...type, namespace, name });
  return {
    object: {
      ...withoutNulls(value),
      apiVersion,
      kind,
      metadata: {
        uid: key,
        generation: 1,
        ...withoutNulls(meta),
        name,
        // A ClusterConnectivityTest is a ConnectivityTest whose namespace is the empty string.
        ...(sort === 'test' ? { namespace: namespace ?? '' } : namespace === undefined ? {} : { namespace }),
      },
    },
    type,
    sort,
    assumedNamespace: named === undefined && namespace !== undefined,
    problems,
  };
}

function problemsOf(value: RawObject['value'], origin: Origin, shape: Shape, kind: string): Problem[] {
  const misfits = [
    ...misfitsOf(value['metadata'] ?? {}, metadataShape, 'metadata'),
    ...misfitsOf(value, shape, ''),
    ...(shape === policyShape ? labelMisfits(value, '') : []),
  ];
  return misfits.map(({ path, message }) => ({
    severity: 'error',
    position: origin.at(path),
    message: `${kind}${path === '' ? '' : `, ${path}`}: ${message}.`,
  }));
}

const labelsShape = { type: 'object', additionalProperties: { type: 'string' } };

/** Labels in selectors of any dialect are strings. */
function labelMisfits(value: unknown, path: string): ReturnType<typeof misfitsOf> {
  if (Array.isArray(value)) return value.flatMap((member, index) => labelMisfits(member, `${path}[${index}]`));
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const memberPath = path === '' ? name : `${path}.${name}`;
    return name === 'matchLabels' ? misfitsOf(member, labelsShape, memberPath) : labelMisfits(member, memberPath);
  });
}

function shapeOf({ group, kind }: ObjectKind, sort: Exclude<Sort, 'other'>): Shape {
  switch (sort) {
    case 'test':
      return kind === 'ConnectivityTest' ? testShape : clusterTestShape;
    case 'grant':
      return grantShape;
    case 'policy':
      return group === 'networking.k8s.io' ? networkPolicyShape : policyShape;
    case 'workload':
      return workloadShape(kind, group);
    case 'pod':
      return podShape;
    case 'service':
      return serviceShape;
    case 'slice':
      return sliceShape;
    case 'namespace':
      return { type: 'object' };
  }
}

/** As the API server reads a null: the field is absent. */
function withoutNulls(map: RawObject['value']): RawObject['value'] {
  return Object.fromEntries(
    Object.entries(map).flatMap(([name, value]) => (value === null ? [] : [[name, membersOf(value)] as const])),
  );
}

function membersOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(membersOf);
  return isRecord(value) ? withoutNulls(value) : value;
}

function holdsPodTemplate({ spec }: RawObject['value']): boolean {
  const template = isRecord(spec) ? spec['template'] : undefined;
  const podSpec = isRecord(template) ? template['spec'] : undefined;
  return isRecord(podSpec) && Array.isArray(podSpec['containers']);
}

function keyOf({ group, kind, namespace, name }: Reference): string {
  return [group, kind, namespace ?? '', name].join('/');
}

function writtenTwice({ kind, metadata }: KubeObject, origin: Origin, first: Origin): Problem {
  const name = metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
  return {
    severity: 'error',
    position: origin.at(''),
    message: `${kind} ${name} is written here and, differently, at ${first.file}:${first.line}: pass only the one that is to be in force.`,
  };
}
