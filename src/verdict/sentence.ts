import type { Expected, Reason } from '../api/index.ts';
import type { ApplicationProtocol } from '../plan/index.ts';
import type { IpFamily, Outcome } from '../probe/index.ts';
import type { CrossingState } from './crossing.ts';
import { type DenialPair, isDenial, unenforcedSides } from './denial.ts';

/** What a sentence about a verdict speaks of. */
export interface Subject {
  readonly source: string;
  /** The target with its port, such as `Service api on TCP 8080`. */
  readonly target: string;
  readonly namespace: string;
  readonly protocol: ApplicationProtocol;
  /** Whether the target is pods of the cluster, not an address or a name. */
  readonly hasPods: boolean;
  /** Whether the target's pods are Ready by the word of kubelets that have not been heard of since. */
  readonly isNodeLost?: boolean;
  /** What is known of the way from the source's node to the target's. */
  readonly crossing?: CrossingState;
  readonly targetControl?: string;
  readonly sourceControl?: string;
  readonly httpStatus?: number;
  readonly outcome?: Outcome;
  readonly firstOutcome?: Outcome;
  /** How long the probe took to what decided. */
  readonly elapsedMs?: number;
  /** How many runs were excused before this one, where that is why it is not. */
  readonly excusedRuns?: number;
  /** The family of addresses that was dialled, where the cluster has both; `either` for a name that may stand for both. */
  readonly family?: IpFamily | 'either';
  /** How this cluster denies, if that was measured. */
  readonly denials?: DenialPair;
  /** Words of the API server or the kubelet about a probe pod that did not run. */
  readonly trouble?: string;
  /** The service mesh that leaves the verdict in doubt, and what was expected. */
  readonly mesh?: string;
  readonly expected?: Expected;
}

/** One sentence for a tired person: what happened and what to do next. */
export function sentenceFor(reason: Reason, subject: Subject): string {
  // Sources and targets by selector are `pods ...`; names stay as they are written.
  return wordsFor(reason, subject).replace(/^pods /, 'Pods ');
}

