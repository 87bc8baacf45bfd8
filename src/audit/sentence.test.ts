import { describe, expect, it } from 'vitest';
import type { Namespace, Pod, Policy } from '../api/index.ts';
import { ownerOf } from '../manifests/index.ts';
import type { ProfileName } from '../policy/index.ts';
import {
  type LabelMap,
  namespaceOf,
  networkPolicy,
  podOf,
  type PodOptions,
  policyOf,
} from '../policy/testing/builders.ts';
import { statementRows } from './row.ts';
import { sceneOf } from './scene.ts';
import { statementOf } from './statement.ts';

/** A pod of a Deployment, which has the pod's name without its number. */
function replica(path: string, labels: LabelMap, options?: PodOptions): Pod {
  const pod = podOf(path, { ...labels, 'pod-template-hash': 'x' }, options);
  const name = `${pod.metadata.name.replace(/-\d+$/, '')}-x`;
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name, uid: name, controller: true }],
    },
  };
}

const namespaces: readonly Namespace[] = ['shop', 'bank'].map((name) => namespaceOf(name));
const pods = [
  replica('shop/web-1', { app: 'web' }),
  replica('shop/web-2', { app: 'web' }),
  replica('shop/api-1', { app: 'api' }),
  replica('bank/teller-1', { app: 'teller' }),
  replica('bank/vault-1', { app: 'vault' }),
];
const addressed = pods.map((pod, index) => ({ ...pod, status: { podIPs: [{ ip: `10.0.0.${index + 1}` }] } }));
const denyShop = networkPolicy('shop/deny', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
const denyBank = networkPolicy('bank/deny', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] });

function sentences(policies: readonly Policy[], own: readonly Pod[] = pods, profile?: ProfileName) {
  const scene = sceneOf({ pods: own, assumed: [], namespaces, policies, profile, ownerOf });
  const { inbound, outbound } = statementRows(statementOf(scene));
  return { inbound: inbound.map(({ sentence }) => sentence), outbound: outbound.map(({ sentence }) => sentence) };
}

const toApi = (rule: object) =>
  networkPolicy('shop/api', { podSelector: { matchLabels: { app: 'api' } }, ingress: [rule] });
