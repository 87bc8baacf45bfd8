import { describe, expect, it } from 'vitest';
import { currentCluster } from '../cluster/index.ts';
import { kubectlFor } from '../harness/kubectl.ts';
import { posternNamespace } from '../harness/postern.ts';
import { manifests } from '../harness/workloads.ts';

const kubectl = kubectlFor(currentCluster());
const operator = `system:serviceaccount:${posternNamespace}:postern`;

interface Deployed {
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly { readonly env: Variable[] }[] } };
  };
}
interface Variable {
  readonly name: string;
  readonly value?: string;
}

/** The image that the running operator gives its probe pods. */
async function probeImage(): Promise<string> {
  const { spec } = await kubectl.json<Deployed>(`get deployment postern -n ${posternNamespace}`);
  const variables = spec.template.spec.containers.flatMap(({ env }) => env);
  return variables.find(({ value }) => value?.includes('/probe:') === true)?.value ?? '';
}

/** A pod as the operator makes it, but for these parts. */
async function probePod(spec: object = {}, container: object = {}, metadata: object = {}): Promise<string> {
  const owner = { apiVersion: 'postern.dev/v1alpha1', kind: 'ConnectivityTest', name: 't', uid: 'u', controller: true };
  return manifests({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'postern-probe-abcdefgh',
      namespace: 'default',
      labels: { 'postern.dev/component': 'probe' },
      ownerReferences: [owner],
      ...metadata,
    },
    spec: {
      automountServiceAccountToken: false,
      readinessGates: [{ conditionType: 'postern.dev/never-ready' }],
      securityContext: { runAsNonRoot: true, runAsUser: 65532 },
      containers: [
        {
          name: 'probe',
          image: await probeImage(),
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          ...container,
        },
      ],
      ...spec,
    },
  });
}

const create = async (pod: string) => kubectl.attempt(`create --dry-run=server --as=${operator} -f -`, { input: pod });

describe('what the admission policy lets the operator create', () => {
  it('is a probe pod', async () => {
    expect(await create(await probePod())).toMatchObject({ code: 0 });
  });

  it.each<[string, object, object, object]>([
    ['must read no Secrets', {}, { envFrom: [{ secretRef: { name: 's' } }] }, {}],
    ['must read no Secrets', {}, { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] }, {}],
    ['nothing but the programs of the probe image', {}, { command: ['/bin/sh', '-c', 'env'] }, {}],
    ['nothing but the programs of the probe image', {}, { args: ['x'] }, {}],
    ['open no port of its node', {}, { ports: [{ containerPort: 443, hostPort: 443 }] }, {}],
    ['placed by the scheduler', { nodeName: 'somewhere' }, {}, {}],
    ['readiness gate postern.dev/never-ready', { readinessGates: [{ conditionType: 'PodScheduled' }] }, {}, {}],
    ['must not run as root', { securityContext: { runAsUser: 0 } }, {}, {}],
    ['controlled by the object of Postern', {}, {}, { ownerReferences: [] }],
    ['must mount no volumes', { volumes: [{ name: 'v', secret: { secretName: 's' } }] }, {}, {}],
  ])('is no pod that breaks the rule: %s', async (message, spec, container, metadata) => {
    const { code, stderr } = await create(await probePod(spec, container, metadata));

    expect(stderr).toContain(message);
    expect(code).not.toBe(0);
  });
});
