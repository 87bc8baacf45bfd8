import { describe, expect, it } from 'vitest';
import type { ProfileName } from './profile.ts';
import type { PolicyWorld } from './question.ts';
import { type Asked, decisionOf, namespaceOf, networkPolicy, podOf, policyOf } from './testing/builders.ts';
import type { Answer } from './truth.ts';

/** One row per known deviation; the sources stand beside the profiles. */

const base: PolicyWorld = {
  namespaces: [namespaceOf('shop')],
  pods: [
    podOf(
      'shop/web',
      { app: 'web', 'pod-template-hash': 'x', 'app.kubernetes.io/name': 'web' },
      { ip: '10.0.1.1', node: 'a' },
    ),
    podOf('shop/db', { app: 'db' }, { ip: '10.0.1.2', node: 'b', owned: true }),
    podOf('shop/host', { app: 'host' }, { ip: '192.168.0.1', node: 'a', hostNetwork: true }),
  ],
  nodes: [
    { name: 'a', addresses: ['192.168.0.1'] },
    { name: 'b', addresses: ['192.168.0.2'] },
  ],
  policies: [],
};

const ingress = (spec: object) => ({ podSelector: {}, ingress: [], ...spec });
const toBlock = (cidr: string) => ({
  podSelector: {},
  policyTypes: ['Egress'],
  egress: [{ to: [{ ipBlock: { cidr } }] }],
});
const fromLabel = (key: string, value: string) =>
  ingress({ ingress: [{ from: [{ podSelector: { matchLabels: { [key]: value } } }] }] });
const webToDb: Asked = { from: 'shop/web', to: 'shop/db' };

describe('profiles', () => {
  it.each<[string, object, Asked, Answer, Readonly<Partial<Record<ProfileName, Answer>>>]>([
    [
      'a block against a pod',
      toBlock('10.0.0.0/8'),
      webToDb,
      'undefined',
      { cilium: 'deny', calico: 'allow', kindnet: 'allow' },
    ],
    [
      'a block against a node',
      toBlock('192.168.0.0/16'),
      { from: 'shop/web', to: 'node/b' },
      'undefined',
      { cilium: 'deny', calico: 'allow', kindnet: 'allow' },
    ],
    [
      'rules of an unlisted direction',
      { podSelector: {}, policyTypes: ['Ingress'], ingress: [{}], egress: [{ ports: [{ port: 1 }] }] },
      { from: 'shop/db', to: 'shop/web' },
      'allow',
      { cilium: 'deny', aws: 'deny' },
    ],
    [
      'a host network pod as peer',
      ingress({ ingress: [{ from: [{ podSelector: {} }] }] }),
      { from: 'shop/host', to: 'shop/db' },
      'undefined',
      { cilium: 'deny', calico: 'deny', kindnet: 'deny' },
    ],
    [
      'a host network pod as subject',
      ingress({}),
      { from: 'shop/db', to: 'shop/host' },
      'undefined',
      { cilium: 'allow', calico: 'allow', kindnet: 'allow' },
    ],
    [
      'a pod and itself',
      ingress({}),
      { from: 'shop/db', to: 'shop/db' },
      'undefined',
      { cilium: 'allow', calico: 'allow', kindnet: 'allow', aws: 'allow' },
    ],
    [
      'a pod and its own node',
      toBlock('203.0.113.0/24'),
      { from: 'shop/web', to: 'node/a' },
      'allow',
      { cilium: 'deny', calico: 'deny', kindnet: 'deny' },
    ],
    ['the own node and its pod', ingress({}), { from: 'node/a', to: 'shop/web' }, 'allow', {}],
    [
      'a label that is no part of an identity',
      fromLabel('pod-template-hash', 'x'),
      webToDb,
      'allow',
      { cilium: 'deny' },
    ],
    ['a recommended label', fromLabel('app.kubernetes.io/name', 'web'), webToDb, 'allow', {}],
    ['a pod without an owner', ingress({}), { from: 'shop/db', to: 'shop/web' }, 'deny', { aws: 'allow' }],
    ['a pod with one', ingress({}), webToDb, 'deny', {}],
  ])('%s', (_, spec, asked, specified, profiled) => {
    const world = { ...base, policies: [networkPolicy('shop/p', spec)] };
    for (const name of ['cilium', 'calico', 'kindnet', 'aws'] as const) {
      const { answer, profile } = decisionOf(world, asked, { profile: name });

      expect(answer).toBe(specified);
      if (name in profiled) expect(profile).toMatchObject({ name, answer: profiled[name] });
      else if (specified !== 'undefined') expect(profile).toBeUndefined();
    }
  });

  it('does not guess how Cilium’s and Calico’s policies go together', () => {
    const cilium = policyOf('cilium.io/v2', 'CiliumNetworkPolicy', 'shop/c', { endpointSelector: {}, ingress: [{}] });
    const calico = policyOf('projectcalico.org/v3', 'GlobalNetworkPolicy', 'g', { ingress: [{ action: 'Allow' }] });

    expect(decisionOf({ ...base, policies: [cilium, calico] }, webToDb).ingress.basis.open).toMatchObject([
      { code: 'MixedDialects' },
    ]);
  });
});
