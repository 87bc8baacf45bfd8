import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { ensureTool } from '../e2e/cluster/index.ts';

/** The first call on a machine builds the tool. */
const TOOL_TIMEOUT_MS = 1_200_000;
const run = promisify(execFile);
const pathOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const textOf = (name: string): string => readFileSync(pathOf(name), 'utf8');

/** As much of a rendered object as the tests look at. */
interface Rendered {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Record<string, string> };
  readonly rules?: readonly { apiGroups: string[]; resources: string[]; verbs: string[] }[];
  readonly spec?: unknown;
}

let helm: string;
beforeAll(async () => {
  helm = await ensureTool('helm');
}, TOOL_TIMEOUT_MS);

async function render(...values: string[]): Promise<string> {
  const { stdout } = await run(helm, ['template', 'postern', pathOf('postern'), '--namespace', 'postern', ...values]);
  // Helm leaves an empty line per conditional block; where they fall is nobody's business.
  return stdout.replaceAll(/\n\s*\n/g, '\n');
}

async function objectsOf(...values: string[]): Promise<Rendered[]> {
  return parseAllDocuments(await render(...values)).map((document) => renderedFrom(document.toJS()));
}

/** The shape is known: the text comes from this very repository. */
function renderedFrom(value: unknown): Rendered {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a schema would only repeat the assertions below
  return value as Rendered;
}

function named(objects: readonly Rendered[], kind: string, name: string): Rendered {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (found === undefined) throw new Error(`the chart renders no ${kind} ${name}`);
  return found;
}

/** One line per permission, so that a difference names the very permission. */
function permissionsOf(role: Rendered): string[] {
  return (role.rules ?? [])
    .flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) => resources.map((resource) => `${resource}.${group}: ${verbs.join(' ')}`)),
    )
    .toSorted();
}

describe('renders', () => {
  it.each(['default', 'hardened'])(
    'the %s values as recorded in testdata; UPDATE_GOLDEN=1 records them anew',
    async (name) => {
      const values = name === 'default' ? [] : ['--values', pathOf(`testdata/${name}.values.yaml`)];
      const golden = `testdata/${name}.yaml`;

      const rendered = await render('--set', 'crds.enabled=false', ...values);

      if (process.env['UPDATE_GOLDEN'] !== undefined) writeFileSync(pathOf(golden), rendered);
      expect(rendered).toBe(textOf(golden));
    },
  );

  it.each(['connectivitytests', 'clusterconnectivitytests', 'connectivitygrants', 'probeanchors', 'calibrations'])(
    'the definition of %s, kept when the release is removed',
    async (name) => {
      const definition = named(await objectsOf(), 'CustomResourceDefinition', `${name}.postern.dev`);

      const source = renderedFrom(parse(textOf(`../crds/${name}.yaml`)));
      expect(definition.spec).toEqual(source.spec);
      expect(definition.metadata).toMatchObject({ annotations: { 'helm.sh/resource-policy': 'keep' } });
    },
  );

  it('no definition where somebody else installs it', async () => {
    const objects = await objectsOf('--set', 'crds.enabled=false');

    expect(objects.filter(({ kind }) => kind === 'CustomResourceDefinition')).toEqual([]);
  });

  it('the rules as they are tested', async () => {
    const objects = await objectsOf('--set', 'prometheusRule.enabled=true,prometheusRule.additionalLabels.release=kps');

    const rule = named(objects, 'PrometheusRule', 'postern');
    expect(rule.spec).toEqual(parse(textOf('postern/files/rules/postern.rules.yaml')));
    expect(rule.metadata.labels).toMatchObject({ release: 'kps' });
  });

  it('one version for chart, operator and package', () => {
    const [chartVersion, appVersion] = [/^version: (.+)$/m, /^appVersion: (.+)$/m].map(
      (pattern) => pattern.exec(textOf('postern/Chart.yaml'))?.[1],
    );
    const packageVersion = /"version": "(.+)"/.exec(textOf('../package.json'))?.[1];

    expect([chartVersion, appVersion]).toEqual([packageVersion, packageVersion]);
  });
});

