import * as fc from 'fast-check';
import type { PolicyProtocol, PolicyWorld } from '../question.ts';
import type { BruteParty, BrutePod, BruteRule, BruteSelector, BruteWorld } from './brute-force.ts';
import { namespaceOf, networkPolicy, podOf } from './builders.ts';

/** One random world in the forms of both evaluators. */
export interface RandomWorld {
  readonly world: PolicyWorld;
  readonly brute: BruteWorld;
  readonly parties: readonly BruteParty[];
  readonly ports: readonly { readonly protocol: PolicyProtocol; readonly port: number }[];
}

const namespaces = ['one', 'two', 'three'];
const nodes = ['node-a', 'node-b'];
const nodeAddresses: Readonly<Record<string, readonly string[]>> = {
  'node-a': ['10.0.9.1'],
  'node-b': ['10.0.9.2', 'fd00:9::2'],
};
const addresses = [
  '10.0.0.1',
  '10.0.0.2',
  '10.0.1.1',
  '10.1.0.1',
  'fd00::1',
  'fd00:1::1',
  '203.0.113.7',
  '2001:db8::7',
];

// Keys and values are few, so that selectors match often; one key is a property of every object.
const key = fc.constantFrom('app', 'tier', 'constructor', 'kubernetes.io/metadata.name');
const value = fc.constantFrom('a', 'b', '', 'one');
const labels = fc.dictionary(fc.constantFrom('app', 'tier', 'constructor'), value, { maxKeys: 3 });
const protocol = fc.constantFrom<PolicyProtocol>('TCP', 'UDP', 'SCTP');
const portNumber = fc.constantFrom(53, 80, 81, 90, 443);
const portName = fc.constantFrom('http', 'dns', 'other');

const expression = fc.oneof(
  fc.record({ key, operator: fc.constantFrom('In', 'NotIn'), values: fc.array(value, { minLength: 1, maxLength: 2 }) }),
  fc.record({ key, operator: fc.constantFrom('Exists', 'DoesNotExist') }),
);
const selector: fc.Arbitrary<BruteSelector> = fc.oneof(
  { weight: 2, arbitrary: fc.constant({}) },
  { weight: 3, arbitrary: fc.record({ matchLabels: fc.dictionary(key, value, { maxKeys: 1 }) }) },
  {
    weight: 3,
    arbitrary: fc.record(
      {
        matchLabels: fc.dictionary(key, value, { maxKeys: 1 }),
        matchExpressions: fc.array(expression, { maxLength: 2 }),
      },
      { requiredKeys: ['matchExpressions'] },
    ),
  },
);

const block = fc.constantFrom(
  { cidr: '0.0.0.0/0' },
  { cidr: '0.0.0.0/0', except: ['10.0.0.0/8'] },
  { cidr: '::/0' },
  { cidr: '::/0', except: ['fd00::/16', '2001:db8::/32'] },
  { cidr: '10.0.0.0/8' },
  { cidr: '10.0.0.9/24', except: ['10.0.0.1/32'] },
  { cidr: '10.0.9.2/32' },
  { cidr: '203.0.113.0/24', except: ['203.0.113.0/29'] },
  { cidr: '203.0.113.7/32' },
  { cidr: 'fd00::/64', except: [] },
);
const peer = fc.oneof(
  { weight: 2, arbitrary: fc.record({ podSelector: selector }) },
  { weight: 2, arbitrary: fc.record({ namespaceSelector: selector }) },
  { weight: 2, arbitrary: fc.record({ podSelector: selector, namespaceSelector: selector }) },
  { weight: 1, arbitrary: fc.record({ ipBlock: block }) },
);
const port = fc.oneof(
  fc.record({ protocol }),
  fc.record({ protocol, port: portNumber }, { requiredKeys: ['port'] }),
  fc.record({ protocol, port: portName }, { requiredKeys: ['port'] }),
  fc.record(
    { protocol, port: fc.constantFrom(53, 80), endPort: fc.constantFrom(80, 85, 443) },
    { requiredKeys: ['port', 'endPort'] },
  ),
);
const listOf = <T>(entry: fc.Arbitrary<T>) => fc.option(fc.array(entry, { maxLength: 2 }), { nil: null, freq: 6 });
const ruleOf = (side: 'from' | 'to'): fc.Arbitrary<BruteRule> =>
  fc.record({ [side]: listOf(peer), ports: listOf(port) }, { requiredKeys: [] });

