import { describe, expect, it } from 'vitest';
import type { Expectation } from '../api/index.ts';
import { type Cluster, expectationOf, podOf, serviceOf, sliceOf, testOf, viewOf } from '../testing/cluster-view.ts';
import { isOutsideIdentity, maxOutsideControls } from './outside.ts';
import { type Plan, planFor } from './plan.ts';

const web = podOf('web-1', { labels: { app: 'web' }, ip: '10.0.0.1' });
const api = podOf('api-1', { labels: { app: 'api' }, ip: '10.0.0.7' });
const elsewhere = podOf('db-1', { namespace: 'bank', ip: '10.0.0.9' });
const slice = sliceOf('kubernetes', [], { endpoints: [{ addresses: ['172.18.0.2'] }] });
const cluster: Cluster = { pods: [web, api, elsewhere], services: [serviceOf('api', {}, 'bank')], slices: [slice] };
const from: Expectation['from'] = { pods: { matchLabels: { app: 'web' } } };
const place = { namespace: 'postern', operator: { nodeSelector: { pool: 'infra' } } };

type Parts = Partial<Expectation>;
const deny = (to: Expectation['to'], parts: Parts = {}): Expectation =>
  expectationOf({ name: 'deny', from, to, expect: 'Deny', ...parts });
const planOf = (...expectations: readonly Expectation[]): Plan =>
  planFor(testOf(expectations), viewOf(cluster), { place });
const dialledByPostern = ({ assignments }: Plan): readonly string[] =>
  assignments
    .filter(({ identity }) => isOutsideIdentity(identity))
    .flatMap(({ checks }) => checks.map(({ address, host, port }) => `${address ?? host}:${port}`));

const outside: Expectation['to'] = { ip: '203.0.113.7', port: 443 };

describe('what Postern dials itself', () => {
  it.each<[string, readonly Expectation[], readonly string[]]>([
    ['an address outside the cluster', [deny(outside)], ['203.0.113.7:443']],
    ['a name outside the cluster', [deny({ host: 'db.example', port: 5432 })], ['db.example:5432']],
    [
      'a name server outside the cluster',
      [deny({ ip: '203.0.113.7', dns: { name: 'a.example' } })],
      ['203.0.113.7:53'],
    ],
    ['once, whoever asks', [deny(outside), deny(outside, { name: 'again' })], ['203.0.113.7:443']],
    [
      'each port of its own',
      [deny(outside), deny({ ...outside, port: 80 }, { name: 'other' })],
      ['203.0.113.7:443', '203.0.113.7:80'],
    ],
    ['not for an Allow', [expectationOf({ from, to: outside })], []],
    ['not where an Allow goes there', [deny(outside), expectationOf({ from, to: outside })], []],
    [
      'where an Allow goes there, if the test says so',
      [deny(outside, { control: { mode: 'FromPostern' } }), expectationOf({ from, to: outside })],
      ['203.0.113.7:443'],
    ],
    [
      'not where the test names its control',
      [deny(outside, { control: { mode: 'Observed', from: { pods: {} } } })],
      [],
    ],
    ['not where nothing is to be shown', [deny(outside, { control: { mode: 'UnreachableIsEnough' } })], []],
    ['not where a declared port is enough', [deny(outside, { control: { mode: 'Declared' } })], []],
    ['not a pod', [deny({ ip: '10.0.0.9', port: 5432 })], []],
    ['not a pod in IPv6 clothes', [deny({ ip: '::ffff:10.0.0.9', port: 5432 })], []],
    [
      'not a pod, though the test says so',
      [deny({ ip: '10.0.0.9', port: 1 }, { control: { mode: 'FromPostern' } })],
      [],
    ],
    ['not a Service', [deny({ ip: '10.96.0.1', port: 80 })], []],
    ['not the API server', [deny({ ip: '172.18.0.2', port: 6443 })], []],
    ['not a Service by name', [deny({ host: 'api.bank.svc', port: 80 })], []],
    ['not a Service by its full name', [deny({ host: 'api.bank.svc.cluster.local.', port: 80 })], []],
    ['not a name that only search domains complete', [deny({ host: 'api', port: 80 })], []],
    ['not the workload of the test', [deny({ pods: { matchLabels: { app: 'api' } }, port: 8080 })], []],
    ["not the source's own resolver", [deny({ dns: { name: 'a.example' } })], []],
    ['not a metadata service', [deny({ ip: '169.254.169.254', port: 80 })], []],
    ['not a metadata service beyond the link', [deny({ ip: 'fd00:ec2::254', port: 80 })], []],
    [
      'a metadata service, if the test says so',
      [deny({ ip: '169.254.169.254', port: 80 }, { control: { mode: 'FromPostern' } })],
      ['169.254.169.254:80'],
    ],
  ])('%s', (_, expectations, dialled) => {
    expect(dialledByPostern(planOf(...expectations))).toEqual(dialled);
  });

  it('is bounded in one run', () => {
    const many = Array.from({ length: maxOutsideControls + 3 }, (_, index) =>
      deny({ ip: `203.0.113.${index + 1}`, port: 443 }, { name: `deny-${index}` }),
    );

    expect(dialledByPostern(planOf(...many))).toHaveLength(maxOutsideControls);
  });

  it('is dialled from its own namespace, where its own pods may stand, as a control of each Deny', () => {
    const plan = planOf(
      deny(outside),
      deny(outside, { name: 'again', from: { pods: { matchLabels: { app: 'api' } } } }),
    );

    const [own] = plan.assignments.filter(({ identity }) => isOutsideIdentity(identity));
    expect(own?.identity).toMatchObject({
      namespace: 'postern',
      labels: { 'postern.dev/control': 'outside' },
      pod: { nodeSelector: { pool: 'infra' } },
    });
    expect(own?.checks).toMatchObject([{ mode: 'converge' }]);
    expect(plan.lines.map(({ controls }) => controls)).toEqual([own?.checks, own?.checks]);
  });

  it('takes a probe pod of those that a test may have', () => {
    const planWith = (maxPods: number): Plan => planFor(testOf([deny(outside)]), viewOf(cluster), { place, maxPods });

    expect(planWith(2).assignments).toHaveLength(2);
    expect(planWith(1).lines).toMatchObject([{ checks: [], controls: [], refusals: [{ reason: 'LimitExceeded' }] }]);
  });

  it('is no use of a namespace by the test, which needs no consent for it', () => {
    const plan = planOf(deny(outside));

    expect(plan.namespaces).toEqual(['shop']);
    expect(plan.scopes.map(({ namespace }) => namespace)).not.toContain('postern');
    expect(plan.lines).toMatchObject([{ refusals: [] }]);
  });

  it('is nothing without a place of its own', () => {
    expect(dialledByPostern(planFor(testOf([deny(outside)]), viewOf(cluster)))).toEqual([]);
  });
});
