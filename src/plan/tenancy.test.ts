import { describe, expect, it } from 'vitest';
import type { ConnectivityGrant, Expectation, Source } from '../api/index.ts';
import {
  type Cluster,
  clusterTestOf,
  expectationOf,
  grantOf,
  namespaceOf,
  podOf,
  podOfDeployment,
  testOf,
  viewOf,
  workloadOf,
} from '../testing/cluster-view.ts';
import { isRevoked, type Plan, planFor } from './plan.ts';

const bank = { namespace: 'bank' };
const workload = { ...workloadOf('Deployment', 'web') };
const cluster: Cluster = {
  namespaces: [namespaceOf('shop'), namespaceOf('bank', { team: 'bank' }), namespaceOf('zoo', { team: 'bank' })],
  workloads: [
    { ...workload, metadata: { ...workload.metadata, ...bank } },
    { ...workloadOf('Deployment', 'idle'), metadata: { name: 'idle', ...bank, uid: 'uid-idle' } },
  ],
  pods: [
    podOf('web-0', { labels: { app: 'web' }, ip: '10.0.0.1' }),
    podOfDeployment('web', 'x', { ...bank, ip: '10.0.1.1' }),
    podOf('vault-0', { ...bank, labels: { app: 'vault' }, ip: '10.0.1.2' }),
    podOf('lion-0', { namespace: 'zoo', labels: { app: 'lion' }, ip: '10.0.2.1' }),
  ],
};
const fleet = podOf('fleet-0', { ...bank, owner: { kind: 'ReplicaSet', name: 'fleet' }, ip: '10.0.1.3' });
const byLabel = (app: string) => ({ pods: { matchLabels: { app } } });
const deployment = (name: string) => ({ workload: { kind: 'Deployment', name } }) as const;
const replicaSet = (name: string) => ({ workload: { kind: 'ReplicaSet', name } }) as const;
const onlyWeb = grantOf('bank', { to: [byLabel('web')] });

function planWith(grants: readonly ConnectivityGrant[], parts: Partial<Expectation>, test = testOf): Plan {
  return planFor(test([expectationOf({ to: { ip: '10.9.9.9', port: 1 }, ...parts })]), viewOf({ ...cluster, grants }));
}
const wearing = ({ assignments }: Plan) =>
  assignments.map(({ identity }) => `${identity.namespace}/${identity.labels['app']}`).toSorted();
const reasonsOf = ({ lines }: Plan) => lines.flatMap(({ findings }) => findings.map(({ reason }) => reason));

describe('a source in another namespace', () => {
  it.each<[string, Source, readonly ConnectivityGrant[], readonly string[]]>([
    ['is worn by grant', { ...byLabel('vault'), ...bank }, [grantOf('bank')], ['bank/vault']],
    ['is worn as far as it is granted', { pods: {}, ...bank }, [onlyWeb], ['bank/web']],
    ['is worn where its pods are granted', { ...deployment('web'), ...bank }, [onlyWeb], ['bank/web']],
    [
      'is worn where its workload is granted',
      { pods: {}, ...bank },
      [grantOf('bank', { to: [deployment('web')] })],
      ['bank/web'],
    ],
    [
      'is worn by its template if granted by name',
      { ...deployment('idle'), ...bank },
      [grantOf('bank', { to: [deployment('idle')] })],
      ['bank/idle'],
    ],
    [
      'is worn by its template if granted by label',
      { ...deployment('idle'), ...bank },
      [grantOf('bank', { to: [byLabel('idle')] })],
      ['bank/idle'],
    ],
    [
      'is one of several by selector',
      { pods: {}, namespaces: {} },
      [grantOf('bank'), grantOf('zoo')],
      ['bank/vault', 'bank/web', 'shop/web', 'zoo/lion'],
    ],
    [
      'is a workload by selector, where it exists',
      { ...deployment('web'), namespaces: {} },
      [grantOf('bank'), grantOf('zoo')],
      ['bank/web'],
    ],
  ])('%s', (_, from, grants, worn) => {
    expect(wearing(planWith(grants, { from }))).toEqual(worn);
  });

  it.each<[string, Source]>([
    ['a workload that is not granted', { ...deployment('idle'), ...bank }],
    ['a workload that does not exist', { ...deployment('nothing'), ...bank }],
    ['pods that are not granted', { ...byLabel('vault'), ...bank }],
    ['pods that do not exist', { ...byLabel('nothing'), ...bank }],
  ])('is refused for the same reason beyond the grant: %s', (_, from) => {
    const { lines, assignments } = planWith([onlyWeb], { from });

    expect(assignments).toEqual([]);
    expect(lines[0]).toMatchObject({ findings: [{ reason: 'NotGranted' }], refusals: [{ reason: 'NotGranted' }] });
    expect(lines[0]?.findings[0]?.message).toMatch(/^There is no .* in namespace bank, or nothing there grants it/);
  });

  it('is told to be absent where everything is granted', () => {
    expect(reasonsOf(planWith([grantOf('bank')], { from: { ...deployment('nothing'), ...bank } }))).toEqual([
      'SourceNotFound',
    ]);
  });

  it('is told to be only a part of what was asked for', () => {
    expect(planWith([onlyWeb], { from: { pods: {}, ...bank } }).lines[0]?.notes).toEqual([
      'Only pods that a ConnectivityGrant names were used.',
    ]);
  });

  it('needs no grant from a test of the whole cluster, which has no namespace of its own', () => {
    const plan = planWith([], { from: { pods: {}, namespaces: { matchLabels: { team: 'bank' } } } }, clusterTestOf);

    expect(wearing(plan)).toEqual(['bank/vault', 'bank/web', 'zoo/lion']);
    expect(plan.namespaces).toEqual(['bank', 'zoo']);
  });
});

