/** The four verdicts. Pass, Fail and Inconclusive are three different things; Skipped ran for information or not at all. */
export const verdicts = ['Passed', 'Failed', 'Inconclusive', 'Skipped'] as const;
export type Verdict = (typeof verdicts)[number];

/**
 * Why an expectation has its verdict. Stable: alerts and scripts may match on these names. The text of each is what
 * `kubectl explain connectivitytest.status.expectations.reason` shows.
 */
export const reasons = {
  Reachable: 'the connection succeeded, as expected',
  Denied:
    'the connection ended as this cluster was measured to deny, although the target answers others and the source can send, as expected',
  NotReached:
    'nothing answered, which is all that `control.mode: UnreachableIsEnough` asks for; it may be no policy’s doing',
  UnexpectedlyReachable: 'a connection that must not succeed did',
  ReachedClosedPort:
    'what must not arrive did: the target itself said that nothing listens on that port; over TCP, policies too let it pass',
  ReachedThenReset: 'a connection that must not succeed reached its target, which then reset it',
  Blocked: 'a connection that must succeed timed out or was rejected on its way',
  NothingListening:
    'a connection that must succeed was refused, which is not how this cluster denies: nothing listens on that port',
  RefusedOrBlocked:
    'a connection that must succeed was refused: nothing listens on that port, or a policy denies it, which looks the same here',
  Reset: 'a connection that must succeed was reset after it had been accepted',
  NameNotResolved: "the host name did not resolve with the source's DNS settings",
  TLSFailed: 'the connection stood but the TLS handshake failed',
  HTTPMismatch: 'the HTTP answer did not have an expected status',
  NoAnswer: 'the connection stood but no HTTP answer came in time',
  NameServerFailed: 'the name server answered, but only that it would or could not look the name up',
  NoDatagramAnswer:
    'no answer to a datagram, and nothing proved that the target answers such a one: over UDP that proves nothing',
  NoTargetControl: 'nothing proved that the target answers anybody on that port, so silence proves nothing',
  NoSourceControl: "nothing proved that the source's own network works, so silence proves nothing",
  NoPathControl:
    "nothing was seen to cross from the source's node to the target's, so silence may be a broken path between them",
  PolicyNotEnforced: "this cluster's network plugin does not enforce network policies, so no Deny can hold by policy",
  NotCalibrated: 'how this cluster denies has not been measured, so what was seen cannot be told from a denial',
  UnlikeDenial: 'silence, which is not how this cluster denies',
  RefusedOrClosed: 'refused, which is not how this cluster denies: the packet may have arrived at a closed port',
  RejectedUnproven: 'rejected on its way, which is not how this cluster denies',
  ThroughMesh:
    'the proxy of a service mesh stands in the path and accepts every connection, so that a bare one proves nothing',
  MeshIdentityNotWorn:
    'the connection stood, but the mesh knows the source by a certificate that a probe pod does not have',
  AddressNotAllowed: 'the target leads to an address that a probe must not dial',
  EnforcementDelayed: 'a policy, pod or Service changed while the probe ran; it runs again',
  TargetChanged: 'the target was replaced or lost readiness while the probe ran; it runs again',
  SourceNotFound: 'the source does not exist or has no pod identity to wear',
  SourceNotSupported: 'the source uses the host network, on which network policies have no say',
  IdentityNotReproducible: 'a network policy selects on a label that a probe pod must not wear',
  ServicePublishesNotReady:
    'a Service that selects the source publishes addresses that are not ready: a probe pod would get its traffic',
  TargetNotFound: 'the target does not exist',
  TargetNotReady: 'the target has no ready endpoint, so it is not dialled',
  TargetNotSupported:
    'the target is of a kind on which network policies have no say, or that cannot be dialled as it is',
  PathUndefined:
    'the only pod of the source is the only pod of the target: no network policy defines what a pod may send to itself',
  FamilyUnavailable: 'the source or the target has no address of an IP family that the expectation asks for',
  PathUnavailable: 'no node that takes the source lies on a path that the expectation asks for',
  PortNotFound: 'the target has no port of that name or number',
  LimitExceeded: 'the test expands to more checks or probe pods than one run may have',
  NotGranted: 'another namespace grants this test no such source or target, or has none; both look the same from here',
  ProbesRefused: 'the namespace refuses probes by its label postern.dev/refuse-probes',
  QuotaExceeded: "the namespace's quota leaves no room for a probe pod",
  ProbeRejected: 'the API server or an admission policy refused the probe pod',
  ProbeImageUnavailable: 'the image of the probe pod could not be pulled',
  ProbeUnschedulable: 'no node would take the probe pod',
  ProbeNotStarted: 'the probe pod did not start in time',
  ProbeLost: 'the probe pod ended without a complete statement of what it saw',
  NotProbed: 'another part of this expectation could not be probed',
  DryRun: 'measured for information only',
  Suspended: 'the test is suspended',
} as const;

export type Reason = keyof typeof reasons;
