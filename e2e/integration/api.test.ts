import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { currentCluster } from '../cluster/index.ts';
import { kubectlFor } from '../harness/kubectl.ts';
import { repositoryPath } from '../harness/postern.ts';
import { connectivityTest, expectation, namespace as namespaceObject, manifests } from '../harness/workloads.ts';

const kubectl = kubectlFor(currentCluster());
const namespace = 'postern-integration-api';
const invalid = repositoryPath('examples/invalid');

describe('the API of ConnectivityTest on a real API server', () => {
  beforeAll(async () => {
    await kubectl('apply -f -', { input: manifests(namespaceObject(namespace)) });
  });
  afterAll(async () => {
    await kubectl(`delete namespace ${namespace} --ignore-not-found`);
  });

  it.each(readdirSync(invalid))('refuses examples/invalid/%s and says what to write instead', async (file) => {
    const [firstLine = ''] = readFileSync(`${invalid}/${file}`, 'utf8').split('\n');
    const wanted = firstLine.replace('# Refused: ', '');
    const { code, stderr } = await kubectl.attempt(`apply --dry-run=server --validate=strict -f ${invalid}/${file}`);
    expect(stderr).toContain(wanted);
    expect(code).not.toBe(0);
  });

  it('fills in the documented defaults', async () => {
    await kubectl('apply -f -', {
      input: manifests(connectivityTest(namespace, 'defaults', [expectation('one', 'a', 'b', 'Allow')])),
    });
    const { spec } = await kubectl.json<{ spec: unknown }>(`get connectivitytest defaults -n ${namespace}`);
    expect(spec).toMatchObject({
      suspend: false,
      periodSeconds: 3600,
      timeoutSeconds: 2,
      settleSeconds: 4,
      severity: 'Medium',
      probeReplicas: 0,
      expectations: [{ dryRun: false }],
    });
  });

  it('is a manual to kubectl explain', async () => {
    expect(await kubectl('explain connectivitytest.spec.expectations.from')).toContain('wears the identity');
    expect(await kubectl('explain connectivitytest.status.expectations.reason')).toContain('UnexpectedlyReachable');
    expect(await kubectl('explain connectivitytest --recursive')).not.toContain('<no description>');
  });

  it('reports a scale of 0 to whoever counts the pods of a probe pod’s owner', async () => {
    await kubectl('apply -f -', {
      input: manifests(connectivityTest(namespace, 'scaled', [expectation('one', 'a', 'b', 'Allow')])),
    });
    const scale = await kubectl(
      `get --raw /apis/postern.dev/v1alpha1/namespaces/${namespace}/connectivitytests/scaled/scale`,
    );
    expect(JSON.parse(scale)).toMatchObject({ kind: 'Scale', spec: {} });
    expect(scale).not.toMatch(/"replicas":[1-9]/);
    const grown = await kubectl.attempt(`scale connectivitytest scaled -n ${namespace} --replicas=3`);
    expect(grown.code).not.toBe(0);
  });

  it('can be listed by its short name and category', async () => {
    expect(await kubectl(`get conntest -n ${namespace} -o name`)).toContain('connectivitytest.postern.dev/defaults');
    expect(await kubectl(`get connectivity -n ${namespace} -o name`)).toContain(
      'connectivitytest.postern.dev/defaults',
    );
  });
});
