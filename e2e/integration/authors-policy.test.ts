import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { currentCluster } from '../cluster/index.ts';
import { kubectlFor } from '../harness/kubectl.ts';
import { connectivityTest, expectation, manifests, namespace as namespaceObject } from '../harness/workloads.ts';

const kubectl = kubectlFor(currentCluster());
const namespace = 'postern-integration-authors';
const verbs = ['create', 'update', 'patch', 'get'];
/** Everything of Postern, and no pods; the other one may create those, too. */
const [writer, maker] = ['writer', 'maker'];

const rules = [{ apiGroups: ['postern.dev'], resources: ['*'], verbs }];
const pods = [{ apiGroups: [''], resources: ['pods'], verbs: ['create'] }];
const bound = (user: string, role: string) => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: `${namespace}-${user}-${role}` },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: `${namespace}-${role}` },
  subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: user }],
});
const role = (name: string, of: object) => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: `${namespace}-${name}` },
  rules: of,
});
const access = [
  role('writes', rules),
  role('makes', pods),
  bound(writer, 'writes'),
  bound(maker, 'writes'),
  bound(maker, 'makes'),
];

const test = (spec: object = {}) => connectivityTest(namespace, 't', [expectation('x', 'a', 'b', 'Allow')], spec);
const grant = {
  apiVersion: 'postern.dev/v1alpha1',
  kind: 'ConnectivityGrant',
  metadata: { name: 'g', namespace },
  spec: { from: [{ namespace: 'zoo' }], as: ['Source'] },
};
const everywhere = { pods: {}, namespaces: {} };
const clusterTest = {
  apiVersion: 'postern.dev/v1alpha1',
  kind: 'ClusterConnectivityTest',
  metadata: { name: namespace },
  spec: { expectations: [{ name: 'x', from: everywhere, to: { ip: '10.1.2.3', port: 1 }, expect: 'Deny' }] },
};
const write = (user: string, object: object) =>
  kubectl.attempt(`apply --dry-run=server --as=${user} -f -`, { input: manifests(object) });

describe('who may have Postern start pods', () => {
  beforeAll(async () => {
    await kubectl('apply -f -', { input: manifests(namespaceObject(namespace), ...access) });
  });
  afterAll(async () => {
    await kubectl(`delete namespace ${namespace} --ignore-not-found`);
    await kubectl('delete --ignore-not-found -f -', { input: manifests(...access) });
  });

  it.each([
    ['a test', test(), `Postern would start pods in namespace ${namespace} for you`],
    ['a grant', grant, `Postern would start pods in namespace ${namespace} for you`],
    ['a test of the whole cluster', clusterTest, 'Postern would start pods in any namespace for you'],
  ])('is not who may not create pods: %s', async (_, object, message) => {
    const { code, stderr } = await write(writer, object);

    expect(stderr).toContain(message);
    expect(code).not.toBe(0);
    expect(await write(maker, object)).toMatchObject({ code: 0 });
  });

  it('is anybody who may edit a test, as long as it says nothing new', async () => {
    await kubectl('apply -f -', { input: manifests(test()) });

    const annotate = `annotate connectivitytest t -n ${namespace} --overwrite postern.dev/run-requested-at=now --as=${writer}`;
    expect(await kubectl.attempt(annotate)).toMatchObject({ code: 0 });
    expect((await write(writer, test({ periodSeconds: 60 }))).stderr).toContain('Postern would start pods');
  });
});