describe('calibration policies', () => {
  it('deny what their pods are labelled for, admit all to the open ones, and select no other pod', async () => {
    const policies = (await objectsOf()).filter(
      ({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name.includes('calibration'),
    );

    const label = 'postern.dev/calibration';
    expect(policies.map(({ spec }) => spec)).toEqual([
      { podSelector: { matchLabels: { [label]: 'ingress-denied' } }, policyTypes: ['Ingress'] },
      { podSelector: { matchLabels: { [label]: 'egress-denied' } }, policyTypes: ['Egress'] },
      {
        podSelector: { matchLabels: { [label]: 'open' } },
        policyTypes: ['Ingress', 'Egress'],
        ingress: [{}],
        egress: [{}],
      },
    ]);
  });
});

describe('permissions', () => {
  it('of the operator are the least that it needs', async () => {
    const role = named(await objectsOf(), 'ClusterRole', 'postern');

    expect(permissionsOf(role)).toEqual([
      'calibrations.postern.dev: get list watch create patch',
      'calibrations/status.postern.dev: get patch update',
      'ciliumclusterwidenetworkpolicies.cilium.io: get list watch',
      'ciliumnetworkpolicies.cilium.io: get list watch',
      'clusterconnectivitytests.postern.dev: get list watch',
      'clusterconnectivitytests/status.postern.dev: get patch update',
      'clusternetworkpolicies.policy.networking.k8s.io: list watch',
      'connectivitygrants.postern.dev: get list watch',
      'connectivitytests.postern.dev: get list watch',
      'connectivitytests/status.postern.dev: get patch update',
      'daemonsets.apps: get list watch',
      'deployments.apps: get list watch',
      'endpointslices.discovery.k8s.io: get list watch',
      'events.events.k8s.io: create patch',
      'globalnetworkpolicies.crd.projectcalico.org: list watch',
      'namespaces.: get list watch',
      'networkpolicies.crd.projectcalico.org: list watch',
      'networkpolicies.networking.k8s.io: get list watch',
      'nodes.: get list watch',
      'pods.: get list watch create delete',
      'probeanchors.postern.dev: create patch',
      'replicasets.apps: get list watch',
      'services.: get list watch',
      'statefulsets.apps: get list watch',
      'tiers.crd.projectcalico.org: list watch',
    ]);
  });

  it('to look at Leases end with those of nodes', async () => {
    const role = named(await objectsOf(), 'Role', 'postern-node-leases');

    expect(role.metadata.namespace).toBe('kube-node-lease');
    expect(permissionsOf(role)).toEqual(['leases.coordination.k8s.io: list watch']);
  });

  it('are bound to nobody but the operator', async () => {
    const objects = await objectsOf();

    const bindings = objects.filter(({ kind }) => kind.endsWith('RoleBinding'));
    expect(bindings).toMatchObject([
      {
        kind: 'ClusterRoleBinding',
        roleRef: { name: 'postern' },
        subjects: [{ kind: 'ServiceAccount', name: 'postern', namespace: 'postern' }],
      },
      {
        kind: 'RoleBinding',
        metadata: { namespace: 'kube-node-lease' },
        roleRef: { name: 'postern-node-leases' },
        subjects: [{ kind: 'ServiceAccount', name: 'postern', namespace: 'postern' }],
      },
    ]);
  });

  it('of people never reach a status', async () => {
    const objects = await objectsOf();

    const everything = 'get list watch create update patch delete deletecollection';
    for (const [role, verbs] of [
      ['view', 'get list watch'],
      ['edit', everything],
      ['admin', everything],
    ] as const) {
      const found = named(objects, 'ClusterRole', `postern-${role}`);
      const kinds = {
        // A test of the whole cluster wears any identity, so no role of a namespace may write one.
        view: ['calibrations', 'clusterconnectivitytests', 'connectivitygrants', 'connectivitytests'],
        edit: ['connectivitytests'],
        // To grant others the identities of a namespace is more than to edit what runs in it.
        admin: ['connectivitygrants', 'connectivitytests'],
      };
      expect(permissionsOf(found)).toEqual(kinds[role].map((kind) => `${kind}.postern.dev: ${verbs}`));
      expect(found.metadata.labels).toHaveProperty([`rbac.authorization.k8s.io/aggregate-to-${role}`], 'true');
    }
  });
});

describe('refuses', () => {
  it.each([
    ['a misspelt key', 'image.tga=1.0.0', /at '\/image': additional properties 'tga' not allowed/],
    ['a digest that is none', 'image.digest=latest', /at '\/image\/digest': 'latest' does not match pattern/],
    ['a registry with a scheme', 'global.imageRegistry=https://mirror', /at '\/global\/imageRegistry'/],
    ['an unknown log level', 'logLevel=verbose', /at '\/logLevel': value must be one of 'trace', 'debug', 'info'/],
    [
      'a network plugin that nothing is known of',
      'networkPlugin=flannel',
      /at '\/networkPlugin': value must be one of/,
    ],
    ['no probe pods at all', 'probe.maxPods=0', /at '\/probe\/maxPods': minimum: got 0, want 1/],
    ['a priority that preempts', 'probe.priorityClass.value=1000', /at '\/probe\/priorityClass\/value': maximum/],
    [
      'a calibration at every moment',
      'calibration.periodSeconds=1',
      /at '\/calibration\/periodSeconds': minimum: got 1/,
    ],
    [
      'no probe pods for a namespace',
      'probe.maxPodsPerNamespace=0',
      /at '\/probe\/maxPodsPerNamespace': minimum: got 0/,
    ],
    ['a privileged port', 'listenPort=80', /at '\/listenPort': minimum: got 80, want 1,?024/],
    ['a priority class without a name', 'probe.priorityClass.name=', /probe\.priorityClass\.name is needed/],
  ])('%s', async (_name, value, message) => {
    await expect(render('--set', value)).rejects.toThrow(message);
  });
});
