import type { ConnectivityTest, ExplanationStatus } from '../api/index.ts';
import { explain, type Finding, type Subject } from '../explanation/index.ts';
import { type Check, describeSource, type Line, portOf, serviceNamedBy } from '../plan/index.ts';
import { type DirectionDecision, keyOf, type PolicyPart } from '../policy/index.ts';
import {
  type AskedConnection,
  decidingPartsOf,
  openPointsOf,
  policyInWords,
  standInOf,
  whyWords,
} from '../prediction/index.ts';
import { plainText } from '../text/index.ts';
import type { JudgedCheck } from '../verdict/index.ts';
import { type Comparison, isDisagreement } from './compare.ts';
import { sourceOf, workloadOf } from './live-workload.ts';
import type { Opinion } from './opinion.ts';
import type { PoliciesOfRun } from './policies-of-run.ts';
import { type Said, explanationSentence } from './sentence.ts';
import { destinationOf, isResolver, type Sight } from './sight.ts';

/** Room that the resource has for each (src/api/explanation-status.ts), which counts characters where this counts bytes. */
const maxMessageBytes = 512;
const maxPolicyBytes = 384;

/** One judged check, and what the model says of it. */
export interface Explained {
  readonly test: ConnectivityTest;
  readonly line: Line;
  readonly check: Check;
  readonly judged: JudgedCheck;
  readonly opinion: Opinion;
  readonly comparison: Comparison | undefined;
}

/** The few words that stand beside the evidence in a row of the status; to find the mistake is the dear part of it. */
export function shortExplanation(
  explained: Explained,
  policies: PoliciesOfRun,
  sight: Sight,
  withFinding: boolean,
): ExplanationStatus {
  const { opinion, comparison } = explained;
  const { connection } = opinion;
  const finding =
    connection === undefined || !withFinding ? undefined : findingOf(explained, connection, policies, sight);
  const deciding = connection === undefined ? undefined : decidingPartOf(connection, opinion);
  const part = finding?.part ?? deciding;
  const direction = finding?.direction ?? deciding?.direction;
  const said = saidOf(explained, policies, sight);
  return {
    ...comparison,
    ...(finding === undefined ? {} : { finding: finding.code }),
    ...(part === undefined || !sight.isOpen(part.policy.namespace)
      ? {}
      : { policy: plainText(policyInWords(part.policy), maxPolicyBytes) }),
    ...(direction === undefined ? {} : { direction }),
    message: plainText(explanationSentence({ ...said, finding: finding?.message }), maxMessageBytes),
  };
}

/** The part of a policy that the answer rests on most: where both sides admit, the target's. */
function decidingPartOf({ decision }: AskedConnection, { specified }: Opinion) {
  const parts = decidingPartsOf(decision, specified);
  return parts.find(({ direction }) => direction === 'ingress') ?? parts[0];
}

function saidOf(explained: Explained, policies: PoliciesOfRun, sight: Sight): Omit<Said, 'finding'> {
  const { opinion, comparison, judged, line, check } = explained;
  const { connection, specified, obstacle, deniedBy } = opinion;
  const facts = {
    specified,
    deniedBy,
    protocol: connection?.route.protocol ?? 'TCP',
    cause: comparison?.cause,
    plugin: policies.inForce.plugin,
    wire: judged.wire,
  };
  if (connection === undefined) return { ...facts, why: '', open: obstacle ?? '' };
  const { decision, route, question } = connection;
  const { profile, ...bare } = decision;
  const far = destinationOf(question, policies.world);
  const isSeen = sight.isOpen(check.identity.namespace) && sight.isOpen(far?.metadata.namespace);
  const target = sight.isOpen(far?.metadata.namespace) ? route.name : 'the target';
  const points = openPointsOf(bare, bare.answer).map(({ message }) => message);
  const open = isSeen
    ? [...new Set(points)].join(' ')
    : 'it depends on policies or labels of another namespace, which are not shown here.';
  const { namespace = '', name } = standInOf(check.identity).metadata;
  // The model asks about the pod that stands for the source.
  const named = (text: string): string => text.replaceAll(`pod ${namespace}/${name}`, describeSource(line.expectation));
  const unmodelled = isSeen ? unmodelledBy(connection, policies, sight) : undefined;
  return {
    ...facts,
    why: whyWords(bare, bare.answer, target, sight.inWords),
    open: named(obstacle ?? open),
    ...(profile === undefined
      ? {}
      : { whyProfiled: whyWords({ ...bare, ...profile }, profile.answer, target, sight.inWords) }),
    ...(unmodelled === undefined ? {} : { unmodelled: named(unmodelled) }),
  };
}

