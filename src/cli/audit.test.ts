import { readdirSync, readFileSync, statSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { parse, stringify } from 'yaml';
import { harmful } from '../testing/hostile-text.ts';
import { runWith } from '../testing/command-line.ts';

// A busy machine is no failure.
vi.setConfig({ testTimeout: 60_000 });

function filesBelow(folder: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    readdirSync(folder)
      .filter((name) => /^\d.*\.yaml$/.test(name))
      .map((name) => [`${folder}/${name}`, readFileSync(`${folder}/${name}`, 'utf8')]),
  );
}

const forgotten = 'examples/namespaces-without-default-deny';
const threeTier = 'examples/three-tier';

interface Finding {
  readonly code: string;
  readonly severity: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly path: string;
  readonly message: string;
  readonly place?: { readonly file: string; readonly line: number };
  readonly edit: readonly string[];
}

interface AuditJSON {
  readonly format: string;
  readonly summary: object;
  readonly findings: readonly Finding[];
  readonly statement: {
    readonly inbound: readonly {
      readonly sentence: string;
      readonly workloads: readonly { readonly kind: string; readonly name: string }[];
    }[];
    readonly outbound: readonly { readonly sentence: string }[];
  };
}

async function audited(files: Readonly<Record<string, string>>, ...words: readonly string[]): Promise<AuditJSON> {
  const { printed, said } = await runWith(['audit', '-p', '', '-o', 'json', ...words], files);
  if (printed === '') throw new Error(said);
  return JSON.parse(printed);
}

function about({ code, severity, kind, namespace, name, path }: Finding): string {
  const object = namespace === undefined ? name : `${namespace}/${name}`;
  return `${severity} ${code} ${kind} ${object}${path === '' ? '' : ` ${path}`}`;
}

const pod = (name: string, namespace = 'shop') => `
apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: ${namespace}, labels: { app: ${name} } }
spec: { containers: [{ name: app, ports: [{ name: http, containerPort: 8080 }] }] }
`;
const denyAll = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: deny, namespace: shop }
spec: { podSelector: {}, policyTypes: [Ingress, Egress] }
`;
const admit = (ingress: string, egress: string) => `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: api, namespace: shop }
spec: { podSelector: { matchLabels: { app: api } }, policyTypes: [Ingress], ingress: [${ingress}] }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: web, namespace: shop }
spec: { podSelector: { matchLabels: { app: web } }, policyTypes: [Egress], egress: [${egress}] }
`;
const test = (...expectations: readonly string[]) => `
apiVersion: postern.dev/v1alpha1
kind: ConnectivityTest
metadata: { name: t, namespace: shop }
spec:
  expectations: [${expectations.join(', ')}]
