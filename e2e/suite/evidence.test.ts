import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConnectivityTest, KubeObject } from '../../src/api/index.ts';
import type { Kubectl } from '../harness/kubectl.ts';
import { readMetrics } from '../harness/metrics.ts';
import { nextRun, rowsOf } from '../harness/postern.ts';
import { waitFor } from '../harness/wait.ts';
import { connectivityTest, expectation, networkPolicy, server } from '../harness/workloads.ts';
import { createWorld, type World } from '../harness/world.ts';

interface Event extends KubeObject {
  readonly reason: string;
  readonly note: string;
  readonly regarding: { readonly name: string };
}

/** The notes of events with this reason about a test. */
async function notesOn(kubectl: Kubectl, namespace: string, test: string, reason: string): Promise<string> {
  return waitFor(
    async () => {
      const { items } = await kubectl.json<{ items: Event[] }>(`get events.events.k8s.io -n ${namespace}`);
      const notes = items.filter((event) => event.reason === reason && event.regarding.name === test);
      return notes.length > 0 && notes.map(({ note }) => note).join('\n');
    },
    { what: `an event ${reason} about ${test}`, timeoutMs: 20_000 },
  );
}

/** How many checks were counted so. */
async function counted(kubectl: Kubectl, labels: string): Promise<number> {
  const found = (await readMetrics(kubectl))
    .split('\n')
    .find((line) => line.startsWith(`postern_model_comparisons_total{${labels}}`));
  if (found === undefined) throw new Error(`There is no series of comparisons with ${labels}`);
  return Number(found.split(' ').at(-1));
}

const agrees = 'agreement="Agrees",cause="None"';

/** What the policies say beside what was seen: which policy it was, and where the two part. */
describe('beside the evidence of a run', () => {
  let world: World;
  const selects = (app: string) => ({ podSelector: { matchLabels: { app } } });
  const from = (app: string) => ({ ingress: [{ from: [selects(app)] }] });

  beforeAll(async () => {
    world = await createWorld('postern-e2e-evidence');
    const { namespace } = world;
    await world.apply(
      ...['client', 'other', 'server', 'open', 'typo', 'block'].flatMap((name) => server({ namespace, name })),
      networkPolicy(namespace, 'server-for-other', { ...selects('server'), ...from('other') }),
      networkPolicy(namespace, 'typo-for-client', { ...selects('typo'), ...from('cleint') }),
      networkPolicy(namespace, 'block-of-all', {
        ...selects('block'),
        ingress: [{ from: [{ ipBlock: { cidr: '0.0.0.0/0' } }] }],
      }),
      // The documentation ignores rules of a direction that is not listed; Cilium takes them for a wish to restrict it.
      networkPolicy(namespace, 'other-unlisted', {
        ...selects('other'),
        policyTypes: ['Ingress'],
        ingress: [{}],
        egress: [{ to: [selects('server')] }, { ports: [{ protocol: 'UDP', port: 53 }] }],
      }),
    );
    await world.ready('client', 'other', 'server', 'open', 'typo', 'block');
  });
  afterAll(() => world.destroy());

  const asked = async (name: string, ...expectations: object[]): Promise<ConnectivityTest> => {
    await world.apply(connectivityTest(world.namespace, name, expectations));
    return nextRun(world.kubectl, world.namespace, name);
  };

  it('stands nothing where they agree on a pass, but the count', async () => {
    const before = await counted(world.kubectl, agrees);

    const rows = rowsOf(
      await asked(
        'passed',
        expectation('client-not-server', 'client', 'server', 'Deny'),
        expectation('client-to-open', 'client', 'open', 'Allow'),
      ),
    );

    expect([...rows.values()].map(({ verdict, explanation }) => [verdict, explanation])).toEqual([
      ['Passed', undefined],
      ['Passed', undefined],
    ]);
    // A new world is a change: the run may have been repeated, and counted each time.
    expect((await counted(world.kubectl, agrees)) - before).toBeGreaterThanOrEqual(2);
  });

  it('stands the policy that admits what must be denied', async () => {
    const { namespace, kubectl } = world;
    await asked('opened', expectation('client-not-server', 'client', 'server', 'Deny'));
    await world.apply(networkPolicy(namespace, 'for-migration', { podSelector: {}, ingress: [{}] }));

    const failed = await waitFor(
      async () => {
        const test = await nextRun(kubectl, namespace, 'opened');
        return test.status?.verdict === 'Failed' && test;
      },
      { what: 'the Deny to fail', timeoutMs: 60_000 },
    );

    const row = rowsOf(failed).get('client-not-server');
    expect(row).toMatchObject({
      reason: 'UnexpectedlyReachable',
      explanation: {
        agreement: 'Agrees',
        finding: 'AdditionalPolicyOpens',
        policy: `NetworkPolicy ${namespace}/for-migration`,
        direction: 'ingress',
      },
    });
    // What was seen and what explains it are never one sentence.
    expect(row?.message).not.toContain('for-migration');
    const said = `is admitted by NetworkPolicy ${namespace}/for-migration (spec.ingress[0])`;
    expect(await notesOn(kubectl, namespace, 'opened', 'ExpectationViolated')).toContain(said);
    expect(await kubectl(`describe connectivitytest opened -n ${namespace}`)).toContain(said);
    await kubectl(`delete networkpolicy for-migration -n ${namespace}`);
  });

  it('stands the nearest miss of what must be allowed', async () => {
    const { namespace, kubectl } = world;

    const row = rowsOf(await asked('missed', expectation('client-to-typo', 'client', 'typo', 'Allow'))).get(
      'client-to-typo',
    );

    expect(row).toMatchObject({
      verdict: 'Failed',
      reason: 'Blocked',
      explanation: { finding: 'LabelTypo', policy: `NetworkPolicy ${namespace}/typo-for-client`, direction: 'ingress' },
    });
    expect(await notesOn(kubectl, namespace, 'missed', 'ExpectationViolated')).toContain('Write app: client.');
  });

  it('stands what the network plugin is known to do otherwise', async () => {
    const left = 'agreement="NoAnswer",cause="PluginAgrees"';
    const differs = 'agreement="ModelAllows",cause="PluginAgrees"';
    const before = [await counted(world.kubectl, left), await counted(world.kubectl, differs)];

    const rows = rowsOf(
      await asked(
        'differing',
        expectation('client-to-block', 'client', 'block', 'Allow'),
        expectation('client-to-open', 'client', 'open', 'Allow'),
        expectation('other-to-open', 'other', 'open', 'Allow'),
        expectation('other-to-server', 'other', 'server', 'Allow'),
      ),
    );

    expect(rows.get('client-to-block')).toMatchObject({
      verdict: 'Failed',
      explanation: { agreement: 'NoAnswer', cause: 'PluginAgrees', finding: 'IPBlockMeansPods' },
    });
    expect(rows.get('other-to-open')).toMatchObject({
      verdict: 'Failed',
      explanation: {
        agreement: 'ModelAllows',
        cause: 'PluginAgrees',
        message: expect.stringContaining(
          'agrees with what Cilium (recognised by its kinds of policies) is known to do',
        ) as unknown,
      },
    });
    expect(rows.get('other-to-server')).toMatchObject({ verdict: 'Passed' });
    const after = [await counted(world.kubectl, left), await counted(world.kubectl, differs)];
    expect(after.map((count, index) => count - (before[index] ?? 0)).every((more) => more >= 1)).toBe(true);
  });
});
