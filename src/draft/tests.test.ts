import { describe, expect, it } from 'vitest';
import { declaredIn, manifestsOf } from './testing/declared.ts';
import { deployment, networkPolicy, type PodOptions, service } from './testing/objects.ts';
import { draftTests } from './index.ts';

const knowledge = { addressOf: () => undefined };

function draftedFrom(objects: readonly object[], isWanted?: (namespace: string) => boolean) {
  const { cluster, problems } = declaredIn(manifestsOf(objects));
  expect(problems).toEqual([]);
  return draftTests(cluster, knowledge, isWanted);
}

function linesOf(objects: readonly object[]): readonly string[] {
  return draftedFrom(objects).tests.flatMap(({ test }) =>
    test.spec.expectations.map(({ name, expect }) => `${test.metadata.namespace}: ${expect} ${name}`),
  );
}

const admitting = (name: string, ...apps: readonly string[]): object =>
  networkPolicy(`shop/${name}`, {
    podSelector: { matchLabels: { app: name } },
    ingress: [{ from: apps.map((app) => ({ podSelector: { matchLabels: { app } } })), ports: [{ port: 8080 }] }],
  });
const odd = (port: number, protocol: string): PodOptions => ({ ports: [{ containerPort: port, protocol }] });

describe('draftTests', () => {
  it('allows what a rule admits, and denies the door to others and the other door to the admitted one', () => {
    const ports = [{ containerPort: 8080 }, { containerPort: 9090 }];

    expect(
      linesOf([
        deployment('shop/api', { ports }),
        deployment('shop/web'),
        deployment('shop/job'),
        admitting('api', 'web'),
      ]),
    ).toEqual([
      'shop: Allow web-reaches-api-8080',
      'shop: Deny api-does-not-reach-api-8080',
      'shop: Deny job-does-not-reach-api-8080',
      'shop: Deny web-does-not-reach-api-9090',
      'shop: Deny api-does-not-reach-api-9090',
      'shop: Deny job-does-not-reach-api-9090',
    ]);
  });

  it('says nothing of what no policy restricts', () => {
    const { tests, leftOut } = draftedFrom([deployment('shop/api'), deployment('shop/web')]);

    expect(tests).toEqual([]);
    expect(leftOut).toEqual(['4 connections at declared ports that no policy restricts.']);
  });

  it('denies a door to the three nearest of its namespace and to one of others, those like the admitted first', () => {
    const tier = (app: string) => ({ labels: { app, tier: 'front' } });
    const others = ['a', 'b', 'c', 'd'].map((name) => deployment(`shop/${name}`));

    const lines = linesOf([
      deployment('shop/api'),
      deployment('shop/web', tier('web')),
      deployment('shop/zebra', tier('zebra')),
      ...others,
      deployment('bank/a'),
      deployment('bank/teller', tier('teller')),
      service('shop/api', { app: 'api' }, 80, 8080),
      admitting('api', 'web'),
    ]);

    expect(lines.filter((each) => each.includes('Deny'))).toEqual([
      'bank: Deny teller-does-not-reach-shop-api-8080',
      'shop: Deny zebra-does-not-reach-api-8080',
      'shop: Deny a-does-not-reach-api-8080',
      'shop: Deny api-does-not-reach-api-8080',
    ]);
  });

  it('names the workload at home and the Service elsewhere, which needs no grant', () => {
    const fromBank = networkPolicy('shop/api', {
      podSelector: {},
      ingress: [{ from: [{ namespaceSelector: {} }], ports: [{ port: 8080 }] }],
    });

    const { tests } = draftedFrom([
      deployment('shop/api'),
      deployment('bank/teller'),
      service('shop/front', { app: 'api' }, 80, 8080),
      fromBank,
    ]);

    expect(tests.map(({ test }) => test.spec.expectations.map(({ to }) => to))).toEqual([
      [{ service: { name: 'front', namespace: 'shop' }, port: 80 }],
      [{ workload: { kind: 'Deployment', name: 'api' }, port: 8080 }],
    ]);
  });

  it.each<{ scenario: string; selector: Readonly<Record<string, string>> }>([
    { scenario: 'to others too', selector: { tier: 'back' } },
    { scenario: 'to one replica alone', selector: { 'statefulset.kubernetes.io/pod-name': 'api-0' } },
  ])('takes no Service for a workload that leads $scenario', ({ selector }) => {
    const back = (name: string) => deployment(`shop/${name}`, { labels: { app: name, tier: 'back' } });
    const { tests } = draftedFrom([
      { ...back('api'), kind: 'StatefulSet' },
      back('db'),
      deployment('bank/teller'),
      service('shop/front', selector, 80, 8080),
      networkPolicy('shop/all', { podSelector: {} }),
    ]);

    expect(tests.map(({ test }) => test.metadata.namespace)).toEqual(['shop']);
  });

  it('leaves out a workload of another namespace that nothing leads to, and says what it takes', () => {
    const { tests, leftOut } = draftedFrom([
      deployment('shop/api'),
      deployment('bank/teller'),
      networkPolicy('shop/api', { podSelector: {} }),
    ]);

    expect(tests.map(({ test }) => test.metadata.namespace)).toEqual(['shop']);
    expect(leftOut.join('\n')).toContain('Ask for a ConnectivityGrant there');
  });

  it('drafts the look-up of names by both protocols where a rule admits it, and says where none does', () => {
    const egress = [{ ports: [{ protocol: 'UDP', port: 53 }] }];

    const { tests, leftOut } = draftedFrom([
      deployment('shop/web'),
      networkPolicy('shop/web', { podSelector: {}, policyTypes: ['Egress'], egress }),
    ]);

    expect(tests.flatMap(({ test }) => test.spec.expectations.map(({ name }) => name))).toEqual([
      'web-does-not-reach-web-8080',
      'web-resolves-names',
    ]);
    expect(leftOut).toContain(
      'Deployment shop/web -> its own DNS resolver by TCP: no rule admits it, and applications that connect by name need it.',
    );
  });

  it.each<{ scenario: string; objects: readonly object[]; sentence: string }>([
    {
      scenario: 'what the API leaves open',
      objects: [
        deployment('shop/api'),
        deployment('shop/web'),
        networkPolicy('shop/api', {
          podSelector: { matchLabels: { app: 'api' } },
          ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8' } }] }],
        }),
      ],
      sentence: 'Deployment shop/web -> Deployment shop/api on TCP port 8080: The API leaves open',
    },
    {
      scenario: 'the host network',
      objects: [deployment('shop/agent', { hostNetwork: true })],
      sentence: 'Deployment shop/agent: it uses the host network',
    },
    {
      scenario: 'a datagram that nobody knows',
      objects: [
        deployment('shop/api', odd(8125, 'UDP')),
        deployment('shop/web'),
        networkPolicy('shop/api', { podSelector: {} }),
      ],
      sentence:
        'Deployment shop/web -> Deployment shop/api on UDP port 8125: which datagram is answered there is not known.',
    },
  ])('does not draft $scenario, and says so', ({ objects, sentence }) => {
    const { leftOut } = draftedFrom(objects);

    expect(leftOut.join('\n')).toContain(sentence);
  });

  it('drafts UDP where every server answers, and no SCTP', () => {
    const closed = networkPolicy('shop/all', { podSelector: {} });

    expect(linesOf([deployment('shop/ntp', odd(123, 'UDP')), deployment('shop/sctp', odd(9, 'SCTP')), closed])).toEqual(
      ['shop: Deny ntp-does-not-reach-ntp-udp-123', 'shop: Deny sctp-does-not-reach-ntp-udp-123'],
    );
  });

  it('makes every line a dry run that says by which rule it came', () => {
    const { tests } = draftedFrom([deployment('shop/api'), deployment('shop/web'), admitting('api', 'web')]);

    expect(tests[0]?.test.spec.expectations[0]).toEqual({
      name: 'web-reaches-api-8080',
      description: 'Drafted because it is admitted by NetworkPolicy shop/api (spec.ingress[0]). To be reviewed.',
      from: { workload: { kind: 'Deployment', name: 'web' } },
      to: { workload: { kind: 'Deployment', name: 'api' }, port: 8080 },
      expect: 'Allow',
      dryRun: true,
    });
  });

  it('names the Denies that nothing in their test proves', () => {
    const { tests } = draftedFrom([
      deployment('shop/api'),
      deployment('shop/web'),
      deployment('shop/db'),
      admitting('api', 'web'),
      networkPolicy('shop/db', { podSelector: { matchLabels: { app: 'db' } } }),
    ]);

    expect(tests[0]?.withoutControl).toEqual([
      'api-does-not-reach-db-8080',
      'db-does-not-reach-db-8080',
      'web-does-not-reach-db-8080',
    ]);
  });

  it('says which Denies come from a source of which nothing shows that it can send, since its silence proves nothing', () => {
    const { tests } = draftedFrom([
      deployment('shop/web'),
      deployment('shop/db'),
      networkPolicy('shop/db', { podSelector: { matchLabels: { app: 'db' } }, egress: [] }),
    ]);

    expect(tests[0]?.withoutSender).toEqual(['db-does-not-reach-db-8080', 'web-does-not-reach-db-8080']);
  });

  it('names no two lines alike, whatever workloads are called, and each within what the API takes', () => {
    const long = 'x'.repeat(60);
    const pod = (name: string) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'shop', labels: { app: name.slice(0, 60) } },
      spec: { containers: [{ name: 'c', ports: [{ containerPort: 80 }] }] },
    });
    const objects = [
      pod('a.b'),
      pod('a-b'),
      pod(long),
      pod(`${long}y`),
      networkPolicy('shop/all', { podSelector: {} }),
    ];

    const names = draftedFrom(objects).tests.flatMap(({ test }) => test.spec.expectations.map(({ name }) => name));

    expect(names.length).toBe(12);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
  });

  it('splits what does not fit into one run, and keeps an Allow with the Denies that it proves', () => {
    const names = Array.from({ length: 70 }, (_, index) => `w${index}`);
    const label = (app: string) => ({ labels: { app, kind: 'client' } });
    const open = networkPolicy('shop/api', {
      podSelector: { matchLabels: { app: 'api' } },
      ingress: [{ from: [{ podSelector: { matchLabels: { kind: 'client' } } }], ports: [{ port: 8080 }] }],
    });

    const { tests } = draftedFrom([
      deployment('shop/api', { ports: [{ containerPort: 8080 }, { containerPort: 9090 }] }),
      ...names.map((name) => deployment(`shop/${name}`, label(name))),
      open,
    ]);

    expect(tests.map(({ test }) => test.metadata.name)).toEqual([
      'drafted-from-policies',
      'drafted-from-policies-2',
      'drafted-from-policies-3',
    ]);
    expect(tests.flatMap(({ test }) => test.spec.expectations).length).toBe(74);
    const proved = tests.flatMap(({ test, withoutControl }) =>
      test.spec.expectations.filter(({ name, expect }) => expect === 'Deny' && !withoutControl.includes(name)),
    );
    expect(proved.map(({ name }) => name)).toEqual(['api-does-not-reach-api-8080']);
  });

  it('drafts only what begins in the namespaces asked for', () => {
    const objects = [
      deployment('shop/api'),
      deployment('bank/api'),
      ...['shop', 'bank'].map((each) => networkPolicy(`${each}/all`, { podSelector: {} })),
    ];

    const { tests } = draftedFrom(objects, (namespace) => namespace === 'bank');

    expect(tests.map(({ test }) => test.metadata.namespace)).toEqual(['bank']);
  });
});
