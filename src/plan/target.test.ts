import { describe, expect, it } from 'vitest';
import type { Expectation } from '../api/index.ts';
import {
  type Cluster,
  expectationOf,
  listening,
  podOf,
  podOfDeployment,
  serviceOf,
  sliceOf,
  testOf,
  viewOf,
  workloadOf,
} from '../testing/cluster-view.ts';
import { special } from '../testing/addresses.ts';
import { maxPodsPerTarget } from './sample.ts';
import { describeTarget, targetsOf } from './target.ts';

function targetsIn(cluster: Cluster, to: Expectation['to'], expect: Expectation['expect'] = 'Allow') {
  const expectation = expectationOf({ to, expect });
  return targetsOf(testOf([expectation]), expectation, viewOf(cluster));
}

const apiPod = podOf('api-1', { labels: { app: 'api' }, ip: '10.0.0.7' });
const api = { name: 'api' };

describe('an address', () => {
  it('is dialled as it is written', () => {
    expect(targetsIn({}, { ip: '10.1.2.3', port: 443 })).toEqual({
      targets: [{ address: '10.1.2.3', port: 443, podUids: [], readinessProved: false }],
    });
  });
});

describe('a host name', () => {
  it('is left to the probe to resolve', () => {
    expect(targetsIn({}, { host: 'db.example', port: 5432 })).toEqual({
      targets: [{ host: 'db.example', port: 5432, podUids: [], readinessProved: false }],
    });
  });
});

describe('pods', () => {
  it.each<[string, Expectation['to']]>([
    ['a port number', { pods: { matchLabels: { app: 'api' } }, port: 8080 }],
    ['a port name', { pods: { matchLabels: { app: 'api' } }, port: 'http' }],
    ['an empty selector', { pods: {}, port: 8080 }],
    ['the name of one', { workload: { kind: 'Pod', name: 'api-1' }, port: 'http' }],
  ])('by %s are dialled each', (_, to) => {
    expect(targetsIn({ pods: [apiPod] }, to)).toEqual({
      targets: [{ address: '10.0.0.7', port: 8080, podUids: ['uid-api-1'], readinessProved: true, declared: true }],
    });
  });

  it('of a workload are dialled each, in a fixed order', () => {
    const pods = [podOfDeployment('api', 'b', { ip: '10.0.0.2' }), podOfDeployment('api', 'a', { ip: '10.0.0.3' })];

    const found = targetsIn(
      { pods, workloads: [workloadOf('Deployment', 'api')] },
      { workload: { kind: 'Deployment', name: 'api' }, port: 9090 },
    );

    expect(found).toEqual({
      targets: [
        { address: '10.0.0.3', port: 9090, podUids: ['uid-api-abc12-a'], readinessProved: false },
        { address: '10.0.0.2', port: 9090, podUids: ['uid-api-abc12-b'], readinessProved: false },
      ],
    });
  });

  it('that are not ready are passed over', () => {
    const pods = [
      apiPod,
      podOf('api-2', { ready: false }),
      podOf('api-3', { deleting: true }),
      podOf('api-4', { ip: undefined }),
    ];

    expect(targetsIn({ pods }, { pods: {}, port: 8080 })).toMatchObject({ targets: [{ podUids: ['uid-api-1'] }] });
  });

  it('beyond the limit are left out, and that is said', () => {
    const pods = Array.from({ length: maxPodsPerTarget + 3 }, (_, index) => podOf(`api-${index}`));

    const found = targetsIn({ pods }, { pods: {}, port: 8080 });

    expect(found).toMatchObject({ note: '10 of 13 ready pods were dialled.' });
    expect('targets' in found && found.targets.length).toBe(maxPodsPerTarget);
  });

  it.each<[string, Cluster, Expectation['to'], string, string]>([
    [
      'of an unknown workload',
      {},
      { workload: { kind: 'StatefulSet', name: 'db' }, port: 1 },
      'TargetNotFound',
      'There is no StatefulSet db in namespace shop. Correct the name under to.workload or create it.',
    ],
    [
      'that a selector does not find',
      {},
      { pods: { matchLabels: { app: 'db' } }, port: 1 },
      'TargetNotFound',
      'No pod of namespace shop matches app=db. Correct the selector or start the pods.',
    ],
    [
      'of a workload scaled to zero',
      { workloads: [workloadOf('StatefulSet', 'db')] },
      { workload: { kind: 'StatefulSet', name: 'db' }, port: 1 },
      'TargetNotReady',
      'StatefulSet db has no pods, so there is nothing to dial. Scale it up; the verdict comes when a pod is ready.',
    ],
    [
      'that are not ready',
      { pods: [podOf('api-1', { ready: false })] },
      { pods: {}, port: 1 },
      'TargetNotReady',
      'Of pods (all), no pod is ready (0 of 1), so there is nothing to dial. The verdict comes when one is ready.',
    ],
    [
      'without a port of that name',
      { pods: [apiPod] },
      { pods: {}, port: 'https' },
      'PortNotFound',
      "Pod api-1 has no TCP container port named https. Write a name from its containers' ports, or the number.",
    ],
  ])('%s are not dialled', (_, cluster, to, reason, message) => {
    expect(targetsIn(cluster, to)).toEqual({ reason, message });
  });

  it('on the host network may be reached, but not denied', () => {
    const cluster = { pods: [podOf('node-exporter', { spec: { hostNetwork: true } })] };

    expect(targetsIn(cluster, { pods: {}, port: 8080 }, 'Allow')).toHaveProperty('targets');
    expect(targetsIn(cluster, { pods: {}, port: 8080 }, 'Deny')).toEqual({
      reason: 'TargetNotSupported',
      message:
        'The host network is used by pods (all): network policies have no say there, so a Deny cannot be their doing.',
    });
  });
});

