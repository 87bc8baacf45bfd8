import { describe, expect, it } from 'vitest';
import { policyModel } from './model.ts';
import type { PolicyWorld } from './question.ts';
import { answerOf, type Asked, decisionOf, namespaceOf, networkPolicy, podOf, policyOf } from './testing/builders.ts';
import type { Answer } from './truth.ts';

/** Sources: pkg/policy/api and pkg/k8s/apis/cilium.io/utils of cilium/cilium, and docs.cilium.io's policy language. */

const base: PolicyWorld = {
  namespaces: [namespaceOf('shop', { team: 'shop' }), namespaceOf('mon', { team: 'ops' })],
  pods: [
    podOf('shop/web', { app: 'web' }, { ip: '10.0.1.1', node: 'a', account: 'web' }),
    podOf('shop/db', { app: 'db' }, { ip: '10.0.1.2', node: 'b' }),
    podOf('mon/web', { app: 'web' }, { ip: '10.0.2.1', node: 'b' }),
    podOf('mon/host', { app: 'web' }, { ip: '192.168.0.1', node: 'a', hostNetwork: true }),
  ],
  nodes: [
    { name: 'a', addresses: ['192.168.0.1'] },
    { name: 'b', addresses: ['192.168.0.2'] },
  ],
  policies: [],
};

type Spec = Readonly<Record<string, unknown>>;
const cnp = (spec: Spec, path = 'shop/c') =>
  policyOf('cilium.io/v2', 'CiliumNetworkPolicy', path, { endpointSelector: {}, ...spec });
const ccnp = (spec: Spec, path = 'cluster') =>
  policyOf('cilium.io/v2', 'CiliumClusterwideNetworkPolicy', path, { endpointSelector: {}, ...spec });
const match = (matchLabels: Spec) => ({ matchLabels });
const from = (...fromEndpoints: readonly unknown[]) => ({ fromEndpoints });
const ports = (...entries: readonly unknown[]) => ({ toPorts: [{ ports: entries }] });

const webToDb: Asked = { from: 'shop/web', to: 'shop/db' };
const monToDb: Asked = { from: 'mon/web', to: 'shop/db' };
const outside = '203.0.113.7';
const toOutside: Asked = { from: 'shop/web', to: outside };
const fromOutside: Asked = { from: outside, to: 'shop/db' };

