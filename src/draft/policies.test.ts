import { describe, expect, it } from 'vitest';
import { declaredIn, manifestsOf } from './testing/declared.ts';
import { connectivityTest, deployment, line, networkPolicy, service } from './testing/objects.ts';
import { draftPolicies } from './index.ts';

interface Options {
  readonly replaces?: boolean;
  readonly addresses?: Readonly<Record<string, string>>;
}

function draftedFrom(objects: readonly object[], { replaces = false, addresses = {} }: Options = {}) {
  const { cluster, inventory, problems } = declaredIn(manifestsOf(objects));
  expect(problems).toEqual([]);
  return draftPolicies(inventory.tests, cluster, { replaces, addressOf: (host) => addresses[host] });
}

function specsOf(objects: readonly object[], options?: Options): Readonly<Record<string, unknown>> {
  const { policies, problems } = draftedFrom(objects, options);
  expect(problems).toEqual([]);
  return Object.fromEntries(policies.map(({ metadata, spec }) => [`${metadata.namespace}/${metadata.name}`, spec]));
}

const app = (name: string) => ({ podSelector: { matchLabels: { app: name } } });
const shop = [deployment('shop/web'), deployment('shop/api'), deployment('shop/db')];
const resolver = {
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
  podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
};
const tcp = (...ports: readonly number[]) => ports.map((port) => ({ protocol: 'TCP', port }));