function wordsFor(reason: Reason, subject: Subject): string {
  const { source, target, namespace } = subject;
  const trouble = subject.trouble === undefined ? '' : ` (${subject.trouble})`;
  // Over UDP there is no connection to speak of.
  const hasConnection = subject.protocol !== 'UDP' && subject.protocol !== 'DNS';
  const connected = hasConnection ? 'connected to' : 'got an answer from';
  const denied = deniedWords(subject);
  const { mesh = 'a service mesh' } = subject;
  switch (reason) {
    case 'Reachable':
      return subject.firstOutcome === undefined || subject.firstOutcome === 'Connected'
        ? `${source} ${connected} ${target}.`
        : `${source} ${connected} ${target}, though not at once: the first attempt ended ${subject.firstOutcome}, and it took ${((subject.elapsedMs ?? 0) / 1000).toFixed(1)} s.`;
    case 'Denied':
      return `${denied} twice, while ${subject.targetControl}, and ${subject.sourceControl}.`;
    case 'UnexpectedlyReachable':
      return `${source} ${connected} ${target}, which must be denied. Check that a policy selects the target for ingress or the source for egress, and that no other policy admits this connection.${unenforcedNote(subject)}${exhaustedNote(subject)}`;
    case 'ReachedClosedPort':
      return `${source} reached ${target}, which must be denied: the target itself answered that nothing listens there. The packets pass: close the path by a policy.`;
    case 'ReachedThenReset':
      return `${source} reached ${target}, which must be denied; the connection was reset afterwards. The packets pass: close the path by a policy.`;
    case 'Blocked':
      return `${source} ${hasConnection ? 'could not connect to' : 'got no answer from'} ${target}. Something on the way drops it: check the egress policies that select the source and the ingress policies that select the target; both must admit it.`;
    case 'NothingListening':
      return `${target} refused ${source}, which is not how this cluster denies. Nothing listens on that port of the target: check the port and the application before the policies.`;
    case 'RefusedOrBlocked':
      return `${target} refused ${source}. Nothing listens on that port of the target, or a policy rejects the connection: check the port and the application, then the policies on both sides.`;
    case 'Reset':
      return `${target} reset the connection of ${source}. Look at the application and at proxies in the path.`;
    case 'NameNotResolved':
      if (subject.protocol === 'DNS')
        return `${source} asked ${target} and was told that there is none. Check the name.`;
      return `${source} could not resolve the host name of ${target}. Check the name, and that egress to the cluster's DNS is allowed on UDP and TCP 53.`;
    case 'NameServerFailed':
      return `${source} asked ${target} and was told that it could not or would not be looked up. Look at the name server, and at DNS rules of policies.`;
    case 'NoDatagramAnswer':
      return `${denied}, and nothing proved that it answers such a datagram at all. Choose a \`udp.payload\` that it answers, or add an expectation from a source that gets an answer.`;
    case 'TLSFailed':
      return `${source} connected to ${target}, but the TLS handshake failed. The network path is open; check whether the target speaks TLS on that port.`;
    case 'HTTPMismatch':
      return `${target} answered ${source} with HTTP ${subject.httpStatus ?? 'an unexpected status'}. The network path is open; check the application, or the \`status\` list.`;
    case 'NoAnswer':
      return `${source} connected to ${target}, but no HTTP answer came in time. The network path is open; check the application.`;
    case 'NotReached':
      return `${denied} twice. \`control.mode: UnreachableIsEnough\` asks for no more: it may be no policy's doing.`;
    case 'NoTargetControl':
      return subject.isNodeLost === true
        ? `${denied}, and its pods are Ready by the kubelet's readiness probe on that port, but the kubelet of a node of theirs has not renewed its Lease since the probe began, so they may be gone. If that stays so, look at the node.`
        : `${denied}, but nothing proved that it answers anybody there. ${waysToControl(subject)}`;
    case 'NoSourceControl':
      return overFamily(subject) === ''
        ? `${denied}, but nothing proved that ${source} can send at all. Add an Allow expectation from this source, or allow it DNS.`
        : `${denied}, but nothing proved that ${source} can send anything${overFamily(subject)}. Add an Allow expectation from this source that is dialled${overFamily(subject)}.`;
    case 'NoPathControl':
      return `${denied}, but nothing was seen to cross from the probe's node to the target's in this run, ${crossingWords(subject)}`;
    case 'PolicyNotEnforced':
      return `${isReached(subject) ? `${source} connected to ${target}, which must be denied` : denied}, and this cluster enforces no network policies${overFamily(subject) || ' at all'}: calibration connected through policies that admit nothing. Install a network plugin that enforces them; see \`kubectl get calibration\`.`;
    case 'NotCalibrated':
      if (subject.family === 'either') {
        return `${denied}, but a name may stand for addresses of both families, and this cluster was not measured to deny alike over both; see \`kubectl describe calibration\`. Write the address as \`ip\`.`;
      }
      return `${denied}, but how this cluster denies${overFamily(subject)} has not been measured yet. See \`kubectl describe calibration\`; the test runs again when it has been.`;
    case 'UnlikeDenial':
      return `${denied}, but this cluster does not deny by silence. Look for what else drops it: firewalls, routes, or a target that is too slow to answer.`;
    case 'RefusedOrClosed':
      if (isHowDenied(subject)) return unsteadyWords(subject);
      return `${target} refused ${source}. That is no denial: this cluster does not deny by refusing, so the packet may have arrived at a closed port. Check that the target listens on that port.`;
    case 'RejectedUnproven':
      if (isHowDenied(subject)) return unsteadyWords(subject);
      return `The connection of ${source} to ${target} was rejected on its way, which is not how this cluster's network policies deny. Check routes and firewalls.`;
    case 'ThroughMesh':
      return `${source} connected to ${target}, but a proxy of ${mesh} stands in the path and accepts every connection. ${
        subject.expected === 'Deny'
          ? 'The packets pass; whether the mesh turns away what they carry cannot be seen. Deny them by a network policy, or expect the refusal: `expect: Allow` with `http: {status: [403]}`.'
          : 'That shows nothing about the application. Ask it for an answer: add `http`, with `scheme: HTTPS` for TLS.'
      }`;
    case 'MeshIdentityNotWorn':
      return `${source} connected to ${target} and was turned away there. Both are in ${mesh}, which knows the source by a certificate that a probe pod does not have: that proves nothing. Test a port that the mesh leaves alone, or test the mesh's rules with its own tools.`;
    case 'AddressNotAllowed':
      return `The host name of ${target} resolved to a loopback, link-local or multicast address, which probes do not dial. Correct the name's records.`;
    case 'EnforcementDelayed':
      return isReached(subject)
        ? `${source} ${connected} ${target}, which must be denied, just after something changed that it depends on: the network plugin may not have caught up. It is probed again as soon as that is over.`
        : `Something that the verdict on ${source} to ${target} depends on changed during the run. The test runs again at once.`;
    case 'TargetChanged':
      return `The target was replaced or lost readiness during the probe of ${target} by ${source}. The test runs again.`;
    case 'QuotaExceeded':
      return `The quota of namespace ${namespace} leaves no room for a probe pod of ${source}${trouble}. Raise it by one pod per source, or free some.`;
    case 'ProbeRejected':
      return `The API server refused the probe pod of ${source}${trouble}. Let the admission policy of namespace ${namespace} admit it.`;
    case 'ProbeImageUnavailable':
      return `The probe image could not be pulled for ${source}${trouble}. Check the chart's probe.image and pull secrets.`;
    case 'ProbeUnschedulable':
      return `No node takes the probe pod of ${source}${trouble}.`;
    case 'ProbeNotStarted':
      return `The probe pod of ${source} did not start in time${trouble}. It is tried again at the next run.`;
    case 'ProbeLost':
      return `The probe pod of ${source} ended without a complete statement of what it saw${trouble}. It is tried again at the next run.`;
    default:
      return `${source} to ${target}: ${subject.trouble ?? 'not probed'}.`;
  }
}

