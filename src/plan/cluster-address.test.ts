import { expect, it } from 'vitest';
import { podOf, serviceOf, sliceOf } from '../testing/cluster-view.ts';
import { nodesBehind } from './cluster-address.ts';

const onNode = (name: string, nodeName: string, ip: string) => podOf(name, { ip, spec: { nodeName } });
const pods = [onNode('a', 'node-1', '10.0.0.1'), onNode('b', 'node-2', 'fd00::2')];
const services = [
  serviceOf('api', { clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.9', 'fd01::9'] }),
  serviceOf('api', { clusterIP: '10.96.0.8' }, 'elsewhere'),
];
const endpoint = (nodeName: string, ready: boolean) => ({ addresses: ['10.0.0.1'], nodeName, conditions: { ready } });
const endpointSlices = [
  sliceOf('api', [], { endpoints: [endpoint('node-1', true), endpoint('node-2', false)] }),
  sliceOf('api', [], { endpoints: [endpoint('node-3', true)] }),
  sliceOf('web', [], { endpoints: [endpoint('node-4', true)] }),
];

it.each<[string, string, readonly string[]]>([
  ['a pod', '10.0.0.1', ['node-1']],
  ['a pod, however it is written', 'fd00:0:0::2', ['node-2']],
  ['the ready endpoints of a Service', '10.96.0.9', ['node-1', 'node-3']],
  ['the same by its other address', 'fd01::9', ['node-1', 'node-3']],
  ['a Service of the same name elsewhere, which has no endpoints', '10.96.0.8', []],
  ['nobody in the cluster', '203.0.113.7', []],
])('an address leads to the nodes of %s', (_, address, nodes) => {
  expect(nodesBehind(address, { pods, services, endpointSlices })).toEqual(nodes);
});
