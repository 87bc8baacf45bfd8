import { describe, expect, it } from 'vitest';
import { policyModel } from './model.ts';
import type { PolicyWorld } from './question.ts';
import { answerOf, type Asked, decisionOf, namespaceOf, networkPolicy, podOf } from './testing/builders.ts';
import type { Answer } from './truth.ts';

/**
 * One row per rule of the API. Sources: API = field documentation (k8s.io/api/networking/v1/types.go), DEF = defaults.go and
 * VAL = validation.go of pkg/apis/networking, SEL = apimachinery/pkg/labels/selector.go, DOC = kubernetes.io's page on network
 * policies, E2E = test/e2e/network/netpol.
 */

const twoPorts = [
  { name: 'http', containerPort: 8080 },
  { name: 'http', containerPort: 9090 },
  { name: 'dns', containerPort: 53, protocol: 'UDP' },
];

const base: PolicyWorld = {
  namespaces: [namespaceOf('shop', { team: 'shop' }), namespaceOf('mon', { team: 'ops' }), namespaceOf('bare')],
  pods: [
    podOf('shop/web', { app: 'web', empty: '' }, { ip: '10.0.1.1', node: 'a' }),
    podOf('shop/db', { app: 'db' }, { ip: '10.0.1.2', node: 'b', ports: twoPorts }),
    podOf(
      'shop/odd',
      { constructor: 'x' },
      { ip: '10.0.1.3', node: 'b', ports: [{ name: 'http', containerPort: 80 }] },
    ),
    podOf('shop/done', { app: 'web' }, { ip: '10.0.1.9', phase: 'Succeeded' }),
    podOf('mon/web', { app: 'web' }, { ip: '10.0.2.1', node: 'b' }),
    podOf('mon/host', { app: 'host' }, { ip: '192.168.0.1', node: 'a', hostNetwork: true }),
    podOf('bare/web', { app: 'web' }, { ip: 'fd00::1', node: 'a' }),
    podOf('unseen/web', { app: 'web' }, { ip: '10.0.4.1', node: 'a' }),
    podOf('plain/web', { app: 'web' }),
  ],
  policies: [],
  nodes: [
    { name: 'a', addresses: ['192.168.0.1'] },
    { name: 'b', addresses: ['192.168.0.2'] },
  ],
};

type Specs = Readonly<Record<string, unknown>>;

/** The base world with policies, each under the name of its namespace and an own name. */
function worldWith(specs: Specs): PolicyWorld {
  return { ...base, policies: Object.entries(specs).map(([path, spec]) => networkPolicy(path, spec)) };
}

/** A policy for every pod of `shop` with these rules. */
const ingress = (...rules: readonly unknown[]) => ({ 'shop/p': { podSelector: {}, ingress: rules } });
const egress = (...rules: readonly unknown[]) => ({
  'shop/p': { podSelector: {}, policyTypes: ['Egress'], egress: rules },
});
const labels = (matchLabels: Specs) => ({ matchLabels });
const expression = (key: string, operator: string, values?: readonly string[]) => ({
  matchExpressions: [{ key, operator, ...(values === undefined ? {} : { values }) }],
});

type Row = readonly [title: string, specs: Specs, asked: Asked, answer: Answer];

const webToDb: Asked = { from: 'shop/web', to: 'shop/db' };
const outside = '203.0.113.7';