describe('compileCilium', () => {
  it.each<[string, PolicyWorld['policies'], Asked, Answer]>([
    ['a section isolates its direction', [cnp({ ingress: [from(match({ app: 'x' }))] })], webToDb, 'deny'],
    ['and no other', [cnp({ ingress: [from(match({ app: 'x' }))] })], toOutside, 'allow'],
    ['an empty section does not', [cnp({ ingress: [] })], webToDb, 'allow'],
    ['an empty rule admits nothing and isolates', [cnp({ ingress: [{}] })], webToDb, 'deny'],
    [
      'an empty list of peers selects nobody',
      [cnp({ ingress: [{ fromEndpoints: [], ...ports({ port: '8080' }) }] })],
      webToDb,
      'deny',
    ],
    ['whatever stands beside it', [cnp({ ingress: [{ fromEndpoints: [], fromEntities: ['all'] }] })], webToDb, 'deny'],
    ['an empty selector is the own namespace', [cnp({ ingress: [from({})] })], webToDb, 'allow'],
    ['and no other namespace', [cnp({ ingress: [from({})] })], monToDb, 'deny'],
    ['an empty selector of a clusterwide policy is every pod', [ccnp({ ingress: [from({})] })], monToDb, 'allow'],
    ['but nobody outside', [ccnp({ ingress: [from({})] })], fromOutside, 'deny'],
    [
      'peers elsewhere are named by namespace',
      [cnp({ ingress: [from(match({ 'io.kubernetes.pod.namespace': 'mon' }))] })],
      monToDb,
      'allow',
    ],
    [
      'with the source of the label',
      [cnp({ ingress: [from(match({ 'k8s:io.kubernetes.pod.namespace': 'mon', 'k8s:app': 'web' }))] })],
      monToDb,
      'allow',
    ],
    ['or any source', [cnp({ ingress: [from(match({ 'any:app': 'web' }))] })], webToDb, 'allow'],
    [
      'or by the labels of their namespace',
      [cnp({ ingress: [from(match({ 'io.cilium.k8s.namespace.labels.team': 'ops' }))] })],
      monToDb,
      'allow',
    ],
    [
      'or by their service account',
      [cnp({ ingress: [from(match({ 'io.cilium.k8s.policy.serviceaccount': 'web' }))] })],
      webToDb,
      'allow',
    ],
    [
      'subjects are never elsewhere',
      [cnp({ endpointSelector: match({ 'k8s:io.kubernetes.pod.namespace': 'mon' }), ingress: [{}] })],
      { from: 'shop/web', to: 'mon/web' },
      'allow',
    ],
    [
      'a clusterwide policy names its subjects’ namespace',
      [ccnp({ endpointSelector: match({ 'io.kubernetes.pod.namespace': 'mon' }), ingress: [{}] })],
      { from: 'shop/web', to: 'mon/web' },
      'deny',
    ],
    [
      'and matches no other',
      [ccnp({ endpointSelector: match({ 'io.kubernetes.pod.namespace': 'mon' }), ingress: [{}] })],
      webToDb,
      'allow',
    ],
    ['ports alone admit anybody', [cnp({ ingress: [ports({ port: '8080', protocol: 'TCP' })] })], fromOutside, 'allow'],
    ['of that port', [cnp({ ingress: [ports({ port: '80', protocol: 'TCP' })] })], webToDb, 'deny'],
    [
      'a port without protocol is any',
      [cnp({ ingress: [ports({ port: '8080' })] })],
      { ...webToDb, protocol: 'SCTP' },
      'allow',
    ],
    [
      'port 0 is every port',
      [cnp({ ingress: [ports({ port: '0', protocol: 'UDP' })] })],
      { ...webToDb, protocol: 'UDP' },
      'allow',
    ],
    ['a range', [cnp({ ingress: [ports({ port: '8000', endPort: 8080 })] })], webToDb, 'allow'],
    ['a named port', [cnp({ ingress: [ports({ port: 'http' })] })], webToDb, 'allow'],
    [
      'peer and port',
      [cnp({ ingress: [{ ...from(match({ app: 'web' })), ...ports({ port: '80' }) }] })],
      webToDb,
      'deny',
    ],
    ['ICMP rules admit no TCP', [cnp({ ingress: [{ icmps: [{ fields: [{ type: 8 }] }] }] })], webToDb, 'deny'],
    [
      'a denial wins over an admission',
      [cnp({ ingress: [from({})], ingressDeny: [from(match({ app: 'web' }))] })],
      webToDb,
      'deny',
    ],
    [
      'over one of another policy',
      [cnp({ ingress: [from({})] }), ccnp({ ingressDeny: [from(match({ app: 'web' }))] })],
      webToDb,
      'deny',
    ],
    [
      'and over NetworkPolicy',
      [networkPolicy('shop/n', { podSelector: {}, ingress: [{}] }), cnp({ ingressDeny: [from({})] })],
      webToDb,
      'deny',
    ],
    [
      'NetworkPolicy and Cilium’s are a union',
      [networkPolicy('shop/n', { podSelector: {} }), cnp({ ingress: [from({})] })],
      webToDb,
      'allow',
    ],
    ['a denial of one port isolates from the others', [cnp({ ingressDeny: [ports({ port: '80' })] })], webToDb, 'deny'],
    [
      'unless default deny is off',
      [cnp({ enableDefaultDeny: { ingress: false }, ingressDeny: [ports({ port: '80' })] })],
      webToDb,
      'allow',
    ],
    [
      'which another policy may turn on again',
      [
        cnp({ enableDefaultDeny: { ingress: false }, ingress: [from(match({ app: 'x' }))] }),
        cnp({ ingress: [{}] }, 'shop/d'),
      ],
      webToDb,
      'deny',
    ],
    ['default deny without rules', [cnp({ enableDefaultDeny: { ingress: true } })], webToDb, 'deny'],
    [
      'egressDeny',
      [cnp({ egressDeny: [{ toEndpoints: [{}] }], enableDefaultDeny: { egress: false } })],
      webToDb,
      'deny',
    ],
    ['the entity world', [cnp({ egress: [{ toEntities: ['world'] }] })], toOutside, 'allow'],
    ['is no pod', [cnp({ egress: [{ toEntities: ['world'] }] })], webToDb, 'deny'],
    ['the entity cluster', [cnp({ egress: [{ toEntities: ['cluster'] }] })], webToDb, 'allow'],
    ['is nobody outside', [cnp({ egress: [{ toEntities: ['cluster'] }] })], toOutside, 'deny'],
    ['the entity all', [cnp({ egress: [{ toEntities: ['all'] }] })], toOutside, 'allow'],
    [
      'the entity host is the own node',
      [cnp({ egress: [{ toEntities: ['host'] }] })],
      { from: 'shop/web', to: 'node/a' },
      'allow',
    ],
    [
      'its host network pods included',
      [cnp({ egress: [{ toEntities: ['host'] }] })],
      { from: 'shop/web', to: 'mon/host' },
      'allow',
    ],
    ['and no other node', [cnp({ egress: [{ toEntities: ['host'] }] })], { from: 'shop/web', to: 'node/b' }, 'deny'],
    [
      'the entity remote-node',
      [cnp({ egress: [{ toEntities: ['remote-node'] }] })],
      { from: 'shop/web', to: 'node/b' },
      'allow',
    ],
    ['egress to the own node is policed', [cnp({ egress: [{}] })], { from: 'shop/web', to: 'node/a' }, 'deny'],
    ['the own node gets in', [cnp({ ingress: [{}] })], { from: 'node/a', to: 'shop/web' }, 'allow'],
    ['kube-apiserver is not known', [cnp({ egress: [{ toEntities: ['kube-apiserver'] }] })], toOutside, 'unknown'],
    ['reserved labels are entities', [cnp({ ingress: [from(match({ 'reserved:world': '' }))] })], fromOutside, 'allow'],
    [
      'labels of other sources are not known',
      [cnp({ ingress: [from(match({ 'container:app': 'web' }))] })],
      webToDb,
      'unknown',
    ],
    ['a block for what is outside', [cnp({ egress: [{ toCIDR: ['203.0.113.0/24'] }] })], toOutside, 'allow'],
    ['an address for a block', [cnp({ egress: [{ toCIDR: ['203.0.113.7'] }] })], toOutside, 'allow'],
    ['never matches pods', [cnp({ egress: [{ toCIDR: ['0.0.0.0/0'] }] })], webToDb, 'deny'],
    ['nor nodes', [cnp({ egress: [{ toCIDR: ['0.0.0.0/0'] }] })], { from: 'shop/web', to: 'node/b' }, 'deny'],
    [
      'a block with a hole',
      [cnp({ egress: [{ toCIDRSet: [{ cidr: '203.0.113.0/24', except: ['203.0.113.0/28'] }] }] })],
      toOutside,
      'deny',
    ],
    [
      'a group of blocks is not read',
      [cnp({ egress: [{ toCIDRSet: [{ cidrGroupRef: 'g' }] }] })],
      toOutside,
      'unknown',
    ],
    ['and matches no pods', [cnp({ egress: [{ toCIDRSet: [{ cidrGroupRef: 'g' }] }] })], webToDb, 'deny'],
    [
      'names depend on what they stand for',
      [cnp({ egress: [{ toFQDNs: [{ matchName: 'example.com' }] }] })],
      toOutside,
      'unknown',
    ],
    ['and never stand for pods', [cnp({ egress: [{ toFQDNs: [{ matchName: 'example.com' }] }] })], webToDb, 'deny'],
    [
      'Services are not looked up',
      [cnp({ egress: [{ toServices: [{ k8sService: { serviceName: 's' } }] }] })],
      toOutside,
      'unknown',
    ],
    [
      'requests are not known',
      [cnp({ ingress: [{ toPorts: [{ ports: [{ port: '8080' }], rules: { http: [{ method: 'GET' }] } }] }] })],
      webToDb,
      'unknown',
    ],
    [
      'where the port matches',
      [cnp({ ingress: [{ toPorts: [{ ports: [{ port: '80' }], rules: { http: [{}] } }] }] })],
      webToDb,
      'deny',
    ],
    [
      'a port entry beside one with requests',
      [
        cnp({
          ingress: [{ toPorts: [{ ports: [{ port: '80' }], rules: { http: [{}] } }, { ports: [{ port: '8080' }] }] }],
        }),
      ],
      webToDb,
      'allow',
    ],
    [
      'authentication is not known',
      [cnp({ ingress: [{ ...from({}), authentication: { mode: 'required' } }] })],
      webToDb,
      'unknown',
    ],
    [
      'unless it is disabled',
      [cnp({ ingress: [{ ...from({}), authentication: { mode: 'disabled' } }] })],
      webToDb,
      'allow',
    ],
    ['fromRequires is not evaluated', [cnp({ ingress: [{ fromRequires: [match({ a: 'b' })] }] })], webToDb, 'unknown'],
    ['a field that is not known', [cnp({ ingress: [{ ...from({}), fromGalaxies: [] }] })], webToDb, 'unknown'],
    [
      'host network pods are no endpoints',
      [cnp({ endpointSelector: {}, ingress: [{}] }, 'mon/c')],
      { from: 'shop/web', to: 'mon/host' },
      'allow',
    ],
    [
      'a policy for nodes leaves pods alone',
      [ccnp({ endpointSelector: undefined, nodeSelector: {}, ingress: [{}] })],
      webToDb,
      'allow',
    ],
    [
      'and makes nodes unknown',
      [ccnp({ endpointSelector: undefined, nodeSelector: {}, ingress: [{}] })],
      { from: 'shop/web', to: 'node/b' },
      'unknown',
    ],
  ])('%s', (_, policies, asked, answer) => {
    expect(answerOf({ ...base, policies }, asked)).toBe(answer);
  });

  it('reads specs like spec, each with its path', () => {
    const policy = {
      ...policyOf('cilium.io/v2', 'CiliumNetworkPolicy', 'shop/c', undefined),
      specs: [{ endpointSelector: {}, ingress: [from({})] }],
    };

    const { ingress } = decisionOf({ ...base, policies: [policy] }, webToDb);

    expect(ingress.decidedBy.map(({ path }) => path)).toEqual([
      'specs[0].ingress[0]',
      'specs[0].ingress[0].fromEndpoints[0]',
    ]);
  });

  it('says what a rule with requests depends on', () => {
    const rules = { dns: [{ matchPattern: '*' }] };
    const policies = [cnp({ egress: [{ toPorts: [{ ports: [{ port: '53', protocol: 'UDP' }], rules }] }] })];

    const { egress } = decisionOf({ ...base, policies }, { ...toOutside, port: 53, protocol: 'UDP' });

    expect(egress.basis.open).toMatchObject([
      { code: 'DependsOnName', part: { path: 'spec.egress[0].toPorts[0].rules' } },
    ]);
  });

  it.each<[string, Spec, string]>([
    ['peers of two kinds in a rule', { ingress: [{ ...from({}), fromEntities: ['all'] }] }, 'spec.ingress[0]'],
    ['two selectors', { nodeSelector: {} }, 'spec'],
    ['a block that is none', { egress: [{ toCIDR: ['x'] }] }, 'spec.egress[0].toCIDR[0]'],
    ['a port without quotes', { ingress: [ports({ port: 8080 })] }, 'spec.ingress[0].toPorts[0].ports[0].port'],
    ['a port above 65535', { ingress: [ports({ port: '70000' })] }, 'spec.ingress[0].toPorts[0].ports[0].port'],
  ])('reports %s and leaves the policy out', (_, spec, path) => {
    const { findings, policies } = policyModel({ ...base, policies: [cnp(spec)] });

    expect(findings.filter(({ code }) => code === 'Rejected').map(({ part }) => part.path)).toContain(path);
    expect(policies.flatMap(({ sections }) => sections)).toEqual([]);
  });
});
