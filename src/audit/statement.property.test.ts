import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blockContains, addressOf } from '../address/index.ts';
import type { Pod, Policy } from '../api/index.ts';
import { ownerOf } from '../manifests/index.ts';
import type { Answer, Endpoint, PolicyProtocol, ProfileName } from '../policy/index.ts';
import { policyOf } from '../policy/testing/builders.ts';
import { randomWorld } from '../policy/testing/random-world.ts';
import type { Admission, Peer, Place } from './admission.ts';
import { answerOf, type AuditScene, sceneOf } from './scene.ts';
import { type Statement, statementOf } from './statement.ts';
import type { Unit } from './unit.ts';

interface Cell {
  readonly protocol: PolicyProtocol;
  readonly port: number;
}

const cells = fc.uniqueArray(
  fc.record({
    protocol: fc.constantFrom<PolicyProtocol>('TCP', 'UDP', 'SCTP'),
    port: fc.constantFrom(1, 53, 54, 80, 81, 86, 90, 443, 65_535),
  }),
  { minLength: 1, maxLength: 4, selector: ({ protocol, port }) => `${protocol} ${port}` },
);
const outside = ['203.0.113.7', '203.0.113.1', '198.51.100.1', '10.9.9.9', '2001:db8::7', '2001:dc8::1'];

/** What a statement says of one connection between pods; what it does not mention is denied. Two mentions are a fault. */
function saidOf(statement: Statement, source: Member, destination: Member, cell: Cell): Answer {
  const entries = statement.inbound.filter(({ destinations }) => destinations.includes(destination.unit));
  if (entries.length !== 1) throw new Error(`${entries.length} entries for one destination`);
  return only(
    entries.flatMap(({ admitted }) =>
      admitted.filter(
        ({ peers, place }) =>
          isPlace(place, source, destination) && peers.some((peer) => isPeer(peer, source.unit, destination.unit)),
      ),
    ),
    cell,
  );
}

function only(admissions: readonly Admission[], { protocol, port }: Cell): Answer {
  const found = admissions.filter(({ ports }) =>
    ports.some((range) => range.protocol === protocol && range.first <= port && port <= range.last),
  );
  if (found.length > 1) throw new Error('two answers for one connection');
  return found[0]?.answer ?? 'deny';
}

function isPeer(peer: Peer, source: Unit, destination: Unit): boolean {
  switch (peer.kind) {
    case 'Cluster':
      return true;
    case 'Namespace':
      return source.namespace === peer.namespace;
    case 'Unit':
      return source === peer.unit;
    case 'Self':
      return source === destination;
    case 'Outside':
      return false;
  }
}

function isPlace(place: Place, source: Member, destination: Member): boolean {
  if (place === 'Any') return true;
  const [a, b] = [source.pod.spec.nodeName, destination.pod.spec.nodeName];
  if (a === undefined || b === undefined) return place === 'NodeUnknown';
  return place === (a === b ? 'SameNode' : 'OtherNode');
}

interface Member {
  readonly unit: Unit;
  readonly pod: Pod;
}

function membersOf({ units }: AuditScene): readonly Member[] {
  return units.flatMap((unit) => unit.pods.map((pod) => ({ unit, pod })));
}

function endpointOf({ pod: { metadata } }: Member): Endpoint {
  return { kind: 'pod', namespace: metadata.namespace ?? '', name: metadata.name };
}

/** Every cell of every pair about which the statement and the model's single decisions do not agree. */
function disagreements(scene: AuditScene, asked: readonly Cell[]) {
  const statement = statementOf(scene);
  const members = membersOf(scene);
  return members.flatMap((source) =>
    members
      .filter((destination) => destination !== source)
      .flatMap((destination) =>
        asked.flatMap((cell) => {
          const question = { source: endpointOf(source), destination: endpointOf(destination), ...cell };
          const wanted = answerOf(scene.model.decide(question));
          const said = saidOf(statement, source, destination, cell);
          return wanted === said ? [] : [{ question, wanted, said }];
        }),
      ),
  );
}

function outsideDisagreements(scene: AuditScene, asked: readonly Cell[]) {
  const statement = statementOf(scene);
  return membersOf(scene).flatMap((member) =>
    outside.flatMap((address) =>
      asked.flatMap((cell) => {
        const other: Endpoint = { kind: 'address', address };
        const own = endpointOf(member);
        const inbound = statement.inbound.filter(({ destinations }) => destinations.includes(member.unit));
        const outbound = statement.outbound.filter(({ sources }) => sources.includes(member.unit));
        const said = (admitted: readonly Admission[]) =>
          only(
            admitted.filter(({ peers }) =>
              peers.some((peer) => peer.kind === 'Outside' && peer.addresses.some((range) => isIn(range, address))),
            ),
            cell,
          );
        const pairs = [
          [{ source: other, destination: own, ...cell }, said(inbound.flatMap(({ admitted }) => admitted))],
          [{ source: own, destination: other, ...cell }, said(outbound.flatMap(({ admitted }) => admitted))],
        ] as const;
        return pairs.flatMap(([question, found]) => {
          const wanted = answerOf(scene.model.decide(question));
          return wanted === found ? [] : [{ question, wanted, found }];
        });
      }),
    ),
  );
}

