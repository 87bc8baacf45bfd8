import { describe, expect, it } from 'vitest';
import type { ContainerStatus, Pod } from '../api/index.ts';
import { planFor } from '../plan/index.ts';
import { expectationOf, podOf, testOf, viewOf } from '../testing/cluster-view.ts';
import { listeningAt, reportOf, trouble } from './collect.ts';
import type { Probe } from './run.ts';

const nonce = 'abcdefghijklmnop';
const message = `postern/1 ${nonce} 1\n0 Tc 2 401 Tc -\nend ${nonce} A\n`;

function probeOf(parts: Partial<Probe> = {}): Probe {
  const test = testOf([expectationOf({ from: { pods: {} }, to: { ip: '10.1.2.3', port: 1 }, expect: 'Deny' })]);
  const [assignment] = planFor(test, viewOf({ pods: [podOf('web')] })).assignments;
  if (assignment === undefined) throw new Error('nothing to probe');
  return {
    name: 'postern-probe-x',
    namespace: 'shop',
    nonce,
    assignment,
    uid: 'uid-postern-probe-x',
    seen: false,
    ...parts,
  };
}

interface PodParts {
  readonly state?: ContainerStatus['state'];
  readonly container?: string;
  readonly status?: Pod['status'];
  readonly uid?: string;
}

function probePod({ state, container = 'probe', status = {}, uid = 'uid-postern-probe-x' }: PodParts = {}): Pod {
  const pod = podOf('postern-probe-x', { spec: { nodeName: 'node-1' } });
  return {
    ...pod,
    metadata: { ...pod.metadata, uid },
    status: {
      phase: 'Pending',
      ...status,
      ...(state === undefined ? {} : { containerStatuses: [{ name: container, state }] }),
    },
  };
}

const terminated = (text: string | undefined, reason = 'Completed'): ContainerStatus['state'] => ({
  terminated: { exitCode: 0, reason, ...(text === undefined ? {} : { message: text }) },
});
const waiting = (reason: string): ContainerStatus['state'] => ({ waiting: { reason } });