const fromWeb = (rule: object) =>
  networkPolicy('shop/web', { podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Egress'], egress: [rule] });
const toWeb = { from: [{ podSelector: { matchLabels: { app: 'web' } } }], ports: [{ port: 8080 }] };
const egressToApi = { to: [{ podSelector: { matchLabels: { app: 'api' } } }], ports: [{ port: 8080 }] };

describe('a statement in words', () => {
  it('says of an open cluster that everything may', () => {
    expect(sentences([])).toEqual({
      inbound: [
        'In `bank`, everything, in the cluster and outside, may reach Deployment teller and Deployment vault on every port.',
        'In `shop`, everything, in the cluster and outside, may reach Deployment api and Deployment web on every port.',
      ],
      outbound: [
        'In `bank`, Deployment teller and Deployment vault may reach any address outside the cluster on every port.',
        'In `shop`, Deployment api and Deployment web may reach any address outside the cluster on every port.',
      ],
    });
  });

  it('says one plain sentence per pair where policies close the rest', () => {
    expect(sentences([denyShop, denyBank, toApi(toWeb), fromWeb(egressToApi)])).toEqual({
      inbound: [
        'In `bank`, nothing may reach Deployment teller or Deployment vault.',
        'In `shop`, Deployment web may reach Deployment api on TCP 8080; nothing else may.',
        'In `shop`, nothing may reach Deployment web.',
      ],
      outbound: [
        'In `bank`, Deployment teller and Deployment vault may reach nothing outside the cluster.',
        'In `shop`, Deployment api and Deployment web may reach nothing outside the cluster.',
      ],
    });
  });

  it('names whole namespaces, and says where else somebody comes from', () => {
    const rules = [
      toApi({
        from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'bank' } } }],
        ports: [{ port: 80, endPort: 90 }],
      }),
      networkPolicy('shop/more', {
        podSelector: { matchLabels: { app: 'api' } },
        ingress: [
          toWeb,
          {
            from: [{ ipBlock: { cidr: '203.0.113.0/24', except: ['203.0.113.128/25'] } }],
            ports: [{ protocol: 'UDP', port: 53 }],
          },
        ],
      }),
    ];

    expect(sentences(rules, addressed).inbound[1]).toBe(
      'In `shop`, Deployment api may be reached by every workload of `bank` on TCP 80 to 90, by Deployment web on TCP 8080 and by 203.0.113.0 to 203.0.113.127 outside the cluster on UDP 53; nothing else may.',
    );
  });

  it('speaks of replicas among themselves', () => {
    const own = networkPolicy('shop/own', {
      podSelector: { matchLabels: { app: 'web' } },
      ingress: [{ ...toWeb, ports: [] }],
    });

    expect(sentences([own]).inbound[2]).toBe(
      'In `shop`, its own other pods may reach Deployment web on every port; nothing else may.',
    );
  });

  it('says aloud what the API leaves open, and that it is all', () => {
    const [, sentence] = sentences([toApi({ from: [{ ipBlock: { cidr: '10.0.0.4/32' } }] })], addressed).inbound;

    expect(sentence).toContain(
      '10.0.0.4 outside the cluster may reach Deployment api on every port. Whether Deployment teller of `bank` may reach Deployment api on every port is left open by the API: The API leaves open whether an address block matches pod bank/teller-1',
    );
    expect(sentence).toMatch(/Nothing else may\.$/);
  });

  it('says aloud what is not known, and why', () => {
    const policy = policyOf('crd.antrea.io/v1beta1', 'NetworkPolicy', 'shop/x', {});
    const { inbound, outbound } = sentences([policy]);

    expect(inbound.at(-1)).toMatch(/^In `shop`, whether everything, .* is not known: The model does not evaluate/);
    expect(outbound[1]).toMatch(
      /^In `shop`, whether Deployment api and Deployment web may reach any address .* is not known/,
    );
  });

  it('tells pods of the host network apart by their node', () => {
    const daemonSet = [{ apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'agent', uid: 'd', controller: true }];
    const agents = [
      podOf('bank/agent', {}, { hostNetwork: true, node: 'a', ips: ['192.0.2.1'] }),
      podOf('shop/db', { app: 'db' }, { node: 'a' }),
      podOf('bank/agent-b', {}, { hostNetwork: true, node: 'b', ips: ['192.0.2.2'] }),
    ].map((pod) =>
      pod.metadata.name.startsWith('agent')
        ? { ...pod, metadata: { ...pod.metadata, ownerReferences: daemonSet } }
        : pod,
    );
    const deny = networkPolicy('shop/p', { podSelector: { matchLabels: { app: 'db' } } });

    expect(sentences([deny], agents).inbound[1]).toMatch(
      /^In `shop`, whether DaemonSet agent of `bank` \(on the same node\) may reach Pod db on every port is left open/,
    );
  });

  it('tells pods of the host network apart by a block that holds one of their nodes', () => {
    const agent = (node: string, ip: string): Pod => {
      const pod = podOf(`bank/agent-${node}`, {}, { hostNetwork: true, node, ips: [ip] });
      const daemonSet = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'agent', uid: 'd', controller: true };
      return { ...pod, metadata: { ...pod.metadata, ownerReferences: [daemonSet] } };
    };
    const own = [
      agent('a', '192.0.2.1'),
      agent('b', '192.0.2.2'),
      podOf('shop/db', {}, { node: 'c', ips: ['10.0.0.1'] }),
    ];
    const policy = networkPolicy('shop/p', {
      podSelector: {},
      ingress: [{ from: [{ ipBlock: { cidr: '192.0.2.2/32' } }] }],
    });

    expect(sentences([policy], own, 'calico').inbound.at(-1)).toBe(
      'In `shop`, 192.0.2.2 outside the cluster and DaemonSet agent (pod agent-b) of `bank` may reach Pod db on every port; nothing else may.',
    );
  });

  it('speaks of the outside per workload where a plugin may select by something else', () => {
    const labelled = networkPolicy('shop/p', { podSelector: { matchLabels: { app: 'api' } } });

    expect(sentences([labelled], pods, 'cilium').inbound.slice(-2)).toEqual([
      'In `shop`, nothing may reach Deployment api.',
      'In `shop`, everything, in the cluster and outside, may reach Deployment web on every port.',
    ]);
  });

  it('cuts a workload in parts where policies do', () => {
    const own = [replica('shop/web-1', { app: 'web' }), replica('shop/web-2', { app: 'web', canary: 'yes' })];
    const canary = networkPolicy('shop/p', { podSelector: { matchLabels: { canary: 'yes' } } });

    expect(sentences([canary], own).inbound).toContain('In `shop`, nothing may reach Deployment web (pod web-2).');
  });
});