describe('a Service', () => {
  const cluster = (parts: Parameters<typeof serviceOf>[1] = {}, pods = [apiPod]): Cluster => ({
    pods,
    services: [serviceOf('api', parts)],
    slices: [sliceOf('api', pods)],
  });

  it.each<[string, number | string]>([
    ['number', 80],
    ['name', 'http'],
  ])('is dialled at its cluster address and its own port, by %s', (_, port) => {
    expect(targetsIn(cluster(), { service: api, port })).toEqual({
      targets: [{ address: '10.96.0.1', port: 80, podUids: ['uid-api-1'], readinessProved: true, declared: true }],
    });
  });

  it('of another namespace is looked up there', () => {
    const pods = [podOf('api-1', { namespace: 'bank', ip: '10.0.0.8' })];

    const found = targetsIn(
      { pods, services: [serviceOf('api', {}, 'bank')], slices: [sliceOf('api', pods)] },
      { service: { name: 'api', namespace: 'bank' }, port: 80 },
    );

    expect(found).toMatchObject({ targets: [{ podUids: ['uid-api-1'], readinessProved: true }] });
  });

  it('without a port name matches endpoints without one', () => {
    const found = targetsIn(
      {
        pods: [apiPod],
        services: [serviceOf('api', { ports: [{ port: 80 }] })],
        slices: [sliceOf('api', [apiPod], { ports: [{ name: '', port: 8080 }] })],
      },
      { service: api, port: 80 },
    );

    expect(found).toMatchObject({ targets: [{ port: 80, readinessProved: true }] });
  });

  it('with pods of two IP families is one target', () => {
    const found = targetsIn(
      {
        ...cluster(),
        slices: [
          sliceOf('api', [apiPod]),
          sliceOf('api', [apiPod], {
            addressType: 'IPv6',
            endpoints: [{ addresses: ['fd00::7'], targetRef: { uid: 'uid-api-1' } }],
          }),
        ],
      },
      { service: api, port: 80 },
    );

    expect(found).toMatchObject({ targets: [{ address: '10.96.0.1', readinessProved: true }] });
  });

  describe('proves by readiness', () => {
    it.each<[string, Cluster]>([
      [
        'not if one pod of many has no probe',
        cluster({}, [apiPod, podOf('api-2', { spec: { containers: [listening({ http: 8080 })] } })]),
      ],
      [
        'not if its pods are probed on another port',
        cluster({}, [podOf('a', { spec: { containers: [listening({ http: 8080 }, { tcpSocket: { port: 1 } })] } })]),
      ],
      ['not if a pod behind it is published though not ready', cluster({}, [podOf('a', { ready: false })])],
      [
        'not if its endpoints are not pods',
        { ...cluster(), slices: [sliceOf('api', [], { endpoints: [{ addresses: ['10.9.9.9'] }] })] },
      ],
    ])('%s', (_, world) => {
      expect(targetsIn(world, { service: api, port: 80 })).toMatchObject({ targets: [{ readinessProved: false }] });
    });
  });

  describe('without a cluster address (headless)', () => {
    const headless = { clusterIP: 'None' };

    it('is dialled at each endpoint on the number that clients know', () => {
      expect(targetsIn(cluster(headless), { service: api, port: 80 })).toEqual({
        targets: [{ address: '10.0.0.7', port: 80, podUids: ['uid-api-1'], readinessProved: false }],
      });
    });

    it("is dialled at each endpoint on the endpoint's port if the port is given by name", () => {
      expect(targetsIn(cluster(headless), { service: api, port: 'http' })).toEqual({
        targets: [{ address: '10.0.0.7', port: 8080, podUids: ['uid-api-1'], readinessProved: true, declared: true }],
      });
    });

    it('proves by readiness where both are the same', () => {
      const ports = [{ name: 'http', port: 8080 }];

      expect(targetsIn(cluster({ ...headless, ports }), { service: api, port: 8080 })).toMatchObject({
        targets: [{ port: 8080, readinessProved: true }],
      });
    });

    it('has only some of many endpoints dialled, in a fixed order', () => {
      const pods = Array.from({ length: 12 }, (_, index) => podOf(`api-${index}`, { ip: `10.0.0.${30 - index}` }));

      const found = targetsIn(cluster(headless, pods), { service: api, port: 'http' });

      expect(found).toMatchObject({ note: '10 of 12 ready endpoints were dialled.' });
      expect('targets' in found && found.targets[0]?.address).toBe('10.0.0.19');
    });
  });

  it.each<[string, Cluster, Expectation['to'], string, string]>([
    [
      'that does not exist',
      {},
      { service: api, port: 80 },
      'TargetNotFound',
      'There is no Service api. Correct the name or namespace under to.service, or create it.',
    ],
    [
      'that does not exist in its namespace',
      cluster(),
      { service: { name: 'api', namespace: 'bank' }, port: 80 },
      'TargetNotFound',
      'There is no Service bank/api. Correct the name or namespace under to.service, or create it.',
    ],
    [
      'that is an alias',
      cluster({ type: 'ExternalName', ports: [] }),
      { service: api, port: 80 },
      'TargetNotSupported',
      'Service api is only an alias (ExternalName): write the name that it stands for as `host`.',
    ],
    [
      'without that port number, such as the pod’s',
      cluster({ ports: [{ port: 80 }, { name: 'admin', port: 81 }] }),
      { service: api, port: 8080 },
      'PortNotFound',
      'Service api has no TCP port 8080; its ports are TCP 80, TCP 81 (admin).',
    ],
    [
      'without that port name',
      cluster(),
      { service: api, port: 'https' },
      'PortNotFound',
      'Service api has no TCP port https; its ports are TCP 80 (http).',
    ],
    [
      'that has the port in UDP only',
      cluster({ ports: [{ name: 'dns', port: 53, protocol: 'UDP' }] }),
      { service: api, port: 53 },
      'PortNotFound',
      'Service api has no TCP port 53; its ports are UDP 53 (dns).',
    ],
    [
      'without endpoints',
      { services: [serviceOf('api')] },
      { service: api, port: 80 },
      'TargetNotReady',
      'Service api has no ready endpoint behind port 80, so it is not dialled. The verdict comes when one is ready.',
    ],
    [
      'whose endpoints are not ready',
      {
        ...cluster(),
        slices: [sliceOf('api', [], { endpoints: [{ addresses: ['10.0.0.7'], conditions: { ready: false } }] })],
      },
      { service: api, port: 80 },
      'TargetNotReady',
      'Service api has no ready endpoint behind port 80, so it is not dialled. The verdict comes when one is ready.',
    ],
    [
      'whose endpoints have another port only',
      { ...cluster(), slices: [sliceOf('api', [apiPod], { ports: [{ name: 'admin', port: 8081 }] })] },
      { service: api, port: 80 },
      'TargetNotReady',
      'Service api has no ready endpoint behind port 80, so it is not dialled. The verdict comes when one is ready.',
    ],
    [
      'without endpoints, by its host name',
      { services: [serviceOf('api')] },
      { host: 'api.shop.svc.cluster.local', port: 80 },
      'TargetNotReady',
      'Service api has no ready endpoint behind port 80, so it is not dialled. The verdict comes when one is ready.',
    ],
    [
      'without that port, by its host name',
      cluster(),
      { host: 'API.shop.svc', port: 81 },
      'PortNotFound',
      'Service api has no TCP port 81; its ports are TCP 80 (http).',
    ],
    [
      'whose endpoints are names',
      { ...cluster(), slices: [sliceOf('api', [apiPod], { addressType: 'FQDN' })] },
      { service: api, port: 80 },
      'TargetNotReady',
      'Service api has no ready endpoint behind port 80, so it is not dialled. The verdict comes when one is ready.',
    ],
  ])('%s is not dialled', (_, world, to, reason, message) => {
    expect(targetsIn(world, to)).toEqual({ reason, message });
  });

  it('that serves only the nodes of its own pods may be reached, but not denied', () => {
    const world = cluster({ internalTrafficPolicy: 'Local' });

    expect(targetsIn(world, { service: api, port: 80 }, 'Allow')).toHaveProperty('targets');
    expect(targetsIn(world, { service: api, port: 80 }, 'Deny')).toMatchObject({ reason: 'TargetNotSupported' });
  });

  it('is dialled by its host name, if that is how it is named', () => {
    expect(targetsIn(cluster(), { host: 'api.shop.svc', port: 80 })).toEqual({
      targets: [{ host: 'api.shop.svc', port: 80, podUids: ['uid-api-1'], readinessProved: false }],
    });
  });

  it.each(['api.shop.svc', 'api.shop', 'other.shop.svc.cluster.local', 'api.shop.svc.example.com'])(
    'that is none is a host name like any other: %s',
    (host) => {
      expect(targetsIn({}, { host, port: 80 })).toEqual({
        targets: [{ host, port: 80, podUids: [], readinessProved: false }],
      });
    },
  );

  it('on the host network may be reached, but not denied', () => {
    const world = cluster({}, [podOf('node-exporter', { spec: { hostNetwork: true } })]);

    expect(targetsIn(world, { service: api, port: 80 }, 'Allow')).toHaveProperty('targets');
    expect(targetsIn(world, { service: api, port: 80 }, 'Deny')).toMatchObject({ reason: 'TargetNotSupported' });
  });
});