`;
const expectation = (name: string, from: string, to: string, port = 8080, expect = 'Allow') =>
  `{ name: ${name}, from: { workload: { kind: Pod, name: ${from} } }, to: { workload: { kind: Pod, name: ${to} }, port: ${port} }, expect: ${expect} }`;
const pods = [pod('web'), pod('api'), pod('db')].join('---');
const fromWeb = '{ from: [{ podSelector: { matchLabels: { app: web } } }], ports: [{ port: 8080 }] }';
const toApi = '{ to: [{ podSelector: { matchLabels: { app: api } } }], ports: [{ port: 8080 }] }';
const closed = { 'pods.yaml': pods, 'policies.yaml': [denyAll, admit(fromWeb, toApi)].join('---') };

describe('postern audit', () => {
  it('finds the namespace that was forgotten, with its line and what to write', async () => {
    const { code, printed } = await runWith(['audit', '-p', forgotten], filesBelow(forgotten));

    expect(code).toBe(1);
    expect(printed.split('\n').slice(0, 4)).toEqual([
      `HIGH  NoDefaultDeny: Namespace namespaces-without-default-deny-forgotten  ${forgotten}/01-workloads.yaml:6`,
      expect.stringMatching(
        /^ {2}A pod of namespace namespaces-without-default-deny-forgotten that no policy names is open to any pod/,
      ),
      '  edit   add NetworkPolicy namespaces-without-default-deny-forgotten/default-deny:',
      '           apiVersion: networking.k8s.io/v1',
    ]);
    expect(printed.split('\n').at(-1)).toBe(
      '5 findings: 1 high, 2 medium, 2 low (from 1 policies and 3 pods as written; nothing was dialled)',
    );
  });

  it('says who may reach whom', async () => {
    const { inbound, outbound } = (await audited(filesBelow(threeTier))).statement;

    expect(inbound.map(({ sentence }) => sentence).slice(2)).toEqual([
      'In `shop`, Deployment web may reach Deployment api on TCP 8080; nothing else may.',
      'In `shop`, nothing may reach Deployment web.',
      'In `shop`, Deployment api may reach StatefulSet db on TCP 5432; nothing else may.',
    ]);
    expect(outbound[1]?.sentence).toBe(
      'In `shop`, Deployment api, Deployment web and StatefulSet db may reach nothing outside the cluster.',
    );
  });

  it('says what it takes for granted about names', async () => {
    const { inbound } = (await audited(filesBelow(threeTier))).statement;

    expect(inbound[0]?.sentence).toBe(
      "The cluster's DNS (assumed to be pods k8s-app=kube-dns of `kube-system`) may be reached by Deployment client of `outsider` on every port and by every workload of `shop` on TCP 53 and UDP 53; nothing else may.",
    );
  });

  it('finds nothing where nothing is to be found', async () => {
    const { code, printed } = await runWith(['audit', '-p', '', '--show', 'findings'], closed);

    expect(printed).toBe(
      '0 findings: 0 high, 0 medium, 0 low (from 3 policies and 3 pods as written; nothing was dialled)',
    );
    expect(code).toBe(0);
  });
});

describe('the tests', () => {
  const needed = test(expectation('a', 'web', 'api'), expectation('b', 'web', 'db', 8080, 'Deny'));
  const findingsOf = async (policies: string, tests: string, more = '') => {
    const files = {
      'pods.yaml': `${pods}---${more}`,
      'policies.yaml': `${denyAll}---${policies}`,
      'tests.yaml': tests,
    };
    return (await audited(files)).findings.filter(
      ({ code }) => !code.startsWith('NoDefault') && code !== 'NoPolicySelects',
    );
  };

  it('hold no rule too wide that they need', async () => {
    expect(await findingsOf(admit(fromWeb, toApi), needed)).toEqual([]);
  });

  it.each<{ name: string; ingress: string; wanted: string }>([
    {
      name: 'every port',
      ingress: fromWeb.replace(/, ports.*/, ' }'),
      wanted: 'it is for every port, and they need TCP 8080 alone',
    },
    {
      name: 'a range',
      ingress: fromWeb.replace('port: 8080', 'port: 8000, endPort: 9000'),
      wanted: 'spec.ingress[0].ports[0] is for TCP 8000 to 9000, and they need TCP 8080 alone',
    },
    {
      name: 'another port',
      ingress: fromWeb.replace('{ port: 8080 }', '{ port: 8080 }, { port: 9090 }'),
      wanted: 'none needs TCP 9090 (spec.ingress[0].ports[1])',
    },
    {
      name: 'another peer',
      ingress: fromWeb.replace('[{ podSelector', '[{ podSelector: { matchLabels: { app: db } } }, { podSelector'),
      wanted: 'none needs spec.ingress[0].from[0]',
    },
    {
      name: 'anybody',
      ingress: '{ ports: [{ port: 8080 }] }',
      wanted: 'it is for everybody, and they need it from Pod web alone',
    },
    {
      name: 'others that the peer admits',
      ingress: fromWeb.replace('{ matchLabels: { app: web } }', '{}'),
      wanted: 'none needs it from Pod api and Pod db, which spec.ingress[0].from[0] admits too',
    },
    {
      name: 'another rule',
      ingress: `${fromWeb}, { from: [{ podSelector: { matchLabels: { app: db } } }] }`,
      wanted: 'spec.ingress[1]: no expectation needs this rule. Add the expectation',
    },
  ])('show a rule that is wider than they need: $name', async ({ ingress, wanted }) => {
    const findings = await findingsOf(admit(ingress, toApi), needed);

    expect(findings.map(({ code, severity, name }) => `${severity} ${code} ${name}`)).toEqual([
      'Low WiderThanTests api',
    ]);
    expect(findings[0]?.message).toContain(wanted);
  });

  it('need what resolves a name, and what shows that a target answers', async () => {
    const dns = admit(
      fromWeb,
      `${toApi}, { to: [{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: kube-system } } }], ports: [{ protocol: UDP, port: 53 }] }`,
    );
    const service = `