describe('a ReplicaSet in another namespace', () => {
  const view = (...grants: readonly ConnectivityGrant[]) => viewOf({ ...cluster, pods: [fleet], grants });
  const planOf = (from: Source, ...grants: readonly ConnectivityGrant[]): Plan =>
    planFor(testOf([expectationOf({ from, to: { ip: '10.9.9.9', port: 1 } })]), view(...grants));

  it('is worn where it is granted by its kind and name', () => {
    const plan = planOf({ ...replicaSet('fleet'), ...bank }, grantOf('bank', { to: [replicaSet('fleet')] }));

    expect(plan.assignments.map(({ identity }) => identity.namespace)).toEqual(['bank']);
  });

  it('is told to have no pods, since it cannot be told from none', () => {
    expect(planOf({ ...replicaSet('idle'), ...bank }, grantOf('bank')).lines[0]?.findings).toEqual([
      {
        reason: 'SourceNotFound',
        message:
          'There is no ReplicaSet idle with pods in namespace bank. Correct the name under from.workload or create it.',
      },
    ]);
  });

  it('is recognised as its own target', () => {
    const itself = { ...replicaSet('fleet'), ...bank };
    const expectation = expectationOf({ from: itself, to: { ...itself, port: 8080 } });

    expect(reasonsOf(planFor(testOf([expectation]), view(grantOf('bank'))))).toEqual(['PathUndefined']);
  });
});

describe('a target in another namespace', () => {
  const to = { ...byLabel('vault'), ...bank, port: 8080 };
  const from = { pods: {} };

  it.each<[string, readonly ConnectivityGrant[], readonly (string | undefined)[], readonly string[]]>([
    ['is dialled by grant', [grantOf('bank', { as: ['Target'] })], ['10.0.1.2'], []],
    ['is refused without', [], [], ['NotGranted']],
    ['is refused to a source', [grantOf('bank', { as: ['Source'] })], [], ['NotGranted']],
    ['is refused beyond the grant', [onlyWeb], [], ['NotGranted']],
  ])('%s', (_, grants, dialled, found) => {
    const plan = planWith(grants, { from, to });

    expect(plan.lines[0]?.checks.map(({ address }) => address)).toEqual(dialled);
    expect(reasonsOf(plan)).toEqual(found);
  });
});

describe('a control in another namespace', () => {
  const denied = { from: { pods: {} }, control: { from: { ...byLabel('vault'), ...bank } }, expect: 'Deny' } as const;

  it('runs by grant', () => {
    const { lines } = planWith([grantOf('bank')], denied);

    expect(lines[0]?.controls.map(({ identity }) => identity.namespace)).toEqual(['bank']);
    expect(lines[0]?.refusals).toEqual([]);
  });

  it('is refused without, while the rest goes on', () => {
    const plan = planWith([], denied);

    expect(wearing(plan)).toEqual(['shop/web']);
    expect(plan.lines[0]).toMatchObject({ controls: [], refusals: [{ reason: 'NotGranted' }] });
  });
});

describe('isRevoked', () => {
  const from = { ...byLabel('web'), ...bank };
  const granted = planWith([grantOf('bank')], { from });

  it.each<[string, readonly ConnectivityGrant[], boolean]>([
    ['not while the grant stands', [grantOf('bank')], false],
    ['when it is gone', [], true],
    ['when it is one as a target only', [grantOf('bank', { as: ['Target'] })], true],
    ['when it is limited', [onlyWeb], true],
    ['when another one takes its place', [grantOf('bank', {}, 'other')], true],
    ['not when another one comes after it', [grantOf('bank'), grantOf('bank', {}, 'other')], false],
  ])('%s', (_, grants, revoked) => {
    expect(isRevoked(granted, planWith(grants, { from }))).toBe(revoked);
  });
});
