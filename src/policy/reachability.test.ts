import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { policyModel, type PolicyModel } from './model.ts';
import { referenceOf } from './part.ts';
import type { ProfileName } from './profile.ts';
import type { PolicyProtocol, PolicyWorld } from './question.ts';
import { namespaceOf, networkPolicy, podOf, policyOf } from './testing/builders.ts';
import { randomWorld } from './testing/random-world.ts';

const protocols = ['TCP', 'UDP', 'SCTP'] as const;
const ports = [1, 52, 53, 54, 79, 80, 81, 85, 86, 90, 91, 443, 444, 65_535];

/** Every cell that the two ways of asking a model do not agree on. */
function disagreements(
  model: PolicyModel,
  asked: readonly { readonly protocol: PolicyProtocol; readonly port: number }[],
  reading: 'specification' | 'profile' = 'specification',
) {
  const reachability = model.reachability(reading);
  const endpoint = (position: number) => ({
    kind: 'pod' as const,
    namespace: '',
    name: '',
    ...reachability.pods[position],
  });
  return reachability.pods.flatMap((_, source) =>
    reachability.pods.flatMap((_, destination) =>
      asked.flatMap(({ protocol, port }) => {
        const decision = model.decide({ source: endpoint(source), destination: endpoint(destination), protocol, port });
        const wanted = (reading === 'profile' ? decision.profile : undefined)?.answer ?? decision.answer;
        const found = reachability.answer(source, destination, protocol, port);
        return wanted === found ? [] : [{ source, destination, protocol, port, wanted, found }];
      }),
    ),
  );
}

const someCells = fc.uniqueArray(
  fc.record({ protocol: fc.constantFrom(...protocols), port: fc.constantFrom(...ports) }),
  {
    minLength: 1,
    maxLength: 3,
    selector: ({ protocol, port }) => `${protocol} ${port}`,
  },
);

/** Policies of every other dialect, so that tiers, denials and open points meet. */
const apps = fc.constantFrom('a', 'b', 'one', '');
const mixed = fc.array(
  fc.record({
    kind: fc.constantFrom('admin', 'baseline', 'cilium', 'names'),
    app: apps,
    peer: apps,
    action: fc.constantFrom('Accept', 'Deny', 'Pass'),
    priority: fc.constantFrom(1, 2),
  }),
  { maxLength: 5 },
);

type Mixed = typeof mixed extends fc.Arbitrary<readonly (infer T)[]> ? T : never;

function mixedPolicy({ kind, app, peer, action, priority }: Mixed, index: number) {
  const select = (value: string) => ({ matchLabels: { app: value } });
  const pods = (value: string) => ({
    pods: { namespaceSelector: { matchLabels: { tier: 'a' } }, podSelector: select(value) },
  });
  if (kind === 'cilium' || kind === 'names') {
    const rules =
      kind === 'names'
        ? { toFQDNs: [{ matchName: 'x' }] }
        : { toEndpoints: [select(peer)], toPorts: [{ ports: [{ port: 'http' }] }] };
    return policyOf('cilium.io/v2', 'CiliumClusterwideNetworkPolicy', `c${index}`, {
      endpointSelector: select(app),
      egress: [rules],
      ingressDeny: action === 'Deny' ? [{ fromEndpoints: [select(peer)] }] : [],
      enableDefaultDeny: { ingress: priority === 1 },
    });
  }
  return policyOf('policy.networking.k8s.io/v1alpha2', 'ClusterNetworkPolicy', `p${index}`, {
    tier: kind === 'admin' ? 'Admin' : 'Baseline',
    priority,
    subject: pods(app),
    ingress: [{ action, from: [pods(peer)] }],
    egress: [{ action, to: [{ networks: ['10.0.0.0/24'] }] }],
  });
}

function calicoPolicy({ app, peer, action, priority }: Mixed, index: number) {
  return policyOf('projectcalico.org/v3', 'GlobalNetworkPolicy', `g${index}`, {
    order: priority * 800,
    selector: `app == "${app}"`,
    ingress: [
      {
        action: action.replace('Accept', 'Allow'),
        protocol: 'TCP',
        source: { selector: `app != "${peer}"` },
        destination: { notPorts: ['http'], selector: 'has(tier)' },
      },
    ],
  });
}