apiVersion: v1
kind: Service
metadata: { name: api, namespace: shop }
spec: { selector: { app: api }, ports: [{ port: 8080 }] }
`;
    const byName =
      '{ name: a, from: { workload: { kind: Pod, name: web } }, to: { host: api.shop.svc, port: 8080 }, expect: Allow }';
    const control =
      '{ name: a, from: { workload: { kind: Pod, name: db } }, to: { workload: { kind: Pod, name: api }, port: 8080 }, expect: Deny, control: { from: { workload: { kind: Pod, name: web } } } }';

    expect(await findingsOf(dns, test(byName), service)).toEqual([]);
    expect(await findingsOf(admit(fromWeb, toApi), test(control))).toEqual([]);
  });

  it('are not held against rules where it is not known what they need', async () => {
    const findings = await findingsOf(
      admit(`${fromWeb}, {}`, toApi),
      test(expectation('a', 'web', 'api'), expectation('b', 'gone', 'api')),
    );

    expect(findings.map(about)).toEqual(['Low ExpectationNotFollowed ConnectivityTest shop/t spec.expectations[1]']);
    expect(findings[0]?.message).toContain('What b needs is not known: There is no Pod gone');
  });

  it('leave every rule for addresses alone where one of them leads to a host whose address is not known', async () => {
    const dns =
      '{ to: [{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: kube-system } } }], ports: [{ protocol: UDP, port: 53 }] }';
    const outside = ['192.0.2.0/24', '203.0.113.0/24']
      .map((cidr) => `{ to: [{ ipBlock: { cidr: ${cidr} } }], ports: [{ port: 443 }] }`)
      .join(', ');
    const host =
      '{ name: a, from: { workload: { kind: Pod, name: web } }, to: { host: example.com, port: 443 }, expect: Allow }';
    const codes = async (...words: readonly string[]) =>
      (
        await audited(
          {
            'pods.yaml': pods,
            'policies.yaml': `${denyAll}---${admit(fromWeb, `${toApi}, ${dns}, ${outside}`)}`,
            'tests.yaml': test(expectation('b', 'web', 'api'), host),
          },
          ...words,
        )
      ).findings.map(about);

    expect(await codes()).toEqual([]);
    expect(await codes('--resolve', 'example.com=192.0.2.7')).toEqual([
      'Low WiderThanTests NetworkPolicy shop/web spec.egress[3]',
    ]);
  });

  it('are not held against the rules of a policy that fails one of them', async () => {
    // The port is wrong: the rule is meant for what the expectation needs, and `postern check` says what to do.
    const findings = await findingsOf(admit(fromWeb.replace('8080', '8081'), toApi), needed);

    expect(findings.map(about)).toEqual([]);
  });

  it('show the namespaces that none of them is about', async () => {
    const bank = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: deny, namespace: bank }
spec: { podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{ from: [{ podSelector: {} }] }] }
---${pod('teller', 'bank')}`;
    const grant = `
apiVersion: postern.dev/v1alpha1
kind: ConnectivityGrant
metadata: { name: g, namespace: bank }
spec: { from: [{ namespace: shop }], as: [Target] }
`;
    const files = { ...closed, 'bank.yaml': `${bank}---${grant}` };
    const of = async (more: object) => (await audited({ ...files, ...more })).findings.map(about);
    const abroad = expectation('c', 'web', 'teller', 8080, 'Deny').replace('to: {', 'to: { namespace: bank,');

    expect(await of({})).toEqual([]);
    expect(await of({ 'tests.yaml': needed })).toEqual(['Low NamespaceUntested Namespace bank']);
    expect(
      (await of({ 'tests.yaml': test(expectation('a', 'web', 'api'), abroad) })).filter((each) =>
        each.includes('Untested'),
      ),
    ).toEqual([]);
  });
});

