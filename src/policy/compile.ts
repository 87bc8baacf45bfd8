import type { Policy } from '../api/index.ts';
import { compileCalico } from './calico.ts';
import type { CalicoContext } from './calico-tier.ts';
import { compileCilium } from './cilium.ts';
import { compileClusterNetworkPolicy } from './cluster-network-policy.ts';
import { compileNetworkPolicy, inNamespace } from './network-policy.ts';
import type { CompiledPolicy } from './normal-form.ts';
import { groupOf, referenceOf } from './part.ts';
import type { Reading } from './profile.ts';
import { unknownSection, unknownSections } from './unmodelled.ts';

/**
 * A policy of any kind in normal form. One that the API server would refuse has no sections; but where a server has accepted
 * it all the same (it carries a uid), it is in force in a way that cannot be told from here.
 */
export function compile(policy: Policy, reading: Reading, calico: CalicoContext): CompiledPolicy {
  const compiled = compileByKind(policy, reading, calico);
  const isRejected = compiled.findings.some(({ code }) => code === 'Rejected');
  if (!isRejected || policy.metadata.uid === undefined) return compiled;
  const { reference } = compiled;
  return {
    ...compiled,
    sections: unknownSections(reference, subjectsOf(policy, reading), {
      code: 'PolicyNotRead',
      truth: 'unknown',
      message: `${policy.kind} ${policy.metadata.name} is in force, but not in a form that the API documents: see what is reported about it.`,
      part: { policy: reference, path: 'spec' },
    }),
  };
}

function compileByKind(policy: Policy, reading: Reading, calico: CalicoContext): CompiledPolicy {
  // Kinds of different groups share names, so both are looked at.
  // The CRDs behind Calico's API server have the same form in a group of their own.
  switch (`${groupOf(policy.apiVersion).replace(/^crd\.(?=projectcalico)/, '')}/${policy.kind}`) {
    case 'networking.k8s.io/NetworkPolicy':
      return compileNetworkPolicy(policy, reading, calico);
    case 'policy.networking.k8s.io/ClusterNetworkPolicy':
      return compileClusterNetworkPolicy(policy);
    case 'cilium.io/CiliumNetworkPolicy':
    case 'cilium.io/CiliumClusterwideNetworkPolicy':
      return calico.isPresent ? besideCalico(compileCilium(policy)) : compileCilium(policy);
    case 'projectcalico.org/NetworkPolicy':
    case 'projectcalico.org/GlobalNetworkPolicy':
    case 'projectcalico.org/StagedNetworkPolicy':
    case 'projectcalico.org/StagedGlobalNetworkPolicy':
    case 'projectcalico.org/StagedKubernetesNetworkPolicy':
      return compileCalico(policy, calico);
    case 'projectcalico.org/Tier':
      return { reference: referenceOf(policy), sections: [], findings: [] };
    default:
      return notModelled(policy, reading);
  }
}

/** Cilium's and Calico's policies in one cluster: which of them is in force, and in what order, nobody says. */
function besideCalico(compiled: CompiledPolicy): CompiledPolicy {
  const { reference, sections } = compiled;
  const message = `${reference.kind} ${reference.name} stands beside policies of Calico: how the two go together is not defined.`;
  const point = {
    code: 'MixedDialects',
    truth: 'unknown',
    message,
    part: { policy: reference, path: 'kind' },
  } as const;
  return {
    ...compiled,
    sections: sections.map(({ direction, subject }) => unknownSection(reference, direction, subject, point)),
    findings: [...compiled.findings, { code: 'NotModelled', message, part: point.part }],
  };
}

function notModelled(policy: Policy, reading: Reading): CompiledPolicy {
  const reference = referenceOf(policy);
  const part = { policy: reference, path: 'kind' };
  const message = `The model does not evaluate policies of kind ${policy.kind} (${policy.apiVersion}), so answers about pods that ${policy.metadata.name} may select are unknown.`;
  return {
    reference,
    sections: unknownSections(reference, subjectsOf(policy, reading), {
      code: 'FieldNotModelled',
      truth: 'unknown',
      message,
      part,
    }),
    findings: [{ code: 'NotModelled', message, part }],
  };
}

/** The pods that a policy which cannot be read may select: those of its namespace, or all. */
function subjectsOf({ metadata }: Policy, reading: Reading) {
  return metadata.namespace === undefined
    ? []
    : [inNamespace(metadata.namespace, 'metadata.namespace', reading.hostNetworkIsPod)];
}
