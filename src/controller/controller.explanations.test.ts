import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { policyOf } from '../testing/cluster-view.ts';
import { boundaries, Stage } from '../testing/controller-stage.ts';
import { resources } from './resources.ts';

// A busy machine is no failure.
vi.setConfig({ testTimeout: 60_000 });

const db = { matchLabels: { app: 'db' } };
const lock = policyOf('lock', db);
const opening = policyOf('for-migration', db, { spec: { podSelector: db, policyTypes: ['Ingress'], ingress: [{}] } });

describe('the controller, asked why', () => {
  let stage: Stage;

  beforeEach(async () => {
    stage = await Stage.raise();
  });

  afterEach(async () => {
    await stage.strike();
  });

  /** Lets the controller see a change and begin the run that it causes. */
  async function settled(): Promise<void> {
    await stage.noticed();
    await stage.pass(200);
    await stage.pass(1000);
  }
  const rowNamed = (name: string) => stage.statusOf()?.expectations?.find((row) => row.name === name);
  const notes = (): readonly unknown[] => stage.requests('create', 'events').map(({ body }) => noteOf(body));
  const counted = async (): Promise<readonly string[]> =>
    (await stage.metrics.expose())
      .split('\n')
      .filter((line) => line.startsWith('postern_model_comparisons_total') && !line.endsWith(' 0'));

  it('names the policy that lets in what must not get in, in the row, the condition and the event', async () => {
    stage.write(lock);
    stage.write(opening);
    stage.answer = () => 'C';
    await stage.start();
    stage.write(boundaries());
    await stage.atRest(1);

    expect(rowNamed('web-not-db')).toMatchObject({
      verdict: 'Failed',
      reason: 'UnexpectedlyReachable',
      explanation: {
        agreement: 'Agrees',
        finding: 'AdditionalPolicyOpens',
        policy: 'NetworkPolicy shop/for-migration',
        direction: 'ingress',
      },
    });
    expect(rowNamed('web-not-db')?.message).not.toContain('for-migration');
    const passed = stage.statusOf()?.conditions?.find(({ type }) => type === 'Passed');
    expect(passed?.message).toContain('is admitted by NetworkPolicy shop/for-migration (spec.ingress[0])');
    expect(notes()).toEqual([
      expect.stringMatching(
        /must be denied\. .* is admitted by NetworkPolicy shop\/for-migration \(spec\.ingress\[0\]\)/,
      ),
    ]);
    expect(rowNamed('web-reaches-api')).not.toHaveProperty('explanation');
    expect(await counted()).toEqual(['postern_model_comparisons_total{agreement="Agrees",cause="None"} 2']);
  });

  it('shows a disagreement behind a pass, and counts it at every run', async () => {
    await stage.start();
    stage.write(boundaries());
    await stage.atRest(1);

    expect(rowNamed('web-not-db')).toMatchObject({
      verdict: 'Passed',
      explanation: { agreement: 'ModelAllows', cause: 'OutsideTheModel' },
    });
    expect(notes()).toEqual([]);
    expect(await counted()).toContain(
      'postern_model_comparisons_total{agreement="ModelAllows",cause="OutsideTheModel"} 1',
    );

    stage.editTest({ annotations: { 'postern.dev/run-requested-at': 'now' } });
    await stage.atRest(2);
    expect(await counted()).toContain(
      'postern_model_comparisons_total{agreement="ModelAllows",cause="OutsideTheModel"} 2',
    );
  });

  it('takes the disagreement back when the policy that explains it is there', async () => {
    await stage.start();
    stage.write(boundaries());
    await stage.atRest(1);
    stage.write(lock);
    await settled();
    await stage.atRest(2);

    expect(rowNamed('web-not-db')).toMatchObject({ verdict: 'Passed' });
    expect(rowNamed('web-not-db')).not.toHaveProperty('explanation');
  });

  it.each([
    ['policy.networking.k8s.io/v1alpha2', 'ClusterNetworkPolicy', clusterPolicy()],
    ['crd.projectcalico.org/v1', 'GlobalNetworkPolicy', { selector: "app == 'db'", types: ['Ingress'], ingress: [] }],
  ])('knows policies of %s, and runs a test that they concern', async (apiVersion, kind, spec) => {
    await stage.start();
    stage.write(boundaries());
    await stage.atRest(1);
    stage.write({ ...lock, apiVersion, kind, metadata: { name: 'guard' }, spec } as typeof lock);
    await settled();
    await stage.atRest(2);

    expect(rowNamed('web-not-db')).not.toHaveProperty('explanation');
    expect(await counted()).toContain('postern_model_comparisons_total{agreement="Agrees",cause="None"} 3');
  });

  it('claims nothing where it may not list a kind of policies', async () => {
    const refused = { type: 'Status', status: 403, reason: 'Forbidden', message: 'no' } as const;
    stage.server.fault(refused, { verb: 'list', plural: resources.clusterNetworkPolicies.plural, times: 9 });
    stage.forbiddenKinds = 1;
    await stage.start();
    stage.answer = () => 'C';
    stage.write(boundaries());
    await stage.atRest(1);

    expect(rowNamed('web-not-db')?.explanation).toMatchObject({ agreement: 'NoAnswer', cause: 'NotKnown' });
    expect(rowNamed('web-not-db')?.explanation?.message).toContain(
      'Postern may not list clusternetworkpolicies.policy.networking.k8s.io',
    );
  });
});

function clusterPolicy(): object {
  return {
    tier: 'Admin',
    priority: 1,
    subject: { pods: { namespaceSelector: {}, podSelector: db } },
    ingress: [{ name: 'none', action: 'Deny', from: [{ namespaces: {} }] }],
  };
}

function noteOf(body: unknown): unknown {
  return typeof body === 'object' && body !== null && 'note' in body ? body.note : undefined;
}