describe('reachability, in random worlds', () => {
  it('agrees with single decisions', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(randomWorld, someCells, ({ world }, cells) => {
        expect(disagreements(policyModel(world), cells)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('agrees under profiles', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(
        randomWorld,
        someCells,
        fc.constantFrom<ProfileName>('cilium', 'calico', 'aws'),
        ({ world }, cells, profile) => {
          expect(disagreements(policyModel(world, { profile }), cells, 'profile')).toEqual([]);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('agrees where dialects and unknown labels mix', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(randomWorld, mixed, someCells, fc.boolean(), ({ world }, others, cells, isCalico) => {
        const policies = [...world.policies, ...others.map(isCalico ? calicoPolicy : mixedPolicy)];

        const model = policyModel({ ...world, policies, namespaces: world.namespaces.slice(1) });

        expect(disagreements(model, cells)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('counts what it answers, gives ranges of it, and puts only equals in a class', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(randomWorld, someCells, ({ world }, [cell = { protocol: 'TCP', port: 80 } as const]) => {
        const { protocol, port } = cell;
        const reachability = policyModel(world).reachability();
        const { pods, classes } = reachability;
        const answer = (source: number, destination: number) =>
          reachability.answer(source, destination, protocol, port);
        const counted = { allow: 0, deny: 0, undefined: 0, unknown: 0 };
        for (const source of pods.keys()) {
          for (const destination of pods.keys()) {
            const found = answer(source, destination);
            if (source !== destination) counted[found] += 1;
            const range = reachability
              .connections(source, destination, [protocol])
              .filter(({ first, last }) => first <= port && port <= last);
            expect(range.map((one) => one.answer)).toEqual([found]);
          }
        }

        expect(reachability.counts(protocol, port)).toEqual(counted);
        // Host network pods and pods of their node are the exception that the classes state.
        const onHostOf = (a: number, b: number) =>
          (world.pods[a]?.spec.hostNetwork === true || world.pods[b]?.spec.hostNetwork === true) &&
          world.pods[a]?.spec.nodeName === world.pods[b]?.spec.nodeName;
        for (const [first = 0, ...equals] of classes) {
          for (const [equal, other] of equals.flatMap((equal) => pods.map((_, other) => [equal, other] as const))) {
            if (other === first || other === equal || onHostOf(other, first) || onHostOf(other, equal)) continue;
            expect(answer(equal, other)).toBe(answer(first, other));
            expect(answer(other, equal)).toBe(answer(other, first));
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  it('is the same after changes as if made anew', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(randomWorld, fc.nat(), someCells, ({ world }, pick, cells) => {
        const [removed] = world.policies.slice(pick % Math.max(1, world.policies.length));
        if (removed === undefined) return;
        const reference = referenceOf(removed);
        const model = policyModel(world);
        disagreements(model, cells);

        const without = model.withoutPolicy(reference);
        const again = without.withPolicy(removed);

        expect(disagreements(without, cells)).toEqual([]);
        expect(without.world.policies).toEqual(world.policies.filter((policy) => policy !== removed));
        expect(disagreements(again, cells)).toEqual([]);
        const fresh = policyModel(world).reachability();
        const changed = again.reachability();
        for (const { protocol, port } of cells)
          expect(changed.counts(protocol, port)).toEqual(fresh.counts(protocol, port));
      }),
      { numRuns: 150 },
    );
  });
});

describe('reachability', () => {
  const world: PolicyWorld = {
    namespaces: [namespaceOf('shop')],
    pods: [
      podOf('shop/web', { app: 'web' }),
      podOf('shop/db', { app: 'db' }),
      podOf('shop/db-2', { app: 'db', noise: '1' }),
      podOf('shop/done', { app: 'db' }, { phase: 'Failed' }),
    ],
    policies: [
      networkPolicy('shop/p', {
        podSelector: { matchLabels: { app: 'db' } },
        ingress: [
          {
            from: [{ podSelector: { matchLabels: { app: 'web' } } }],
            ports: [{ port: 'http' }, { port: 90, endPort: 99 }],
          },
        ],
      }),
    ],
  };

  it('gives every port in ranges', () => {
    const reachability = policyModel(world).reachability();

    expect(reachability.connections(0, 1, ['TCP']).map(({ first, last, answer }) => [first, last, answer])).toEqual([
      [1, 89, 'deny'],
      [90, 99, 'allow'],
      [100, 8079, 'deny'],
      [8080, 8080, 'allow'],
      [8081, 65_535, 'deny'],
    ]);
  });

  it('puts pods that no policy tells apart in one class, and leaves finished ones out', () => {
    const { classes, pods } = policyModel(world).reachability();

    expect(pods.map(({ name }) => name)).toEqual(['web', 'db', 'db-2']);
    expect(classes).toEqual([[0], [1, 2]]);
  });

  it('shows a profile’s reachability', () => {
    const policy = networkPolicy('shop/p', {
      podSelector: {},
      policyTypes: ['Egress'],
      egress: [{ to: [{ ipBlock: { cidr: '10.0.0.0/8' } }] }],
    });
    const pods = [podOf('shop/a', {}, { ip: '10.0.0.1' }), podOf('shop/b', {}, { ip: '10.0.0.2' })];

    const model = policyModel({ ...world, pods, policies: [policy] }, { profile: 'calico' });

    expect(model.reachability().answer(0, 1, 'TCP', 80)).toBe('undefined');
    expect(model.reachability('profile').answer(0, 1, 'TCP', 80)).toBe('allow');
  });
});
