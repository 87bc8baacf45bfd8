import { describe, expect, it } from 'vitest';
import type { Node, NodePath, Toleration } from '../api/index.ts';
import { expectationOf, podOf, testOf, viewOf } from '../testing/cluster-view.ts';
import { planFor } from './plan.ts';

interface NodeParts {
  readonly labels?: Record<string, string>;
  readonly spec?: Node['spec'];
  readonly ready?: string;
}

function nodeOf(name: string, { labels = {}, spec = {}, ready = 'True' }: NodeParts = {}): Node {
  const conditions = [{ type: 'Ready', status: ready }];
  return { apiVersion: 'v1', kind: 'Node', metadata: { name, labels }, spec, status: { conditions } };
}
const db = (name: string, nodeName: string) =>
  podOf(name, { labels: { app: 'db' }, ip: `10.0.0.${name}`, spec: { nodeName } });
const tainted = (effect: string, value = ''): NodeParts => ({ spec: { taints: [{ key: 'pool', value, effect }] } });

/** Node and dialled addresses of each probe pod, and the reasons why there are not more. */
function placesIn(
  paths: NodePath[],
  nodes: readonly Node[],
  source: { nodeSelector?: Record<string, string>; tolerations?: readonly Toleration[] } = {},
  targets = [db('1', 'a'), db('2', 'b')],
): readonly string[] {
  const pods = [podOf('web', { labels: { app: 'web' }, spec: source }), ...targets];
  const to = { pods: { matchLabels: { app: 'db' } }, port: 5432 };
  const expectation = expectationOf({ from: { pods: { matchLabels: { app: 'web' } } }, to, paths });
  const { assignments, lines } = planFor(testOf([expectation]), viewOf({ pods, nodes }));
  return [
    ...assignments.map(({ identity, checks }) => {
      const [, node] = /"values":\["([^"]+)"\]/.exec(JSON.stringify(identity.pod.affinity)) ?? [];
      return `${identity.path} ${node}: ${checks.map(({ address }) => address).join()}`;
    }),
    ...(lines[0]?.findings ?? []).map(({ reason }) => reason),
  ];
}

const both: NodePath[] = ['SameNode', 'OtherNode'];
const [a, b, c] = [nodeOf('a'), nodeOf('b'), nodeOf('c')];

describe('a probe pod', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    [
      'on the node of a target, and on one that has none',
      placesIn(both, [a, b, c]),
      ['SameNode a: 10.0.0.1', 'OtherNode c: 10.0.0.1,10.0.0.2'],
    ],
    ['on a node of another target where each has one', placesIn(['OtherNode'], [a, b]), ['OtherNode a: 10.0.0.2']],
    [
      'where most targets are',
      placesIn(['SameNode'], [a, b], {}, [db('1', 'a'), db('2', 'b'), db('3', 'b')]),
      ['SameNode b: 10.0.0.2,10.0.0.3'],
    ],
    [
      'nowhere beside a target that is everywhere',
      placesIn(both, [a], {}, [db('1', 'a')]),
      ['SameNode a: 10.0.0.1', 'PathUnavailable'],
    ],
    [
      'not on a node that is not ready',
      placesIn(['SameNode'], [nodeOf('a', { ready: 'False' }), b]),
      ['SameNode b: 10.0.0.2'],
    ],
    ['not on a node nobody hears of', placesIn(['SameNode'], [nodeOf('a', { ready: 'Unknown' })]), ['PathUnavailable']],
    [
      'not on a node that is cordoned',
      placesIn(['SameNode'], [nodeOf('a', { spec: { unschedulable: true } }), b]),
      ['SameNode b: 10.0.0.2'],
    ],
    [
      'not on a node that the source does not select',
      placesIn(['SameNode'], [a, nodeOf('b', { labels: { disk: 'ssd' } })], { nodeSelector: { disk: 'ssd' } }),
      ['SameNode b: 10.0.0.2'],
    ],
    [
      'not on a node whose taint the source does not tolerate',
      placesIn(['SameNode'], [nodeOf('a', tainted('NoSchedule')), b]),
      ['SameNode b: 10.0.0.2'],
    ],
    [
      'not on a node whose taint would evict it',
      placesIn(['SameNode'], [nodeOf('a', tainted('NoExecute')), b]),
      ['SameNode b: 10.0.0.2'],
    ],
    [
      'on a node that is only not preferred',
      placesIn(['SameNode'], [nodeOf('a', tainted('PreferNoSchedule')), b]),
      ['SameNode a: 10.0.0.1'],
    ],
  ])('stands %s', (_, places, wanted) => {
    expect(places).toEqual(wanted);
  });

  it.each<[string, Toleration, boolean]>([
    ['its key', { key: 'pool', operator: 'Exists' }, true],
    ['its key and value', { key: 'pool', value: 'db' }, true],
    ['its key and another value', { key: 'pool', operator: 'Equal', value: 'web' }, false],
    ['its key and effect', { key: 'pool', operator: 'Exists', effect: 'NoSchedule' }, true],
    ['its key and another effect', { key: 'pool', operator: 'Exists', effect: 'NoExecute' }, false],
    ['every taint', { operator: 'Exists' }, true],
    ['another key', { key: 'disk', operator: 'Exists' }, false],
    ['a comparison that is not known here', { key: 'pool', operator: 'Gt', value: '1' }, false],
  ])('whose source tolerates %s stands on a tainted node or not', (_, toleration, isThere) => {
    const node = nodeOf('a', tainted('NoSchedule', 'db'));
    expect(placesIn(['SameNode'], [node], { tolerations: [toleration] })).toEqual([
      isThere ? 'SameNode a: 10.0.0.1' : 'PathUnavailable',
    ]);
  });
});
