import { type Reason, reasons } from './reasons.ts';

/** What to do next about each reason, for people who meet it; the row's message says the same with names. */
export const nextSteps: Readonly<Record<Reason, string>> = {
  Reachable: 'Nothing.',
  Denied: 'Nothing. `control` in the row says what proved that the target answers others.',
  NotReached:
    'Nothing, if an effect is all you want; name pods that may connect as `control.from` for a proof by policy.',
  UnexpectedlyReachable:
    'Close the path: a policy must select the target for ingress or the source for egress, and no other policy may admit the connection. Policies add up, so look at all of them.',
  ReachedClosedPort: 'Close the path by a policy: nothing listens there today, but the packets pass.',
  ReachedThenReset: 'Close the path by a policy: the connection reached its target before something reset it.',
  Blocked:
    'Look at the egress policies that select the source and the ingress policies that select the target; both must admit the connection, on the port of the pod rather than of the Service.',
  NothingListening: 'Check the port and whether the application listens on it, before the policies.',
  RefusedOrBlocked: 'Check the port and the application first, then the policies on both sides.',
  Reset: 'Look at the application and at proxies in the path.',
  NameNotResolved: 'Check the name, and that the source may reach the cluster’s DNS over UDP and TCP on port 53.',
  TLSFailed: 'The path is open. Check whether the target speaks TLS on that port.',
  HTTPMismatch: 'The path is open. Check the application, or the `http.status` list of the expectation.',
  NoAnswer: 'The path is open. Check the application, or raise `timeoutSeconds`.',
  NameServerFailed: 'Look at the name server’s log, and at DNS rules of policies.',
  NoDatagramAnswer:
    'Choose a `udp.payload` that the application answers, or add an expectation from a source that gets an answer.',
  NoTargetControl:
    'Name pods that may connect as `control.from`, add an Allow expectation to the same target and port, or give its pods a readiness probe on that port.',
  NoSourceControl: 'Add an Allow expectation from the same source, or allow it DNS.',
  NoPathControl:
    'Look at routes, tunnels and firewalls between the two nodes, which the operator’s log names. If Postern may run no pods of its own there, add an Allow expectation that connects between them.',
  PolicyNotEnforced:
    'Install a network plugin that enforces NetworkPolicy, or repair it; `kubectl describe calibration` says what was seen.',
  NotCalibrated: 'Wait for the first calibration; `kubectl describe calibration` says why there is no result.',
  UnlikeDenial: 'Look for what else drops packets: firewalls, routes, a target that is too slow to answer.',
  RefusedOrClosed:
    'Check that the target listens on that port: the packet may have arrived. Where its pods refuse and the policies admit the connection, this is ReachedClosedPort.',
  RejectedUnproven: 'Check routes and firewalls: this cluster’s policies do not reject so.',
  ThroughMesh:
    'Ask for bytes with `http`, which the proxy cannot answer by itself, or test from pods without a sidecar.',
  MeshIdentityNotWorn:
    'Test this path from pods outside the mesh, or look at the authorization policies of the mesh: a probe pod has no certificate of it.',
  AddressNotAllowed: 'Correct the records of the name: it leads to a loopback, link-local or multicast address.',
  EnforcementDelayed:
    'Wait for the next run, which follows by itself. If it stays, look at what keeps changing; after three such runs a connection fails. `enforcementGraceSeconds: 0` fails it at once.',
  PathUndefined: 'Nothing: what a pod may send to itself is up to the network plugin. Name another source or target.',
  FamilyUnavailable: 'Correct `ipFamilies`, or give the pods and Services addresses of that family.',
  PathUnavailable: 'Correct `paths`, or let the source run on a node that lies on that path.',
  TargetChanged: 'Wait for the next run, which follows by itself. If it stays, look at why the target restarts.',
  SourceNotFound: 'Correct `from`, or create the workload.',
  SourceNotSupported: 'Choose a source without `hostNetwork`: network policies have no say on others.',
  IdentityNotReproducible: 'Let the policy select on a label of the application instead of one that a controller sets.',
  ServicePublishesNotReady:
    'Test from pods that this Service does not select, or take `publishNotReadyAddresses` from it.',
  TargetNotFound: 'Correct `to`, or create the target.',
  TargetNotReady: 'Make a pod of the target Ready, then the test runs by itself.',
  TargetNotSupported: 'Choose a target that policies govern and that can be dialled as it is; the message says which.',
  PortNotFound: 'Write a port that the Service or the pods have, by number or by name.',
  LimitExceeded: 'Narrow the selectors, or split the test into several.',
  NotGranted:
    'Check the names, and ask the owners of the other namespace for a ConnectivityGrant there that names this one under `from`.',
  ProbesRefused: 'Leave that namespace out, or ask its owners to take the label `postern.dev/refuse-probes` away.',
  QuotaExceeded: 'Raise the namespace’s quota by one pod per source, or free some.',
  ProbeRejected: 'Let the admission policies of the namespace admit probe pods; the message has their words.',
  ProbeImageUnavailable: 'Check the chart’s `probe.image` and its pull secrets.',
  ProbeUnschedulable: 'Make room on a node that takes the source’s pods; the message has the scheduler’s words.',
  ProbeNotStarted: 'Look at the node’s kubelet and at image pulls; it is tried again at the next run.',
  ProbeLost:
    'It is tried again at the next run. If it stays, look for what deletes or kills pods labelled `postern.dev/component=probe`.',
  NotProbed: 'Look at the other findings of the expectation.',
  DryRun: 'Read the message for what the verdict would be; take `dryRun` out when the policy is in place.',
  Suspended: 'Set `spec.suspend` to false.',
};

/** `docs/reasons.md`: every reason, what it means, and what to do next. */
export function reasonsPage(): string {
  const sections = Object.entries(nextSteps).map(([name, next]) => {
    const meaning = reasons[reasonNamed(name)];
    return `## ${name}\n\n${meaning.charAt(0).toUpperCase()}${meaning.slice(1)}.\n\n**Next:** ${next}\n`;
  });
  return `# Reasons\n\n<!-- Generated from src/api by "npm run generate". Do not edit. -->\n\nThe \`reason\` of a row in \`status.expectations\` says in one word why the verdict is what it is. The names are stable: alerts and\nscripts may match on them. The row’s \`message\` says the same of the very connection.\n\n${sections.join('\n')}`;
}

function reasonNamed(name: string): Reason {
  const found = Object.keys(reasons).find((reason): reason is Reason => reason === name);
  if (found === undefined) throw new Error(`no reason is called ${name}`);
  return found;
}