function waysToControl({ hasPods, protocol, outcome }: Subject): string {
  if (protocol === 'UDP' || protocol === 'DNS') {
    return 'Name pods that get an answer as `control.from`, or add an Allow expectation with the same question from a source that gets one.';
  }
  if (outcome === 'Refused') {
    return 'A port that nobody listens on refuses as well: name pods that may connect as `control.from`, or add an Allow expectation to the same target and port.';
  }
  return hasPods
    ? 'Name pods that may connect as `control.from`, add an Allow expectation to the same target and port, or give its pods a readiness probe on that port.'
    : 'Name pods that may connect as `control.from`, or write `control: {mode: UnreachableIsEnough}` if nobody here can and that is enough.';
}

function crossingWords({ crossing }: Subject): string {
  switch (crossing) {
    case 'NotCrossed':
      return "and pods of Postern's own could not connect between these nodes either: a broken path looks like a denial. Look at routes, tunnels and firewalls between them; whoever runs Postern finds their names in its log.";
    case 'NotTried':
      return "and pods of Postern's own could not run on both to show that the path between them is whole: a broken one looks like a denial. Add an Allow expectation that connects between these nodes, or write `control: {mode: UnreachableIsEnough}` if silence is enough; whoever runs Postern finds in its log why they could not.";
    default:
      return 'and it was not known in time whether the path between them is whole: a broken one looks like a denial. It is tried again soon.';
  }
}

function isReached({ outcome }: Subject): boolean {
  return outcome === 'Connected' || outcome === 'TLSFailed' || outcome === 'HTTPMismatch' || outcome === 'Reset';
}

function deniedWords({ source, target, outcome }: Subject): string {
  if (outcome === 'Refused') return `${target} refused ${source}`;
  if (outcome === 'Unreachable') return `${source} met a rejection on the way to ${target}`;
  return `${source} got no answer from ${target}`;
}

/** Why no change excuses a connection any more. */
function exhaustedNote({ excusedRuns }: Subject): string {
  return excusedRuns === undefined
    ? ''
    : ` Policies, labels, pods or Services it depends on keep changing, but it connected in more than ${excusedRuns} runs in a row.`;
}

/** Whether the outcome is how this cluster denies, so that something else is wrong with it. */
function isHowDenied({ denials, outcome }: Subject): boolean {
  return denials !== undefined && outcome !== undefined && isDenial(denials, outcome);
}

function unsteadyWords(subject: Subject): string {
  return `${deniedWords(subject)} in one of two attempts; the other one ended ${subject.firstOutcome}. A denial is steady. Kernels bound how often they send such an answer: let fewer expectations of one test share this source.`;
}

/** What a policy on one side cannot do here, where that explains an open path. */
function unenforcedNote(subject: Subject): string {
  const { denials } = subject;
  const [side] = denials === undefined ? [] : unenforcedSides(denials);
  return side === undefined
    ? ''
    : ` Policies for ${side} are not enforced in this cluster${overFamily(subject)}: deny it on the other side.`;
}

function overFamily({ family }: Subject): string {
  return family === undefined || family === 'either' ? '' : ` over ${family}`;
}
