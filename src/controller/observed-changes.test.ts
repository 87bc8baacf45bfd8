import { beforeEach, describe, expect, it } from 'vitest';
import type { EndpointSlice, KubeObject, Namespace, Pod } from '../api/index.ts';
import type { Change } from '../kube/index.ts';
import { planFor } from '../plan/index.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { expectationOf, podOf, policyOf, serviceOf, sliceOf, testOf, viewOf } from '../testing/cluster-view.ts';
import {
  namespaceStanding,
  ObservedChanges,
  podStanding,
  policyStanding,
  serviceStanding,
  sliceStanding,
  subjectsOf,
} from './observed-changes.ts';

const db = podOf('db-0', { labels: { app: 'db' } });
const pods = [podOf('web', { labels: { app: 'web' } }), db];
const service = serviceOf('db');
const slice = sliceOf('db', pods.slice(1));
const policy = policyOf('lock', { matchLabels: { app: 'db' } });
const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels: { team: 'shop' } } };

const expectation = expectationOf({
  from: { pods: { matchLabels: { app: 'web' } } },
  to: { service: { name: 'db' }, port: 80 },
  expect: 'Deny',
});
const test = testOf([expectation]);
const plan = planFor(test, viewOf({ pods, services: [service], slices: [slice] }));

let clock: FakeClock;
let changes: ObservedChanges;
let arrival: number;

beforeEach(async () => {
  clock = new FakeClock();
  changes = new ObservedChanges(clock);
  changes.begin();
  await clock.advance(7000);
  arrival = clock.monotonic();
});

/** When the last change was that the plan's only check depends on. */
function latest(): number | undefined {
  const check = plan.lines[0]?.checks[0];
  if (check === undefined) throw new Error('The plan has no check');
  return changes.latest(subjectsOf(plan, check, expectation, 'shop'));
}

function modified<T extends KubeObject>(previous: T, object: T): Change<T> {
  return { type: 'Modified', object, previous };
}

describe('a check', () => {
  it.each<[string, () => void]>([
    ['a new policy', () => changes.note({ type: 'Added', object: policy }, policyStanding)],
    ['the end of a policy', () => changes.note({ type: 'Deleted', object: policy, previous: policy }, policyStanding)],
    ['another spec of a policy', () => changes.note(modified(policy, policyOf('lock', {})), policyStanding)],
    [
      'a policy of the whole cluster',
      () => changes.note({ type: 'Added', object: { ...policy, metadata: { name: 'all' } } }, policyStanding),
    ],
    [
      'another label of the namespace',
      () =>
        changes.note(modified<Namespace>(namespace, { ...namespace, metadata: { name: 'shop' } }), namespaceStanding),
    ],
    ['a new target', () => changes.note({ type: 'Added', object: db }, podStanding)],
    ['another address of a target', () => changes.note(modified(podOf('db-0', { ip: undefined }), db), podStanding)],
    ['another label of a target', () => changes.note(modified(podOf('db-0', { labels: {} }), db), podStanding)],
    [
      'another Service',
      () => changes.note(modified(service, serviceOf('db', { ports: [{ port: 81 }] })), serviceStanding),
    ],
    [
      'another endpoint of the Service',
      () => changes.note(modified<EndpointSlice>(slice, sliceOf('db', pods)), sliceStanding),
    ],
  ])('is concerned by %s', (_, happen) => {
    happen();

    expect(latest()).toBe(arrival);
  });

  it.each<[string, () => void]>([
    [
      'a probe pod that a Service selects as it selects its source',
      () =>
        changes.note(
          modified<EndpointSlice>(slice, sliceOf('db', [db, podOf('postern-probe-abcdefgh')])),
          sliceStanding,
        ),
    ],
    [
      'metadata of a policy',
      () => changes.note(modified(policy, { ...policy, metadata: { ...policy.metadata, labels: {} } }), policyStanding),
    ],
    [
      'a policy of another namespace',
      () =>
        changes.note({ type: 'Added', object: { ...policy, metadata: { name: 'x', namespace: 'y' } } }, policyStanding),
    ],
    [
      'the readiness of a target',
      () => changes.note(modified<Pod>({ ...db, status: { ...db.status, conditions: [] } }, db), podStanding),
    ],
    ['another pod', () => changes.note({ type: 'Added', object: podOf('other') }, podStanding)],
    ['another Service', () => changes.note({ type: 'Added', object: serviceOf('api') }, serviceStanding)],
  ])('is not concerned by %s', (_, happen) => {
    happen();

    expect(latest()).toBeUndefined();
  });

  it('is concerned by the last of several changes', async () => {
    changes.note({ type: 'Added', object: policy }, policyStanding);
    await clock.advance(300);
    changes.note({ type: 'Added', object: db }, podStanding);

    expect(latest()).toBe(arrival + 300);
  });
});

describe('the memory of changes', () => {
  it('does not take the first sight of the cluster for changes', () => {
    const fresh = new ObservedChanges(clock);
    fresh.note({ type: 'Added', object: policy }, policyStanding);
    fresh.begin();

    expect(fresh.latest(['policies/shop'])).toBeUndefined();
  });

  it('forgets what is long past', async () => {
    changes.note({ type: 'Added', object: db }, podStanding);
    await clock.advance(600_000);
    changes.note({ type: 'Added', object: policy }, policyStanding);

    expect(changes.latest(['pods/uid-db-0'])).toBeUndefined();
    expect(changes.latest(['policies/shop'])).toBe(arrival + 600_000);
  });
});
