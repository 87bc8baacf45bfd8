import { describe, expect, it } from 'vitest';
import { planText } from '../probe/index.ts';
import type { Crossing } from '../verdict/index.ts';
import { dialTasks, farNodes, listenTasks } from './pods.ts';

const operator = {
  nodeSelector: { pool: 'infra' },
  tolerations: [{ key: 'infra' }],
  imagePullSecrets: [{ name: 'mirror' }],
};
const place = { namespace: 'postern', operator };
const pinnedTo = (node: string) => ({
  imagePullSecrets: [{ name: 'mirror' }],
  tolerations: [{ operator: 'Exists' }],
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] }],
      },
    },
  },
});
const way = (from: string, to: string, parts: Partial<Crossing> = {}): Crossing => ({
  from,
  to,
  family: 'IPv4',
  protocol: 'TCP',
  ...parts,
});
const overIpv6 = { family: 'IPv6' } as const;
const overUdp = { protocol: 'UDP' } as const;

describe('pods that dial between nodes', () => {
  it('listen once on each far node, whatever the operator itself is kept to', () => {
    const nodes = farNodes([way('a', 'b'), way('c', 'b'), way('b', 'a')]);

    expect(nodes).toEqual(['b', 'a']);
    expect(listenTasks(place, nodes)).toMatchObject(
      nodes.map((node) => ({
        identity: { namespace: 'postern', labels: { 'postern.dev/calibration': 'open' }, pod: pinnedTo(node) },
        checks: [],
        listen: { port: 8080 },
      })),
    );
    expect(listenTasks(place, ['b'])[0]?.identity.pod).toEqual(pinnedTo('b'));
  });

  it('dial from each near node all that listens in that family', () => {
    const listeners = new Map([
      ['b', ['10.0.0.2', 'fd00::2']],
      ['c', ['10.0.0.3']],
    ]);
    const crossings = [
      way('a', 'b'),
      way('a', 'c'),
      way('a', 'c', overIpv6),
      way('a', 'd'),
      way('c', 'b', overIpv6),
      way('a', 'b', overUdp),
    ];

    const tasks = dialTasks(place, crossings, listeners);

    expect(tasks.map(({ identity, checks, crossings: ways }) => [identity.pod, planText(checks), ways])).toEqual([
      [
        pinnedTo('a'),
        [
          '0 converge tcp 10.0.0.2 8080 - - -',
          '1 converge tcp 10.0.0.3 8080 - - -',
          '2 converge udp 10.0.0.2 8080 - - 706f737465726e',
        ].join('\n'),
        [way('a', 'b'), way('a', 'c'), way('a', 'b', overUdp)],
      ],
      [pinnedTo('c'), '0 converge tcp fd00::2 8080 - - -', [way('c', 'b', overIpv6)]],
    ]);
  });
});
