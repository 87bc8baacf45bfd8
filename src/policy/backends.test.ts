import { describe, expect, it } from 'vitest';
import type { EndpointSlice, Pod, Service } from '../api/index.ts';
import { backendsOf, containerPortNamed, type ServicePort } from './backends.ts';
import { podOf } from './testing/builders.ts';

const serviceOf = (spec: Partial<Service['spec']> = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'api', namespace: 'shop' },
  spec: { selector: { app: 'api' }, ...spec },
});
const ready = (pod: Pod, status: string): Pod => ({ ...pod, status: { conditions: [{ type: 'Ready', status }] } });
const first = podOf('shop/first', { app: 'api' }, { ports: [{ name: 'http', containerPort: 8080 }] });
const second = podOf('shop/second', { app: 'api' }, { ports: [{ name: 'http', containerPort: 9090 }] });
const pods = [first, second, podOf('shop/other', { app: 'web' }), podOf('mon/api', { app: 'api' })];
const port = (targetPort?: number | string): ServicePort => ({
  port: 80,
  ...(targetPort === undefined ? {} : { targetPort }),
});
const slice = (parts: Partial<EndpointSlice> = {}): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'api-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'api' } },
  addressType: 'IPv4',
  ports: [{ port: 8080 }],
  endpoints: [
    { addresses: ['10.0.0.1'], targetRef: { kind: 'Pod', name: 'first' } },
    { addresses: ['10.0.0.9'], conditions: { ready: false } },
  ],
  ...parts,
});

describe('backendsOf', () => {
  it.each<[string, ServicePort, readonly number[]]>([
    ['a number', port(8080), [8080, 8080]],
    ['a name that each pod resolves for itself', port('http'), [8080, 9090]],
    ['nothing, which is the port of the Service', port(), [80, 80]],
  ])('takes %s for the pods’ port', (_, servicePort, numbers) => {
    const { backends } = backendsOf(serviceOf(), servicePort, pods);

    expect(backends.map((backend) => backend.pod?.name)).toEqual(['first', 'second']);
    expect(backends.map((backend) => backend.port)).toEqual(numbers);
  });

  it.each<[string, ServicePort]>([
    ['name', { port: 80, targetPort: 'grpc' }],
    ['protocol', { port: 80, targetPort: 'http', protocol: 'UDP' }],
  ])('names the pods that do not have the port by that %s', (_, servicePort) => {
    const { backends, withoutPort } = backendsOf(serviceOf(), servicePort, pods);

    expect(backends).toEqual([]);
    expect(withoutPort.map(({ name }) => name)).toEqual(['first', 'second']);
  });

  it.each<[string, Partial<Service['spec']>, Pod, boolean | undefined]>([
    ['a ready pod', {}, ready(first, 'True'), true],
    ['a pod that is not', {}, ready(first, 'False'), false],
    ['one that is published all the same', { publishNotReadyAddresses: true }, ready(first, 'False'), true],
    ['a pod of a manifest', {}, first, true],
    ['a finished pod', {}, podOf('shop/first', { app: 'api' }, { phase: 'Succeeded' }), undefined],
  ])('knows whether connections are sent to %s', (_, spec, pod, isReady) => {
    const { backends } = backendsOf(serviceOf(spec), port(), [pod]);

    expect(backends.map((backend) => backend.ready)).toEqual(isReady === undefined ? [] : [isReady]);
  });

  it.each<[string, Partial<Service['spec']>]>([
    ['an alias', { type: 'ExternalName' }],
    ['a Service with an empty selector', { selector: {} }],
  ])('finds no pods behind %s', (_, spec) => {
    expect(backendsOf(serviceOf(spec), port(), pods).backends).toEqual([]);
  });

  it('takes the endpoints of slices as they are, those that are no pods included', () => {
    const { backends } = backendsOf(serviceOf(), port('http'), pods, [slice()]);

    expect(backends).toEqual([
      { pod: { namespace: 'shop', name: 'first' }, address: '10.0.0.1', port: 8080, ready: true },
      { address: '10.0.0.9', port: 8080, ready: false },
    ]);
  });

  it.each<[string, Partial<EndpointSlice>]>([
    ['of names', { addressType: 'FQDN' }],
    [
      'of other Services',
      { metadata: { name: 'x', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'web' } } },
    ],
    [
      'of other namespaces',
      { metadata: { name: 'x', namespace: 'mon', labels: { 'kubernetes.io/service-name': 'api' } } },
    ],
  ])('leaves slices %s alone', (_, parts) => {
    const { backends } = backendsOf(serviceOf(), port(), pods, [slice(parts)]);

    expect(backends.map((backend) => backend.pod?.name)).toEqual(['first', 'second']);
  });

  it('takes the slices’ port of the same name alone', () => {
    expect(backendsOf(serviceOf(), { ...port(), name: 'http' }, pods, [slice()]).backends).toEqual([]);
  });
});

describe('containerPortNamed', () => {
  it.each<[string, NonNullable<Pod['spec']['containers'][number]['ports']>, number | undefined]>([
    [
      'the first of equals',
      [
        { name: 'dns', containerPort: 53 },
        { name: 'dns', containerPort: 54 },
      ],
      53,
    ],
    ['nothing under another name', [{ name: 'http', containerPort: 80 }], undefined],
    [
      'no port of another protocol',
      [
        { name: 'dns', containerPort: 53, protocol: 'UDP' },
        { name: 'dns', containerPort: 5353 },
      ],
      5353,
    ],
  ])('finds %s', (_, ports, found) => {
    expect(containerPortNamed(podOf('shop/web', {}, { ports }), 'dns', 'TCP')).toBe(found);
  });
});