describe('exit codes', () => {
  const unknown = `
apiVersion: crd.antrea.io/v1beta1
kind: NetworkPolicy
metadata: { name: x, namespace: shop }
spec: {}
`;

  it.each<{ name: string; files: Readonly<Record<string, string>>; words?: readonly string[]; code: number }>([
    { name: 'nothing found', files: closed, code: 0 },
    {
      name: 'a finding of middling weight',
      files: {
        ...closed,
        'more.yaml': admit(fromWeb.replace('web', 'wbe'), toApi)
          .replaceAll('name: api', 'name: api2')
          .replaceAll('name: web', 'name: web2'),
      },
      code: 1,
    },
    {
      name: 'the same, where only heavy ones count',
      files: {
        ...closed,
        'more.yaml': admit(fromWeb.replace('web', 'wbe'), toApi)
          .replaceAll('name: api', 'name: api2')
          .replaceAll('name: web', 'name: web2'),
      },
      words: ['--fail-on', 'high'],
      code: 0,
    },
    {
      name: 'a light one',
      files: { ...closed, 'ns.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: { name: empty }\n' },
      code: 0,
    },
    {
      name: 'a light one, where it counts',
      files: { ...closed, 'ns.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: { name: empty }\n' },
      words: ['--fail-on', 'low'],
      code: 1,
    },
    {
      name: 'a light one in a namespace that is left out',
      files: { ...closed, 'ns.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: { name: empty }\n' },
      words: ['--fail-on', 'low', '--ignore', 'empty'],
      code: 0,
    },
    { name: 'anything, where nothing counts', files: filesBelow(forgotten), words: ['--exit-zero'], code: 0 },
    { name: 'a manifest that is not valid', files: { ...closed, 'x.yaml': 'kind: [' }, code: 2 },
    {
      name: 'a policy that the API server would refuse',
      files: {
        ...closed,
        'x.yaml': denyAll
          .replace('name: deny', 'name: x')
          .replace('podSelector: {}', 'podSelector: {}, ingress: [{ from: [{}] }]'),
      },
      code: 1,
    },
    { name: 'a word that is not known', files: closed, words: ['--fail-on', 'never'], code: 2 },
    { name: 'a policy that the model does not know', files: { ...closed, 'x.yaml': unknown }, code: 3 },
    {
      name: 'nothing to audit',
      files: { 'x.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: x }\n' },
      code: 4,
    },
  ])('$code: $name', async ({ files, words = [], code }) => {
    expect((await runWith(['audit', '-p', '', ...words], files)).code).toBe(code);
  });

  it('2: without anything to read', async () => {
    const { code, said } = await runWith(['audit'], {});

    expect(code).toBe(2);
    expect(said).toContain('postern audit -p manifests/');
  });
});

