import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { policyOf } from '../testing/cluster-view.ts';
import { boundaries, Stage } from '../testing/controller-stage.ts';

// A busy machine is no failure.
vi.setConfig({ testTimeout: 60_000 });

const policy = policyOf('lock', { matchLabels: { app: 'db' } });

describe('the controller, next to a change', () => {
  let stage: Stage;

  beforeEach(async () => {
    stage = await Stage.raise();
    stage.write(policy);
    await stage.start();
  });

  afterEach(async () => {
    await stage.strike();
  });

  const deny = (): string | undefined => stage.verdicts()['web-not-db'];
  const open = (): void => void (stage.answer = () => 'C');
  const close = (): void => void (stage.answer = ({ port }) => (port === '5432' ? 'T' : 'C'));

  /** Lets the controller see a change and begin the run that it causes. */
  async function change(act: () => void): Promise<void> {
    act();
    await stage.noticed();
    await stage.pass(200);
    await stage.pass(1000);
  }

  async function startWithVerdicts(spec: object = {}): Promise<void> {
    const test = boundaries();
    const edited = { ...test, spec: { ...test.spec, ...spec } };
    stage.write(edited);
    await stage.atRest(1);
  }

  it('is not sure of a hole at first, looks again when the change is old enough, and then says it', async () => {
    await startWithVerdicts();
    open();
    await change(() => stage.remove('NetworkPolicy', 'lock'));
    await stage.atRest(2);
    expect(deny()).toBe('Inconclusive EnforcementDelayed');
    expect(stage.statusOf()?.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('False');

    // The change is 1.2 seconds old.
    await stage.pass(3800);
    expect(stage.started).toHaveLength(2);
    await stage.pass(1);
    await stage.atRest(3);

    expect(deny()).toBe('Failed UnexpectedlyReachable');
    await stage.pass(60_000);
    expect(stage.started.slice(1)).toEqual([
      'shop/boundaries Change',
      'shop/boundaries Change',
      'shop/boundaries Confirmation',
    ]);
  });

  it('raises no alarm about a policy that the network plugin enforces late', async () => {
    await startWithVerdicts();
    open();
    await change(() => stage.write(policyOf('lock', {})));
    await stage.atRest(2);
    close();
    await stage.pass(3801);
    await stage.atRest(3);

    expect(deny()).toBe('Passed Denied');
    expect(stage.statusOf()?.expectations?.find(({ name }) => name === 'web-not-db')).not.toHaveProperty('excusedRuns');
  });

  it('says at once what it sees without a change', async () => {
    await startWithVerdicts();
    open();
    await stage.pass(300_000);
    await stage.atRest(2);

    expect(deny()).toBe('Failed UnexpectedlyReachable');
  });

  it('says at once what it sees in the strict mode, next to a change and during one', async () => {
    await startWithVerdicts({ enforcementGraceSeconds: 0 });
    open();
    stage.isKubeletAtWork = false;
    await change(() => stage.remove('NetworkPolicy', 'lock'));
    await stage.probing();
    stage.write(policyOf('another', {}));
    await stage.noticed();
    await stage.pass(200);
    stage.finishProbes();
    await stage.until(() => stage.concluded === 2, 'the end of the run');

    expect(stage.discarded).toEqual([]);
    expect(deny()).toBe('Failed UnexpectedlyReachable');
  });

  it('finds a hole in the fourth run at the latest, however much changes', async () => {
    await startWithVerdicts();
    open();
    const seen: (string | undefined)[] = [];
    for (let round = 0; round < 5; round += 1) {
      const runs = stage.concluded;
      await change(() => stage.write(policyOf('lock', { matchLabels: { round: String(round) } })));
      await stage.atRest(runs + 1);
      seen.push(deny());
    }

    expect(seen).toEqual([
      ...Array<string>(3).fill('Inconclusive EnforcementDelayed'),
      ...Array<string>(2).fill('Failed UnexpectedlyReachable'),
    ]);
  });

  it('does not forget over a restart what it wanted to look at again', async () => {
    await startWithVerdicts();
    open();
    await change(() => stage.remove('NetworkPolicy', 'lock'));
    await stage.atRest(2);
    expect(deny()).toBe('Inconclusive EnforcementDelayed');

    await stage.halt();
    await stage.start();
    await stage.atRest(3);

    expect(deny()).toBe('Failed UnexpectedlyReachable');
  });

  it('shows verdicts that are too old for what they are, until there are new ones', async () => {
    await startWithVerdicts();
    await stage.halt();
    await stage.pass(660_000);
    stage.isKubeletAtWork = false;

    await stage.start();
    await stage.probing();
    await stage.until(() => stage.statusOf()?.conditions?.[1]?.reason === 'Stale', 'the verdicts are stale');
    expect(stage.statusOf()).toMatchObject({
      verdict: 'Inconclusive',
      summary: { display: '2/2' },
      conditions: [{}, { type: 'Passed', status: 'Unknown' }, { type: 'Ready', status: 'Unknown' }],
    });
    stage.isKubeletAtWork = true;
    await stage.atRest(2);

    expect(stage.statusOf()).toMatchObject({ verdict: 'Passed', conditions: [{}, { reason: 'AllPassed' }, {}] });
    expect(stage.started.at(-1)).toBe('shop/boundaries Period');
  });

  it('keeps an Allow that fails once from raising an alarm, and shows and counts it all the same', async () => {
    await startWithVerdicts({ thresholds: { failures: 2 } });
    const { lastSuccessTime } = stage.statusOf() ?? {};
    stage.answer = () => 'T';
    await stage.pass(300_000);
    await stage.atRest(2);

    expect(stage.verdicts()['web-reaches-api']).toBe('Passed Reachable');
    expect(stage.statusOf()?.expectations?.[0]?.observed).toMatchObject({ verdict: 'Failed', runs: 1, needed: 2 });
    expect(stage.statusOf()?.lastSuccessTime).toBe(lastSuccessTime);
    const text = await stage.metrics.expose();
    expect(text).toContain(
      'postern_expectation_damped{namespace="shop",test="boundaries",expectation="web-reaches-api"} 1',
    );
    expect(text).toContain('postern_runs_total{result="failed"} 1');

    await stage.pass(300_000);
    await stage.atRest(3);
    expect(stage.verdicts()['web-reaches-api']).toBe('Failed Blocked');
  });
});
