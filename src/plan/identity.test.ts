import { describe, expect, it } from 'vitest';
import type { Expectation } from '../api/index.ts';
import {
  type Cluster,
  expectationOf,
  podOf,
  podOfDeployment,
  testOf,
  viewOf,
  workloadOf,
} from '../testing/cluster-view.ts';
import { harmful, hostileTexts } from '../testing/hostile-text.ts';
import { describeSource, type Identity, identitiesOf } from './identity.ts';
import { describeSelector } from './referred.ts';

const web = workloadOf('Deployment', 'web');
type WorkloadKind = NonNullable<Expectation['from']['workload']>['kind'];

const fromAll: Expectation['from'] = { pods: {} };

function resolved(cluster: Cluster, from?: Expectation['from']) {
  const expectation = expectationOf({ from });
  return identitiesOf(testOf([expectation]), expectation, viewOf(cluster));
}

function identitiesIn(cluster: Cluster, from?: Expectation['from']): readonly Identity[] {
  const found = resolved(cluster, from);
  if ('reason' in found) throw new Error(found.message);
  return found.identities;
}

describe('identitiesOf', () => {
  it('copies what policies, placement and name resolution go by, and nothing else', () => {
    const spec = {
      nodeName: 'node-1',
      serviceAccountName: 'web',
      nodeSelector: { disk: 'ssd' },
      tolerations: [{ key: 'x' }],
      dnsPolicy: 'ClusterFirst',
      dnsConfig: { options: [{ name: 'ndots', value: '2' }] },
      imagePullSecrets: [{ name: 'registry' }],
    };

    const identities = identitiesIn({ workloads: [web], pods: [podOfDeployment('web', 'a', { spec })] });

    expect(identities).toEqual([
      {
        key: expect.stringContaining('"web"'),
        namespace: 'shop',
        labels: { app: 'web' },
        droppedLabels: ['pod-template-hash'],
        serviceAccountName: 'web',
        pod: {
          nodeSelector: { disk: 'ssd' },
          tolerations: [{ key: 'x' }],
          dnsPolicy: 'ClusterFirst',
          dnsConfig: { options: [{ name: 'ndots', value: '2' }] },
          imagePullSecrets: [{ name: 'registry' }],
        },
      },
    ]);
  });

  it.each([
    'pod-template-hash',
    'rollouts-pod-template-hash',
    'controller-revision-hash',
    'pod-template-generation',
    'statefulset.kubernetes.io/pod-name',
    'apps.kubernetes.io/pod-index',
    'job-name',
    'controller-uid',
    'batch.kubernetes.io/job-name',
    'batch.kubernetes.io/controller-uid',
    'argocd.argoproj.io/instance',
    'kustomize.toolkit.fluxcd.io/name',
    'helm.toolkit.fluxcd.io/name',
    'helm.sh/chart',
    'app.kubernetes.io/managed-by',
    'sidecar.istio.io/inject',
    'postern.dev/component',
  ])('leaves off the label %s', (key) => {
    const [identity] = identitiesIn({ pods: [podOf('web', { labels: { app: 'web', [key]: 'x' } })] }, fromAll);

    expect(identity?.labels).toEqual({ app: 'web' });
    expect(identity?.droppedLabels).toEqual([key]);
  });

  it.each(['app.kubernetes.io/name', 'app.kubernetes.io/instance', 'my-pod-template-hash', 'helm.sh', 'job-name-2'])(
    'wears the label %s',
    (key) => {
      const [identity] = identitiesIn({ pods: [podOf('web', { labels: { [key]: 'x' } })] }, fromAll);

      expect(identity?.labels).toEqual({ [key]: 'x' });
      expect(identity?.droppedLabels).toEqual([]);
    },
  );

  it('tells apart what policies can, and only that', () => {
    const pods = [
      podOf('a', { labels: { app: 'web' } }),
      podOf('same-labels-elsewhere', { labels: { app: 'web' }, spec: { nodeName: 'node-2' } }),
      podOf('default-account', { labels: { app: 'web' }, spec: { serviceAccountName: 'default' } }),
      podOf('other-account', { labels: { app: 'web' }, spec: { serviceAccountName: 'admin' } }),
      podOf('other-label', { labels: { app: 'web', canary: 'true' } }),
    ];

    expect(identitiesIn({ pods }, fromAll).map(({ key }) => key)).toEqual([
      JSON.stringify(['shop', { app: 'web', canary: 'true' }, 'default', 'ClusterFirst', undefined, undefined]),
      JSON.stringify(['shop', { app: 'web' }, 'admin', 'ClusterFirst', undefined, undefined]),
      JSON.stringify(['shop', { app: 'web' }, 'default', 'ClusterFirst', undefined, undefined]),
    ]);
    expect(identitiesIn({ pods: pods.toReversed() }, fromAll).map(({ key }) => key)).toEqual(
      identitiesIn({ pods }, fromAll).map(({ key }) => key),
    );
  });

  it('remembers every label that a probe must not wear, in whatever order pods come', () => {
    const pods = [
      podOf('plain', { labels: { app: 'web' } }),
      podOf('of-a-job', { labels: { app: 'web', 'job-name': 'migrate' } }),
      podOf('hashed', { labels: { app: 'web', 'pod-template-hash': 'x' } }),
    ];

    for (const inOrder of [pods, pods.toReversed()]) {
      expect(identitiesIn({ pods: inOrder }, fromAll)).toMatchObject([
        { labels: { app: 'web' }, droppedLabels: ['job-name', 'pod-template-hash'] },
      ]);
    }
  });

  it.each<[string, WorkloadKind, Cluster]>([
    [
      'a Deployment by its ReplicaSet',
      'Deployment',
      {
        pods: [
          podOfDeployment('web', 'a', { labels: { own: 'yes' } }),
          podOf('lookalike', { labels: { app: 'web', own: 'no' } }),
          podOfDeployment('web', 'b', {
            labels: { own: 'no' },
            owner: { kind: 'ReplicaSet', name: 'web-other-abc12' },
          }),
          podOfDeployment('web', 'c', {
            labels: { own: 'no' },
            owner: { kind: 'ReplicaSet', name: 'web-abc12', controller: false },
          }),
        ],
        workloads: [web],
      },
    ],
    [
      'a StatefulSet by its uid',
      'StatefulSet',
      {
        pods: [
          podOf('web-0', { labels: { app: 'web', own: 'yes' }, owner: { kind: 'StatefulSet', name: 'web' } }),
          podOf('web-1', {
            labels: { app: 'web', own: 'no' },
            owner: { kind: 'StatefulSet', name: 'web', uid: 'old' },
          }),
          podOf('lookalike', { labels: { app: 'web', own: 'no' } }),
        ],
        workloads: [workloadOf('StatefulSet', 'web')],
      },
    ],
    [
      'a DaemonSet by its uid',
      'DaemonSet',
      {
        pods: [
          podOf('web-x', { labels: { app: 'web', own: 'yes' }, owner: { kind: 'DaemonSet', name: 'web' } }),
          podOf('lookalike', { labels: { app: 'web', own: 'no' } }),
        ],
        workloads: [workloadOf('DaemonSet', 'web')],
      },
    ],
    [
      'a Pod by its name',
      'Pod',
      { pods: [podOf('web', { labels: { own: 'yes' } }), podOf('web2', { labels: { own: 'no' } })] },
    ],
  ])('finds the pods of %s', (_, kind, cluster) => {
    expect(identitiesIn(cluster, { workload: { kind, name: 'web' } }).map(({ labels }) => labels['own'])).toEqual([
      'yes',
    ]);
  });

  it('wears the template of a workload that has no pods', () => {
    const [identity] = identitiesIn({ workloads: [workloadOf('Deployment', 'web', { serviceAccountName: 'web' })] });

    expect(identity?.labels).toEqual({ app: 'web' });
    expect(identity?.serviceAccountName).toBe('web');
  });

  it.each<[string, Cluster, Expectation['from'] | undefined, string]>([
    [
      'a workload that does not exist',
      {},
      undefined,
      'There is no Deployment web in namespace shop. Correct the name under from.workload or create it.',
    ],
    [
      'a pod that does not exist',
      {},
      { workload: { kind: 'Pod', name: 'web' } },
      'There is no Pod web in namespace shop. Correct the name under from.workload or create it.',
    ],
    [
      'a pod that has ended',
      { pods: [podOf('web', { phase: 'Succeeded' })] },
      { workload: { kind: 'Pod', name: 'web' } },
      'Pod web of namespace shop has ended.',
    ],
    [
      'a selector that matches nothing',
      { pods: [podOf('api', { labels: { app: 'api' } })] },
      { pods: { matchLabels: { app: 'web' } } },
      'No pod of namespace shop matches app=web. Correct the selector or start the pods.',
    ],
    [
      'a selector that matches dying pods and probes only',
      {
        pods: [
          podOf('a', { deleting: true }),
          podOf('b', { phase: 'Failed' }),
          podOf('c', { labels: { 'postern.dev/component': 'probe' } }),
        ],
      },
      fromAll,
      'No pod of namespace shop matches (all). Correct the selector or start the pods.',
    ],
    [
      'a selector that matches another namespace only',
      { pods: [podOf('a', { namespace: 'other' })] },
      fromAll,
      'No pod of namespace shop matches (all). Correct the selector or start the pods.',
    ],
  ])('finds nobody behind %s', (_, cluster, from, message) => {
    expect(resolved(cluster, from)).toEqual({ reason: 'SourceNotFound', message });
  });

  it('does not stand in for pods on the host network', () => {
    const pods = [podOfDeployment('web', 'a', { spec: { hostNetwork: true } })];

    expect(resolved({ workloads: [web], pods })).toEqual({
      reason: 'SourceNotSupported',
      message:
        'The host network is used by Deployment web: network policies have no say there. Test from a pod with a network of its own.',
    });
  });

  it('does not stand in for a template on the host network', () => {
    const workloads = [workloadOf('Deployment', 'web', { hostNetwork: true })];

    expect(resolved({ workloads })).toMatchObject({ reason: 'SourceNotSupported' });
  });

  it('says that it left out those on the host network', () => {
    const pods = [podOf('a', { spec: { hostNetwork: true } }), podOf('b', { labels: { app: 'b' } })];

    expect(resolved({ pods }, fromAll)).toMatchObject({
      identities: [{ labels: { app: 'b' } }],
      note: 'Source pods on the host network were left out: network policies have no say there.',
    });
  });
});

describe('describeSource and describeSelector', () => {
  it.each<[Expectation['from'], string]>([
    [{ workload: { kind: 'StatefulSet', name: 'db' } }, 'StatefulSet db'],
    [{ pods: {} }, 'pods (all)'],
    [{ pods: { matchLabels: { app: 'web', tier: 'front' } } }, 'pods app=web,tier=front'],
    [
      {
        pods: {
          matchExpressions: [
            { key: 'app', operator: 'In', values: ['a', 'b'] },
            { key: 'x', operator: 'Exists' },
          ],
        },
      },
      'pods app In (a, b),x Exists',
    ],
  ])('put %j in words', (from, words) => {
    expect(describeSource(expectationOf({ from }))).toBe(words);
    if (from.pods !== undefined) expect(`pods ${describeSelector(from.pods)}`).toBe(words);
  });
});

describe('describeSelector', () => {
  it.each(hostileTexts)('shows %s as harmless text with an end', (_, text) => {
    const shown = describeSelector({
      matchLabels: { [text]: text },
      matchExpressions: [{ key: text, operator: 'In', values: [text] }],
    });

    expect(shown).not.toMatch(harmful);
    expect(Buffer.byteLength(shown)).toBeLessThanOrEqual(256);
  });
});
