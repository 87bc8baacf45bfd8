import type { Policy } from '../api/index.ts';
import { type CalicoScope, readCalicoRule, selectorCondition } from './calico-rule.ts';
import type { CalicoContext } from './calico-tier.ts';
import { inNamespace } from './network-policy.ts';
import type { CompiledPolicy, Condition, Section } from './normal-form.ts';
import type { OpenPoint } from './open-point.ts';
import { referenceOf } from './part.ts';
import { defaultNamespace } from './party.ts';
import type { Direction } from './question.ts';
import { createReader, type Members, openBelow, type Reader } from './reader.ts';
import { unknownSections } from './unmodelled.ts';

const fields = [
  'tier',
  'order',
  'selector',
  'namespaceSelector',
  'serviceAccountSelector',
  'types',
  'ingress',
  'egress',
  'doNotTrack',
  'preDNAT',
  'applyOnForward',
  'performanceHints',
];

/**
 * Calico's NetworkPolicy and GlobalNetworkPolicy in normal form. Sources: the resource reference of docs.tigera.io and the
 * conversion of entity rules in libcalico-go. Staged policies are reported and not evaluated: they are not enforced.
 */
export function compileCalico(policy: Policy, context: CalicoContext): CompiledPolicy {
  const isGlobal = policy.kind.endsWith('GlobalNetworkPolicy');
  const namespace = isGlobal ? undefined : (policy.metadata.namespace ?? defaultNamespace);
  const reference = { ...referenceOf(policy), ...(namespace === undefined ? {} : { namespace }) };
  const reader = createReader(reference, { unknownField: 'NotModelled' });
  if (policy.kind.startsWith('Staged')) {
    reader.note(
      'Ignored',
      'kind',
      `${policy.kind} ${reference.name} is staged: it is not enforced, so it is not evaluated.`,
    );
    return { reference, sections: [], findings: reader.findings };
  }
  const spec = reader.object(policy.spec, 'spec', fields);
  const scope: CalicoScope = { reader, namespace };
  const subject = subjectOf(scope, spec);
  const hostPolicy = forHosts(reader, spec);
  const tierName = reader.text(spec['tier'], 'spec.tier') ?? 'default';
  const tier = context.tiers.get(tierName);
  const unread = unreadPoint(reader, spec, tierName, tier === undefined) ?? hostPolicy;
  const sections = directionsOf(reader, spec).map((direction): Section => {
    const path = `spec.${direction}`;
    return {
      policy: reference,
      direction,
      path,
      stage: tier?.stage ?? { name: `Calico tier ${tierName}`, rank: 0, evaluation: 'ordered', ties: 'byName' },
      order: orderOf(reader, spec['order']),
      subject,
      subjectPath: 'spec.selector',
      isolates: tier?.deniesByDefault ?? false,
      rules: reader
        .list(spec[direction], path)
        .flatMap((rule, index) => readCalicoRule(scope, direction, rule, `${path}[${index}]`)),
      caveats: [],
    };
  });
  const unknown = unread === undefined ? [] : unknownSections(reference, subject, unread);
  return {
    reference,
    sections: reader.isRejected ? [] : [...sections, ...unknown],
    findings: reader.findings,
    ...(hostPolicy === undefined ? {} : { hostPolicy }),
  };
}

function subjectOf(scope: CalicoScope, spec: Members): readonly Condition[] {
  const { namespace } = scope;
  return [
    ...(namespace === undefined ? [] : [inNamespace(namespace, 'metadata.namespace', 'no')]),
    selectorCondition(scope, 'Pod', spec['selector'] ?? 'all()', 'spec.selector', 'no'),
    ...(spec['namespaceSelector'] === undefined
      ? []
      : [selectorCondition(scope, 'Namespace', spec['namespaceSelector'], 'spec.namespaceSelector', 'no')]),
    ...(spec['serviceAccountSelector'] === undefined
      ? []
      : [
          selectorCondition(
            scope,
            'ServiceAccount',
            spec['serviceAccountSelector'],
            'spec.serviceAccountSelector',
            'no',
          ),
        ]),
  ];
}

/** `types`, or its default: Ingress, unless there are egress rules alone. */
function directionsOf(reader: Reader, spec: Members): readonly Direction[] {
  const types = reader.list(spec['types'], 'spec.types');
  if (types.length > 0) {
    const listed = types.map((type, index) => reader.oneOf(type, `spec.types[${index}]`, ['Ingress', 'Egress']));
    return [...new Set(listed.map((type): Direction => (type === 'Egress' ? 'egress' : 'ingress')))];
  }
  const has = (direction: Direction) => reader.list(spec[direction], `spec.${direction}`).length > 0;
  if (!has('egress')) return ['ingress'];
  return has('ingress') ? ['ingress', 'egress'] : ['egress'];
}

/** Lower first; policies without an order come last. */
function orderOf(reader: Reader, order: unknown): number {
  if (order === undefined) return Number.POSITIVE_INFINITY;
  if (typeof order === 'number') return order;
  reader.reject('spec.order', `spec.order has to be a number, not ${JSON.stringify(order)}.`);
  return Number.POSITIVE_INFINITY;
}

function forHosts(reader: Reader, spec: Members): OpenPoint | undefined {
  const member = ['doNotTrack', 'preDNAT', 'applyOnForward'].find((field) => spec[field] === true);
  if (member === undefined) return undefined;
  const message = `spec.${member} is for host endpoints, which the model does not evaluate.`;
  reader.note('NotModelled', `spec.${member}`, message);
  return {
    code: 'FieldNotModelled',
    truth: 'unknown',
    message,
    part: { policy: reader.policy, path: `spec.${member}` },
  };
}

function unreadPoint(reader: Reader, spec: Members, tier: string, isUnknownTier: boolean): OpenPoint | undefined {
  if (isUnknownTier) {
    const message = `The order of tier ${tier} stands in its Tier object, which is not given.`;
    return { code: 'FieldNotModelled', truth: 'unknown', message, part: { policy: reader.policy, path: 'spec.tier' } };
  }
  return Object.keys(spec)
    .filter((key) => !fields.includes(key))
    .map((key) => openBelow(reader, `spec.${key}`))
    .find((found) => found !== undefined);
}