describe('draftPolicies', () => {
  it('restricts sources and targets, and admits exactly the Allow', () => {
    const test = connectivityTest('shop/t', line('a', 'web', 'api', 'Allow'), line('b', 'web', 'db', 'Deny'));

    expect(specsOf([...shop, test])).toEqual({
      'shop/drafted-api': {
        ...app('api'),
        policyTypes: ['Ingress', 'Egress'],
        ingress: [{ from: [app('web')], ports: tcp(8080) }],
      },
      'shop/drafted-db': { ...app('db'), policyTypes: ['Ingress', 'Egress'] },
      'shop/drafted-web': { ...app('web'), policyTypes: ['Egress'], egress: [{ to: [app('api')], ports: tcp(8080) }] },
    });
  });

  it('does not restrict whoever is only kept out', () => {
    const test = connectivityTest('shop/t', line('b', 'web', 'db', 'Deny'));

    expect(Object.keys(specsOf([...shop, test]))).toEqual(['shop/drafted-db']);
  });

  it('writes the port of the pod, not of the Service, and the number of a name', () => {
    const named = deployment('shop/api', { ports: [{ containerPort: 8080, name: 'http' }] });
    const front = service('shop/front', { app: 'api' }, 80, 'http');
    const test = connectivityTest(
      'shop/t',
      line('a', 'web', { service: { name: 'front' }, port: 80 }, 'Allow'),
      line('b', 'db', 'api', 'Allow', 'http'),
    );

    expect(specsOf([deployment('shop/web'), deployment('shop/db'), named, front, test])).toMatchObject({
      'shop/drafted-api': { ingress: [{ from: [app('db'), app('web')], ports: tcp(8080) }] },
    });
  });

  it('puts peers of other namespaces into one entry, by name and labels both', () => {
    const test = connectivityTest(
      'shop/t',
      line('a', 'web', { service: { name: 'teller', namespace: 'bank' }, port: 80 }, 'Allow'),
    );
    const objects = [
      deployment('shop/web'),
      deployment('bank/teller'),
      service('bank/teller', { app: 'teller' }, 80, 8080),
      test,
    ];
    const peer = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'bank' } }, ...app('teller') };

    // The other namespace has no test, so its policies are for its own people to write.
    expect(specsOf(objects)).toEqual({
      'shop/drafted-web': { ...app('web'), policyTypes: ['Egress'], egress: [{ to: [peer], ports: tcp(8080) }] },
    });
  });

  it('closes a door of another namespace from the side of the source', () => {
    const test = connectivityTest(
      'shop/t',
      line('a', 'web', { service: { name: 'teller', namespace: 'bank' }, port: 80 }, 'Deny'),
    );
    const objects = [
      deployment('shop/web'),
      deployment('bank/teller'),
      service('bank/teller', { app: 'teller' }, 80, 8080),
      test,
    ];

    expect(specsOf(objects)).toEqual({ 'shop/drafted-web': { ...app('web'), policyTypes: ['Egress'] } });
  });

  it('admits the look-up of names by both protocols where an Allow goes by name', () => {
    const test = connectivityTest(
      'shop/t',
      line('a', 'web', { host: 'api.shop.svc.cluster.local', port: 8080 }, 'Allow'),
    );
    const objects = [deployment('shop/web'), deployment('shop/api'), service('shop/api', { app: 'api' }, 8080), test];

    expect(specsOf(objects)).toMatchObject({
      'shop/drafted-web': {
        egress: [
          {
            to: [resolver],
            ports: [
              { protocol: 'TCP', port: 53 },
              { protocol: 'UDP', port: 53 },
            ],
          },
          { to: [app('api')], ports: tcp(8080) },
        ],
      },
    });
  });

  it('admits addresses by blocks, without what they except', () => {
    const cidr = { block: '203.0.113.0/24', sample: '203.0.113.7', except: ['203.0.113.128/25'] };
    const test = connectivityTest(
      'shop/t',
      line('a', 'web', { cidr, port: 443 }, 'Allow'),
      line('b', 'web', { ip: '198.51.100.1', port: 443 }, 'Allow'),
      line('c', 'web', { ip: '2001:db8::1', port: 443 }, 'Allow'),
      line('d', 'api', { ip: '169.254.169.254', port: 80 }, 'Deny'),
    );

    expect(specsOf([...shop, test])).toEqual({
      'shop/drafted-api': { ...app('api'), policyTypes: ['Egress'] },
      'shop/drafted-web': {
        ...app('web'),
        policyTypes: ['Egress'],
        egress: [
          {
            to: [
              { ipBlock: { cidr: '198.51.100.1/32' } },
              { ipBlock: { cidr: '2001:db8::1/128' } },
              { ipBlock: { cidr: '203.0.113.0/24', except: ['203.0.113.128/25'] } },
            ],
            ports: tcp(443),
          },
        ],
      },
    });
  });

  it('takes a host for the address that is given', () => {
    const dns = { dns: { name: 'partner.example' } };
    const test = connectivityTest(
      'shop/t',
      line('a', 'web', { host: 'partner.example', port: 443 }, 'Allow'),
      line('b', 'web', dns, 'Allow'),
    );

    expect(
      specsOf([deployment('shop/web'), test], { addresses: { 'partner.example': '198.51.100.9' } })['shop/drafted-web'],
    ).toMatchObject({
      egress: [{ to: [{ ipBlock: { cidr: '198.51.100.9/32' } }], ports: tcp(443) }, { to: [resolver] }],
    });
  });

  it('selects by what is written where a test names pods by labels', () => {
    const pods = { matchExpressions: [{ key: 'app', operator: 'In', values: ['web', 'db'] }] };
    const asked = {
      name: 'a',
      from: { pods },
      to: { pods: { matchLabels: { app: 'api' } }, port: 8080 },
      expect: 'Allow',
    };

    const { policies } = draftedFrom([...shop, connectivityTest('shop/t', asked)]);
    expect(policies.map(({ spec }) => spec)).toContainEqual({
      podSelector: { matchLabels: { app: 'api' } },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [{ from: [{ podSelector: pods }], ports: tcp(8080) }],
    });
  });

  it('tells workloads apart by labels that one of them lacks', () => {
    const canary = deployment('shop/canary', { labels: { app: 'web', track: 'canary' } });
    const test = connectivityTest('shop/t', line('a', 'web', 'api', 'Allow'), line('b', 'canary', 'api', 'Deny'));

    expect(specsOf([...shop, canary, test])).toMatchObject({
      'shop/drafted-api': {
        ingress: [
          {
            from: [
              {
                podSelector: {
                  matchLabels: { app: 'web' },
                  matchExpressions: [{ key: 'track', operator: 'DoesNotExist' }],
                },
              },
            ],
          },
        ],
      },
    });
  });

  it('admits those whom a Deny names as its proof', () => {
    const deny = {
      ...line('a', 'web', 'db', 'Deny'),
      control: { from: { workload: { kind: 'Deployment', name: 'api' } } },
    };

    expect(specsOf([...shop, connectivityTest('shop/t', deny)])).toMatchObject({
      'shop/drafted-db': { ingress: [{ from: [app('api')], ports: tcp(8080) }] },
    });
  });

  it('counts dry runs and suspended tests, which are about policies still to be written', () => {
    const expectations = [{ ...line('a', 'web', 'db', 'Deny'), dryRun: true }];
    const suspended = { ...connectivityTest('shop/t'), spec: { suspend: true, expectations } };

    expect(Object.keys(specsOf([...shop, suspended]))).toEqual(['shop/drafted-db']);
  });

  it('says what else a reviewer should know', () => {
    const test = connectivityTest('shop/t', line('a', 'web', 'api', 'Allow'));

    expect(draftedFrom([...shop, test]).notes).toEqual([
      'Who may connect to Deployment shop/web is not restricted: no expectation is about that.',
      'No expectation lets Deployment shop/api, Deployment shop/web resolve names. Applications that connect by name need an Allow with `to: {dns: {name: kubernetes.default.svc}}`.',
    ]);
  });
});