describe('loading and defaults', () => {
  it.each<Row>([
    ['L1 DEF: absent policyTypes list Ingress', { 'shop/p': { podSelector: {} } }, webToDb, 'deny'],
    ['L1 DEF: empty policyTypes list Ingress', { 'shop/p': { podSelector: {}, policyTypes: [] } }, webToDb, 'deny'],
    [
      'L1 DEF: absent policyTypes leave egress open without egress rules',
      { 'shop/p': { podSelector: {} } },
      { from: 'shop/web', to: outside },
      'allow',
    ],
    [
      'L1 DEF: egress [] without policyTypes does not isolate egress',
      { 'shop/p': { podSelector: {}, egress: [] } },
      { from: 'shop/web', to: outside },
      'allow',
    ],
    [
      'L1 DEF: one egress rule without policyTypes isolates egress',
      { 'shop/p': { podSelector: {}, egress: [{ ports: [{ port: 1 }] }] } },
      { from: 'shop/web', to: outside },
      'deny',
    ],
    [
      'L1 DEF: and ingress as well',
      { 'shop/p': { podSelector: {}, egress: [{}] } },
      { from: 'mon/web', to: 'shop/db' },
      'deny',
    ],
    [
      'L1 DEF: egress [] with policyTypes isolates egress',
      { 'shop/p': { podSelector: {}, policyTypes: ['Egress'], egress: [] } },
      { from: 'shop/web', to: outside },
      'deny',
    ],
    [
      'L2 API: rules of an unlisted direction do not isolate it',
      { 'shop/p': { podSelector: {}, policyTypes: ['Ingress'], ingress: [{}], egress: [{ ports: [{ port: 1 }] }] } },
      webToDb,
      'allow',
    ],
    ['L3 DEF: an absent protocol is TCP', ingress({ ports: [{ port: 8080 }] }), webToDb, 'allow'],
    ['L3 DEF: and not UDP', ingress({ ports: [{ port: 8080 }] }), { ...webToDb, protocol: 'UDP' }, 'deny'],
    ['L4 API: an absent podSelector selects every pod', { 'shop/p': {} }, webToDb, 'deny'],
    ['L4 API: so does null', { 'shop/p': { podSelector: null } }, webToDb, 'deny'],
    [
      'L6 E2E: every namespace has its name as a label',
      ingress({ from: [{ namespaceSelector: labels({ 'kubernetes.io/metadata.name': 'unseen' }) }] }),
      { from: 'unseen/web', to: 'shop/db' },
      'allow',
    ],
    [
      'L6: other labels of an unseen namespace are unknown',
      ingress({ from: [{ namespaceSelector: labels({ team: 'x' }) }] }),
      { from: 'unseen/web', to: 'shop/db' },
      'unknown',
    ],
    [
      'L6: also where they are forbidden',
      ingress({ from: [{ namespaceSelector: expression('team', 'DoesNotExist') }] }),
      { from: 'unseen/web', to: 'shop/db' },
      'unknown',
    ],
    [
      'L6: which does not matter if the pod does not match',
      ingress({ from: [{ namespaceSelector: labels({ team: 'x' }), podSelector: labels({ app: 'api' }) }] }),
      { from: 'unseen/web', to: 'shop/db' },
      'deny',
    ],
    [
      'L6: nor if another rule admits',
      ingress({ from: [{ namespaceSelector: labels({ team: 'x' }) }] }, {}),
      { from: 'unseen/web', to: 'shop/db' },
      'allow',
    ],
    [
      'L10: labels named as properties of every object',
      ingress({ from: [{ podSelector: expression('toString', 'Exists') }] }),
      webToDb,
      'deny',
    ],
    [
      'L10: and as real labels',
      ingress({ from: [{ podSelector: labels({ constructor: 'x' }) }] }),
      { from: 'shop/odd', to: 'shop/db' },
      'allow',
    ],
    [
      'L11 VAL: host bits are masked',
      egress({ to: [{ ipBlock: { cidr: '203.0.113.99/24' } }] }),
      { from: 'shop/web', to: outside },
      'allow',
    ],
    [
      'L11 VAL: leading zeros are decimal',
      egress({ to: [{ ipBlock: { cidr: '203.000.113.007/32' } }] }),
      { from: 'shop/web', to: outside },
      'allow',
    ],
    [
      'L11 VAL: IPv4-mapped IPv6 is IPv4',
      egress({ to: [{ ipBlock: { cidr: '203.0.113.0/24' } }] }),
      { from: 'shop/web', to: '::ffff:203.0.113.7' },
      'allow',
    ],
  ])('%s', (_, specs, asked, answer) => {
    expect(answerOf(worldWith(specs), asked)).toBe(answer);
  });
});

