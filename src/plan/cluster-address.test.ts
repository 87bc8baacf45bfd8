import { expect, it } from 'vitest';
import { podOf, serviceOf, sliceOf } from '../testing/cluster-view.ts';
import { endsBehind } from './cluster-address.ts';

const onNode = (name: string, nodeName: string, ip: string, parts: object = {}) =>
  podOf(name, { ip, spec: { nodeName }, ...parts });
const pods = [
  onNode('a', 'node-1', '10.0.0.1'),
  onNode('b', 'node-2', 'fd00::2'),
  onNode('ended', 'node-9', '10.0.0.1', { phase: 'Succeeded' }),
  podOf('api-server', { ip: '172.18.0.2', spec: { nodeName: 'control', hostNetwork: true } }),
];
const services = [
  serviceOf('api', { clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.9', 'fd01::9'], externalIPs: ['192.0.2.1'] }),
  serviceOf('api', { clusterIP: '10.96.0.8' }, 'elsewhere'),
  serviceOf('kubernetes', { clusterIP: '10.96.0.1' }),
  serviceOf('outside', { clusterIP: '10.96.0.7' }),
  {
    ...serviceOf('balanced', { clusterIP: '10.96.0.6' }),
    status: { loadBalancer: { ingress: [{ ip: '192.0.2.9' }, {}] } },
  },
];
const endpoint = (address: string, parts: object = {}) => ({
  addresses: [address],
  conditions: { ready: true },
  ...parts,
});
const endpointSlices = [
  sliceOf('api', [], {
    endpoints: [endpoint('10.0.0.1', { nodeName: 'node-1' }), endpoint('10.0.0.9', { conditions: { ready: false } })],
  }),
  sliceOf('api', [], { endpoints: [endpoint('10.0.0.7', { nodeName: 'node-3' })] }),
  sliceOf('kubernetes', [], { endpoints: [endpoint('172.18.0.2')] }),
  sliceOf('outside', [], { endpoints: [endpoint('203.0.113.9')] }),
  sliceOf('balanced', [], { endpoints: [endpoint('10.0.0.1')] }),
];
const api = ['node-1', 'host node-3'];

it.each<[string, string, readonly string[]]>([
  ['a pod, be it that another one had it before', '10.0.0.1', ['node-1']],
  ['a pod, however it is written', 'fd00:0:0::2', ['node-2']],
  ['a node that pods have it of', '172.18.0.2', ['host control']],
  ['the ready endpoints of a Service, of which one is no pod', '10.96.0.9', api],
  ['the same by its other address', 'fd01::9', api],
  ['the same by an address outside', '192.0.2.1', api],
  ['those behind a load balancer', '192.0.2.9', ['node-1']],
  ['the API server, whose endpoint names no node', '10.96.0.1', ['host control']],
  ['a Service of the same name elsewhere, which has no endpoints', '10.96.0.8', []],
  ['a Service whose endpoint is outside of the cluster', '10.96.0.7', []],
  ['nobody in the cluster', '203.0.113.7', []],
])('an address leads to %s', (_, address, expected) => {
  const ends = endsBehind(address, { pods, services, endpointSlices });

  expect(ends.map(({ node, isOnHost }) => `${isOnHost ? 'host ' : ''}${node}`)).toEqual(expected);
});
