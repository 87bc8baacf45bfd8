import { describe, expect, it } from 'vitest';
import { type Reason, reasons } from '../api/index.ts';
import { sentenceFor, type Subject } from './sentence.ts';

const subject: Subject = {
  source: 'Deployment web',
  target: 'Service api on TCP 80',
  namespace: 'shop',
  protocol: 'TCP',
  hasPods: true,
};
const bySelector: Subject = { ...subject, source: 'pods app=web', target: 'pods app=db on TCP 5432' };

const controls = { targetControl: 'somebody connected', sourceControl: 'something answered' };

describe('sentenceFor', () => {
  it.each<[string, Reason, Partial<Subject>, string]>([
    [
      'a refusal that is not steady, where policies refuse',
      'RefusedOrClosed',
      { outcome: 'Refused', firstOutcome: 'TimedOut', denials: { ingress: 'Refused', egress: 'Refused' } },
      'Service api on TCP 80 refused Deployment web in one of two attempts; the other one ended TimedOut. A denial is steady. Kernels bound how often they send such an answer: let fewer expectations of one test share this source.',
    ],
    [
      'a rejection that is not steady, where policies reject',
      'RejectedUnproven',
      { outcome: 'Unreachable', firstOutcome: 'TimedOut', denials: { ingress: 'TimedOut', egress: 'Unreachable' } },
      'Deployment web met a rejection on the way to Service api on TCP 80 in one of two attempts; the other one ended TimedOut. A denial is steady. Kernels bound how often they send such an answer: let fewer expectations of one test share this source.',
    ],
    [
      'an answer to a datagram',
      'Reachable',
      { protocol: 'UDP' },
      'Deployment web got an answer from Service api on TCP 80.',
    ],
    [
      'a name that is not there',
      'NameNotResolved',
      { protocol: 'DNS', target: 'its own DNS resolver on UDP 53 for the name db' },
      'Deployment web asked its own DNS resolver on UDP 53 for the name db and was told that there is none. Check the name.',
    ],
    [
      'a name server that refuses',
      'NameServerFailed',
      { protocol: 'DNS' },
      'Deployment web asked Service api on TCP 80 and was told that it could not or would not be looked up. Look at the name server, and at DNS rules of policies.',
    ],
    [
      'a datagram without an answer',
      'NoDatagramAnswer',
      { protocol: 'UDP' },
      'Deployment web got no answer from Service api on TCP 80, and nothing proved that it answers such a datagram at all. Choose a `udp.payload` that it answers, or add an expectation from a source that gets an answer.',
    ],
    [
      'a TLS handshake that failed',
      'TLSFailed',
      { protocol: 'HTTPS' },
      'Deployment web connected to Service api on TCP 80, but the TLS handshake failed. The network path is open; check whether the target speaks TLS on that port.',
    ],
    ['a connection', 'Reachable', { firstOutcome: 'Connected' }, 'Deployment web connected to Service api on TCP 80.'],
    [
      'a late connection',
      'Reachable',
      { firstOutcome: 'TimedOut', elapsedMs: 1234 },
      'Deployment web connected to Service api on TCP 80, though not at once: the first attempt ended TimedOut, and it took 1.2 s.',
    ],
    [
      'a connection close to a change',
      'EnforcementDelayed',
      { outcome: 'Connected' },
      'Deployment web connected to Service api on TCP 80, which must be denied, just after something changed that it depends on: the network plugin may not have caught up. It is probed again as soon as that is over.',
    ],
    [
      'a connection that no change excuses any more',
      'UnexpectedlyReachable',
      { outcome: 'Connected', excusedRuns: 3 },
      'Deployment web connected to Service api on TCP 80, which must be denied. Check that a policy selects the target for ingress or the source for egress, and that no other policy admits this connection. Policies, labels, pods or Services it depends on keep changing, but it connected in more than 3 runs in a row.',
    ],
    [
      'a wrong status',
      'HTTPMismatch',
      { httpStatus: 503 },
      'Service api on TCP 80 answered Deployment web with HTTP 503. The network path is open; check the application, or the `status` list.',
    ],
    [
      'a refused pod, with the words of the API server',
      'ProbeRejected',
      { trouble: 'pods "x" is forbidden' },
      'The API server refused the probe pod of Deployment web (pods "x" is forbidden). Let the admission policy of namespace shop admit it.',
    ],
    [
      'a probe that did not start',
      'ProbeNotStarted',
      {},
      'The probe pod of Deployment web did not start in time. It is tried again at the next run.',
    ],
    [
      'a denial by silence',
      'Denied',
      { outcome: 'TimedOut', ...controls },
      'Deployment web got no answer from Service api on TCP 80 twice, while somebody connected, and something answered.',
    ],
    [
      'a denial by refusal',
      'Denied',
      { outcome: 'Refused', ...controls },
      'Service api on TCP 80 refused Deployment web twice, while somebody connected, and something answered.',
    ],
    [
      'a denial by rejection',
      'Denied',
      { outcome: 'Unreachable', ...controls },
      'Deployment web met a rejection on the way to Service api on TCP 80 twice, while somebody connected, and something answered.',
    ],
    [
      'a connection where nothing is enforced',
      'PolicyNotEnforced',
      { outcome: 'Connected' },
      'Deployment web connected to Service api on TCP 80, which must be denied, and this cluster enforces no network policies at all: calibration connected through policies that admit nothing. Install a network plugin that enforces them; see `kubectl get calibration`.',
    ],
    [
      'a connection where one side is not enforced',
      'UnexpectedlyReachable',
      { outcome: 'Connected', denials: { ingress: 'TimedOut', egress: 'Connected' } },
      'Deployment web connected to Service api on TCP 80, which must be denied. Check that a policy selects the target for ingress or the source for egress, and that no other policy admits this connection. Policies for egress are not enforced in this cluster: deny it on the other side.',
    ],
    [
      'a connection where one side is not enforced over one family',
      'UnexpectedlyReachable',
      { outcome: 'Connected', family: 'IPv6', denials: { ingress: 'TimedOut', egress: 'Connected' } },
      'Deployment web connected to Service api on TCP 80, which must be denied. Check that a policy selects the target for ingress or the source for egress, and that no other policy admits this connection. Policies for egress are not enforced in this cluster over IPv6: deny it on the other side.',
    ],
    [
      'a source of which nothing was heard over one of two families',
      'NoSourceControl',
      { outcome: 'TimedOut', family: 'IPv6' },
      'Deployment web got no answer from Service api on TCP 80, but nothing proved that Deployment web can send anything over IPv6. Add an Allow expectation from this source that is dialled over IPv6.',
    ],
  ])('words %s', (_, reason, parts, sentence) => {
    expect(sentenceFor(reason, { ...subject, ...parts })).toBe(sentence);
  });

  const everyReason = Object.keys(reasons).filter((reason): reason is Reason => reason in reasons);
  const settings: readonly Subject[] = [
    { ...subject, ...controls },
    { ...bySelector, ...controls },
    { ...subject, ...controls, trouble: 'some words' },
    {
      ...bySelector,
      targetControl: 'somebody connected',
      sourceControl: 'something answered',
      firstOutcome: 'Refused',
    },
  ];

  it.each(everyReason)('says something whole about %s', (reason) => {
    for (const each of settings) {
      const sentence = sentenceFor(reason, each);

      expect(sentence).toMatch(/^[A-Z0-9].*[A-Za-z0-9`)]\.$/);
      expect(sentence).not.toMatch(/ {2}|\.\.|\(\)|undefined|pods app=\w+ (is|was|has|uses) /);
    }
  });
});