describe('formats', () => {
  const files = filesBelow(forgotten);

  it('gives programs codes, places and edits', async () => {
    const report = await audited(files);

    expect(report).toMatchObject({
      format: 'postern-audit/v1',
      predicted: true,
      version: '0.0.0',
      summary: { high: 1, medium: 2, low: 2 },
      statement: {
        inbound: expect.arrayContaining([
          expect.objectContaining({
            namespace: 'namespaces-without-default-deny-forgotten',
            workloads: [{ kind: 'Deployment', namespace: 'namespaces-without-default-deny-forgotten', name: 'server' }],
            admitted: [
              expect.objectContaining({
                peers: [{ kind: 'Namespace', namespace: 'namespaces-without-default-deny' }],
                answer: 'allow',
                ports: expect.arrayContaining([{ protocol: 'TCP', first: 1, last: 65535 }]),
              }),
              expect.objectContaining({
                peers: [
                  {
                    kind: 'Outside',
                    addresses: [
                      { first: '0.0.0.0', last: '255.255.255.255' },
                      { first: '::', last: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff' },
                    ],
                  },
                ],
              }),
            ],
          }),
        ]),
      },
    });
    expect(report.findings[0]).toMatchObject({
      code: 'NoDefaultDeny',
      severity: 'High',
      directions: ['ingress', 'egress'],
      place: { file: `${forgotten}/01-workloads.yaml`, line: 6 },
    });
  });

  it('gives an edit that cures what it is about', async () => {
    const [finding] = (await audited(files)).findings;
    const documents = (finding?.edit ?? []).reduce<string[][]>((all, line) => {
      if (line.startsWith('add ')) return [...all, []];
      all.at(-1)?.push(line);
      return all;
    }, []);
    const added = documents.map((lines) => lines.join('\n')).join('\n---\n');

    const after = await audited({ ...files, 'cure.yaml': added });

    expect(after.findings.filter(({ name }) => name === finding?.name)).toEqual([]);
    expect(after.statement.inbound.map(({ sentence }) => sentence)).toContain(
      'In `namespaces-without-default-deny-forgotten`, nothing may reach Deployment server.',
    );
  });

  it('gives code scanning a result per finding, at its line', async () => {
    const { printed } = await runWith(['audit', '-p', forgotten, '-o', 'sarif'], files);

    expect(JSON.parse(printed)).toMatchObject({
      version: '2.1.0',
      runs: [
        {
          tool: {
            driver: {
              rules: [
                {
                  id: 'NoDefaultDeny',
                  shortDescription: { text: 'a pod of the namespace that no policy names is open' },
                },
                { id: 'NoPolicySelects' },
              ],
            },
          },
          results: [
            {
              ruleId: 'NoDefaultDeny',
              level: 'error',
              locations: [
                {
                  physicalLocation: {
                    artifactLocation: { uri: `${forgotten}/01-workloads.yaml` },
                    region: { startLine: 6 },
                  },
                },
              ],
              partialFingerprints: {
                'postern/v1': 'NoDefaultDeny/Namespace//namespaces-without-default-deny-forgotten/',
              },
            },
            { level: 'warning' },
            { level: 'warning', ruleId: 'NoPolicySelects' },
            { level: 'note' },
            { level: 'note' },
          ],
        },
      ],
    });
  });

  it('gives a pull request a table and the statement', async () => {
    const { printed } = await runWith(['audit', '-p', forgotten, '-o', 'markdown'], files);

    expect(printed).toContain('| High | NoDefaultDeny | Namespace namespaces-without-default-deny-forgotten<br>');
    expect(printed).toContain('**Who may reach whom**');
  });

  it('shows one part alone', async () => {
    const { printed } = await runWith(['audit', '-p', forgotten, '--show', 'statement'], files);

    expect(printed).toMatch(/^Every workload may reach the cluster's DNS/);
    expect(printed).not.toContain('NoDefaultDeny');
  });

  it.each(['text', 'markdown', 'json', 'sarif'])(
    'lets nothing through that a terminal would obey: %s',
    async (format) => {
      const hostile = {
        'x.yaml': stringify({
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name: 'a\u001b[31mb\u202e', namespace: 'n\u0007', labels: { 'a\u001b[0m': 'x\u200b' } },
          spec: { containers: [] },
        }),
        'y.yaml': stringify({
          apiVersion: 'cilium.io/v2',
          kind: 'CiliumNetworkPolicy',
          metadata: { name: 'p\u001b]0;x\u0007', namespace: 'n\u0007' },
          spec: { endpointSelector: {}, ingress: [{ 'x\u001b[2J': 1 }] },
        }),
      };

      const { printed, said } = await runWith(['audit', '-p', '', '-o', format], hostile);

      expect(printed).not.toBe('');
      expect(`${printed}${said}`.replaceAll('\n', '')).not.toMatch(harmful);
    },
  );
});

describe('what kubectl prints of a live cluster', () => {
  const managed = { managedFields: [{ manager: 'kubectl', operation: 'Update' }], resourceVersion: '7', uid: 'u' };
  const owner = (kind: string, name: string) => [
    { apiVersion: 'apps/v1', kind, name, uid: name, controller: true, blockOwnerDeletion: true },
  ];
  const template = {
    metadata: { labels: { app: 'web' } },
    spec: { containers: [{ name: 'web', ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }] }] },
  };
  const labels = { app: 'web', 'pod-template-hash': '5d4f' };
  const podItem = (name: string, more: object, status: object = {}) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', ...managed, ...more },
    spec: { ...template.spec, nodeName: 'node-a', serviceAccountName: 'default' },
    status: {
      phase: 'Running',
      podIP: '10.0.0.1',
      podIPs: [{ ip: '10.0.0.1' }],
      conditions: [{ type: 'Ready', status: 'True' }],
      ...status,
    },
  });
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop', ...managed, uid: 'web' },
    spec: { replicas: 2, selector: { matchLabels: { app: 'web' } }, template },
    status: { readyReplicas: 2 },
  };
  const replicaSet = (name: string, replicas: number) => ({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name, namespace: 'shop', ...managed, labels, ownerReferences: owner('Deployment', 'web') },
    spec: { replicas, selector: { matchLabels: labels }, template: { ...template, metadata: { labels } } },
  });
  const items = [
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'shop', ...managed, labels: { 'kubernetes.io/metadata.name': 'shop' } },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    },
    podItem('web-5d4f-a', { labels, ownerReferences: owner('ReplicaSet', 'web-5d4f') }),
    podItem(
      'web-5d4f-b',
      { labels, ownerReferences: owner('ReplicaSet', 'web-5d4f') },
      { podIP: '10.0.0.2', podIPs: [{ ip: '10.0.0.2' }] },
    ),
    podItem('bare', { labels: { app: 'bare' } }, { podIP: '10.0.0.3', podIPs: [{ ip: '10.0.0.3' }] }),
    podItem(
      'static-node-a',
      {
        labels: { app: 'static' },
        ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'node-a', uid: 'node-uid', controller: true }],
      },
      { podIP: '10.0.0.4', podIPs: [{ ip: '10.0.0.4' }] },
    ),
    podItem(
      'done',
      { labels: { app: 'done' } },
      { phase: 'Succeeded', podIP: '10.0.0.5', podIPs: [{ ip: '10.0.0.5' }] },
    ),
    podItem('postern-probe-x', { labels: { app: 'web', 'postern.dev/component': 'probe' } }),
  ];
  const dump = (...more: readonly object[]) => ({
    '-': stringify({ apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: '' }, items: [...items, ...more] }),
  });

  async function workloadsIn(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
    const { printed, said } = await runWith(['audit', '-p', '-', '-o', 'json'], files);
    expect(said).not.toContain('error');
    const report: AuditJSON = JSON.parse(printed);
    return report.statement.inbound
      .flatMap(({ workloads }) => workloads.map(({ kind, name }) => `${kind} ${name}`))
      .filter((each) => each !== 'Pod kube-dns');
  }

  const wanted = ['Deployment web', 'Pod bare', 'Pod static-node-a'];

  it.each<{ name: string; more: readonly object[] }>([
    { name: 'pods alone', more: [] },
    { name: 'with its Deployment', more: [deployment] },
    {
      name: 'with its Deployment and ReplicaSets, old ones included',
      more: [deployment, replicaSet('web-5d4f', 2), replicaSet('web-0000', 0)],
    },
  ])('tells a Deployment and its pods as one workload: $name', async ({ more }) => {
    expect(await workloadsIn(dump(...more))).toEqual(wanted);
  });

  it('points at a pod where only pods were read, and at the workload where it was', async () => {
    const place = async (...more: readonly object[]) => {
      const files = dump(...more);
      const { printed } = await runWith(['audit', '-p', '-', '-o', 'json'], files);
      const report: AuditJSON = JSON.parse(printed);
      const { line } = report.findings.find(({ code, name }) => code === 'NoPolicySelects' && name === 'web')
        ?.place ?? { line: 0 };
      return files['-']
        .split('\n')
        .slice(line - 1, line + 1)
        .join(' ');
    };

    expect(await place()).toMatch(/apiVersion: v1\s+kind: Pod/);
    expect(await place(deployment)).toMatch(/apiVersion: apps\/v1\s+kind: Deployment/);
  });

  it('says what was left out', async () => {
    const { printed } = await runWith(['audit', '-p', '-', '--show', 'statement'], dump());

    expect(printed).toContain('Left out: 1 finished pod.');
    expect(printed).not.toContain('postern-probe');
    expect(printed).toContain('\nfrom 0 policies and 5 pods as written; nothing was dialled');
  });

  it('holds tests against it, too', async () => {
    const own = parse(test(expectation('a', 'bare', 'static-node-a')));
    const { printed } = await runWith(['audit', '-p', '-', '-o', 'json'], dump(deployment, own));
    const report: AuditJSON = JSON.parse(printed);

    expect(report.findings.map(({ code }) => code)).not.toContain('NamespaceUntested');
  });
});