describe('draftPolicies, of what no policy defines', () => {
  it('says that the line is not confirmed', () => {
    const pod = (name: string) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'shop', labels: { app: name } },
      spec: { containers: [{ name: 'c' }] },
    });
    const named = (name: string) => ({ workload: { kind: 'Pod', name } });
    const asked = (name: string, to: string) => ({
      name,
      from: named('a'),
      to: { ...named(to), port: 80 },
      expect: 'Allow',
    });

    const { problems, notes } = draftedFrom([
      pod('a'),
      pod('b'),
      connectivityTest('shop/t', asked('itself', 'a'), asked('other', 'b')),
    ]);

    expect(problems).toEqual([]);
    expect(notes.join('\n')).toContain('Not confirmed, shop/t: itself: The only pod of Pod a');
  });
});

const openToAll = networkPolicy('shop/open', {
  podSelector: {},
  ingress: [{}],
  egress: [{}],
  policyTypes: ['Ingress', 'Egress'],
});

describe('draftPolicies, beside policies that are there', () => {
  const allow = connectivityTest('shop/t', line('a', 'web', 'api', 'Allow'));

  it('drafts nothing while another policy admits more', () => {
    const { policies, problems } = draftedFrom([...shop, openToAll, allow]);

    expect(policies).toEqual([]);
    expect(problems).toContain(
      'Deployment shop/db -> Deployment shop/api would be admitted on TCP port 1-65535, which no expectation allows: another policy of the manifests admits it, or the labels do not tell these pods apart.',
    );
  });

  it('stands in their place if that is asked for, and names them', () => {
    const { policies, notes } = draftedFrom([...shop, openToAll, allow], { replaces: true });

    expect(policies.length).toBe(2);
    expect(notes[0]).toBe('They stand in place of NetworkPolicy shop/open: delete what has another name.');
  });

  it('leaves in force what it cannot replace, and says so', () => {
    const closed = networkPolicy('shop/default-deny', { podSelector: {} });

    expect(draftedFrom([...shop, closed, allow]).notes[0]).toBe(
      'They were confirmed beside NetworkPolicy shop/default-deny, which stay in force.',
    );
  });

  it('takes the place of its own former draft', () => {
    const former = networkPolicy('shop/drafted-api', { podSelector: {}, ingress: [{}] });

    expect(draftedFrom([...shop, former, allow]).problems).toEqual([]);
  });
});

describe('draftPolicies, where there is no such set', () => {
  it.each<{ scenario: string; objects: readonly object[]; problem: string }>([
    {
      scenario: 'two lines contradict each other',
      objects: [
        ...shop,
        connectivityTest('shop/t', line('open', 'web', 'api', 'Allow'), line('shut', 'web', 'api', 'Deny')),
      ],
      problem: 'shop/t: shut contradicts shop/t: open: what the one needs admits what the other denies.',
    },
    {
      scenario: 'a selector that allows meets a workload that is denied',
      objects: [
        ...shop,
        connectivityTest(
          'shop/t',
          {
            name: 'open',
            from: { pods: {} },
            to: { workload: { kind: 'Deployment', name: 'api' }, port: 8080 },
            expect: 'Allow',
          },
          line('shut', 'web', 'api', 'Deny'),
        ),
      ],
      problem: 'shop/t: shut contradicts shop/t: open',
    },
    {
      scenario: 'an outside host is known by name alone',
      objects: [...shop, connectivityTest('shop/t', line('a', 'web', { host: 'partner.example', port: 443 }, 'Allow'))],
      problem:
        'A NetworkPolicy knows addresses and no names: give that of partner.example by --resolve partner.example=ADDRESS',
    },
    {
      scenario: 'a pod uses the host network',
      objects: [
        deployment('shop/web'),
        deployment('shop/agent', { hostNetwork: true }),
        connectivityTest('shop/t', line('a', 'web', 'agent', 'Allow')),
      ],
      problem: 'uses the host network: no NetworkPolicy selects it.',
    },
    {
      scenario: 'no label tells two workloads apart',
      objects: [
        ...shop,
        deployment('shop/twin', { labels: { app: 'web' } }),
        connectivityTest('shop/t', line('a', 'web', 'api', 'Allow')),
      ],
      problem: 'No label selector means Deployment shop/web alone',
    },
    {
      scenario: 'a source does not exist',
      objects: [...shop, connectivityTest('shop/t', line('a', 'wbe', 'api', 'Allow'))],
      problem: 'There is no Deployment wbe in namespace shop.',
    },
    {
      scenario: 'the other namespace does not admit it',
      objects: [
        deployment('shop/web'),
        deployment('bank/teller'),
        service('bank/teller', { app: 'teller' }, 80, 8080),
        networkPolicy('bank/default-deny', { podSelector: {} }),
        connectivityTest(
          'shop/t',
          line('a', 'web', { service: { name: 'teller', namespace: 'bank' }, port: 80 }, 'Allow'),
        ),
      ],
      problem: 'is restricted by NetworkPolicy bank/default-deny, and no rule admits this.',
    },
  ])('refuses when $scenario', ({ objects, problem }) => {
    const { policies, problems } = draftedFrom(objects);

    expect(problems.join('\n')).toContain(problem);
    expect(policies).toEqual([]);
  });
});
