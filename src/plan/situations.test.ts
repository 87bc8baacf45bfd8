import { describe, expect, it } from 'vitest';
import type { Expectation } from '../api/index.ts';
import {
  type Cluster,
  expectationOf,
  podOf,
  podOfDeployment,
  serviceOf,
  sliceOf,
  testOf,
  viewOf,
  workloadOf,
} from '../testing/cluster-view.ts';
import { planFor } from './plan.ts';

/** What a target can be like, and what is made of it: the addresses that are dialled, or the reason why none is. */
const web = podOfDeployment('web', 'a', { ip: '10.0.0.1' });
const api = podOf('api-1', { labels: { app: 'api' }, ip: '10.0.0.7' });
const shop: Cluster = { pods: [web, api], workloads: [workloadOf('Deployment', 'web')] };
const apiPods: Expectation['to'] = { pods: { matchLabels: { app: 'api' } }, port: 8080 };
const apiService: Expectation['to'] = { service: { name: 'api' }, port: 80 };
const webService: Expectation['to'] = { service: { name: 'web' }, port: 80 };
const webPods: Expectation['to'] = { workload: { kind: 'Deployment', name: 'web' }, port: 8080 };

const withApi = (parts: Parameters<typeof podOf>[1]): Cluster => ({
  ...shop,
  pods: [web, podOf('api-1', { labels: { app: 'api' }, ip: '10.0.0.7', ...parts })],
});
const withService = (name: string, parts: Parameters<typeof serviceOf>[1], pods = [api]): Cluster => ({
  ...shop,
  pods: [...new Set([web, api, ...pods])],
  services: [serviceOf(name, parts)],
  slices: [sliceOf(name, pods)],
});
const withEndpoint = (conditions: object): Cluster => ({
  ...withService('api', {}),
  slices: [sliceOf('api', [], { endpoints: [{ addresses: ['10.0.0.7'], conditions }] })],
});
const secondWeb = podOfDeployment('web', 'b', { ip: '10.0.0.2' });

