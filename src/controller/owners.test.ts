import { describe, expect, it } from 'vitest';
import { type Calibration, calibrationName, type ConnectivityTest } from '../api/index.ts';
import type { KubeClient } from '../kube/index.ts';
import { type Plan, planFor } from '../plan/index.ts';
import { clusterTestOf, expectationOf, grantOf, podOf, testOf, viewOf } from '../testing/cluster-view.ts';
import { isOwnable, ownersFor } from './owners.ts';

const postern = 'postern';
/** A source in Postern's own namespace, and a target that Postern itself dials from there. */
const denied = expectationOf({
  from: { pods: { matchLabels: { app: 'dashboard' } }, namespace: postern },
  to: { ip: '203.0.113.7', port: 443 },
  expect: 'Deny',
});
const view = viewOf({
  pods: [podOf('dashboard', { namespace: postern, labels: { app: 'dashboard' } })],
  grants: [grantOf(postern)],
});
const calibration: Calibration = {
  apiVersion: 'postern.dev/v1alpha1',
  kind: 'Calibration',
  metadata: { name: calibrationName, uid: 'uid-calibration', generation: 1 },
};
const test = testOf([denied]);
const atHome: ConnectivityTest = { ...test, metadata: { ...test.metadata, namespace: postern } };
const ofCluster = clusterTestOf([denied]);
const planOf = (of: ConnectivityTest): Plan => planFor(of, view, { place: { namespace: postern } });

/** An API server that gives every object a uid. */
const client: Pick<KubeClient, 'apply'> = {
  apply: (_, object) => Promise.resolve({ ...object, metadata: { ...object.metadata, uid: 'uid-anchor' } }),
};

async function ownersOf(of: ConnectivityTest, known: Calibration | undefined): Promise<readonly string[]> {
  const plan = planOf(of);
  const ownerOf = ownersFor(of, plan, {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- owners only apply
    client: client as KubeClient,
    calibration: known,
    signal: new AbortController().signal,
    onRequest: () => {},
  });
  const owners = plan.assignments.map(async ({ identity }) => {
    const owner = await ownerOf(identity).catch((error: unknown) => ({ kind: String(error) }));
    return `${identity.labels['app'] ?? identity.labels['postern.dev/control']}: ${owner.kind}`;
  });
  return (await Promise.all(owners)).toSorted();
}

describe("probe pods in Postern's own namespace", () => {
  it.each<[string, ConnectivityTest, readonly string[]]>([
    ['by grant and by itself', test, ['dashboard: ConnectivityGrant', 'outside: Calibration']],
    ['for a test of the whole cluster', ofCluster, ['dashboard: ProbeAnchor', 'outside: Calibration']],
    ['for a test that stands there', atHome, ['dashboard: ConnectivityTest', 'outside: ConnectivityTest']],
  ])('are owned by what they are there for: %s', async (_, of, owners) => {
    expect(await ownersOf(of, calibration)).toEqual(owners);
  });

  it('are not those of a grant for want of a calibration', async () => {
    expect(await ownersOf(test, undefined)).toEqual([
      'dashboard: ConnectivityGrant',
      expect.stringMatching(/^outside: .*no Calibration/),
    ]);
  });

  it.each<[string, ConnectivityTest, Calibration | undefined, boolean]>([
    ['with a calibration', test, calibration, true],
    ['not without', test, undefined, false],
    ['not without, for a test of the whole cluster', ofCluster, undefined, false],
    ['for a test that stands there', atHome, undefined, true],
    ['where Postern dials nothing itself', testOf([{ ...denied, expect: 'Allow' }]), undefined, true],
  ])('have an owner: %s', (_, of, known, isOwned) => {
    expect(isOwnable(of, planOf(of), known)).toBe(isOwned);
  });
});
