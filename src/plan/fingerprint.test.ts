import { describe, expect, it } from 'vitest';
import {
  type Cluster,
  expectationOf,
  podOf,
  podOfDeployment,
  policyOf,
  serviceOf,
  sliceOf,
  testOf,
  viewOf,
  workloadOf,
} from '../testing/cluster-view.ts';
import { fingerprintOf } from './fingerprint.ts';
import { planFor } from './plan.ts';

const test = testOf([expectationOf()]);
const web = podOfDeployment('web', 'a');
const api = podOf('api-1', { labels: { app: 'api' }, ip: '10.0.0.7' });
const shop = {
  pods: [web, api],
  workloads: [workloadOf('Deployment', 'web')],
  services: [serviceOf('api')],
  slices: [sliceOf('api', [api])],
  policies: [policyOf('p', { matchLabels: { app: 'api' } })],
  namespaces: [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels: { team: 'a', zone: 'b' } } }],
} satisfies Cluster;

function fingerprint(cluster: Cluster, of = test): string {
  const view = viewOf(cluster);
  return fingerprintOf(of, planFor(of, view), view);
}

describe('fingerprintOf changes', () => {
  const [policy] = shop.policies;
  const [namespace] = shop.namespaces;
  const otherApi = podOf('api-2', { labels: { app: 'api' }, ip: '10.0.0.8' });

  it.each<[string, Cluster]>([
    ['when a policy is changed', { ...shop, policies: [policyOf('p', { matchLabels: { app: 'web' } })] }],
    ['when a policy is deleted', { ...shop, policies: [] }],
    ['when a policy is made', { ...shop, policies: [...shop.policies, policyOf('q', {})] }],
    [
      'when a policy is made anew under its name',
      {
        ...shop,
        policies: [
          { ...policy, apiVersion: 'x', kind: 'NetworkPolicy', metadata: { name: 'p', namespace: 'shop', uid: 'new' } },
        ],
      },
    ],
    [
      'when a cluster-wide policy is made',
      {
        ...shop,
        policies: [
          ...shop.policies,
          policyOf('c', {}, { kind: 'CiliumClusterwideNetworkPolicy', metadata: { name: 'c' } }),
        ],
      },
    ],
    [
      "when the namespace's labels change",
      {
        ...shop,
        namespaces: [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels: { team: 'b' } } }],
      },
    ],
    ['when the source gets a label', { ...shop, pods: [podOfDeployment('web', 'a', { labels: { x: 'y' } }), api] }],
    [
      'when the source gets another service account',
      { ...shop, pods: [podOfDeployment('web', 'a', { spec: { serviceAccountName: 'x' } }), api] },
    ],
    [
      'when the target gets a label',
      { ...shop, pods: [web, podOf('api-1', { labels: { app: 'api', x: 'y' }, ip: '10.0.0.7' })] },
    ],
    ['when the target loses its labels', { ...shop, pods: [web, podOf('api-1', { ip: '10.0.0.7' })] }],
    ['when the target is replaced', { ...shop, pods: [web, otherApi], slices: [sliceOf('api', [otherApi])] }],
    ['when the target is scaled', { ...shop, pods: [web, api, otherApi], slices: [sliceOf('api', [api, otherApi])] }],
    ['when the target loses readiness', { ...shop, slices: [sliceOf('api', [])] }],
    ['when the Service moves', { ...shop, services: [serviceOf('api', { clusterIP: '10.96.0.2' })] }],
    ['when the Service goes', { ...shop, services: [] }],
    [
      'when the readiness probe goes',
      { ...shop, pods: [web, podOf('api-1', { labels: { app: 'api' }, spec: { containers: [] } })] },
    ],
    ['when the source goes', { ...shop, workloads: [] }],
  ])('%s', (_, cluster) => {
    expect(fingerprint(cluster)).not.toBe(fingerprint(shop));
  });

  it('when the cluster is found to deny otherwise', () => {
    const view = viewOf(shop);
    const plan = planFor(test, view);

    expect(fingerprintOf(test, plan, view, 'drop')).not.toBe(fingerprintOf(test, plan, view, 'reject'));
    expect(fingerprintOf(test, plan, view, 'drop')).toBe(fingerprintOf(test, plan, view, 'drop'));
  });

  it('when the spec does', () => {
    expect(fingerprint(shop, testOf([expectationOf()], { generation: 2 }))).not.toBe(fingerprint(shop));
  });

  it.each<[string, Cluster]>([
    ['not for the order of a cache', { ...shop, pods: shop.pods.toReversed() }],
    [
      'not for the order of labels',
      {
        ...shop,
        namespaces: [
          {
            ...namespace,
            apiVersion: 'v1',
            kind: 'Namespace',
            metadata: { name: 'shop', labels: { zone: 'b', team: 'a' } },
          },
        ],
      },
    ],
    [
      'not for a pod that has nothing to do with it',
      { ...shop, pods: [...shop.pods, podOf('cache', { labels: { app: 'cache' } })] },
    ],
    ['not for one more replica of the source', { ...shop, pods: [...shop.pods, podOfDeployment('web', 'b')] }],
    ['not for a replaced replica of the source', { ...shop, pods: [podOfDeployment('web', 'b'), api] }],
    [
      'not for a probe pod',
      { ...shop, pods: [...shop.pods, podOf('probe', { labels: { app: 'web', 'postern.dev/component': 'probe' } })] },
    ],
    [
      'not for what a pod says of itself',
      {
        ...shop,
        pods: [
          web,
          {
            ...api,
            metadata: { ...api.metadata, resourceVersion: '99', annotations: { checksum: 'x' } },
            status: { ...api.status, message: 'x', containerStatuses: [{ name: 'app' }] },
          },
        ],
      },
    ],
    [
      'not for a policy of another namespace',
      { ...shop, policies: [...shop.policies, policyOf('q', {}, { metadata: { name: 'q', namespace: 'other' } })] },
    ],
    [
      "not for a policy's status",
      {
        ...shop,
        policies: shop.policies.map((same) => ({
          ...same,
          metadata: { ...same.metadata, resourceVersion: '9' },
          status: {},
        })),
      },
    ],
    ['not for a Service that is not meant', { ...shop, services: [...shop.services, serviceOf('other')] }],
  ])('%s', (_, cluster) => {
    expect(fingerprint(cluster)).toBe(fingerprint(shop));
  });

  it('not for the order of several identities', () => {
    const all = testOf([expectationOf({ from: { pods: {} }, to: { ip: '10.1.2.3', port: 1 } })]);

    expect(fingerprint({ ...shop, pods: [api, web] }, all)).toBe(fingerprint({ ...shop, pods: [web, api] }, all));
  });
});
