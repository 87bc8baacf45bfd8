import { describe, expect, it } from 'vitest';
import type { EndpointSlice, Expectation, Pod } from '../api/index.ts';
import { type Cluster, expectationOf, podOf, serviceOf, sliceOf, testOf, viewOf } from '../testing/cluster-view.ts';
import { planFor } from './plan.ts';

function withAddresses(pod: Pod, ...ips: readonly string[]): Pod {
  return { ...pod, status: { ...pod.status, podIP: ips[0] ?? '', podIPs: ips.map((ip) => ({ ip })) } };
}
const dual = (name: string, last: number): Pod =>
  withAddresses(podOf(name, { labels: { app: name } }), `10.0.0.${last}`, `fd00::${last}`);
const ipv6Slice = (pods: readonly Pod[]): EndpointSlice =>
  sliceOf('api', [], {
    addressType: 'IPv6',
    endpoints: pods.map(({ metadata, status }) => ({
      addresses: [status?.podIPs?.[1]?.ip ?? ''],
      targetRef: { kind: 'Pod', name: metadata.name, uid: metadata.uid ?? '' },
    })),
  });

const [web, api] = [dual('web', 1), dual('api', 7)];
const service = serviceOf('api', { clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1', 'fd00:96::1'] });
const both: Cluster = { pods: [web, api], services: [service], slices: [sliceOf('api', [api]), ipv6Slice([api])] };
const headless: Cluster = { ...both, services: [serviceOf('api', { clusterIP: 'None', clusterIPs: ['None'] })] };
const singleService: Cluster = { ...both, services: [serviceOf('api')] };
const singleSource: Cluster = { ...both, pods: [withAddresses(web, '10.0.0.1'), api] };

const pods: Expectation['to'] = { pods: { matchLabels: { app: 'api' } }, port: 8080 };
const byService: Expectation['to'] = { service: { name: 'api' }, port: 'http' };
type Families = Expectation['ipFamilies'];

describe('what is dialled where there are two families', () => {
  it.each<[string, Cluster, Expectation['to'], Families, readonly string[]]>([
    ['a pod by both', both, pods, undefined, ['10.0.0.7', 'fd00::7']],
    ['a pod by one', both, pods, ['IPv6'], ['fd00::7']],
    ['a Service by both', both, byService, undefined, ['10.96.0.1', 'fd00:96::1']],
    ['a Service by one', both, byService, ['IPv4'], ['10.96.0.1']],
    ['a Service of one family by that', singleService, byService, undefined, ['10.96.0.1']],
    ['a Service of one family by no other', singleService, byService, ['IPv6'], ['FamilyUnavailable']],
    ['a headless Service by both', headless, byService, undefined, ['10.0.0.7', 'fd00::7']],
    ['a headless Service by one', headless, byService, ['IPv6'], ['fd00::7']],
    ['a target by what the source has as well', singleSource, pods, undefined, ['10.0.0.7']],
    [
      'nothing that the source does not have, if that was asked for',
      singleSource,
      pods,
      ['IPv6'],
      ['FamilyUnavailable'],
    ],
    [
      'what the source has, if more was asked for',
      singleSource,
      pods,
      ['IPv4', 'IPv6'],
      ['10.0.0.7', 'FamilyUnavailable'],
    ],
    [
      'a Service without endpoints of one family not at all',
      { ...both, slices: [sliceOf('api', [api])] },
      byService,
      undefined,
      ['TargetNotReady'],
    ],
    [
      'that Service by the other family',
      { ...both, slices: [sliceOf('api', [api])] },
      byService,
      ['IPv4'],
      ['10.96.0.1'],
    ],
  ])('%s', (_, cluster, to, ipFamilies, dialled) => {
    const expectation = expectationOf({ from: { pods: { matchLabels: { app: 'web' } } }, to, ipFamilies });
    const [line] = planFor(testOf([expectation]), viewOf(cluster)).lines;

    expect([
      ...(line?.checks ?? []).map(({ address }) => address),
      ...(line?.findings ?? []).map(({ reason }) => reason),
    ]).toEqual(dialled);
  });

  it.each<[string, Cluster, Expectation['to']]>([
    ['pods', both, pods],
    ['a Service', both, byService],
    ['a headless Service', headless, byService],
  ])('is proved by readiness at the first address of %s alone, which the kubelet dials', (_, cluster, to) => {
    const expectation = expectationOf({ from: { pods: { matchLabels: { app: 'web' } } }, to });
    const [line] = planFor(testOf([expectation]), viewOf(cluster)).lines;

    expect(line?.checks.map(({ target }) => target.readinessProved)).toEqual([true, false]);
  });
});