describe('reportOf', () => {
  it('reads the statement of a probe that has ended', () => {
    const probe = probeOf();

    expect(reportOf(probe, probePod({ state: terminated(message) }), false)).toEqual({
      checks: probe.assignment.checks,
      node: 'node-1',
      resolverAnswered: true,
      observations: new Map([
        [0, { outcome: 'TimedOut', stage: 'connect', firstOutcome: 'TimedOut', attempts: 2, elapsedMs: 4010 }],
      ]),
    });
  });

  it('says whose proxy was put into the pod', () => {
    const pod = probePod({ state: terminated(message) });
    const injected = { ...pod, spec: { ...pod.spec, containers: [...pod.spec.containers, { name: 'istio-proxy' }] } };

    expect(reportOf(probeOf(), injected, false)).toMatchObject({ mesh: { name: 'Istio', proxy: 'sidecar' } });
  });

  it('reads it even of a pod that something else keeps from ending, or that is being deleted', () => {
    const pod = probePod({ state: terminated(message), status: { phase: 'Running' } });

    expect(reportOf(probeOf(), pod, false)).toHaveProperty('observations.size', 1);
    expect(
      reportOf(probeOf(), { ...pod, metadata: { ...pod.metadata, deletionTimestamp: 'now' } }, false),
    ).toHaveProperty('observations.size', 1);
  });

  it('takes the pod of that name for its own while the answer to the creation is out', () => {
    const { uid: _, ...probe } = probeOf();

    expect(reportOf(probe, probePod({ state: terminated(message) }), false)).toHaveProperty('observations.size', 1);
  });

  it.each<[string, Pod | undefined, string, string]>([
    ['a torn message', probePod({ state: terminated(message.slice(0, -3)) }), 'ProbeLost', 'Completed'],
    [
      'a message of another run',
      probePod({ state: terminated(message.replaceAll('abc', 'cba')) }),
      'ProbeLost',
      'Completed',
    ],
    ['no message', probePod({ state: terminated(undefined, 'OOMKilled') }), 'ProbeLost', 'OOMKilled'],
    ['an empty message', probePod({ state: terminated('', 'Error') }), 'ProbeLost', 'Error'],
    [
      'a deadline that the kubelet enforced',
      probePod({ state: terminated('', 'Error'), status: { phase: 'Failed', reason: 'DeadlineExceeded' } }),
      'ProbeLost',
      'DeadlineExceeded',
    ],
    ['an eviction', probePod({ status: { phase: 'Failed', reason: 'Evicted' } }), 'ProbeLost', 'Evicted'],
    [
      'an image name that is none',
      probePod({ state: waiting('InvalidImageName') }),
      'ProbeImageUnavailable',
      'InvalidImageName',
    ],
    [
      'an image that may not be pulled',
      probePod({ state: waiting('ErrImageNeverPull') }),
      'ProbeImageUnavailable',
      'ErrImageNeverPull',
    ],
  ])('gives up at once on %s', (_, pod, reason, words) => {
    const probe = probeOf();

    expect(reportOf(probe, pod, false)).toEqual({
      checks: probe.assignment.checks,
      observations: new Map(),
      resolverAnswered: false,
      trouble: { reason, message: words },
    });
  });

  it.each<[string, Pod | undefined, string, string]>([
    ['nothing in the cache', undefined, 'ProbeNotStarted', ''],
    ["somebody else's pod of that name", probePod({ uid: 'other', state: terminated(message) }), 'ProbeNotStarted', ''],
    ['a pod without any status', probePod(), 'ProbeNotStarted', ''],
    [
      'a container that is being created',
      probePod({ state: waiting('ContainerCreating') }),
      'ProbeNotStarted',
      'ContainerCreating',
    ],
    [
      'an image that cannot be pulled now',
      probePod({ state: waiting('ImagePullBackOff') }),
      'ProbeImageUnavailable',
      'ImagePullBackOff',
    ],
    ['an error of the registry', probePod({ state: waiting('ErrImagePull') }), 'ProbeImageUnavailable', 'ErrImagePull'],
    ['a probe that is still running', probePod({ state: { running: {} } }), 'ProbeLost', 'it ran past its deadline'],
    [
      'a pod that no node takes',
      probePod({
        status: { conditions: [{ type: 'PodScheduled', status: 'False', message: '0/3 nodes are available' }] },
      }),
      'ProbeUnschedulable',
      '0/3 nodes are available',
    ],
    [
      "an injected container's statement",
      probePod({ state: terminated(message), container: 'sidecar' }),
      'ProbeNotStarted',
      '',
    ],
  ])('waits on %s until it is overdue', (_, pod, reason, words) => {
    expect(reportOf(probeOf(), pod, false)).toBeUndefined();
    expect(reportOf(probeOf(), pod, true)).toMatchObject({
      trouble: { reason, message: words },
      resolverAnswered: false,
    });
  });

  it('knows a pod that was there and is gone for deleted', () => {
    expect(reportOf(probeOf({ seen: true }), undefined, false)).toMatchObject({
      trouble: { reason: 'ProbeLost', message: 'the pod was deleted' },
    });
  });
});

describe('listeningAt', () => {
  const listening = (parts: Partial<ContainerStatus> = {}, pod: Partial<Pod['metadata']> = {}): Pod => {
    const plain = probePod();
    const container = { name: 'probe', ready: true, state: { running: {} }, ...parts };
    return {
      ...plain,
      metadata: { ...plain.metadata, ...pod },
      status: { phase: 'Running', podIP: '10.0.0.9', containerStatuses: [container] },
    };
  };

  it('is the address of a pod that answers', () => {
    expect(listeningAt(probeOf(), listening())).toEqual(['10.0.0.9']);
  });

  it('is one of each family, the primary one first', () => {
    const pod = listening();
    const podIPs = [{ ip: '10.0.0.9' }, { ip: 'fd00::9' }];

    expect(listeningAt(probeOf(), { ...pod, status: { ...pod.status, podIPs } })).toEqual(['10.0.0.9', 'fd00::9']);
  });

  it.each<[string, Pod | undefined]>([
    ['is not there', undefined],
    ['does not answer yet', listening({ ready: false })],
    ['has ended', listening({ state: { terminated: { exitCode: 0 } } })],
    ['is being deleted', listening({}, { deletionTimestamp: 'now' })],
    ["is somebody else's", listening({}, { uid: 'other' })],
    ['has another container that answers', listening({ name: 'sidecar' })],
  ])('is nowhere while the pod %s', (_, pod) => {
    expect(listeningAt(probeOf(), pod)).toBeUndefined();
  });
});

describe('trouble', () => {
  it('makes the words of others harmless', () => {
    const report = trouble(probeOf(), 'ProbeRejected', ` a\n\u001B[31mb\u2028\u202Ec\u0000${'x'.repeat(400)}`);

    expect(report.trouble?.message).toMatch(/^a b cx+…$/);
    expect(Buffer.byteLength(report.trouble?.message ?? '')).toBe(300);
  });
});