describe('what the API server would refuse (L7 VAL)', () => {
  const port = (entry: unknown) => ingress({ ports: [entry] });
  const peer = (entry: unknown) => ingress({ from: [entry] });
  const block = (entry: unknown) => peer({ ipBlock: entry });
  it.each<[string, Specs, string]>([
    ['an empty peer', peer({}), 'spec.ingress[0].from[0]'],
    [
      'a block beside a selector',
      peer({ ipBlock: { cidr: '10.0.0.0/8' }, podSelector: {} }),
      'spec.ingress[0].from[0]',
    ],
    ['endPort without a port', port({ endPort: 90 }), 'spec.ingress[0].ports[0].endPort'],
    ['endPort with a named port', port({ port: 'http', endPort: 90 }), 'spec.ingress[0].ports[0].endPort'],
    ['endPort below the port', port({ port: 91, endPort: 90 }), 'spec.ingress[0].ports[0].endPort'],
    ['port 0', port({ port: 0 }), 'spec.ingress[0].ports[0].port'],
    ['port 65536', port({ port: 65_536 }), 'spec.ingress[0].ports[0].port'],
    ['a port of text without a letter', port({ port: '80' }), 'spec.ingress[0].ports[0].port'],
    ['a port name of 16 letters', port({ port: 'abcdefghijklmnop' }), 'spec.ingress[0].ports[0].port'],
    ['a port name in capitals', port({ port: 'HTTP' }), 'spec.ingress[0].ports[0].port'],
    ['another protocol', port({ protocol: 'ICMP', port: 1 }), 'spec.ingress[0].ports[0].protocol'],
    ['a protocol in small letters', port({ protocol: 'tcp', port: 1 }), 'spec.ingress[0].ports[0].protocol'],
    ['a block that is an address', block({ cidr: '10.0.0.1' }), 'spec.ingress[0].from[0].ipBlock.cidr'],
    ['a block without cidr', block({}), 'spec.ingress[0].from[0].ipBlock.cidr'],
    [
      'an exception outside',
      block({ cidr: '10.0.0.0/8', except: ['11.0.0.0/9'] }),
      'spec.ingress[0].from[0].ipBlock.except[0]',
    ],
    [
      'an exception as large as the block',
      block({ cidr: '10.0.0.0/8', except: ['10.0.0.0/8'] }),
      'spec.ingress[0].from[0].ipBlock.except[0]',
    ],
    [
      'an exception of the other family',
      block({ cidr: '10.0.0.0/8', except: ['fd00::/64'] }),
      'spec.ingress[0].from[0].ipBlock.except[0]',
    ],
    [
      'In without values',
      { 'shop/p': { podSelector: expression('app', 'In') } },
      'spec.podSelector.matchExpressions[0].values',
    ],
    [
      'NotIn with an empty list',
      { 'shop/p': { podSelector: expression('app', 'NotIn', []) } },
      'spec.podSelector.matchExpressions[0].values',
    ],
    [
      'Exists with values',
      { 'shop/p': { podSelector: expression('app', 'Exists', ['a']) } },
      'spec.podSelector.matchExpressions[0].values',
    ],
    [
      'an operator of node selectors',
      { 'shop/p': { podSelector: expression('app', 'Gt', ['1']) } },
      'spec.podSelector.matchExpressions[0].operator',
    ],
    [
      'a label value that YAML read as a boolean (L8)',
      { 'shop/p': { podSelector: labels({ app: true }) } },
      'spec.podSelector.matchLabels[app]',
    ],
    [
      'a label key with two slashes',
      { 'shop/p': { podSelector: labels({ 'a/b/c': 'x' }) } },
      'spec.podSelector.matchLabels[a/b/c]',
    ],
    [
      'three policyTypes',
      { 'shop/p': { podSelector: {}, policyTypes: ['Ingress', 'Egress', 'Ingress'] } },
      'spec.policyTypes',
    ],
    [
      'a policyType in small letters',
      { 'shop/p': { podSelector: {}, policyTypes: ['ingress'] } },
      'spec.policyTypes[0]',
    ],
    ['rules that are no list', { 'shop/p': { podSelector: {}, ingress: { from: [] } } }, 'spec.ingress'],
  ])('%s is a finding, and the policy is left out with a caveat', (_, specs, path) => {
    const world = worldWith(specs);

    const { findings } = policyModel(world);
    const decision = decisionOf(world, webToDb);

    expect(findings.filter(({ code }) => code === 'Rejected').map(({ part }) => part.path)).toContain(path);
    expect(decision.answer).toBe('allow');
    expect(decision.ingress.caveats.map(({ code }) => code)).toEqual(['PolicyRejected']);
  });

  it('is unknown if a server has accepted it all the same', () => {
    const [policy] = worldWith(peer({})).policies;
    const accepted = policy === undefined ? [] : [{ ...policy, metadata: { ...policy.metadata, uid: 'u' } }];

    const { answer, ingress: direction } = decisionOf({ ...base, policies: accepted }, webToDb);

    expect(answer).toBe('unknown');
    expect(direction.basis.open.map(({ code }) => code)).toEqual(['PolicyNotRead']);
  });

  it.each<[string, Specs, string, string]>([
    [
      'L2: rules of an unlisted direction',
      { 'shop/p': { podSelector: {}, policyTypes: ['Ingress'], egress: [{}] } },
      'Ignored',
      'spec.egress',
    ],
    ['a field of another name', { 'shop/p': { podSelector: {}, ingres: [] } }, 'UnknownField', 'spec.ingres'],
  ])('reports %s and evaluates the policy', (_, specs, code, path) => {
    const world = worldWith(specs);

    expect(policyModel(world).findings).toMatchObject([{ code, part: { path } }]);
    expect(answerOf(world, webToDb)).toBe('deny');
  });

  it('L5: takes a policy without a namespace for one of default, and says so', () => {
    const policy = networkPolicy('p', { podSelector: {} });
    const world: PolicyWorld = { namespaces: [], pods: [podOf('default/a'), podOf('default/b')], policies: [policy] };

    expect(policyModel(world).findings).toMatchObject([{ code: 'NamespaceAssumed' }]);
    expect(answerOf(world, { from: 'default/a', to: 'default/b' })).toBe('deny');
  });
});