describe('a target that is', () => {
  it.each<[string, Cluster, Expectation['to'], Expectation['expect'], readonly string[] | string]>([
    ['a ready pod', shop, apiPods, 'Deny', ['10.0.0.7:8080']],
    ['a pod that is not Ready', withApi({ ready: false }), apiPods, 'Deny', 'TargetNotReady'],
    ['a pod without an address yet', withApi({ ip: undefined }), apiPods, 'Deny', 'TargetNotReady'],
    ['a pod that is terminating', withApi({ deleting: true }), apiPods, 'Deny', 'TargetNotFound'],
    ['a pod that has ended', withApi({ phase: 'Succeeded' }), apiPods, 'Deny', 'TargetNotFound'],
    [
      'a pod on the host network, for a Deny',
      withApi({ spec: { hostNetwork: true } }),
      apiPods,
      'Deny',
      'TargetNotSupported',
    ],
    [
      'a pod on the host network, for an Allow',
      withApi({ spec: { hostNetwork: true } }),
      apiPods,
      'Allow',
      ['10.0.0.7:8080'],
    ],
    [
      'a workload without pods',
      { ...shop, workloads: [...(shop.workloads ?? []), workloadOf('StatefulSet', 'db')] },
      { workload: { kind: 'StatefulSet', name: 'db' }, port: 1 },
      'Deny',
      'TargetNotReady',
    ],
    [
      'a ReplicaSet without pods',
      shop,
      { workload: { kind: 'ReplicaSet', name: 'db' }, port: 1 },
      'Deny',
      'TargetNotFound',
    ],
    ['the only pod of the source', shop, webPods, 'Deny', 'PathUndefined'],
    ['the only pod of the source, for an Allow', shop, webPods, 'Allow', 'PathUndefined'],
    [
      'the only pod of the source behind a Service (hairpin)',
      withService('web', {}, [web]),
      webService,
      'Deny',
      'PathUndefined',
    ],
    [
      'the only pod of the source behind a headless Service',
      withService('web', { clusterIP: 'None' }, [web]),
      webService,
      'Deny',
      'PathUndefined',
    ],
    [
      'the only pod of the source behind the name of a Service',
      withService('web', {}, [web]),
      { host: 'web.shop.svc', port: 80 },
      'Deny',
      'PathUndefined',
    ],
    [
      'other pods of the source',
      { ...shop, pods: [web, secondWeb] },
      webPods,
      'Deny',
      ['10.0.0.1:8080', '10.0.0.2:8080'],
    ],
    [
      'a Service of several pods of the source',
      withService('web', {}, [web, secondWeb]),
      webService,
      'Deny',
      ['10.96.0.1:80'],
    ],
    ['a Service', withService('api', {}), apiService, 'Deny', ['10.96.0.1:80']],
    [
      'a Service by the name of a port that differs from the target port',
      withService('api', {}),
      { service: { name: 'api' }, port: 'http' },
      'Deny',
      ['10.96.0.1:80'],
    ],
    [
      'a headless Service, by number: what its clients know',
      withService('api', { clusterIP: 'None' }),
      apiService,
      'Deny',
      ['10.0.0.7:80'],
    ],
    [
      'a headless Service, by name: what a lookup tells',
      withService('api', { clusterIP: 'None' }),
      { service: { name: 'api' }, port: 'http' },
      'Deny',
      ['10.0.0.7:8080'],
    ],
    ['a Service that does not exist', shop, apiService, 'Deny', 'TargetNotFound'],
    [
      'a Service without EndpointSlices',
      { ...shop, services: [serviceOf('api')] },
      apiService,
      'Deny',
      'TargetNotReady',
    ],
    [
      'a Service without that port',
      withService('api', {}),
      { service: { name: 'api' }, port: 8080 },
      'Deny',
      'PortNotFound',
    ],
    ['a Service whose endpoint is not ready', withEndpoint({ ready: false }), apiService, 'Deny', 'TargetNotReady'],
    [
      'a Service whose endpoint is terminating',
      withEndpoint({ ready: false, serving: true, terminating: true }),
      apiService,
      'Deny',
      'TargetNotReady',
    ],
    [
      'a headless Service whose published endpoint is terminating',
      {
        ...withEndpoint({ ready: true, terminating: true }),
        services: [serviceOf('api', { clusterIP: 'None', publishNotReadyAddresses: true })],
      },
      apiService,
      'Deny',
      'TargetNotReady',
    ],
    [
      'a Service that serves its own nodes only',
      withService('api', { internalTrafficPolicy: 'Local' }),
      apiService,
      'Deny',
      'TargetNotSupported',
    ],
    ['an alias (ExternalName)', withService('api', { type: 'ExternalName' }), apiService, 'Deny', 'TargetNotSupported'],
  ])('%s', (_, cluster, to, expect_, outcome) => {
    const plan = planFor(testOf([expectationOf({ to, expect: expect_ })]), viewOf(cluster));
    const [line] = plan.lines;

    if (typeof outcome === 'string') {
      expect(line?.findings.map(({ reason }) => reason)).toEqual([outcome]);
      expect(plan.assignments).toEqual([]);
    } else {
      expect(line?.findings).toEqual([]);
      expect(line?.checks.map(({ address, host, port }) => `${address ?? host}:${port}`)).toEqual(outcome);
    }
  });

  it('partly the source itself is judged by the rest, and that is said', () => {
    const to = webService;
    const plan = planFor(testOf([expectationOf({ to })]), viewOf(withService('web', {}, [web, secondWeb])));

    expect(plan.lines[0]?.notes).toContain(
      'The path of a pod to itself is left out: network policies do not define it.',
    );
  });
});

describe('a source that is', () => {
  const from = (kind: 'ReplicaSet' | 'Deployment', name: string): Expectation['from'] => ({ workload: { kind, name } });
  const bare = podOf('bare-x1', { labels: { app: 'bare' }, owner: { kind: 'ReplicaSet', name: 'bare' } });

  it.each<[string, Cluster, Expectation['from'], string | undefined]>([
    ['a bare ReplicaSet', { pods: [bare, api] }, from('ReplicaSet', 'bare'), undefined],
    ['a ReplicaSet that another one is named like', { pods: [bare, api] }, from('ReplicaSet', 'bar'), 'SourceNotFound'],
    ['a ReplicaSet without pods', { pods: [api] }, from('ReplicaSet', 'bare'), 'SourceNotFound'],
    [
      'a ReplicaSet whose pod only looks like one of its own',
      { pods: [api, podOf('bare-x2', { owner: { kind: 'ReplicaSet', name: 'bare', controller: false } })] },
      from('ReplicaSet', 'bare'),
      'SourceNotFound',
    ],
    [
      'a Deployment without pods',
      { pods: [api], workloads: [workloadOf('Deployment', 'web')] },
      from('Deployment', 'web'),
      undefined,
    ],
    [
      'on the host network',
      { pods: [api, podOf('agent', { owner: { kind: 'ReplicaSet', name: 'agent' }, spec: { hostNetwork: true } })] },
      from('ReplicaSet', 'agent'),
      'SourceNotSupported',
    ],
  ])('%s', (_, cluster, source, reason) => {
    const plan = planFor(testOf([expectationOf({ from: source, to: apiPods })]), viewOf(cluster));

    expect(plan.lines[0]?.findings.map((finding) => finding.reason)).toEqual(reason === undefined ? [] : [reason]);
    expect(plan.assignments).toHaveLength(reason === undefined ? 1 : 0);
  });
});
