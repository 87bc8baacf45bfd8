import { type Calibration, type ConnectivityTest, group, type KubeObject, version } from '../api/index.ts';
import { KubeError, type KubeClient, type ResourceType } from '../kube/index.ts';
import { isOfAdministrators, isOutsideIdentity, type Plan } from '../plan/index.ts';
import type { BatchOrder } from '../runner/index.ts';
import { probeAnchors, resources } from './resources.ts';

/** The kind of a test, as the API server is asked for it. */
export function resourceOf(test: ConnectivityTest): ResourceType {
  return isOfAdministrators(test) ? resources.clusterConnectivityTests : resources.connectivityTests;
}

/** A test as the API server has it: one of the whole cluster has no namespace. */
export function stored(test: ConnectivityTest): KubeObject & { readonly metadata: { readonly uid: string } } {
  const { namespace, ...metadata } = test.metadata;
  return { ...test, metadata: namespace === '' ? metadata : test.metadata };
}

/** Whether all probe pods of a plan have an owner: in Postern's own namespace that is the calibration. */
export function isOwnable({ metadata }: ConnectivityTest, plan: Plan, calibration: Calibration | undefined): boolean {
  return plan.assignments.every(
    ({ identity }) =>
      calibration !== undefined || identity.namespace === metadata.namespace || !isOutsideIdentity(identity),
  );
}

export interface OwnersOptions {
  readonly client: KubeClient;
  readonly calibration: Calibration | undefined;
  readonly signal: AbortSignal;
  readonly onRequest: () => void;
}

/**
 * Who owns the probe pods of a run: the test at home, elsewhere the grant that lets it in, and for tests of the whole cluster an
 * anchor. An owner has to be of the pod's own namespace: the garbage collector ignores any other, and the disruption controller
 * asks for the scale of a cluster-scoped one in vain. That is no harm only in Postern's own namespace, to what wears nobody's
 * identity: no grant has let it in, and the Calibration owns it.
 */
export function ownersFor(
  test: ConnectivityTest,
  plan: Plan,
  { client, calibration, signal, onRequest }: OwnersOptions,
): NonNullable<BatchOrder['ownerOf']> {
  const anchors = new Map<string, ReturnType<typeof anchorIn>>();
  return async (identity) => {
    const { namespace } = identity;
    if (namespace === test.metadata.namespace) return test;
    if (isOutsideIdentity(identity)) {
      if (calibration !== undefined) return calibration;
      throw new KubeError('NotFound', `There is no Calibration to own probe pods in namespace ${namespace}`);
    }
    if (!isOfAdministrators(test)) {
      const grant = plan.scopes.find((scope) => scope.role === 'Source' && scope.namespace === namespace)?.grant;
      if (grant !== undefined) return grant;
      throw new KubeError('Forbidden', `Nothing grants this test its probe pods in namespace ${namespace}`);
    }
    const known = anchors.get(namespace);
    if (known !== undefined) return known;
    onRequest();
    const anchor = anchorIn(namespace, test, client, signal);
    anchors.set(namespace, anchor);
    return anchor;
  };
}

/** The stand-in of a test of the whole cluster, created if there is none. It goes with the test. */
async function anchorIn(namespace: string, test: ConnectivityTest, client: KubeClient, signal: AbortSignal) {
  const { apiVersion, kind, metadata } = stored(test);
  const { name, uid } = metadata;
  const anchor = {
    apiVersion: `${group}/${version}`,
    kind: probeAnchors.kind,
    metadata: { name, namespace, ownerReferences: [{ apiVersion, kind, name, uid }] },
    // Without it there is no scale, and budgets allow no disruption while there are probe pods.
    spec: { probeReplicas: 0 },
  };
  const created = await client.apply<KubeObject>(probeAnchors, anchor, {
    fieldManager: 'postern',
    force: true,
    signal,
  });
  return { ...created, metadata: { ...created.metadata, uid: created.metadata.uid ?? '' } };
}
