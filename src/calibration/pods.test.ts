import { describe, expect, it } from 'vitest';
import type { Node } from '../api/index.ts';
import { planText } from '../probe/index.ts';
import { dialTasks, listenTasks, nodesDigest } from './pods.ts';

const listeners = { open: ['10.0.0.1'], denied: ['fd00::2', '10.0.0.2'] };
const labels = (role: string) => ({ 'postern.dev/calibration': role });

describe('calibration pods', () => {
  it('are two that listen, one of them closed', () => {
    expect(listenTasks({ namespace: 'postern' })).toMatchObject([
      { identity: { namespace: 'postern', labels: labels('open') }, checks: [], listen: { port: 8080 } },
      { identity: { namespace: 'postern', labels: labels('ingress-denied') }, checks: [], listen: { port: 8080 } },
    ]);
  });

  it('are two that dial: the control first, then what is denied', () => {
    const tasks = dialTasks({ namespace: 'postern' }, listeners);

    expect(tasks.map(({ identity, checks }) => [identity.labels, planText(checks)])).toEqual([
      [
        labels('open'),
        [
          '0 converge tcp 10.0.0.1 8080 - - -',
          '1 guard tcp 10.0.0.2 8080 - - -',
          '3 converge udp 10.0.0.1 8080 - - 706f737465726e',
          '4 guard udp 10.0.0.2 8080 - - 706f737465726e',
        ].join('\n'),
      ],
      [labels('egress-denied'), '2 guard tcp 10.0.0.1 8080 - - -\n5 guard udp 10.0.0.1 8080 - - 706f737465726e'],
    ]);
  });

  it('dial each family that both listeners have, the primary one first', () => {
    const both = { open: ['10.0.0.1', 'fd00::1'], denied: ['10.0.0.2', 'fd00::2'] };
    const tasks = dialTasks({ namespace: 'postern' }, both, 'seal');

    expect(tasks.map(({ checks }) => planText(checks).replaceAll(' - - -', ''))).toEqual([
      [
        '0 converge tcp 10.0.0.1 8080',
        '1 seal tcp 10.0.0.2 8080',
        '3 converge udp 10.0.0.1 8080 - - 706f737465726e',
        '4 seal udp 10.0.0.2 8080 - - 706f737465726e',
        '6 converge tcp fd00::1 8080',
        '7 seal tcp fd00::2 8080',
        '9 converge udp fd00::1 8080 - - 706f737465726e',
        '10 seal udp fd00::2 8080 - - 706f737465726e',
      ].join('\n'),
      [
        '2 seal tcp 10.0.0.1 8080',
        '5 seal udp 10.0.0.1 8080 - - 706f737465726e',
        '8 seal tcp fd00::1 8080',
        '11 seal udp fd00::1 8080 - - 706f737465726e',
      ].join('\n'),
    ]);
  });

  it('go where the operator itself may, and take nothing else of it', () => {
    const operator = {
      containers: [],
      nodeSelector: { pool: 'infra' },
      tolerations: [{ key: 'infra' }],
      imagePullSecrets: [{ name: 'mirror' }],
      serviceAccountName: 'postern',
      hostNetwork: true,
    };
    const place = { namespace: 'postern', operator };

    for (const { identity } of [...listenTasks(place), ...dialTasks(place, listeners)]) {
      expect(identity).not.toHaveProperty('serviceAccountName');
      expect(identity.pod).toEqual({
        nodeSelector: { pool: 'infra' },
        tolerations: [{ key: 'infra' }],
        imagePullSecrets: [{ name: 'mirror' }],
      });
    }
  });
});

describe('nodesDigest', () => {
  const node = (name: string, kernelVersion = '6.1', uid = name): Node => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, uid, resourceVersion: String(Math.random()) },
    status: { nodeInfo: { kernelVersion, osImage: 'Debian' } },
  });
  const before = nodesDigest([node('a'), node('b')]);

  it('is the same whatever the order, and whatever kubelets touch', () => {
    expect(nodesDigest([node('b'), node('a')])).toBe(before);
  });

  it.each<[string, readonly Node[]]>([
    ['comes', [node('a'), node('b'), node('c')]],
    ['goes', [node('a')]],
    ['is made anew', [node('a'), node('b', '6.1', 'again')]],
    ['gets another kernel', [node('a', '6.2'), node('b')]],
  ])('is another one when a node %s', (_, nodes) => {
    expect(nodesDigest(nodes)).not.toBe(before);
  });
});
