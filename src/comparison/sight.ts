import { addressOf } from '../address/index.ts';
import type { ConnectivityTest, Pod } from '../api/index.ts';
import type { PolicyPart, PolicyWorld, Question } from '../policy/index.ts';
import { type PartInWords, policyInWords, resolverLabel, resolverNamespace } from '../prediction/index.ts';
import { addressesOf } from './policies-of-run.ts';

/**
 * What the author of a test may be told of: objects of the test's own namespace, and what holds for the whole cluster. Names and
 * labels of other namespaces are their owners' business, whatever these let a test dial. Tests of the cluster see all.
 */
export interface Sight {
  readonly isOpen: (namespace: string | undefined) => boolean;
  readonly inWords: PartInWords;
  /** The part of the world that is open, with one pod of those that no policy tells apart, and the two ends of a question. */
  around(ends: readonly (Pod | undefined)[]): PolicyWorld;
}

export function sightOf({ metadata }: ConnectivityTest, world: PolicyWorld): Sight {
  const isOpen = (namespace: string | undefined): boolean =>
    metadata.namespace === '' || namespace === undefined || namespace === metadata.namespace;
  let open: PolicyWorld | undefined;
  return {
    isOpen,
    around(ends) {
      open ??= openPart(world, isOpen);
      return { ...open, pods: [...open.pods, ...ends.filter((pod) => pod !== undefined)] };
    },
    inWords: (part) => (isOpen(part.policy.namespace) ? partInWords(part) : 'a policy of another namespace'),
  };
}

/** `NetworkPolicy shop/web (spec.ingress[0])`: the policy, and the rule if it is about one. */
function partInWords({ policy, path }: PolicyPart): string {
  const rule = /^[^[]+\[\d+\]/.exec(path)?.[0];
  return rule === undefined ? policyInWords(policy) : `${policyInWords(policy)} (${rule})`;
}

/** Whether a pod is the cluster's resolver, which is everybody's business wherever it stands. */
export function isResolver({ metadata }: Pod): boolean {
  const { key, value } = resolverLabel;
  return metadata.namespace === resolverNamespace && metadata.labels?.[key] === value;
}

function openPart(world: PolicyWorld, isOpen: Sight['isOpen']): PolicyWorld {
  const pods = world.pods.filter((pod) => isOpen(pod.metadata.namespace) || isResolver(pod));
  const alike = new Map(pods.map((pod) => [JSON.stringify([pod.metadata.namespace, pod.metadata.labels]), pod]));
  return {
    ...world,
    pods: [...alike.values()],
    policies: world.policies.filter(({ metadata }) => isOpen(metadata.namespace)),
    namespaces: world.namespaces.filter(({ metadata }) => isOpen(metadata.name)),
  };
}

/** The pod at the far end of a question, be it asked about by its address. */
export function destinationOf({ destination }: Question, { pods }: PolicyWorld): Pod | undefined {
  if (destination.kind === 'node') return undefined;
  if (destination.kind === 'pod') {
    const { namespace, name } = destination;
    return pods.find(({ metadata }) => metadata.name === name && metadata.namespace === namespace);
  }
  const wanted = addressOf(destination.address)?.value;
  return pods.find(
    (pod) => pod.spec.hostNetwork !== true && addressesOf(pod).some((each) => addressOf(each)?.value === wanted),
  );
}