describe('selection', () => {
  const fromApp = (selector: unknown) => ingress({ from: [{ podSelector: selector }] });
  const monToDb: Asked = { from: 'mon/web', to: 'shop/db' };
  it.each<Row>([
    ['S1 API: a policy selects pods of its own namespace', { 'mon/p': { podSelector: {} } }, webToDb, 'allow'],
    ['S2 API: podSelector alone looks at the own namespace', fromApp(labels({ app: 'web' })), monToDb, 'deny'],
    ['S2 API: and matches there', fromApp(labels({ app: 'web' })), webToDb, 'allow'],
    ['S2 API: an empty podSelector is the whole own namespace', fromApp({}), webToDb, 'allow'],
    ['S2 API: and nothing else', fromApp({}), monToDb, 'deny'],
    [
      'S2 API: an empty namespaceSelector is every pod',
      ingress({ from: [{ namespaceSelector: {} }] }),
      monToDb,
      'allow',
    ],
    [
      'S2 API: but nobody outside',
      ingress({ from: [{ namespaceSelector: {} }] }),
      { from: outside, to: 'shop/db' },
      'deny',
    ],
    [
      'S2 API: both selectors in one peer are AND',
      ingress({ from: [{ namespaceSelector: labels({ team: 'ops' }), podSelector: labels({ app: 'db' }) }] }),
      monToDb,
      'deny',
    ],
    [
      'S2 API: two peers are OR',
      ingress({ from: [{ namespaceSelector: labels({ team: 'ops' }) }, { podSelector: labels({ app: 'db' }) }] }),
      monToDb,
      'allow',
    ],
    ['S3 SEL: matchLabels are ANDed', fromApp(labels({ app: 'web', tier: 'front' })), webToDb, 'deny'],
    [
      'S3 SEL: matchLabels and matchExpressions are ANDed',
      fromApp({ ...labels({ app: 'web' }), ...expression('tier', 'Exists') }),
      webToDb,
      'deny',
    ],
    ['S4 SEL: In needs the key', fromApp(expression('zone', 'In', ['a'])), webToDb, 'deny'],
    ['S4 SEL: NotIn matches a missing key', fromApp(expression('zone', 'NotIn', ['a'])), webToDb, 'allow'],
    ['S4 SEL: an empty value needs the key', fromApp(labels({ zone: '' })), webToDb, 'deny'],
    ['S4 SEL: and matches an empty label', fromApp(labels({ empty: '' })), webToDb, 'allow'],
    [
      'S5 DOC: namespaceSelector does not see names as other labels',
      ingress({ from: [{ namespaceSelector: labels({ name: 'mon' }) }] }),
      monToDb,
      'deny',
    ],
    ['S6 DOC: an ingress policy leaves egress open', ingress(), { from: 'shop/web', to: outside }, 'allow'],
    ['S6 DOC: an egress policy leaves ingress open', egress(), monToDb, 'allow'],
    ['S7: a finished pod has no connections', {}, { from: 'shop/done', to: 'shop/db' }, 'undefined'],
    ['S7: its address is nobody’s', fromApp(labels({ app: 'web' })), { from: '10.0.1.9', to: 'shop/db' }, 'deny'],
  ])('%s', (_, specs, asked, answer) => {
    expect(answerOf(worldWith(specs), asked)).toBe(answer);
  });
});

