import { describe, expect, it } from 'vitest';
import { runWith } from '../testing/command-line.ts';

const pod = (name: string): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, namespace: shop, labels: {app: ${name}}}\nspec: {containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}\n---\n`;
const pods = pod('web') + pod('api');
const policy = (name: string, spec: string): string =>
  `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: ${name}, namespace: shop}\nspec: ${spec}\n---\n`;
const closed = policy('closed', '{podSelector: {}, policyTypes: [Ingress, Egress]}');
const test = `apiVersion: postern.dev/v1alpha1\nkind: ConnectivityTest\nmetadata: {name: t, namespace: shop}\nspec:\n  expectations:\n    - {name: e, from: {workload: {kind: Pod, name: web}}, to: {workload: {kind: Pod, name: api}, port: 8080}, expect: Deny}\n`;

interface Changes {
  readonly connections: readonly {
    readonly change: string;
    readonly from: string;
    readonly to: string;
    readonly ports: string;
  }[];
  readonly expectations: readonly { readonly expectation: string; readonly before: string; readonly after: string }[];
}

async function changes(
  base: string,
  head: string,
  ...words: readonly string[]
): Promise<Changes & { readonly code: number }> {
  const files = { 'base.yaml': base, 'head.yaml': head, 't.yaml': test };
  const { code, printed } = await runWith(['diff', 'base.yaml', 'head.yaml', '-o', 'json', ...words], files);
  const changes: Changes = JSON.parse(printed);
  return { ...changes, code };
}

const connections = async (base: string, head: string): Promise<readonly string[]> =>
  (await changes(base, head)).connections.map(({ change, from, to, ports }) => `${change}: ${from} -> ${to}: ${ports}`);

describe('the connections that a change opens and closes', () => {
  const egress = (spec: string): string =>
    policy('web', `{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: ${spec}}`);
  const ingress = (spec: string): string => policy('api', `{podSelector: {matchLabels: {app: api}}, ingress: ${spec}}`);
  const toApi = egress('[{to: [{podSelector: {matchLabels: {app: api}}}]}]');

  it('are none if nothing changes', async () => {
    expect(await connections(pods + closed, closed + pods)).toEqual([]);
  });

  it('are found when both sides admit them, with their ports', async () => {
    const head = toApi + ingress('[{ports: [{port: 8080}, {port: 9000, endPort: 9010}]}]');

    expect(await connections(pods + closed + toApi, pods + closed + head)).toEqual([
      'Opened: Pod shop/web -> Pod shop/api: TCP 8080, 9000-9010',
      'Opened: outside (IPv4) -> Pod shop/api: TCP 8080, 9000-9010',
    ]);
  });

  it('are found by what the network plugin sees of labels, too', async () => {
    const deployment =
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: db, namespace: shop}\nspec: {selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c}]}}}\n---\n';
    const unhashed = policy(
      'unhashed',
      '{podSelector: {matchExpressions: [{key: pod-template-hash, operator: DoesNotExist}, {key: app, operator: In, values: [db]}]}}',
    );

    expect(await connections(deployment, deployment + unhashed)).toEqual([]);
    const { connections: closed } = await changes(deployment, deployment + unhashed, '--profile', 'cilium');
    expect(closed.map(({ to }) => to)).toContain('Deployment shop/db');
  });

  it('are not found when only one side does', async () => {
    expect(await connections(pods + closed, pods + closed + toApi)).toEqual([]);
  });

  it('resolve named ports in the pods', async () => {
    const head = toApi + ingress('[{from: [{podSelector: {}}], ports: [{port: http}]}]');

    expect(await connections(pods + closed + toApi, pods + closed + head)).toEqual([
      'Opened: Pod shop/web -> Pod shop/api: TCP 8080',
    ]);
  });

  it('are all of them when the last policy goes', async () => {
    const found = await connections(pods + policy('api', '{podSelector: {matchLabels: {app: api}}}'), pods);

    expect(found).toEqual([
      'Opened: Pod shop/web -> Pod shop/api: TCP all ports; UDP all ports',
      'Opened: outside (IPv4) -> Pod shop/api: TCP all ports; UDP all ports',
    ]);
  });

  it('part the outside by the blocks that a plugin looks at, too', async () => {
    // Ingress is not listed, so that the specification does not look at its rules; Cilium does.
    const head = policy(
      'api',
      '{podSelector: {matchLabels: {app: api}}, policyTypes: [Egress], ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}], egress: [{}]}',
    );

    const { connections } = await changes(pods, pods + head, '--profile', 'cilium');

    expect(connections.map(({ change, from, to }) => `${change}: ${from} -> ${to}`)).toEqual([
      'Closed: Pod shop/web -> Pod shop/api',
      'Closed: outside (0.0.0.0 to 9.255.255.255) -> Pod shop/api',
      'Closed: outside (11.0.0.0 to 255.255.255.255) -> Pod shop/api',
    ]);
  });

  it('part the outside by the blocks that policies name', async () => {
    const head = egress('[{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}], ports: [{port: 5432}]}]');

    expect((await connections(pods + closed, pods + closed + head)).filter((line) => line.includes('outside'))).toEqual(
      [
        'Opened: Pod shop/web -> outside (10.0.0.0 to 10.0.255.255): TCP 5432',
        'Opened: Pod shop/web -> outside (10.2.0.0 to 10.255.255.255): TCP 5432',
      ],
    );
  });

  it('are uncertain where the API leaves it open', async () => {
    const head = egress('[{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}]');

    expect(
      await connections(
        pods + policy('web', '{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress]}'),
        pods + head,
      ),
    ).toContain('Uncertain: Pod shop/web -> Pod shop/api: TCP all ports; UDP all ports');
  });

  it('close with a policy, and come and go with a workload', async () => {
    expect(await connections(pods, pods + policy('api', '{podSelector: {matchLabels: {app: api}}}'))).toContain(
      'Closed: Pod shop/web -> Pod shop/api: TCP all ports; UDP all ports',
    );
    expect(await connections(pod('web'), pods)).toContain(
      'Opened: Pod shop/web -> Pod shop/api: TCP all ports; UDP all ports',
    );
  });

  it('follow a label that changes', async () => {
    const onlyWeb = policy(
      'api',
      '{podSelector: {matchLabels: {app: api}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]}',
    );
    const renamed = pods.replace('labels: {app: web}', 'labels: {app: front}');

    expect(await connections(pods + onlyWeb, renamed + onlyWeb)).toEqual([
      'Closed: Pod shop/web -> Pod shop/api: TCP all ports; UDP all ports',
    ]);
  });
});

describe('the expectations that a change turns', () => {
  it('are shown with both verdicts, and end with 1 if one is violated now', async () => {
    const { expectations, code } = await changes(pods + closed, pods, '-f', 't.yaml');

    expect(expectations).toMatchObject([{ expectation: 'e', before: 'Passed', after: 'Failed' }]);
    expect(code).toBe(1);
  });

  it('end with 0 if they are healed, or were violated before', async () => {
    expect(await changes(pods, pods + closed, '-f', 't.yaml')).toMatchObject({
      expectations: [{ before: 'Failed', after: 'Passed' }],
      code: 0,
    });
    expect(await changes(pods, pods, '-f', 't.yaml')).toMatchObject({ expectations: [], code: 0 });
  });

  it('may come and go themselves', async () => {
    expect(await changes(pods + closed, pods + closed + test)).toMatchObject({
      expectations: [{ before: 'Absent', after: 'Passed' }],
      code: 0,
    });
    expect(await changes(pods + closed + test, pods + closed)).toMatchObject({
      expectations: [{ before: 'Passed', after: 'Absent' }],
      code: 0,
    });
  });
});

it.each([
  { failOn: 'opened', code: 1 },
  { failOn: 'closed', code: 0 },
])('ends with $code for --fail-on $failOn when a connection opens', async ({ failOn, code }) => {
  expect((await changes(pods + closed, pods, '--fail-on', failOn)).code).toBe(code);
});

it.each(['text', 'markdown'])('says in %s what changes, that it is predicted, and the sum', async (format) => {
  const files = { 'base.yaml': pods + closed, 'head.yaml': pods, 't.yaml': test };

  const { printed } = await runWith(['diff', 'base.yaml', 'head.yaml', '-f', 't.yaml', '-o', format], files);

  expect(printed).toMatch(/opened/i);
  expect(printed).toMatch(
    /predicted: 6 opened, 0 closed, 0 uncertain connections; 1 expectation turns, 1 of them to Failed/,
  );
});

it.each([{ words: ['diff', 'base.yaml'] }, { words: ['diff', 'a', 'b', 'c'] }])(
  'ends with 2 for $words',
  async ({ words }) => {
    expect((await runWith(words, {})).code).toBe(2);
  },
);
