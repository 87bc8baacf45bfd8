import { describe, expect, it } from 'vitest';
import { clusterOf, type DeclaredCluster } from './cluster.ts';
import { inventoryOf } from './inventory.ts';
import { readManifests } from './read.ts';
import { workloadOf } from './workloads.ts';

function cluster(text: string): DeclaredCluster {
  const { objects, problems } = readManifests({ file: 'a.yaml', text });
  const inventory = inventoryOf(objects, 'shop');
  expect([...problems, ...inventory.problems]).toEqual([]);
  return clusterOf(inventory);
}

const template =
  '{metadata: {labels: {app: a}}, spec: {containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}}';

const workload = (kind: string, apiVersion: string, spec: string): string =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: a}\nspec: ${spec}\n`;

describe('pods of workloads', () => {
  it.each<{ kind: string; apiVersion: string; spec: string; want: readonly string[] }>([
    {
      kind: 'Deployment',
      apiVersion: 'apps/v1',
      spec: `{replicas: 5, selector: {}, template: ${template}}`,
      want: ['a-template-0', 'a-template-1'],
    },
    {
      kind: 'Deployment',
      apiVersion: 'apps/v1',
      spec: `{selector: {}, template: ${template}}`,
      want: ['a-template-0'],
    },
    { kind: 'Deployment', apiVersion: 'apps/v1', spec: `{replicas: 0, selector: {}, template: ${template}}`, want: [] },
    {
      kind: 'StatefulSet',
      apiVersion: 'apps/v1',
      spec: `{replicas: 3, selector: {}, template: ${template}}`,
      want: ['a-0', 'a-1', 'a-2'],
    },
    { kind: 'DaemonSet', apiVersion: 'apps/v1', spec: `{selector: {}, template: ${template}}`, want: ['a-0', 'a-1'] },
    { kind: 'Job', apiVersion: 'batch/v1', spec: `{parallelism: 9, template: ${template}}`, want: ['a-0', 'a-1'] },
    { kind: 'CronJob', apiVersion: 'batch/v1', spec: `{jobTemplate: {spec: {template: ${template}}}}`, want: ['a-0'] },
    {
      kind: 'Rollout',
      apiVersion: 'argoproj.io/v1alpha1',
      spec: `{replicas: 1, template: ${template}}`,
      want: ['a-0'],
    },
  ])('$kind of $spec', ({ kind, apiVersion, spec, want }) => {
    const { pods } = cluster(workload(kind, apiVersion, spec));

    expect(pods.map(({ metadata }) => metadata.name)).toEqual(want);
    for (const pod of pods) {
      expect(pod.metadata.labels).toMatchObject({ app: 'a' });
      // Nobody knows it yet; an invented one could lie in somebody's block.
      expect(pod.status?.podIP).toBeUndefined();
      expect(workloadOf(pod)).toBe(`${kind} shop/a`);
    }
  });

  it('wear the labels of the template, not those of the workload, and those that a StatefulSet adds', () => {
    const { pods } = cluster(
      `apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: a, labels: {tier: data}}\nspec: {selector: {}, template: ${template}}\n`,
    );

    expect(pods[0]?.metadata.labels).toEqual({
      app: 'a',
      'statefulset.kubernetes.io/pod-name': 'a-0',
      'apps.kubernetes.io/pod-index': '0',
    });
  });

  it('are not made up where a dump of a cluster holds the real ones', () => {
    const { pods } = cluster(
      [
        workload('Deployment', 'apps/v1', `{replicas: 1, selector: {}, template: ${template}}`),
        `apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: a-77, ownerReferences: [{kind: Deployment, name: a}]}\nspec: {selector: {}, template: ${template}}\n`,
        'apiVersion: v1\nkind: Pod\nmetadata: {name: a-77-x, labels: {pod-template-hash: "77"}, ownerReferences: [{kind: ReplicaSet, name: a-77, controller: true}]}\nspec: {containers: []}\nstatus: {phase: Running, podIP: 10.0.0.1}\n',
      ].join('---\n'),
    );

    expect(pods.map((pod) => [pod.metadata.name, workloadOf(pod)])).toEqual([['a-77-x', 'Deployment shop/a']]);
  });
});

describe('a dump without the ReplicaSets', () => {
  it('holds the pods of a Deployment all the same', () => {
    const { pods } = cluster(
      [
        workload('Deployment', 'apps/v1', `{replicas: 1, selector: {}, template: ${template}}`),
        'apiVersion: v1\nkind: Pod\nmetadata: {name: a-77-x, labels: {pod-template-hash: "77"}, ownerReferences: [{kind: ReplicaSet, name: a-77, controller: true}]}\nspec: {containers: []}\n',
      ].join('---\n'),
    );

    expect(pods.map(({ metadata }) => metadata.name)).toEqual(['a-77-x']);
  });

  it('does not take Postern’s own pods for anybody’s: they wear the labels of others', () => {
    const { pods, view } = cluster(
      [
        `apiVersion: v1\nkind: Pod\nmetadata: {name: web, labels: {app: web}}\nspec: {containers: []}\n`,
        `apiVersion: v1\nkind: Pod\nmetadata: {name: postern-probe-x, labels: {app: web, postern.dev/component: probe}}\nspec: {containers: []}\n`,
      ].join('---\n'),
    );

    expect(pods.map(({ metadata }) => metadata.name)).toEqual(['web']);
    expect(view.pods('shop')).toHaveLength(1);
  });

  it('tells pods of a node’s own manifests apart', () => {
    const mirror = (name: string): string =>
      `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, ownerReferences: [{kind: Node, name: a, controller: true}]}\nspec: {containers: []}\n`;

    expect(cluster([mirror('etcd-a'), mirror('scheduler-a')].join('---\n')).pods.map(workloadOf)).toEqual([
      'Pod shop/etcd-a',
      'Pod shop/scheduler-a',
    ]);
  });
});

describe('Services', () => {
  const deployment = workload('Deployment', 'apps/v1', `{replicas: 2, selector: {}, template: ${template}}`);
  const service = (spec: string): string => `apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: ${spec}\n`;
  const endpoints = (text: string) =>
    cluster(text)
      .view.endpointSlices('shop', 's')
      .map(({ endpoints = [], ports = [] }) => [endpoints.length, ports.map(({ port }) => port)]);

  it.each<{ scenario: string; spec: string; want: unknown }>([
    {
      scenario: 'a named target port is looked up in the pods',
      spec: '{selector: {app: a}, ports: [{port: 80, targetPort: http}]}',
      want: [[2, [8080]]],
    },
    {
      scenario: 'a numeric target port',
      spec: '{selector: {app: a}, ports: [{port: 80, targetPort: 9090}]}',
      want: [[2, [9090]]],
    },
    { scenario: 'no target port', spec: '{selector: {app: a}, ports: [{port: 80}]}', want: [[2, [80]]] },
    {
      scenario: 'a name that no pod has',
      spec: '{selector: {app: a}, ports: [{port: 80, targetPort: web}]}',
      want: [[2, []]],
    },
    { scenario: 'a selector that matches nothing', spec: '{selector: {app: b}, ports: [{port: 80}]}', want: [] },
    { scenario: 'an empty selector, which selects nothing', spec: '{selector: {}, ports: [{port: 80}]}', want: [] },
    { scenario: 'an alias', spec: '{type: ExternalName, selector: {app: a}, ports: [{port: 80}]}', want: [] },
  ])('$scenario', ({ spec, want }) => {
    expect(endpoints(`${deployment}---\n${service(spec)}`)).toEqual(want);
  });

  it('have one slice for each set of port numbers that a name stands for', () => {
    const other = `apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {app: a}}\nspec: {containers: [{name: c, ports: [{name: http, containerPort: 9090}]}]}\n`;

    expect(
      endpoints(
        `${deployment}---\n${other}---\n${service('{selector: {app: a}, ports: [{port: 80, targetPort: http}]}')}`,
      ),
    ).toEqual([
      [1, [9090]],
      [2, [8080]],
    ]);
  });
});

it('gives every namespace that is written down the label with its name', () => {
  const { namespaces } = cluster('apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {team: a}}\n');

  expect(namespaces.map(({ metadata }) => metadata.labels)).toEqual([
    { team: 'a', 'kubernetes.io/metadata.name': 'shop' },
  ]);
});