/** What of the policies that restrict either side is not modelled. */
function unmodelledBy({ decision }: AskedConnection, { model }: PoliciesOfRun, { isOpen }: Sight): string | undefined {
  const partsOf = ({ isolatedBy, decidedBy }: DirectionDecision): readonly PolicyPart[] => [
    ...isolatedBy,
    ...decidedBy,
  ];
  const concerned = new Set(
    [...partsOf(decision.egress), ...partsOf(decision.ingress)].map(({ policy }) => keyOf(policy)),
  );
  return model.findings.find(
    ({ code, part: { policy } }) =>
      (code === 'NotModelled' || code === 'UnknownField') && concerned.has(keyOf(policy)) && isOpen(policy.namespace),
  )?.message;
}

/** The first finding on a check that failed as the policies, or the plugin, have it; only where both sides are the test's own. */
function findingOf(
  { line, check, judged, test, opinion, comparison }: Explained,
  { question, decision }: AskedConnection,
  { world, inForce }: PoliciesOfRun,
  sight: Sight,
): Finding | undefined {
  const { view, plugin } = inForce;
  const far = destinationOf(question, world);
  // What restricts the resolver itself is its owners' business.
  const isOpenEnd = far !== undefined && isResolver(far) && decision.ingress.answer === 'allow';
  const isSeen = sight.isOpen(check.identity.namespace) && (sight.isOpen(far?.metadata.namespace) || isOpenEnd);
  const isExplained = comparison === undefined || !isDisagreement(comparison) || comparison.cause === 'PluginAgrees';
  if (judged.verdict !== 'Failed' || !isSeen || !isExplained) return undefined;
  const isLookUp = judged.observation?.stage === 'dns' && check.dns === undefined;
  const expected = isLookUp || check.mode !== 'guard' ? 'Allow' : 'Deny';
  if (opinion.profiled === (expected === 'Allow' ? 'allow' : 'deny')) return undefined;
  const service = serviceOf(test, line, view);
  const subject: Subject = {
    question,
    expected,
    workloads: { source: sourceOf(check, view), destination: far === undefined ? undefined : workloadOf(far, view) },
    profile: plugin?.name,
    ...(service === undefined || isLookUp ? {} : { service }),
  };
  const { source } = question;
  const near = source.kind === 'pod' ? world.pods.find(({ metadata }) => metadata.name === source.name) : undefined;
  return explain({ world: sight.around([near, far]) }, subject).findings[0];
}

/** The Service that the expectation names, and its port: policies look at the pods'. */
function serviceOf(
  { metadata }: ConnectivityTest,
  { expectation: { to } }: Line,
  view: PoliciesOfRun['inForce']['view'],
): Subject['service'] {
  const named =
    to.service === undefined
      ? serviceNamedBy(to.host ?? '')
      : { namespace: to.service.namespace ?? metadata.namespace, name: to.service.name };
  const ports = named === undefined ? undefined : view.service(named.namespace, named.name)?.spec.ports;
  const wanted = portOf(to);
  const port = ports?.find((each) => each.name === wanted || each.port === wanted)?.port;
  return named === undefined || port === undefined ? undefined : { ...named, port };
}
