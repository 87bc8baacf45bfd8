import * as fc from 'fast-check';

import type { Policy } from '../../src/api/index.ts';
import { namespaceNames, ports } from './stage.ts';

/** The label that tells policies of one world from those of another. */
export const worldLabel = 'postern.dev/world';

// Few keys and values, so that selectors match often; of each some pods have none.
const podTerm = fc.constantFrom(
  { key: 'app', values: ['x', 'y', 'z'] },
  { key: 'tier', values: ['front', 'back', ''] },
  { key: 'special', values: ['', 'some'] },
  { key: 'constructor', values: ['x'] },
);
// Cilium takes this label for noise.
const hiddenTerm = fc.constant({ key: 'pod-template-hash', values: ['one', 'two'] });
const namespaceTerm = fc.constantFrom(
  { key: 'kubernetes.io/metadata.name', values: namespaceNames },
  { key: 'team', values: ['red', 'blue'] },
  { key: 'stage', values: ['live', 'test'] },
  { key: 'special', values: [''] },
  { key: 'constructor', values: ['x'] },
);

interface Term {
  readonly key: string;
  readonly values: readonly string[];
}

const labelOf = ({ key, values }: Term) => fc.constantFrom(...values).map((value) => ({ [key]: value }));
const expressionOf = ({ key, values }: Term) =>
  fc.oneof(
    fc.record({
      key: fc.constant(key),
      operator: fc.constantFrom('In', 'NotIn'),
      values: fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 2 }),
    }),
    fc.record({ key: fc.constant(key), operator: fc.constantFrom('Exists', 'DoesNotExist') }),
  );

function selectorOf(term: fc.Arbitrary<Term>) {
  const matchLabels = term.chain(labelOf);
  const matchExpressions = fc.array(term.chain(expressionOf), { minLength: 1, maxLength: 2 });
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant({}) },
    { weight: 4, arbitrary: fc.record({ matchLabels }) },
    { weight: 4, arbitrary: fc.record({ matchExpressions }) },
    { weight: 1, arbitrary: fc.record({ matchLabels, matchExpressions }) },
  );
}

const podSelector = selectorOf(fc.oneof({ weight: 30, arbitrary: podTerm }, { weight: 1, arbitrary: hiddenTerm }));
const namespaceSelector = selectorOf(namespaceTerm);

const ipBlock = fc.constantFrom(
  { cidr: '0.0.0.0/0' },
  { cidr: '0.0.0.0/0', except: ['10.0.0.0/8'] },
  { cidr: '10.244.0.0/16' },
  { cidr: '10.244.0.0/16', except: ['10.244.1.0/24'] },
  { cidr: '203.0.113.0/24', except: ['203.0.113.7/32'] },
  { cidr: '::/0' },
);

const peer = fc.oneof(
  { weight: 4, arbitrary: fc.record({ podSelector }) },
  { weight: 4, arbitrary: fc.record({ namespaceSelector }) },
  { weight: 4, arbitrary: fc.record({ podSelector, namespaceSelector }) },
  { weight: 1, arbitrary: fc.record({ ipBlock }) },
);

const [first, second] = ports;
const protocol = fc.constantFrom('TCP', 'TCP', 'TCP', 'UDP', 'UDP', 'UDP', 'SCTP');
const port = fc.oneof(
  { weight: 1, arbitrary: fc.record({ protocol }) },
  {
    weight: 4,
    arbitrary: fc.record(
      { protocol, port: fc.constantFrom(first, second, first, second, 9090) },
      { requiredKeys: ['port'] },
    ),
  },
  {
    weight: 3,
    arbitrary: fc.record(
      { protocol, port: fc.constantFrom('web', 'dns', 'admin', 'stats', 'nowhere') },
      { requiredKeys: ['port'] },
    ),
  },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom([first, second], [first, first], [second, 9000], [8000, first], [8000, 9000], [8082, 9000])
      .chain(([port, endPort]) =>
        fc.record(
          { protocol, port: fc.constant(port), endPort: fc.constant(endPort) },
          { requiredKeys: ['port', 'endPort'] },
        ),
      ),
  },
);

const listOf = <T>(entry: fc.Arbitrary<T>) =>
  fc.oneof(
    { weight: 1, arbitrary: fc.constant([]) },
    { weight: 8, arbitrary: fc.array(entry, { minLength: 1, maxLength: 3 }) },
  );
const ruleOf = (side: 'from' | 'to') => fc.record({ [side]: listOf(peer), ports: listOf(port) }, { requiredKeys: [] });

const spec = fc.record(
  {
    podSelector,
    // Rules of a direction that is not listed are part of it, which Cilium does not ignore as the API says.
    policyTypes: fc.constantFrom(undefined, [], ['Ingress', 'Egress'], ['Egress', 'Ingress'], ['Ingress'], ['Egress']),
    ingress: listOf(ruleOf('from')),
    egress: listOf(ruleOf('to')),
  },
  { requiredKeys: ['podSelector'] },
);

/** The policies of one world, without what tells them from another world's. */
export const randomPolicies: fc.Arbitrary<readonly Policy[]> = fc
  .array(fc.record({ namespace: fc.constantFrom(...namespaceNames), spec }), { minLength: 2, maxLength: 7 })
  .map((drafts) =>
    drafts.map(({ namespace, spec }, index) => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: `policy-${index}`, namespace },
      // A member that is undefined is none.
      spec: JSON.parse(JSON.stringify(spec)) as unknown,
    })),
  );

/** As many worlds as asked for; the same seed gives the same ones, in the same order, however many are asked for. */
export function worldsFrom(
  seed: number,
  count: number,
  isWorthwhile: (policies: readonly Policy[]) => boolean,
): readonly (readonly Policy[])[] {
  return fc.sample(randomPolicies.filter(isWorthwhile), { seed, numRuns: count });
}

/** The policies as they are applied for the world of this number. */
export function labelled(policies: readonly Policy[], world: string): readonly Policy[] {
  return policies.map((policy) => ({
    ...policy,
    metadata: { ...policy.metadata, name: `world-${world}-${policy.metadata.name}`, labels: { [worldLabel]: world } },
  }));
}