describe('describeTarget', () => {
  it.each<[Expectation['to'], string]>([
    [{ workload: { kind: 'StatefulSet', name: 'db' }, port: 1 }, 'StatefulSet db'],
    [{ pods: { matchLabels: { app: 'db' } }, port: 1 }, 'pods app=db'],
    [{ service: api, port: 1 }, 'Service api'],
    [{ service: { name: 'api', namespace: 'shop' }, port: 1 }, 'Service api'],
    [{ service: { name: 'api', namespace: 'bank' }, port: 1 }, 'Service bank/api'],
    [{ ip: '10.0.0.1', port: 1 }, '10.0.0.1'],
    [{ host: 'db.example', port: 1 }, 'db.example'],
  ])('puts %j in words', (to, words) => {
    expect(describeTarget(expectationOf({ to }), 'shop')).toBe(words);
  });
});

describe('an address that is not to be dialled', () => {
  const leadingTo = (address: string, clusterIP = 'None') =>
    viewOf({
      services: [serviceOf('db', { clusterIP })],
      slices: [sliceOf('db', [podOf('db-0', { ip: address })])],
      pods: [podOf('db-0', { ip: address, labels: { app: 'db' } })],
    });
  const resolved = (expectation: Expectation, view = viewOf({})) => targetsOf(testOf([expectation]), expectation, view);

  it.each(special)('is refused where %s stands in an EndpointSlice or a pod', (address) => {
    const view = leadingTo(address);
    const byClusterAddress = leadingTo(address, '10.96.0.9');
    const service = expectationOf({ to: { service: { name: 'db' }, port: 80 }, expect: 'Allow' });
    const pods = expectationOf({ to: { pods: { matchLabels: { app: 'db' } }, port: 80 }, expect: 'Allow' });

    expect(resolved(service, view)).toMatchObject({ reason: 'AddressNotAllowed' });
    expect(resolved(service, byClusterAddress)).toMatchObject({ reason: 'AddressNotAllowed' });
    expect(resolved(pods, view)).toMatchObject({ reason: 'AddressNotAllowed' });
  });

  it.each(special)('is refused where %s is written in a test that was stored without the rules of today', (ip) => {
    expect(resolved(expectationOf({ to: { ip, port: 80 }, expect: 'Allow' }))).toMatchObject({
      reason: 'AddressNotAllowed',
    });
  });

  it.each(special.filter(([, kind]) => kind === 'Metadata'))(
    'may be expected to be denied without a byte: %s',
    (ip) => {
      const deny = expectationOf({ to: { ip, port: 80 }, expect: 'Deny' });

      expect(resolved(deny)).toMatchObject({ targets: [{ address: ip }] });
      expect(resolved({ ...deny, protocol: 'UDP', udp: { preset: 'NTP' } })).toMatchObject({
        reason: 'AddressNotAllowed',
      });
    },
  );

  it('may be the name server of a node, on its port', () => {
    const to = { ip: '169.254.20.10', dns: { name: 'example.com' } };

    expect(resolved(expectationOf({ to, expect: 'Allow' }))).toMatchObject({ targets: [{ port: 53 }] });
    expect(resolved(expectationOf({ to: { ...to, port: 80 }, expect: 'Allow' }))).toMatchObject({
      reason: 'AddressNotAllowed',
    });
  });

  it('is refused where a number is written for a name', () => {
    expect(resolved(expectationOf({ to: { host: '0177.0.0.1', port: 80 } }))).toMatchObject({
      reason: 'TargetNotSupported',
    });
  });

  it('is said to be one', () => {
    const allow = expectationOf({ to: { service: { name: 'db' }, port: 80 }, expect: 'Allow' });

    expect(resolved(allow, leadingTo('100.100.100.200'))).toMatchObject({
      message:
        'Service db leads to 100.100.100.200, a link-local or instance metadata address, to which probes send nothing. Write `expect: Deny` without `udp` and `http`, or name another target.',
    });
  });
});
