import type { Policy } from '../api/index.ts';
import { readCiliumRules } from './cilium-rule.ts';
import { type CiliumScope, endpointCondition } from './cilium-selector.ts';
import { networkPolicyStage } from './network-policy.ts';
import type { CompiledPolicy, Condition, Section } from './normal-form.ts';
import type { OpenPoint } from './open-point.ts';
import { referenceOf } from './part.ts';
import { defaultNamespace } from './party.ts';
import type { Direction } from './question.ts';
import { createReader, type Members, openBelow } from './reader.ts';
import { unknownSection } from './unmodelled.ts';

const ruleFields = [
  'endpointSelector',
  'nodeSelector',
  'ingress',
  'ingressDeny',
  'egress',
  'egressDeny',
  'enableDefaultDeny',
  'labels',
  'description',
  'log',
];

/**
 * CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy (cilium.io/v2) in normal form; `spec` and `specs` are rules alike.
 * Sources: the field documentation and Sanitize methods of pkg/policy/api, the selectors' treatment in pkg/k8s/apis/cilium.io,
 * and the policy language's pages. They share NetworkPolicy's stage, where a denial wins over every admission.
 */
export function compileCilium(policy: Policy): CompiledPolicy {
  const isClusterwide = policy.kind === 'CiliumClusterwideNetworkPolicy';
  const namespace = isClusterwide ? undefined : (policy.metadata.namespace ?? defaultNamespace);
  const reference = { ...referenceOf(policy), ...(namespace === undefined ? {} : { namespace }) };
  const reader = createReader(reference, { unknownField: 'NotModelled' });
  const scope: CiliumScope = { reader, namespace };
  const rules = [
    ...(policy.spec === undefined || policy.spec === null ? [] : [{ value: policy.spec, path: 'spec' }]),
    ...reader.list(policy.specs, 'specs').map((value, index) => ({ value, path: `specs[${index}]` })),
  ];
  if (rules.length === 0) reader.reject('spec', 'The policy has neither spec nor specs: write one of them.');
  const compiled = rules.map(({ value, path }) => compileRule(scope, value, path));
  const hostPolicy = compiled.find((rule) => rule.hostPolicy !== undefined)?.hostPolicy;
  return {
    reference,
    sections: reader.isRejected ? [] : compiled.flatMap(({ sections }) => sections),
    findings: reader.findings,
    ...(hostPolicy === undefined ? {} : { hostPolicy }),
  };
}

interface CompiledRule {
  readonly sections: readonly Section[];
  readonly hostPolicy?: OpenPoint;
}

function compileRule(scope: CiliumScope, value: unknown, path: string): CompiledRule {
  const { reader } = scope;
  const rule = reader.object(value, path, ruleFields);
  const { endpointSelector, nodeSelector } = rule;
  if ((endpointSelector === undefined) === (nodeSelector === undefined)) {
    reader.reject(path, `${path} takes exactly one of endpointSelector and nodeSelector.`);
  }
  if (nodeSelector !== undefined) {
    const message = `${path} is a policy for nodes, which the model does not evaluate.`;
    reader.note('NotModelled', `${path}.nodeSelector`, message);
    const part = { policy: reader.policy, path: `${path}.nodeSelector` };
    return { sections: [], hostPolicy: { code: 'FieldNotModelled', truth: 'unknown', message, part } };
  }
  const subject = [endpointCondition(scope, endpointSelector, `${path}.endpointSelector`, 'subject')];
  const sections = (['ingress', 'egress'] as const).flatMap((direction) =>
    section(scope, rule, path, subject, direction),
  );
  const unread = Object.keys(rule)
    .filter((key) => !ruleFields.includes(key))
    .map((key) => openBelow(reader, `${path}.${key}`));
  const [point] = unread.filter((found) => found !== undefined);
  const unknown =
    point === undefined
      ? []
      : (['ingress', 'egress'] as const).map((direction) => unknownSection(reader.policy, direction, subject, point));
  return { sections: [...sections, ...unknown] };
}

function section(
  scope: CiliumScope,
  rule: Members,
  path: string,
  subject: readonly Condition[],
  direction: Direction,
): readonly Section[] {
  const { reader } = scope;
  const { policy } = reader;
  const admitting = readCiliumRules(scope, direction, 'allow', rule[direction], `${path}.${direction}`);
  const denying = readCiliumRules(scope, direction, 'deny', rule[`${direction}Deny`], `${path}.${direction}Deny`);
  const isolates = defaultDeny(scope, rule, path, direction) ?? (admitting.count > 0 || denying.count > 0);
  if (admitting.count + denying.count === 0 && !isolates) return [];
  const requires = admitting.unknown ?? denying.unknown;
  const compiled: Section = {
    policy,
    direction,
    path: `${path}.${direction}`,
    stage: networkPolicyStage,
    order: 0,
    subject,
    subjectPath: `${path}.endpointSelector`,
    isolates,
    rules: [...denying.rules, ...admitting.rules],
    caveats: [],
  };
  return requires === undefined ? [compiled] : [compiled, unknownSection(policy, direction, subject, requires)];
}

/** `enableDefaultDeny`: absent, a direction is denied by default where the rule has rules for it. */
function defaultDeny({ reader }: CiliumScope, rule: Members, path: string, direction: Direction): boolean | undefined {
  const member = `${path}.enableDefaultDeny`;
  const written = reader.object(rule['enableDefaultDeny'], member, ['ingress', 'egress'])[direction];
  if (written === undefined || typeof written === 'boolean') return written;
  reader.reject(`${member}.${direction}`, `${member}.${direction} has to be true or false.`);
  return undefined;
}