const spec = fc.record(
  {
    podSelector: fc.option(selector, { nil: null, freq: 8 }),
    policyTypes: fc.constantFrom(null, [], ['Ingress'], ['Egress'], ['Ingress', 'Egress'], ['Egress', 'Ingress']),
    ingress: listOf(ruleOf('from')),
    egress: listOf(ruleOf('to')),
  },
  { requiredKeys: [] },
);
const policy = fc.record({ namespace: fc.constantFrom(...namespaces), spec });

const containerPort = fc.record(
  { name: portName, containerPort: portNumber, protocol },
  { requiredKeys: ['containerPort'] },
);
const pod = fc.record({
  namespace: fc.constantFrom(...namespaces),
  labels,
  addresses: fc.uniqueArray(fc.constantFrom(0, 1, 2, 3, 4, 5), { maxLength: 2 }),
  node: fc.constantFrom(...nodes),
  hostNetwork: fc.boolean().chain((host) => (host ? fc.boolean() : fc.constant(false))),
  ports: fc.array(containerPort, { maxLength: 3 }),
});

/** A world of three namespaces, a few pods and policies, two nodes and two addresses outside. */
export const randomWorld: fc.Arbitrary<RandomWorld> = fc
  .record({
    namespaceLabels: fc.array(labels, { minLength: 3, maxLength: 3 }),
    pods: fc.array(pod, { minLength: 2, maxLength: 6 }),
    policies: fc.array(policy, { maxLength: 5 }),
    ports: fc.array(fc.record({ protocol, port: portNumber }), { minLength: 2, maxLength: 3 }),
  })
  .map(({ namespaceLabels, pods, policies, ports }) => {
    const named = pods.map((parts, index): BrutePod => ({
      ...parts,
      name: `pod-${index}`,
      addresses: ownAddresses(parts, index),
    }));
    return {
      world: {
        namespaces: namespaces.map((name, index) => namespaceOf(name, namespaceLabels[index])),
        pods: named.map(({ namespace, name, labels, addresses, node, hostNetwork, ports }) =>
          podOf(`${namespace}/${name}`, labels, { ips: addresses, node, hostNetwork, ports }),
        ),
        nodes: nodes.map((name) => ({ name, addresses: nodeAddresses[name] ?? [] })),
        policies: policies.map(({ namespace, spec }, index) => networkPolicy(`${namespace}/policy-${index}`, spec)),
      },
      brute: {
        namespaces: Object.fromEntries(namespaces.map((name, index) => [name, namespaceLabels[index] ?? {}])),
        policies,
      },
      parties: [
        ...named.map((pod): BruteParty => ({ kind: 'pod', pod })),
        ...nodes.map((name): BruteParty => ({ kind: 'node', name, addresses: nodeAddresses[name] ?? [] })),
        ...addresses.slice(6).map((address): BruteParty => ({ kind: 'address', address })),
      ],
      ports,
    };
  });

/** Addresses of the pod's own: the second pod with an address of the list has its neighbour's with another last digit. */
function ownAddresses(
  {
    addresses: wanted,
    hostNetwork,
    node,
  }: Pick<BrutePod, 'hostNetwork' | 'node'> & { readonly addresses: readonly number[] },
  index: number,
): readonly string[] {
  if (hostNetwork) return nodeAddresses[node] ?? [];
  return wanted.map((place) => (addresses[place] ?? '').replace(/1$/, String(index + 1)));
}