describe('rules', () => {
  const block = (cidr: string, except?: readonly string[]) => ({
    ipBlock: { cidr, ...(except === undefined ? {} : { except }) },
  });
  const toOutside: Asked = { from: 'shop/web', to: outside };
  it.each<Row>([
    ['R1 API: no rules deny all', ingress(), webToDb, 'deny'],
    [
      'R1 API: null rules as well',
      { 'shop/p': { podSelector: {}, policyTypes: ['Ingress'], ingress: null } },
      webToDb,
      'deny',
    ],
    ['R2 API: an empty rule admits the cluster', ingress({}), webToDb, 'allow'],
    ['R2 API: and the world', ingress({}), { from: outside, to: 'shop/db' }, 'allow'],
    [
      'R3 API: an empty from is any peer',
      ingress({ from: [], ports: [{ port: 8080 }] }),
      { from: outside, to: 'shop/db' },
      'allow',
    ],
    [
      'R3 API: empty ports are any port',
      ingress({ from: [{ podSelector: {} }], ports: [] }),
      { ...webToDb, port: 1, protocol: 'SCTP' },
      'allow',
    ],
    [
      'R4 DOC: peer AND port',
      ingress({ from: [{ podSelector: labels({ app: 'web' }) }], ports: [{ port: 80 }] }),
      webToDb,
      'deny',
    ],
    [
      'R4 DOC: a rule with the peer and one with the port do admit',
      ingress({ from: [{ podSelector: labels({ app: 'x' }) }] }, { ports: [{ port: 8080 }] }),
      webToDb,
      'allow',
    ],
    [
      'R4 DOC: policies are a union',
      { 'shop/a': { podSelector: {} }, 'shop/b': { podSelector: labels({ app: 'db' }), ingress: [{}] } },
      webToDb,
      'allow',
    ],
    [
      'R5 API: a protocol alone is all of its ports',
      ingress({ ports: [{ protocol: 'UDP' }] }),
      { ...webToDb, protocol: 'UDP', port: 7 },
      'allow',
    ],
    ['R5 API: and no other protocol', ingress({ ports: [{ protocol: 'UDP' }] }), webToDb, 'deny'],
    ['R6 API: endPort is included', ingress({ ports: [{ port: 8000, endPort: 8080 }] }), webToDb, 'allow'],
    ['R6 API: and nothing beyond', ingress({ ports: [{ port: 8000, endPort: 8079 }] }), webToDb, 'deny'],
    ['R7 API: a named port on ingress is the subject’s', ingress({ ports: [{ port: 'http' }] }), webToDb, 'allow'],
    [
      'R7 API: each pod has its own number',
      ingress({ ports: [{ port: 'http' }] }),
      { from: 'shop/web', to: 'shop/odd' },
      'deny',
    ],
    [
      'R7 API: and is admitted on that',
      ingress({ ports: [{ port: 'http' }] }),
      { from: 'shop/web', to: 'shop/odd', port: 80 },
      'allow',
    ],
    ['R7 API: containers share a name', ingress({ ports: [{ port: 'http' }] }), { ...webToDb, port: 9090 }, 'allow'],
    [
      'R7 API: on egress it is the destination’s',
      egress({ ports: [{ port: 'http' }] }),
      { from: 'shop/web', to: 'shop/odd', port: 80 },
      'allow',
    ],
    ['R7 API: not the source’s', egress({ ports: [{ port: 'http' }] }), { from: 'shop/web', to: 'shop/odd' }, 'deny'],
    ['R7 API: the protocol has to match', ingress({ ports: [{ port: 'dns' }] }), { ...webToDb, port: 53 }, 'deny'],
    [
      'R7 API: and does for UDP',
      ingress({ ports: [{ port: 'dns', protocol: 'UDP' }] }),
      { ...webToDb, port: 53, protocol: 'UDP' },
      'allow',
    ],
    ['R7 API: an address outside has no names', egress({ ports: [{ port: 'http' }] }), toOutside, 'deny'],
    [
      'R9 E2E: except carves its own block',
      egress({ to: [block('203.0.113.0/24', ['203.0.113.0/28'])] }),
      toOutside,
      'deny',
    ],
    [
      'R9 E2E: and denies nothing that another block admits',
      egress({ to: [block('203.0.113.0/24', ['203.0.113.0/28']), block('203.0.113.7/32')] }),
      toOutside,
      'allow',
    ],
    ['R10 DOC: a block against a pod is undefined', egress({ to: [block('10.0.0.0/8')] }), webToDb, 'undefined'],
    ['R10 DOC: unless it does not contain the pod', egress({ to: [block('10.9.0.0/16')] }), webToDb, 'deny'],
    ['R10 DOC: or a selector admits', egress({ to: [block('10.0.0.0/8'), { podSelector: {} }] }), webToDb, 'allow'],
    [
      'R10 DOC: a block against a pod without an address yet',
      egress({ to: [block('10.0.0.0/8')] }),
      { from: 'shop/web', to: 'plain/web' },
      'undefined',
    ],
    [
      'R10 DOC: a block against a node',
      egress({ to: [block('192.168.0.2/32')] }),
      { from: 'shop/web', to: 'node/b' },
      'undefined',
    ],
    [
      'R10: an address of a pod is that pod',
      egress({ to: [{ podSelector: {} }] }),
      { from: 'shop/web', to: '10.0.1.2' },
      'allow',
    ],
    [
      'R11 E2E: 0.0.0.0/0 has no IPv6',
      egress({ to: [block('0.0.0.0/0')] }),
      { from: 'shop/web', to: '2001:db8::1' },
      'deny',
    ],
    ['R11 E2E: ::/0 has', egress({ to: [block('::/0')] }), { from: 'shop/web', to: '2001:db8::1' }, 'allow'],
    ['R11 E2E: and no IPv4', egress({ to: [block('::/0')] }), toOutside, 'deny'],
    [
      'R12 E2E: an SCTP rule isolates and admits no TCP',
      ingress({ ports: [{ protocol: 'SCTP', port: 8080 }] }),
      webToDb,
      'deny',
    ],
    [
      'R12 E2E: but SCTP',
      ingress({ ports: [{ protocol: 'SCTP', port: 8080 }] }),
      { ...webToDb, protocol: 'SCTP' },
      'allow',
    ],
  ])('%s', (_, specs, asked, answer) => {
    expect(answerOf(worldWith(specs), asked)).toBe(answer);
  });

  it('R7: names the entry whose port the destination does not have', () => {
    const { ingress: direction } = decisionOf(worldWith(ingress({ ports: [{ port: 'metrics' }] })), webToDb);

    expect(direction.caveats).toMatchObject([{ code: 'NamedPortMissing', part: { path: 'spec.ingress[0].ports[0]' } }]);
  });
});