describe('every example', () => {
  const folders = ['examples', 'examples/broken'].flatMap((root) =>
    readdirSync(root)
      .map((name) => `${root}/${name}`)
      .filter((path) => statSync(path).isDirectory() && readdirSync(path).some((name) => /^\d.*\.yaml$/.test(name))),
  );

  it.each(folders)('%s is audited', async (folder) => {
    const files = filesBelow(folder);
    const report = await audited(files);

    // Every workload of the manifests is spoken of, and every finding has its place.
    const stated = new Set(
      report.statement.inbound.flatMap(({ workloads }) => workloads.map(({ kind, name }) => `${kind} ${name}`)),
    );
    const written = Object.values(files)
      .flatMap((text) => [...text.matchAll(/^kind: (Deployment|StatefulSet|DaemonSet)\nmetadata: \{ name: ([\w-]+)/gm)])
      .map(([, kind, name]) => `${kind} ${name}`);
    expect(written.filter((each) => !stated.has(each))).toEqual([]);
    expect(report.findings.filter(({ place }) => place === undefined).map(about)).toEqual([]);
    expect(report.findings.filter(({ message }) => !/^[A-Z].*\.$/s.test(message))).toEqual([]);
  });

  it.each<{ folder: string; wanted: string }>([
    { folder: 'examples/broken/namespace-label-missing', wanted: 'High NamespaceLabelMissing NetworkPolicy' },
    { folder: 'examples/broken/namespace-name-as-label', wanted: 'High NamespaceLabelMissing NetworkPolicy' },
    { folder: 'examples/broken/or-where-and-was-meant', wanted: 'Medium PeerMatchesNothing NetworkPolicy' },
    { folder: 'examples/broken/host-network-peer', wanted: 'Low HostNetwork DaemonSet' },
    { folder: 'examples/beyond-default-deny', wanted: 'Low WiderThanTests NetworkPolicy' },
    { folder: 'examples/broken/nothing-isolates', wanted: 'Medium SelectsNothing NetworkPolicy' },
    { folder: 'examples/broken/label-typo', wanted: 'Medium RuleMatchesNothing NetworkPolicy' },
    { folder: 'examples/broken/named-port-missing', wanted: 'Medium RuleMatchesNothing NetworkPolicy' },
    { folder: 'examples/broken/rules-of-an-unlisted-direction', wanted: 'Medium RulesIgnored NetworkPolicy' },
  ])('$folder: $wanted', async ({ folder, wanted }) => {
    const { findings } = await audited(filesBelow(folder));

    expect(findings.map(about)).toContainEqual(expect.stringContaining(wanted));
  });
});