function isIn(range: Parameters<typeof blockContains>[0], text: string): boolean {
  const address = addressOf(text);
  return address !== undefined && blockContains(range, address);
}

/** Pods of a random world as those of a few workloads, so that units have several pods. */
function owned(pods: readonly Pod[], workloads: number, nodeless = pods.length): readonly Pod[] {
  return pods.map((pod, index) => ({
    ...pod,
    spec: index < nodeless ? pod.spec : withoutNode(pod.spec),
    metadata: {
      ...pod.metadata,
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'DaemonSet', name: `w${index % workloads}`, uid: 'w', controller: true },
      ],
    },
  }));
}

/** As in a manifest, which says nothing of nodes. */
function withoutNode(spec: Pod['spec']): Pod['spec'] {
  const { nodeName: _, ...rest } = spec;
  return rest;
}

const others = fc.array(
  fc.record({ app: fc.constantFrom('a', 'b', ''), action: fc.constantFrom('Accept', 'Deny', 'Pass'), kind: fc.nat(2) }),
  { maxLength: 3 },
);

function otherPolicy({ app, action, kind }: { app: string; action: string; kind: number }, index: number): Policy {
  const pods = (value: string) => ({ pods: { namespaceSelector: {}, podSelector: { matchLabels: { app: value } } } });
  if (kind === 0) {
    return policyOf('policy.networking.k8s.io/v1alpha2', 'ClusterNetworkPolicy', `p${index}`, {
      tier: 'Admin',
      priority: index,
      subject: pods(app),
      ingress: [{ action, from: [pods('b')] }],
      egress: [{ action, to: [{ networks: ['10.0.0.0/8'] }] }],
    });
  }
  return kind === 1
    ? policyOf('cilium.io/v2', 'CiliumClusterwideNetworkPolicy', `c${index}`, {
        endpointSelector: { matchLabels: { app } },
        ingress: [{ fromEntities: ['cluster'] }],
        egress: [{ toFQDNs: [{ matchName: 'example.com' }] }, { toCIDR: ['203.0.113.0/24'] }],
      })
    : policyOf('projectcalico.org/v3', 'GlobalNetworkPolicy', `g${index}`, {
        order: index,
        selector: `app == "${app}"`,
        ingress: [{ action: action.replace('Accept', 'Allow'), source: { notNets: ['10.0.0.0/8'] } }],
      });
}

describe('the statement, in random worlds', () => {
  it('says of every pair what single decisions say, and of no other', { timeout: 240_000 }, () => {
    fc.assert(
      fc.property(
        randomWorld,
        cells,
        fc.integer({ min: 1, max: 6 }),
        fc.option(fc.constantFrom<ProfileName>('cilium', 'calico', 'aws'), { nil: undefined }),
        ({ world }, asked, workloads, profile) => {
          const pods = owned(world.pods, workloads);

          const scene = sceneOf({ ...world, pods, assumed: [], profile, ownerOf });

          expect(membersOf(scene)).toHaveLength(pods.length);
          expect(disagreements(scene, asked)).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('says of the outside what single decisions say', { timeout: 240_000 }, () => {
    fc.assert(
      fc.property(
        randomWorld,
        cells,
        fc.option(fc.constantFrom<ProfileName>('cilium', 'calico', 'aws'), { nil: undefined }),
        ({ world }, asked, profile) => {
          const scene = sceneOf({ ...world, assumed: [], profile, ownerOf });

          expect(outsideDisagreements(scene, asked)).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('holds where dialects and unknown labels mix', { timeout: 240_000 }, () => {
    fc.assert(
      fc.property(
        randomWorld,
        others,
        cells,
        fc.integer({ min: 1, max: 4 }),
        fc.nat(6),
        ({ world }, added, asked, workloads, nodeless) => {
          const policies = [...world.policies, ...added.map(otherPolicy)];
          const pods = owned(world.pods, workloads, nodeless);

          const scene = sceneOf({ pods, policies, namespaces: world.namespaces.slice(1), assumed: [], ownerOf });

          expect(disagreements(scene, asked)).toEqual([]);
          expect(outsideDisagreements(scene, asked)).toEqual([]);
        },
      ),
      { numRuns: 200 },
    );
  });
});