describe('connections', () => {
  const denyAll = { 'shop/p': { podSelector: {}, policyTypes: ['Ingress', 'Egress'] } };
  const hostIngress = { 'mon/p': { podSelector: {} } };
  it.each<Row>([
    ['C1 DOC: both sides have to admit: egress denies', egress(), { from: 'shop/web', to: 'mon/web' }, 'deny'],
    ['C1 DOC: both sides have to admit: ingress denies', ingress(), { from: 'mon/web', to: 'shop/web' }, 'deny'],
    ['C1 DOC: an address has no policies', ingress({}), { from: outside, to: 'shop/web' }, 'allow'],
    [
      'C2 DOC: replies need no rule of their own',
      {
        ...egress({ to: [{ podSelector: labels({ app: 'db' }) }] }),
        'shop/q': { podSelector: labels({ app: 'web' }), policyTypes: ['Ingress'] },
      },
      webToDb,
      'allow',
    ],
    ['C4: a pod to itself is open', denyAll, { from: 'shop/web', to: 'shop/web' }, 'undefined'],
    ['C4: also by its address', denyAll, { from: 'shop/web', to: '10.0.1.1' }, 'undefined'],
    [
      'C4: unless it is admitted either way',
      ingress({ from: [{ podSelector: {} }] }),
      { from: 'shop/web', to: 'shop/web' },
      'allow',
    ],
    ['C5 API: the own node reaches its pods', denyAll, { from: 'node/a', to: 'shop/web' }, 'allow'],
    ['C5 API: another node does not', denyAll, { from: 'node/b', to: 'shop/web' }, 'deny'],
    ['C5 API: by its address', denyAll, { from: '192.168.0.1', to: 'shop/web' }, 'allow'],
    ['C5 DOC: a pod reaches its own node', denyAll, { from: 'shop/web', to: 'node/a' }, 'allow'],
    [
      'C5: it is unknown on which node a pod without one runs',
      { 'plain/p': { podSelector: {} } },
      { from: 'node/a', to: 'plain/web' },
      'unknown',
    ],
    ['C6 DOC: a selected pod of the host network', hostIngress, { from: 'shop/web', to: 'mon/host' }, 'undefined'],
    ['C6 DOC: one that is not selected', {}, { from: 'shop/web', to: 'mon/host' }, 'allow'],
    [
      'C6 DOC: one that is selected and admitted',
      { 'mon/p': { podSelector: {}, ingress: [{}] } },
      { from: 'shop/web', to: 'mon/host' },
      'allow',
    ],
    [
      'C6 DOC: as a peer that a selector matches',
      ingress({ from: [{ namespaceSelector: {} }] }),
      { from: 'mon/host', to: 'shop/db' },
      'undefined',
    ],
    ['C6 DOC: as a peer that none matches', ingress(), { from: 'mon/host', to: 'shop/db' }, 'deny'],
    ['C6 API: as a peer on the own node, not matched', ingress(), { from: 'mon/host', to: 'shop/web' }, 'undefined'],
    [
      'C6 API: as a peer on the own node, matched',
      ingress({ from: [{ namespaceSelector: {} }] }),
      { from: 'mon/host', to: 'shop/web' },
      'allow',
    ],
    ['C9: a pod that nothing selects is open', {}, webToDb, 'allow'],
    ['a pod that is not given', {}, { from: 'shop/nobody', to: 'shop/db' }, 'unknown'],
    ['what is no address', {}, { from: 'shop/web', to: 'nowhere' }, 'unknown'],
  ])('%s', (_, specs, asked, answer) => {
    expect(answerOf(worldWith(specs), asked)).toBe(answer);
  });

  it('C5: cautions that some plugins police a pod’s connections to its own node', () => {
    const { egress: direction } = decisionOf(worldWith(denyAll), { from: 'shop/web', to: 'node/a' });

    expect(direction.caveats.map(({ code }) => code)).toEqual(['OwnNode']);
  });

  it('names what isolates, and the rule, peer and port that admit', () => {
    const specs = ingress(
      { ports: [{ port: 1 }] },
      { from: [{ podSelector: {} }], ports: [{ port: 1 }, { port: 8080 }] },
    );

    const { egress: out, ingress: direction } = decisionOf(worldWith(specs), webToDb);

    expect(out.basis).toEqual({ reason: 'NotIsolated', open: [] });
    expect(direction.basis.reason).toBe('AdmittedByRule');
    expect(direction.isolatedBy.map(({ path }) => path)).toEqual(['spec.podSelector']);
    expect(direction.decidedBy.map(({ path }) => path)).toEqual([
      'spec.ingress[1]',
      'spec.ingress[1].from[0]',
      'spec.ingress[1].ports[1]',
    ]);
  });

  it('names the namespace whose labels it would have to know', () => {
    const specs = ingress({ from: [{ namespaceSelector: labels({ team: 'x' }) }] });

    const { ingress: direction } = decisionOf(worldWith(specs), { from: 'unseen/web', to: 'shop/db' });

    expect(direction.basis.open).toMatchObject([{ code: 'NamespaceLabelsUnknown', truth: 'unknown' }]);
    expect(direction.basis.open[0]?.message).toContain('namespace unseen');
  });

  it('does not evaluate a policy of a kind that it does not know, and says so', () => {
    const policy = {
      apiVersion: 'policy.networking.k8s.io/v1alpha1',
      kind: 'AdminNetworkPolicy',
      metadata: { name: 'a' },
    };
    const world = { ...base, policies: [policy] };

    expect(answerOf(world, webToDb)).toBe('unknown');
    expect(policyModel(world).findings).toMatchObject([{ code: 'NotModelled' }]);
  });
});
